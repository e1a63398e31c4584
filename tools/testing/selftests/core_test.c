// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the mdev core does with a driver that takes its time, or answers oddly
 *
 * The parent is mdev_lab.ko of ../modules, whose driver does what its parameters
 * say.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fixture.h"
#include "sysfs.h"
#include "trace.h"

#define TYPE "/sys/class/mdev_bus/mdev_lab/mdev_supported_types/platform-lab"
#define DRIVER "/sys/bus/mdev/drivers/mdev_lab"
#define INSTANCE "/sys/bus/mdev/devices/" UUID_A
#define PARAMETER "/sys/module/mdev_lab/parameters/"
#define TIMEOUT "/sys/module/mdev_core/parameters/remove_timeout"

/* Much more than anything here takes, and less than a removal waits for a user */
#define PATIENCE 20

static int create(const char *uuid)
{
	return sysfs_write(uuid, TYPE "/create");
}

static int unbind(const char *uuid)
{
	return sysfs_write(uuid, DRIVER "/unbind");
}

static void set(const char *parameter, const char *value)
{
	assert_int_equal(sysfs_write(value, PARAMETER "%s", parameter), 0);
}

static int setup(void **state)
{
	(void)state;
	set("probe_result", "0");
	set("prepare_result", "0");
	set("stall", "0");
	return sysfs_write("30", TIMEOUT);
}

static int teardown(void **state)
{
	setup(state);
	while (wait(NULL) > 0)
		;
	if (mdev_exists(UUID_A))
		mdev_remove(UUID_A);
	return sysfs_read_long(TYPE "/available_instances") == 4 ? 0 : -1;
}

static void wait_until_stalled(void)
{
	time_t end = time(NULL) + PATIENCE;

	while (sysfs_read_long(PARAMETER "stalled") != 1) {
		assert_true(time(NULL) < end);
		sched_yield();
	}
}

/* -ETIME if it takes too long */
static int wait_for_end(pid_t pid)
{
	struct pollfd pollfd = { .events = POLLIN };
	int ret;

	pollfd.fd = syscall(SYS_pidfd_open, pid, 0);
	assert_true(pollfd.fd >= 0);
	ret = poll(&pollfd, 1, PATIENCE * 1000);
	close(pollfd.fd);
	return ret == 1 ? 0 : -ETIME;
}

static int wait_patiently(pid_t pid)
{
	return wait_for_end(pid) ?: fixture_wait(pid);
}

/* Neither waits for the other: what is half-made is not there to be removed */
static void test_remove_while_create_fails(void **state)
{
	pid_t creator, remover;

	(void)state;
	set("probe_result", "-28");
	set("stall", "1");
	creator = fixture_fork(create, UUID_A);
	wait_until_stalled();
	remover = fixture_fork(mdev_remove, UUID_A);
	assert_int_equal(wait_patiently(remover), -EAGAIN);
	set("stall", "0");
	assert_int_equal(wait_patiently(creator), -ENOSPC);
	assert_false(mdev_exists(UUID_A));
	assert_int_equal(sysfs_read_long(TYPE "/available_instances"), 4);
}

static void test_remove_while_create_succeeds(void **state)
{
	pid_t creator;

	(void)state;
	set("stall", "1");
	creator = fixture_fork(create, UUID_A);
	wait_until_stalled();
	assert_int_equal(mdev_remove(UUID_A), -EAGAIN);
	set("stall", "0");
	assert_int_equal(wait_patiently(creator), 0);
	assert_int_equal(mdev_remove(UUID_A), 0);
}

/* What could fail has been done when the driver, and with it users, get the instance */
static void test_driver_comes_last(void **state)
{
	pid_t creator;

	(void)state;
	set("stall", "1");
	creator = fixture_fork(create, UUID_A);
	wait_until_stalled();
	assert_true(sysfs_exists(INSTANCE "/mdev_type"));
	assert_true(sysfs_exists(TYPE "/devices/" UUID_A));
	set("stall", "0");
	assert_int_equal(wait_patiently(creator), 0);
}

static void test_failed_create_leaves_no_link(void **state)
{
	(void)state;
	set("probe_result", "-5");
	assert_int_equal(create(UUID_A), -EIO);
	assert_false(sysfs_exists(TYPE "/devices/" UUID_A));
	assert_false(mdev_exists(UUID_A));
}

/* Who unbinds an instance by hand waits for its user, with the instance locked */
static void test_remove_while_unbound_by_hand(void **state)
{
	pid_t unbinder, remover;
	int log;

	(void)state;
	assert_int_equal(create(UUID_A), 0);
	assert_int_equal(sysfs_write("0", TIMEOUT), 0);
	set("stall", "1");
	unbinder = fixture_fork(unbind, UUID_A);
	wait_until_stalled();
	log = klog_open();
	remover = fixture_fork(mdev_remove, UUID_A);
	assert_int_equal(wait_patiently(remover), -EBUSY);
	assert_int_equal(klog_count(log, UUID_A ": not removed: still in use after 1 s"), 1);

	/* And a signal ends the wait */
	assert_int_equal(sysfs_write("3600", TIMEOUT), 0);
	remover = fixture_fork(mdev_remove, UUID_A);
	assert_int_equal(kill(remover, SIGTERM), 0);
	assert_int_equal(wait_for_end(remover), 0);

	set("stall", "0");
	assert_int_equal(wait_patiently(unbinder), 0);
	assert_int_equal(mdev_remove(UUID_A), 0);
}

/* A parent driver's mistakes are not user space's bytes written, or numbers that it does not know */
static const struct { const char *result; int error; } odd_results[] = {
	{ "-517", -EAGAIN },	/* EPROBE_DEFER */
	{ "-512", -EIO },	/* ERESTARTSYS, without a signal */
	{ "-524", -EIO },	/* ENOTSUPP */
	{ "-5000", -EIO },
	{ "5", -EIO },
	{ "37", -EIO },
	{ "-105", -ENOBUFS },
};

#define ODD_RESULTS (sizeof(odd_results) / sizeof(odd_results[0]))

static void test_odd_results_of_probe(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ODD_RESULTS; i++) {
		set("probe_result", odd_results[i].result);
		assert_int_equal(create(UUID_A), odd_results[i].error);
		assert_false(mdev_exists(UUID_A));
	}
}

static void test_odd_results_of_prepare_remove(void **state)
{
	size_t i;

	(void)state;
	assert_int_equal(create(UUID_A), 0);
	assert_int_equal(sysfs_write("0", TIMEOUT), 0);
	for (i = 0; i < ODD_RESULTS; i++) {
		set("prepare_result", odd_results[i].result);
		/* Who is to ask again has asked as long as is allowed */
		assert_int_equal(mdev_remove(UUID_A), odd_results[i].error == -EAGAIN ?
				 -EBUSY : odd_results[i].error);
		assert_true(mdev_exists(UUID_A));
	}
	set("prepare_result", "0");
	assert_int_equal(mdev_remove(UUID_A), 0);
}

static void test_tracepoints(void **state)
{
	time_t end = time(NULL) + 2 * PATIENCE;
	int ret, uevents = uevent_open();

	(void)state;
	trace_begin("mdev");
	set("probe_result", "-28");
	assert_int_equal(create(UUID_A), -ENOSPC);
	set("probe_result", "0");
	assert_int_equal(create(UUID_A), 0);
	set("prepare_result", "-16");
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	assert_true(trace_has("mdev_create: " UUID_A " parent mdev_lab type platform-lab"));
	assert_true(trace_has("mdev_probe_failed: " UUID_A " result -28"));
	assert_true(trace_has("mdev_create_result: " UUID_A " result -28"));
	assert_true(trace_has("mdev_create_result: " UUID_A " result 0"));
	assert_true(trace_has("mdev_remove: " UUID_A));
	assert_true(trace_has("mdev_remove_result: " UUID_A " result -16"));

	set("registered", "0");
	set("prepare_result", "0");
	set("registered", "1");
	/* Its name is free a moment later. Attempts would take the place of what was traced before */
	trace_end("mdev/mdev_create");
	trace_end("mdev/mdev_create_result");
	assert_int_equal(uevent_wait(uevents, "remove", UUID_A, PATIENCE), 0);
	close(uevents);
	while ((ret = create(UUID_A)) == -EEXIST && time(NULL) < end)
		sched_yield();
	assert_int_equal(ret, 0);
	assert_int_equal(mdev_remove(UUID_A), 0);
	trace_end("mdev");

	assert_true(trace_has("mdev_remove_result: " UUID_A " result 0"));
	assert_true(trace_has("mdev_parent_unregister: mdev_lab"));
	assert_true(trace_has("mdev_shell_made: " UUID_A));
	assert_true(trace_has("mdev_shell_gone: " UUID_A));
	assert_true(trace_has("mdev_parent_unregistered: mdev_lab"));
	assert_true(trace_has("mdev_parent_register: mdev_lab result 0"));
	assert_int_equal(trace_unresolved("mdev", "MDEV_"), 0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_remove_while_create_fails),
		T(test_remove_while_create_succeeds),
		T(test_driver_comes_last),
		T(test_failed_create_leaves_no_link),
		T(test_remove_while_unbound_by_hand),
		T(test_odd_results_of_probe),
		T(test_odd_results_of_prepare_remove),
		T(test_tracepoints),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}
