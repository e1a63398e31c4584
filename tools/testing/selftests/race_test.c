// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several processes at once create, open and remove instances and unbind the
 * parent: nothing is made twice, nothing is
 * lost. Bounded numbers of rounds.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fixture.h"
#include "sysfs.h"

#define PROCESSES 6

static int rounds = 100;

/* What the processes of a test share */
struct arena {
	pthread_barrier_t barrier;
	atomic_int succeeded;
	atomic_int total;
	atomic_bool stop;
};

static struct arena *arena;

static int setup(void **state)
{
	pthread_barrierattr_t attr;

	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED)
		return -1;
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&arena->barrier, &attr, PROCESSES);
	return fixture_setup(state);
}

static int teardown(void **state)
{
	arena->stop = true;
	munmap(arena, sizeof(*arena));
	return fixture_teardown(state);
}

static void run_processes(int (*fn)(const char *arg), const char * const *args)
{
	pid_t pids[PROCESSES];
	int i;

	for (i = 0; i < PROCESSES; i++)
		pids[i] = fixture_fork(fn, args[i]);
	for (i = 0; i < PROCESSES; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
}

/* True in one of the processes, after all have come here */
static bool meet(void)
{
	return pthread_barrier_wait(&arena->barrier) ==
	       PTHREAD_BARRIER_SERIAL_THREAD;
}

/* -EAGAIN: it is coming */
static bool is_going(int error)
{
	return error == -ENOENT || error == -ENODEV || error == -EAGAIN;
}

static const char * const one_name[PROCESSES] = {
	UUID_A, UUID_A, UUID_A, UUID_A, UUID_A, UUID_A
};

static const char * const two_names[PROCESSES] = {
	UUID_A, UUID_B, UUID_A, UUID_B, UUID_A, UUID_B
};

static const char * const all_names[PROCESSES] = {
	"00000000-0000-4000-8000-000000000000",
	"00000000-0000-4000-8000-000000000001",
	"00000000-0000-4000-8000-000000000002",
	"00000000-0000-4000-8000-000000000003",
	"00000000-0000-4000-8000-000000000004",
	"00000000-0000-4000-8000-000000000005",
};

/* In each round all create the same, and then all remove it: one succeeds */
static int create_together(const char *uuid)
{
	int round, ret;

	for (round = 0; round < rounds; round++) {
		meet();
		ret = mdev_create("4M", uuid);
		if (ret && ret != -EEXIST)
			return ret;
		arena->succeeded += !ret;
		if (meet() && (arena->succeeded != 1 || mdev_available("4M") != 3))
			return -EPROTO;
		meet();
		arena->succeeded = 0;
		meet();
		ret = mdev_remove(uuid);
		if (ret && !is_going(ret))
			return ret;
		arena->succeeded += !ret;
		if (meet() && (arena->succeeded != 1 || mdev_available("4M") != 4))
			return -EPROTO;
		meet();
		arena->succeeded = 0;
	}
	return 0;
}

static void test_one_of_many_succeeds(void **state)
{
	(void)state;
	run_processes(create_together, one_name);
	assert_all_free();
}

/* There is room for four of six */
static int fill_together(const char *uuid)
{
	int round, created, ret;

	for (round = 0; round < rounds; round++) {
		meet();
		created = mdev_create("4M", uuid);
		if (created && created != -ENOSPC)
			return created;
		arena->succeeded += !created;
		if (meet() && (arena->succeeded != 4 || mdev_available("4M")))
			return -EPROTO;
		meet();
		arena->succeeded = 0;
		if (!created) {
			ret = mdev_remove(uuid);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static void test_capacity_is_exact(void **state)
{
	(void)state;
	run_processes(fill_together, all_names);
	assert_all_free();
}

/* All at their own pace */
static int create_and_remove(const char *uuid)
{
	int round, ret;

	for (round = 0; round < rounds; round++) {
		ret = mdev_create("4M", uuid);
		if (ret && ret != -EEXIST)
			return ret;
		arena->total += !ret;
		ret = mdev_remove(uuid);
		if (ret && !is_going(ret))
			return ret;
		arena->total -= !ret;
	}
	return 0;
}

static void test_create_against_remove(void **state)
{
	(void)state;
	run_processes(create_and_remove, two_names);
	assert_int_equal(arena->total, mdev_exists(UUID_A) + mdev_exists(UUID_B));
	mdev_remove(UUID_A);
	mdev_remove(UUID_B);
	assert_all_free();
}

/* Not before the others have come to do something, and until they have done at least so much */
static int unbind_and_bind(const char *least)
{
	int round, total, wanted = least ? atoi(least) : 0;

	for (round = 0; round < rounds / 10 || arena->total < wanted; round++) {
		total = arena->total;
		while (arena->total == total)
			sched_yield();
		if (parent_unbind() || parent_bind())
			return -EPROTO;
	}
	arena->stop = true;
	return 0;
}

/* Until the parent has stopped to come and go */
static int create_until_stop(const char *uuid)
{
	int ret;

	while (!arena->stop) {
		ret = mdev_create("4M", uuid);
		if (ret && !is_going(ret) && ret != -EEXIST)
			return ret;
		arena->total += !ret;
		ret = mdev_remove(uuid);
		if (ret && !is_going(ret))
			return ret;
	}
	return 0;
}

static void test_create_against_unbind(void **state)
{
	pid_t pids[3];
	int i;

	(void)state;
	pids[0] = fixture_fork(create_until_stop, UUID_A);
	pids[1] = fixture_fork(create_until_stop, UUID_B);
	pids[2] = fixture_fork(unbind_and_bind, NULL);
	for (i = 0; i < 3; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
	printf("# %d created\n", arena->total);
	mdev_remove(UUID_A);
	mdev_remove(UUID_B);
	assert_all_free();
}

/* An instance that could be opened works, or it has been disconnected since */
static int open_until_stop(const char *uuid)
{
	uint32_t id;
	ssize_t ret;

	while (!arena->stop) {
		if (vfio_client_open(&fixture_client, uuid))
			continue;
		arena->total++;
		ret = vfio_client_read(&fixture_client, fixture_client.config, &id, 4);
		if (ret != 4 || (id != 0x11111234 && id != 0xffffffff))
			return -EPROTO;
		fixture_close();
	}
	return 0;
}

static int create_and_remove_in_use(const char *uuid)
{
	int round, ret;

	for (round = 0; round < rounds; round++) {
		ret = mdev_create("4M", uuid);
		if (ret && ret != -EEXIST)
			return ret;
		ret = mdev_remove(uuid);
		arena->succeeded += !ret;
		if (ret && ret != -EBUSY)
			return ret;
	}
	arena->stop = true;
	return 0;
}

static void test_open_against_remove(void **state)
{
	pid_t pids[3];
	int i;

	(void)state;
	pids[0] = fixture_fork(open_until_stop, UUID_A);
	pids[1] = fixture_fork(open_until_stop, UUID_A);
	pids[2] = fixture_fork(create_and_remove_in_use, UUID_A);
	for (i = 0; i < 3; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
	printf("# %d opened, %d removed\n", arena->total, arena->succeeded);
	assert_true(arena->total > 0);
	assert_true(arena->succeeded > 0);
	mdev_remove(UUID_A);
	assert_all_free();
}

/* -EEXIST: its shell is still open */
static int create_only_until_stop(const char *uuid)
{
	int ret;

	while (!arena->stop) {
		ret = mdev_create("4M", uuid);
		if (ret && !is_going(ret) && ret != -EEXIST)
			return ret;
	}
	return 0;
}

static void test_open_against_unbind(void **state)
{
	pid_t pids[3];
	int i;

	(void)state;
	pids[0] = fixture_fork(open_until_stop, UUID_A);
	pids[1] = fixture_fork(create_only_until_stop, UUID_A);
	pids[2] = fixture_fork(unbind_and_bind, NULL);
	for (i = 0; i < 3; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
	printf("# %d opened\n", arena->total);
}

/* Everything of the instance that can be read, as long as it is there */
static int read_files(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char buf[4096];
	int nr = 0, fd;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_NONBLOCK);
		if (fd < 0)
			continue;
		nr += read(fd, buf, sizeof(buf)) > 0;
		close(fd);
	}
	closedir(dir);
	return nr;
}

static int read_until_stop(const char *uuid)
{
	char instance[128], counters[160], held[192], buf[64];
	int fd;

	snprintf(instance, sizeof(instance), "/sys/bus/mdev/devices/%s", uuid);
	snprintf(counters, sizeof(counters), "%s/vpci", instance);
	snprintf(held, sizeof(held), "%s/faults", counters);
	while (!arena->stop) {
		fd = open(held, O_RDONLY);
		arena->total += read_files(instance) + read_files(counters);
		if (fd < 0)
			continue;
		/* The instance may have gone under the open file, or another be there */
		if (pread(fd, buf, sizeof(buf), 0) < 0 && errno != ENODEV)
			return -errno;
		close(fd);
	}
	return 0;
}

/* Its files are read while it is being made, and while it goes, by hand and with its parent */
static void test_files_against_create_and_unbind(void **state)
{
	pid_t pids[5];
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		pids[i] = fixture_fork(read_until_stop, UUID_A);
	pids[3] = fixture_fork(create_until_stop, UUID_A);
	pids[4] = fixture_fork(unbind_and_bind, "100");
	for (i = 0; i < 5; i++)
		assert_int_equal(fixture_wait(pids[i]), 0);
	printf("# %d files read\n", arena->total);
	mdev_remove(UUID_A);
	assert_all_free();
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_one_of_many_succeeds),
		T(test_capacity_is_exact),
		T(test_create_against_remove),
		T(test_create_against_unbind),
		T(test_open_against_remove),
		T(test_open_against_unbind),
		T(test_files_against_create_and_unbind),
	};

	if (kernel_has_checkers())
		rounds /= 5;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("race", tests, NULL, NULL);
}
