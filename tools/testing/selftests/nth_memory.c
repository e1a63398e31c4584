// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of an instance of mgpu is mapped, touched, read and shown while allocations fail
 *
 * A touch by the processor never fails: the kernel tells that there is no memory for a
 * page table by VM_FAULT_OOM, kills somebody if there is nothing else to be had, and the
 * touch is made again, which the test sees as one that has passed. A touch by the kernel
 * itself, in read(2), is EFAULT.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "instance.h"
#include "nth.h"
#include "sysfs.h"

#define SIZE (2 * MIB)
#define VALUE 0x5aa5

static void *f;
static void *map = MAP_FAILED;
static int zeroes = -1;

static struct instance *instance(void)
{
	return f;
}

static void setup(void)
{
	assert_int_equal(instance_setup(&f), 0);
	vfio_client_decode(&instance()->client, 1);
	zeroes = open("/dev/zero", O_RDONLY);
}

static void finish(void)
{
	if (map != MAP_FAILED)
		munmap(map, SIZE);
	map = MAP_FAILED;
	instance_teardown(&f);
	close(zeroes);
}

static int map_vram(void)
{
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, instance()->client.device,
		   instance()->vram);
	return map == MAP_FAILED ? -errno : 0;
}

static void unmap(void)
{
	assert_int_equal(munmap(map, SIZE), 0);
	map = MAP_FAILED;
}

static int touch_vram(void)
{
	int ret = map_vram();

	if (!ret)
		*(volatile uint32_t *)map = VALUE;
	return ret;
}

static void vram_is_touched(void)
{
	assert_int_equal(*(volatile uint32_t *)map, VALUE);
}

static int touch_vram_by_kernel(void)
{
	int ret = map_vram();

	if (!ret && read(zeroes, map, 8) != 8) {
		ret = -errno;
		unmap();
	}
	return ret;
}

static void vram_is_zero(void)
{
	assert_int_equal(*(volatile uint64_t *)map, 0);
}

static int read_vram(void)
{
	uint32_t value;
	ssize_t ret = vfio_client_read(&instance()->client, instance()->vram, &value, 4);

	return ret < 0 ? ret : 0;
}

/* The kernel's mapping goes with the last user */
static void reopen(void)
{
	instance_reopen(instance());
	vfio_client_decode(&instance()->client, 1);
}

static int show(void)
{
	return sysfs_write("1", "/sys/bus/mdev/devices/" UUID_A "/display/scanout");
}

static void is_shown(void)
{
	assert_int_equal(sysfs_read_long("/sys/bus/mdev/devices/" UUID_A "/display/scanout"), 1);
}

static void no_show(void)
{
	assert_int_equal(sysfs_write("0", "/sys/bus/mdev/devices/" UUID_A "/display/scanout"), 0);
}

const struct nth_sequence nth_memory[] = {
	{ .name = "mmap", .prepare = setup, .run = map_vram, .undo = unmap, .finish = finish,
	  .opens = true },
	{ .name = "touch", .prepare = setup, .run = touch_vram, .check = vram_is_touched,
	  .undo = unmap, .finish = finish, .opens = true },
	{ .name = "touch_by_kernel", .prepare = setup, .run = touch_vram_by_kernel,
	  .check = vram_is_zero, .undo = unmap, .finish = finish, .errnos = { EFAULT } },
	{ .name = "read", .prepare = setup, .run = read_vram, .undo = reopen, .finish = finish },
	{ .name = "scanout", .prepare = setup, .run = show, .check = is_shown, .undo = no_show,
	  .finish = finish },
	{},
};
