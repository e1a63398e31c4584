// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parents and instances come and go while allocations fail
 *
 * Of mdev_lab, whose driver does nothing, what fails is the core's; of mgpu it is the
 * parent driver's and the library's, too, and VFIO's at the end of its probe: the block
 * of VRAM has to come back then.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fixture.h"
#include "nth.h"
#include "sysfs.h"

#define LAB "/sys/class/mdev_bus/mdev_lab/mdev_supported_types/platform-lab"
#define LAB_PARAMETER "/sys/module/mdev_lab/parameters/"

static int lab_create(void)
{
	return sysfs_write(UUID_A, LAB "/create");
}

static int remove_a(void)
{
	return mdev_remove(UUID_A);
}

static void lab_must_create(void)
{
	assert_int_equal(lab_create(), 0);
}

static void must_remove(void)
{
	assert_int_equal(remove_a(), 0);
}

static void is_there(void)
{
	assert_true(mdev_exists(UUID_A));
	assert_true(sysfs_exists("/sys/bus/mdev/devices/" UUID_A "/mdev_type/devices/" UUID_A));
}

static void is_gone(void)
{
	assert_false(mdev_exists(UUID_A));
}

static void finish_a(void)
{
	if (mdev_exists(UUID_A))
		remove_a();
}

static int lab_register(void)
{
	return sysfs_write("1", LAB_PARAMETER "registered");
}

static int lab_unregister(void)
{
	return sysfs_write("0", LAB_PARAMETER "registered");
}

static void lab_must_register(void)
{
	assert_int_equal(lab_register(), 0);
}

static void lab_must_unregister(void)
{
	assert_int_equal(lab_unregister(), 0);
}

static void lab_works(void)
{
	lab_must_create();
	is_there();
	must_remove();
}

static void lab_finish(void)
{
	finish_a();
	if (!sysfs_exists(LAB))
		lab_register();
}

/* It is idle, so it goes with its parent */
static void lab_register_with_one(void)
{
	lab_must_register();
	lab_must_create();
}

/* From now on, what the parent leaves is a shell, if there is the memory to make one */
static void lab_hold(void)
{
	assert_int_equal(sysfs_write("-16", LAB_PARAMETER "prepare_result"), 0);
}

static void lab_let_go(void)
{
	sysfs_write("0", LAB_PARAMETER "prepare_result");
}

static void lab_create_held(void)
{
	lab_must_create();
	lab_hold();
}

/* Somebody looks for shells that can go once a second */
static void lab_register_with_held(void)
{
	double end = fixture_now() + 60;

	lab_let_go();
	while (mdev_exists(UUID_A)) {
		assert_true(fixture_now() < end);
		sched_yield();
	}
	lab_register_with_one();
	lab_hold();
}

static void lab_finish_held(void)
{
	lab_let_go();
	lab_finish();
}

static int mgpu_create(void)
{
	return mdev_create("4M", UUID_A);
}

static void mgpu_must_create(void)
{
	assert_int_equal(mgpu_create(), 0);
}

static void mgpu_must_bind(void)
{
	assert_int_equal(parent_bind(), 0);
}

static void mgpu_must_unbind(void)
{
	assert_int_equal(parent_unbind(), 0);
}

static void mgpu_works(void)
{
	assert_all_free();
	mgpu_must_create();
	is_there();
	must_remove();
}

static void mgpu_finish(void)
{
	if (!sysfs_exists("/sys/bus/pci/drivers/mgpu/%s", getenv("LAB_PARENT")))
		parent_bind();
}

static void no_finish(void)
{
}

const struct nth_sequence nth_life[] = {
	{ .name = "create", .prepare = no_finish, .run = lab_create, .check = is_there,
	  .undo = must_remove, .finish = finish_a },
	{ .name = "remove", .prepare = lab_must_create, .run = remove_a, .check = is_gone,
	  .kept = is_there, .undo = lab_must_create, .finish = finish_a },
	{ .name = "register_parent", .prepare = lab_must_unregister, .run = lab_register,
	  .works = lab_works, .undo = lab_must_unregister, .finish = lab_finish },
	{ .name = "unregister_parent", .prepare = lab_must_create, .run = lab_unregister,
	  .check = is_gone, .undo = lab_register_with_one, .finish = lab_finish },
	{ .name = "make_shell", .prepare = lab_create_held, .run = lab_unregister,
	  .undo = lab_register_with_held, .finish = lab_finish_held, .within = "mdev_shell_make" },
	/*
	 * Of a group whose device it cannot add, VFIO puts that device and no more: a reference
	 * to the IOMMU group is lost, of which vfio_group_release() only warns
	 */
	{ .name = "create_mgpu", .prepare = no_finish, .run = mgpu_create, .check = is_there,
	  .undo = must_remove, .finish = finish_a, .without = "vfio_create_group" },
	{ .name = "remove_mgpu", .prepare = mgpu_must_create, .run = remove_a, .check = is_gone,
	  .kept = is_there, .undo = mgpu_must_create, .finish = finish_a },
	/* EBUSY: without memory for it, a region of I/O memory is not the driver's */
	{ .name = "bind_mgpu", .prepare = mgpu_must_unbind, .run = parent_bind, .works = mgpu_works,
	  .check = assert_all_free, .undo = mgpu_must_unbind, .finish = mgpu_finish, .errnos = { EBUSY } },
	{ .name = "unbind_mgpu", .prepare = no_finish, .run = parent_unbind,
	  .undo = mgpu_must_bind, .finish = mgpu_finish },
	{},
};
