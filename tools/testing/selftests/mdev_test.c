// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lifecycle of mediated devices through sysfs, on a parent of 16 MiB
 *
 * What can be typed wrong has a definite errno, and nothing is half-made
 * afterwards: every test ends with all capacity returned.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "sysfs.h"
#include "vfio_client.h"

#define UUID_A "11111111-aaaa-4aaa-8aaa-0123456789ab"
#define UUID_B "22222222-bbbb-4bbb-8bbb-0123456789ab"
#define UUID_C "33333333-cccc-4ccc-8ccc-0123456789ab"

static void assert_all_free(void)
{
	assert_int_equal(mdev_available("4M"), 4);
	assert_int_equal(mdev_available("8M"), 2);
	assert_int_equal(mdev_available("16M"), 1);
}

static int setup(void **state)
{
	(void)state;
	return mdev_available("4M") == 4 ? 0 : -1;
}

static int unbind(void)
{
	return sysfs_write(getenv("LAB_PARENT"), "/sys/bus/pci/drivers/mgpu/unbind");
}

static int bind(void)
{
	return sysfs_write(getenv("LAB_PARENT"), "/sys/bus/pci/drivers/mgpu/bind");
}

/*
 * Open here, so that teardown closes what a failed test left open: nothing that
 * waits for a close must wait for ever.
 */
static struct vfio_client client = { .device = -1, .iommu = -1, .group = -1 };
static volatile uint32_t *vram;

static void close_all(void)
{
	if (vram)
		munmap((void *)vram, 4096);
	vram = NULL;
	vfio_client_close(&client);
	client.device = client.iommu = client.group = -1;
}

static int teardown(void **state)
{
	(void)state;
	close_all();
	while (wait(NULL) > 0)
		;
	if (!sysfs_exists("/sys/bus/pci/drivers/mgpu/%s", getenv("LAB_PARENT")))
		bind();
	mdev_remove(UUID_A);
	mdev_remove(UUID_B);
	mdev_remove(UUID_C);
	return mdev_available("4M") == 4 ? 0 : -1;
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

static void test_malformed_uuid(void **state)
{
	static const char * const bad[] = {
		"\n", "1", "not-a-uuid",
		"11111111-aaaa-4aaa-8aaa-0123456789a",
		"11111111-aaaa-4aaa-8aaa-0123456789abc",
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
	/* One line, and it says what was free */
	assert_int_equal(klog_count(log, UUID_C), 1);
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

static void test_remove_in_use(void **state)
{
	char who[64];
	int log;

	(void)state;
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(vfio_client_open(&client, UUID_A), 0);

	log = klog_open();
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	snprintf(who, sizeof(who), "in use by mdev_test (pid %d)", getpid());
	assert_int_equal(klog_count(log, who), 1);

	/* Everything is as it was: the instance works, the file is there */
	assert_int_equal(vfio_client_get(&client, 0, 4), 0x11111234);
	assert_true(sysfs_exists("/sys/bus/mdev/devices/" UUID_A "/remove"));
	assert_int_equal(mdev_available("4M"), 3);

	close_all();
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_all_free();
}

/* How often it succeeded, over all processes */
struct tally {
	atomic_int created;
	atomic_int removed;
};

static void hammer(const char *uuid, struct tally *tally)
{
	int round, ret;

	for (round = 0; round < 100; round++) {
		ret = mdev_create("4M", uuid);
		if (ret && ret != -EEXIST)
			_exit(-ret);
		tally->created += !ret;
		ret = mdev_remove(uuid);
		if (ret && ret != -ENOENT && ret != -EAGAIN && ret != -ENODEV)
			_exit(-ret);
		tally->removed += !ret;
	}
	_exit(0);
}

/* Many processes create and remove the same two names: nothing is lost */
static void test_races(void **state)
{
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i, status, failures = 0;

	(void)state;
	assert_ptr_not_equal(tally, MAP_FAILED);
	for (i = 0; i < 6; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (!pid)
			hammer(i % 2 ? UUID_A : UUID_B, tally);
	}
	for (i = 0; i < 6; i++) {
		assert_true(wait(&status) > 0);
		failures += !!status;
	}
	assert_int_equal(failures, 0);
	assert_true(tally->created >= 2);
	assert_int_equal(tally->created - tally->removed,
			 mdev_exists(UUID_A) + mdev_exists(UUID_B));
	printf("# %d of 600 created\n", tally->created);
	munmap(tally, sizeof(*tally));
	mdev_remove(UUID_A);
	mdev_remove(UUID_B);
	assert_all_free();
}

static void test_unbind_removes_instances(void **state)
{
	(void)state;
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(unbind(), 0);
	assert_false(mdev_exists(UUID_A));
	assert_false(sysfs_exists("/sys/class/mdev_bus/%s", getenv("LAB_PARENT")));
	assert_int_equal(bind(), 0);
	assert_all_free();
}

/* Creating and removing goes on while the parent comes and goes */
static void test_unbind_race(void **state)
{
	int round, ret, status, created = 0;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		for (round = 0; round < 20; round++)
			if (unbind() || bind())
				_exit(1);
		_exit(0);
	}

	while (!waitpid(pid, &status, WNOHANG)) {
		ret = mdev_create("4M", UUID_A);
		created += !ret;
		if (ret && ret != -ENOENT && ret != -ENODEV && ret != -EEXIST)
			fail_msg("create: %s", strerror(-ret));
		ret = mdev_remove(UUID_A);
		if (ret && ret != -ENOENT && ret != -ENODEV)
			fail_msg("remove: %s", strerror(-ret));
	}
	assert_int_equal(status, 0);
	assert_true(created > 0);
	mdev_remove(UUID_A);
	assert_all_free();
}

/* A device node that is open, but not bound to an iommufd, is in use as well */
static void test_remove_open_node(void **state)
{
	char path[256];
	char *name;
	int fd;

	(void)state;
	if (!vfio_client_has_cdev())
		skip();
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	name = sysfs_child_name("/sys/bus/mdev/devices/" UUID_A "/vfio-dev");
	assert_non_null(name);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	free(name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	close(fd);
	assert_int_equal(mdev_remove(UUID_A), 0);
}

/* The parent goes while an instance is in use: I/O fails, then all is gone */
static void test_unbind_in_use(void **state)
{
	struct vfio_region_info info;
	uint32_t id;
	ssize_t ret;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(vfio_client_open(&client, UUID_A), 0);
	assert_int_equal(vfio_client_region(&client, 0, &info), 0);
	vfio_client_decode(&client, 1);
	vram = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		    client.device, info.offset);
	assert_ptr_not_equal(vram, MAP_FAILED);
	vram[0] = 0x5ec7e7;

	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close_all();
		_exit(-unbind());
	}

	/* Unbinding revokes the instance before it waits for the last close */
	do {
		ret = vfio_client_read(&client, client.config, &id, 4);
	} while (ret == 4);
	assert_int_equal(ret, -ENODEV);
	assert_int_equal(vram[0], 0xffffffff);
	assert_int_equal(vfio_client_region(&client, 0, &info), -ENODEV);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);

	close_all();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(mdev_exists(UUID_A));
	assert_int_equal(bind(), 0);
	assert_all_free();
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_type_files),
		T(test_create_and_remove),
		T(test_malformed_uuid),
		T(test_newline_is_fine),
		T(test_uuid_taken),
		T(test_upper_case_is_the_same),
		T(test_full),
		T(test_remove_nonsense),
		T(test_remove_in_use),
		T(test_races),
		T(test_unbind_removes_instances),
		T(test_unbind_race),
		T(test_remove_open_node),
		T(test_unbind_in_use),
	};

	/* For the script that runs the suites */
	if (argc > 1 && !strcmp(argv[1], "--has-cdev"))
		return vfio_client_has_cdev() ? 0 : 1;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mdev", tests, NULL, NULL);
}
