// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backings come and go while allocations fail; see vpci_lab.h
 *
 * Where the parent driver backs a page when it is touched and cannot, the touch meets the
 * sink page. To revoke a backing never fails.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "lab_client.h"
#include "nth.h"

/* Pages with gaps between them, for more than one node of a tree; and more, for another one */
#define NR_ODD 40
#define NR_MORE 16
#define MORE (2 * NR_ODD * PAGE)
#define MORE_SIZE (2 * NR_MORE * PAGE)
/* Beyond those that these have */
#define FRAME 1024

static struct lab_client lab;
static void *map = MAP_FAILED;

static void setup(void)
{
	unsigned int i;

	lab_open(&lab, LAB_UUID_B);
	for (i = 0; i < NR_ODD; i++)
		assert_int_equal(lab_back(&lab, LAB_BAR, 2 * i * PAGE, PAGE, LAB_ANY_FRAME), 0);
}

static void finish(void)
{
	if (map != MAP_FAILED)
		munmap(map, LEAF);
	map = MAP_FAILED;
	lab_close(&lab);
}

static int touch(void)
{
	uint64_t word;

	map = mmap(NULL, LEAF, PROT_READ | PROT_WRITE, MAP_SHARED, lab.vfio.device,
		   lab.start[LAB_TOUCH_BAR]);
	if (map == MAP_FAILED)
		return -errno;
	word = *(volatile uint64_t *)map;
	assert_true(word == lab_tag(&lab, LAB_TOUCH_BAR, 0) || word == ONES);
	return 0;
}

/* What was backed goes as well */
static void unmap_and_revoke(void)
{
	assert_int_equal(munmap(map, LEAF), 0);
	map = MAP_FAILED;
	assert_int_equal(lab_revoke(&lab, LAB_TOUCH_BAR, 0, LEAF), 0);
}

static int unback(void)
{
	return lab_revoke(&lab, LAB_BAR, MORE, MORE_SIZE);
}

static int back(void)
{
	uint64_t at;
	int ret = 0;

	for (at = MORE; !ret && at < MORE + MORE_SIZE; at += 2 * PAGE)
		ret = lab_back(&lab, LAB_BAR, at, PAGE, LAB_ANY_FRAME);
	if (ret)
		unback();
	return ret;
}

static void must_back(void)
{
	assert_int_equal(back(), 0);
}

static void must_unback(void)
{
	assert_int_equal(unback(), 0);
}

/* In the middle of one, which is cut for that */
static int revoke_middle(void)
{
	return lab_revoke(&lab, LAB_TOUCH_BAR, PAGE, PAGE);
}

static void back_middle(void)
{
	lab_revoke(&lab, LAB_TOUCH_BAR, 0, LEAF);
	assert_int_equal(lab_back(&lab, LAB_TOUCH_BAR, 0, 3 * PAGE, FRAME), 0);
}

static void setup_middle(void)
{
	setup();
	back_middle();
}

static void setup_backed(void)
{
	setup();
	must_back();
}

static int mixed_info(void)
{
	struct vfio_region_info info;

	return vfio_client_region(&lab.vfio, LAB_MIXED_BAR, &info);
}

static void nothing(void)
{
}

const struct nth_sequence nth_backing[] = {
	{ .name = "touch_backs", .prepare = setup, .run = touch, .undo = unmap_and_revoke,
	  .finish = finish },
	/* Where nodes of a maple tree come from a sheaf that is filled beforehand, as in 7.3, none of them fails */
	{ .name = "back", .frugal = true, .prepare = setup, .run = back, .undo = must_unback,
	  .finish = finish },
	{ .name = "revoke", .frugal = true, .prepare = setup_backed, .run = unback, .undo = must_back,
	  .finish = finish },
	{ .name = "revoke_middle", .frugal = true, .prepare = setup_middle, .run = revoke_middle,
	  .undo = back_middle, .finish = finish },
	{ .name = "region_info", .prepare = setup, .run = mixed_info, .undo = nothing,
	  .finish = finish, .opens = true },
	{},
};
