// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifecycle of mediated devices through sysfs, on a parent of 16 MiB
 *
 * What can be typed wrong has a definite errno, and nothing is half-made
 * afterwards: every test ends with all capacity returned.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fixture.h"
#include "sysfs.h"

/* Leave a test of what the mdev core that the kernel brings does not do */
static void needs_our_core(const char *why)
{
	if (mdev_core_is_ours())
		return;
	printf("# the kernel's core %s\n", why);
	skip();
}

static void test_type_files(void **state)
{
	static const char * const files[] = { "create", "available_instances",
		"device_api", "name", "description", "devices" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_true(sysfs_exists("/sys/class/mdev_bus/%s/mdev_supported_types/mgpu-8M/%s",
					 getenv("LAB_PARENT"), files[i]));
	assert_all_free();
}

static void test_create_and_remove(void **state)
{
	char *name;

	(void)state;
	assert_int_equal(mdev_create("8M", UUID_A), 0);
	assert_true(mdev_exists(UUID_A));
	name = sysfs_link_name("/sys/bus/mdev/devices/" UUID_A "/mdev_type");
	assert_string_equal(name, "mgpu-8M");
	free(name);
	assert_true(sysfs_exists("/sys/bus/mdev/devices/" UUID_A
				 "/mdev_type/devices/" UUID_A));
	assert_true(sysfs_exists("/sys/bus/mdev/devices/" UUID_A "/iommu_group"));
	assert_int_equal(mdev_available("8M"), 1);
	assert_int_equal(mdev_available("4M"), 2);
	assert_int_equal(mdev_available("16M"), 0);

	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_false(mdev_exists(UUID_A));
	assert_all_free();
}

/* What programs write behind a UUID: nothing, a newline, the end of their string */
static void test_ends_of_uuid(void **state)
{
	static const char text[] = UUID_A "\0\0", line[] = UUID_A "\n", other[] = UUID_A "\0\n";
	size_t len = strlen(UUID_A);
	char create[256];

	(void)state;
	snprintf(create, sizeof(create),
		 "/sys/class/mdev_bus/%s/mdev_supported_types/mgpu-4M/create",
		 getenv("LAB_PARENT"));
	assert_int_equal(sysfs_write_bytes(text, len, create), 0);
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_int_equal(sysfs_write_bytes(line, len + 1, create), 0);
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_int_equal(sysfs_write_bytes(text, len + 1, create), 0);
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_int_equal(sysfs_write_bytes(text, len + 2, create), -EINVAL);
	assert_int_equal(sysfs_write_bytes(other, len + 2, create), -EINVAL);
	assert_int_equal(sysfs_write_bytes(text, len - 1, create), -EINVAL);
	assert_all_free();
}

static void test_malformed_uuid(void **state)
{
	static const char * const bad[] = {
		"\n", "1", "not-a-uuid",
		"11111111-aaaa-4aaa-8aaa-0123456789a",
		"11111111-aaaa-4aaa-8aaa-0123456789ag",
		"11111111aaaa4aaa8aaa0123456789ab",
		"{11111111-aaaa-4aaa-8aaa-0123456789ab}",
		"11111111-aaaa-4aaa-8aaa-0123456789ab\n\n",
		"11111111_aaaa_4aaa_8aaa_0123456789ab",
		"../../../../../../../../../etc/passwd",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(mdev_create("4M", bad[i]), -EINVAL);
	assert_all_free();
}

static void test_uuid_and_more(void **state)
{
	(void)state;
	needs_our_core("ignores a character after the UUID");
	assert_int_equal(mdev_create("4M", UUID_A "c"), -EINVAL);
	assert_all_free();
}

static void test_newline_is_fine(void **state)
{
	(void)state;
	assert_int_equal(mdev_create("4M", UUID_A "\n"), 0);
	assert_true(mdev_exists(UUID_A));
}

static void test_uuid_taken(void **state)
{
	(void)state;
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(mdev_create("4M", UUID_A), -EEXIST);
	assert_int_equal(mdev_create("8M", UUID_A), -EEXIST);
	assert_int_equal(mdev_available("4M"), 3);
	assert_int_equal(mdev_remove(UUID_A), 0);
	/* A name that was given back can be used at once */
	assert_int_equal(mdev_create("4M", UUID_A), 0);
}

static void test_upper_case_is_the_same(void **state)
{
	(void)state;
	assert_int_equal(mdev_create("4M", "11111111-AAAA-4AAA-8AAA-0123456789AB"), 0);
	assert_true(mdev_exists(UUID_A));
	assert_int_equal(mdev_create("4M", UUID_A), -EEXIST);
}

static void test_full(void **state)
{
	int log;

	(void)state;
	assert_int_equal(mdev_create("8M", UUID_A), 0);
	assert_int_equal(mdev_create("4M", UUID_B), 0);
	log = klog_open();
	assert_int_equal(mdev_create("8M", UUID_C), -ENOSPC);
	/* One line, and it says what was free; the kernel's core adds another */
	assert_int_equal(klog_count(log, UUID_C), mdev_core_is_ours() ? 1 : 2);
	log = klog_open();
	assert_int_equal(mdev_create("16M", UUID_C), -ENOSPC);
	assert_int_equal(klog_count(log, "4 of 16 MiB are free, the largest free block has 4 MiB"), 1);
	assert_false(mdev_exists(UUID_C));
	assert_int_equal(mdev_available("4M"), 1);
	assert_int_equal(mdev_available("8M"), 0);
	/* What is still free can still be had */
	assert_int_equal(mdev_create("4M", UUID_C), 0);
	assert_int_equal(mdev_available("4M"), 0);
}

static void test_remove_nonsense(void **state)
{
	(void)state;
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(sysfs_write("yes", "/sys/bus/mdev/devices/" UUID_A "/remove"), -EINVAL);
	assert_int_equal(sysfs_write("0", "/sys/bus/mdev/devices/" UUID_A "/remove"), 0);
	assert_true(mdev_exists(UUID_A));
	assert_int_equal(mdev_remove(UUID_B), -ENOENT);
}

static void test_unbind_removes_instances(void **state)
{
	(void)state;
	/* Only a module that goes takes a parent of system memory with it */
	if (!sysfs_exists("/sys/bus/pci/devices/%s", getenv("LAB_PARENT")))
		skip();
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(parent_unbind(), 0);
	assert_false(mdev_exists(UUID_A));
	assert_false(sysfs_exists("/sys/class/mdev_bus/%s", getenv("LAB_PARENT")));
	assert_int_equal(parent_bind(), 0);
	assert_all_free();
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_type_files),
		T(test_create_and_remove),
		T(test_ends_of_uuid),
		T(test_malformed_uuid),
		T(test_uuid_and_more),
		T(test_newline_is_fine),
		T(test_uuid_taken),
		T(test_upper_case_is_the_same),
		T(test_full),
		T(test_remove_nonsense),
		T(test_unbind_removes_instances),
	};

	/* For the script that runs the suites */
	if (argc > 1 && !strcmp(argv[1], "--has-cdev"))
		return vfio_client_has_cdev() ? 0 : 1;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mdev", tests, NULL, NULL);
}
