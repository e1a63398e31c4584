// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances are opened and closed while allocations fail
 *
 * That of dma_lab has a thread of the kernel's for access to memory, which is made when it
 * is opened; that of mgpu has none. What has failed to open must open when it is tried
 * again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <cmocka.h>

#include "dma_client.h"
#include "fixture.h"
#include "nth.h"
#include "sysfs.h"

static int open_a(void)
{
	return vfio_client_open(&fixture_client, UUID_A);
}

static void must_open(void)
{
	assert_int_equal(open_a(), 0);
}

static int close_a(void)
{
	fixture_close();
	return 0;
}

static void must_close(void)
{
	fixture_close();
}

static void is_open(void)
{
	vfio_client_decode(&fixture_client, 1);
	assert_int_equal(vfio_client_get(&fixture_client, 0, 2), 0x1234);
}

static void is_open_dma(void)
{
	assert_int_equal(vfio_client_get(&fixture_client, 0, 2), 0x1af4);
}

static void create(void)
{
	assert_int_equal(mdev_create("8M", UUID_A), 0);
}

static void create_dma(void)
{
	assert_int_equal(sysfs_write(UUID_A, DMA_TYPES "dma/create"), 0);
}

static void create_and_open(void)
{
	create();
	must_open();
}

static void create_and_open_dma(void)
{
	create_dma();
	must_open();
}

static void finish(void)
{
	fixture_close();
	mdev_remove(UUID_A);
}

static int reset(void)
{
	return ioctl(fixture_client.device, VFIO_DEVICE_RESET) ? -errno : 0;
}

static void nothing(void)
{
}

const struct nth_sequence nth_open[] = {
	{ .name = "open", .prepare = create, .run = open_a, .check = is_open, .undo = must_close,
	  .finish = finish, .opens = true },
	{ .name = "close", .frugal = true, .prepare = create_and_open, .run = close_a, .undo = must_open,
	  .finish = finish, .opens = true },
	{ .name = "open_dma", .prepare = create_dma, .run = open_a, .check = is_open_dma,
	  .undo = must_close, .finish = finish, .opens = true },
	{ .name = "close_dma", .frugal = true, .prepare = create_and_open_dma, .run = close_a,
	  .undo = must_open, .finish = finish, .opens = true },
	{ .name = "reset", .prepare = create_and_open, .run = reset, .undo = nothing,
	  .finish = finish, .opens = true },
	{},
};
