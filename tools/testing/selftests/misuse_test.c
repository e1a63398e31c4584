// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes that a parent driver can make, by the module misuse: what comes of them is
 * an errno, and nothing that a user could see or set off
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "sysfs.h"
#include "vfio_client.h"

#define DEVICE	"/sys/devices/platform/misuse"

static void test_blocks_that_no_pool_has(void **state)
{
	static const char * const sizes[] = {
		"0", "1", "4096", "0x100000", "0x300000", "0x80000000", "0x20000000000000", "0x8000000000000000",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(sysfs_write(sizes[i], DEVICE "/block"), -EINVAL);
	assert_int_equal(sysfs_write("0x200000", DEVICE "/block"), 0);
	assert_int_equal(sysfs_write("0x400000", DEVICE "/block"), 0);
	assert_int_equal(sysfs_write("0x800000", DEVICE "/block"), -ENOSPC);
}

static void test_frames_that_are_not_what_is_said(void **state)
{
	(void)state;
	assert_int_equal(sysfs_write("page", DEVICE "/back"), 0);
	assert_int_equal(sysfs_write("write-combining", DEVICE "/back"), -EFAULT);
	assert_int_equal(sysfs_write("uncached", DEVICE "/back"), -EFAULT);
	assert_int_equal(sysfs_write("compound", DEVICE "/back"), -EFAULT);
}

static void test_files_of_nothing(void **state)
{
	static const char * const files[] = {
		"display/mode", "display/mode_changes", "display/resolution", "display/scanout",
		"block_files/vram_offset", "block_files/vram_size", "block_files/scrub_us",
	};
	unsigned int i;
	char path[64];

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), DEVICE "/%s", files[i]);
		assert_int_equal(sysfs_read_long("%s", path), -1);
		assert_int_equal(errno, ENODEV);
	}
	assert_int_equal(sysfs_write("800x600", DEVICE "/display/resolution"), -ENODEV);
	assert_int_equal(sysfs_write("1", DEVICE "/display/scanout"), -ENODEV);
}

static void test_plane_of_nothing(void **state)
{
	struct vfio_device_gfx_plane_info plane = {
		.argsz = sizeof(plane),
		.flags = VFIO_GFX_PLANE_TYPE_REGION,
	};
	struct vfio_client client;

	(void)state;
	assert_int_equal(vfio_client_open(&client, "misuse"), 0);
	assert_int_equal(ioctl(client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
	assert_int_equal(plane.size, 0);
	vfio_client_close(&client);
}

/* Whoever listens is told to the display, which there is not */
static void test_interrupts_of_nothing(void **state)
{
	int event = eventfd(0, EFD_CLOEXEC);
	struct vfio_client client;

	(void)state;
	assert_true(event >= 0);
	assert_int_equal(vfio_client_open(&client, "misuse"), 0);
	assert_int_equal(vfio_client_give(&client, VFIO_PCI_INTX_IRQ_INDEX, event), 0);
	assert_int_equal(vfio_client_give(&client, VFIO_PCI_INTX_IRQ_INDEX, -1), 0);
	vfio_client_close(&client);
	close(event);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_that_are_not_what_is_said),
		cmocka_unit_test(test_blocks_that_no_pool_has),
		cmocka_unit_test(test_files_of_nothing),
		cmocka_unit_test(test_plane_of_nothing),
		cmocka_unit_test(test_interrupts_of_nothing),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
