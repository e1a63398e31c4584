// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user that keeps VFIO waiting: the answer of an ioctl goes into memory whose
 * write faults nobody resolves, while the kernel holds what it holds. Nobody else
 * waits for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <cmocka.h>

#include "fixture.h"
#include "sysfs.h"

#define PAGE		4096UL
#define PATIENCE_MS	60000
#define TIMEOUT		"/sys/module/mdev_core/parameters/remove_timeout"

static struct vfio_device_attach_iommufd_pt *answer;
static int faults = -1;
static pthread_t thread;
static bool stalled;

static void write_protect(bool protect)
{
	struct uffdio_writeprotect range = {
		.range = { .start = (uintptr_t)answer, .len = PAGE },
		.mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	assert_int_equal(ioctl(faults, UFFDIO_WRITEPROTECT, &range), 0);
}

static void *attach(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)(ioctl(fixture_client.device,
					VFIO_DEVICE_ATTACH_IOMMUFD_PT, answer) ? -errno : 0);
}

/* On return the ioctl sleeps in the fault */
static void stall(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_WP };
	struct pollfd pollfd = { .events = POLLIN };

	answer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(answer, MAP_FAILED);
	answer->argsz = sizeof(*answer);
	answer->pt_id = fixture_client.ioas;
	faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	assert_true(faults >= 0);
	assert_int_equal(ioctl(faults, UFFDIO_API, &api), 0);
	area.range = (struct uffdio_range) { .start = (uintptr_t)answer, .len = PAGE };
	assert_int_equal(ioctl(faults, UFFDIO_REGISTER, &area), 0);
	write_protect(true);
	assert_int_equal(pthread_create(&thread, NULL, attach, NULL), 0);
	stalled = true;
	pollfd.fd = faults;
	assert_int_equal(poll(&pollfd, 1, PATIENCE_MS), 1);
}

static int go_on(void)
{
	void *result = NULL;

	if (stalled) {
		write_protect(false);
		pthread_join(thread, &result);
	}
	stalled = false;
	if (faults >= 0)
		close(faults);
	faults = -1;
	return (intptr_t)result;
}

/* Of a process of its own, because what should not wait cannot be interrupted if it does */
static int result_of(int (*fn)(const char *arg), const char *arg)
{
	pid_t pid = fixture_fork(fn, arg);
	bool ended = fixture_ends(pid);

	if (!ended)
		go_on();
	assert_true(ended);
	return fixture_wait(pid);
}

static int create(const char *uuid)
{
	return mdev_create("4M", uuid);
}

static int unbind(const char *unused)
{
	(void)unused;
	return parent_unbind();
}

static int setup(void **state)
{
	if (fixture_setup(state))
		return -1;
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(vfio_client_open(&fixture_client, UUID_A), 0);
	return 0;
}

static int teardown(void **state)
{
	go_on();
	munmap(answer, PAGE);
	sysfs_write("30", TIMEOUT);
	return fixture_teardown(state);
}

static void test_remove_is_refused(void **state)
{
	(void)state;
	stall();
	assert_int_equal(sysfs_write("0", TIMEOUT), 0);
	assert_int_equal(result_of(mdev_remove, UUID_A), -EBUSY);
	/* Others come and go meanwhile */
	assert_int_equal(result_of(create, UUID_B), 0);
	assert_int_equal(result_of(mdev_remove, UUID_B), 0);
	assert_int_equal(go_on(), 0);
}

static void test_unbind(void **state)
{
	uint32_t value;

	(void)state;
	fixture_map();
	fixture_vram[0] = 1;
	stall();
	assert_int_equal(result_of(unbind, NULL), 0);
	assert_int_equal(fixture_vram[0], 0xffffffff);
	assert_int_equal(vfio_client_read(&fixture_client, fixture_client.config, &value, 4), 4);
	assert_int_equal(value, 0xffffffff);
	assert_int_equal(go_on(), 0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_remove_is_refused),
		T(test_unbind),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stall", tests, NULL, NULL);
}
