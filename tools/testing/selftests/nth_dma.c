// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user's memory is mapped, pinned and copied while allocations fail: those of who asks
 * for it, and those of the library's thread that does it
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "dma_client.h"
#include "nth.h"
#include "sysfs.h"

#define UUID "dada0000-9e57-4c11-8c11-000000000002"
#define THREAD "vpci-dma"
#define PAGE 4096UL
#define PAGES 16
#define SIZE (PAGES * PAGE)
#define IOVA 0x100000UL
#define VALUE 0x1122334455667788ULL

static uint64_t *memory;

static int command(unsigned int what, uint64_t count)
{
	dma_put(DMA_LAB_IOVA, IOVA);
	dma_put(DMA_LAB_COUNT, count);
	return dma_command(what, 0);
}

static void setup(void)
{
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	memory[0] = VALUE;
	assert_int_equal(sysfs_write(UUID, DMA_TYPES "dma/create"), 0);
	dma_open(UUID);
}

static void finish(void)
{
	vfio_client_close(&dma.vfio);
	munmap(memory, SIZE);
	mdev_remove(UUID);
}

static int map(void)
{
	return vfio_client_map(&dma.vfio, memory, IOVA, SIZE, true);
}

static int unmap(void)
{
	return vfio_client_unmap(&dma.vfio, IOVA, SIZE);
}

static void must_map(void)
{
	assert_int_equal(map(), 0);
}

static void must_unmap(void)
{
	assert_int_equal(unmap(), 0);
}

static void setup_mapped(void)
{
	setup();
	must_map();
}

static int copy(void)
{
	return command(DMA_LAB_READ, 8);
}

static void is_copied(void)
{
	assert_true(dma_get(DMA_LAB_VALUE) == VALUE);
}

static void is_reached(void)
{
	assert_int_equal(copy(), 0);
	is_copied();
}

static void is_not_reached(void)
{
	assert_int_not_equal(copy(), 0);
}

static int pin(void)
{
	return command(DMA_LAB_PIN, PAGES);
}

static void is_pinned(void)
{
	assert_int_equal(command(DMA_LAB_PEEK, 0), 0);
	is_copied();
}

static void is_not_pinned(void)
{
	assert_int_equal(command(DMA_LAB_PEEK, 0), -ENXIO);
}

static void unpin(void)
{
	assert_int_equal(command(DMA_LAB_UNPIN, 0), 0);
	is_not_pinned();
}

static void setup_pinned(void)
{
	setup_mapped();
	assert_int_equal(pin(), 0);
}

static void map_and_pin(void)
{
	is_not_pinned();
	must_map();
	assert_int_equal(pin(), 0);
}

static void nothing(void)
{
}

const struct nth_sequence nth_dma[] = {
	{ .name = "map_memory", .prepare = setup, .run = map, .check = is_reached,
	  .kept = is_not_reached, .undo = must_unmap, .finish = finish, .opens = true },
	{ .name = "unmap_memory", .frugal = true, .prepare = setup_mapped, .run = unmap,
	  .check = is_not_reached, .kept = is_reached, .undo = must_map, .finish = finish, .opens = true },
	{ .name = "copy", .prepare = setup_mapped, .run = copy, .check = is_copied, .undo = nothing,
	  .finish = finish, .opens = true },
	{ .name = "copy_by_thread", .frugal = true, .prepare = setup_mapped, .run = copy,
	  .check = is_copied, .undo = nothing, .finish = finish, .thread = THREAD, .pins = true },
	{ .name = "pin", .prepare = setup_mapped, .run = pin, .check = is_pinned,
	  .kept = is_not_pinned, .undo = unpin, .finish = finish, .pins = true },
	{ .name = "pin_by_thread", .prepare = setup_mapped, .run = pin, .check = is_pinned,
	  .kept = is_not_pinned, .undo = unpin, .finish = finish, .thread = THREAD, .pins = true },
	{ .name = "unmap_pinned", .frugal = true, .prepare = setup_pinned, .run = unmap,
	  .undo = map_and_pin, .finish = finish, .pins = true },
	{},
};
