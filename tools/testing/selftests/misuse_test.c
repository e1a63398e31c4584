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
#include <cmocka.h>

#include "sysfs.h"

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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_that_are_not_what_is_said),
		cmocka_unit_test(test_blocks_that_no_pool_has),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}
