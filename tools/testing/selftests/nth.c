// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's fault injection, and the loop over the allocations of a sequence
 *
 * /proc/PID/fail-nth counts the allocations of one task down, and the one that reaches 0
 * fails: slab objects and pages. It is per-task, so it has no need of the facility's
 * probability, and no other task notices. What it leaves out: allocations with
 * __GFP_NOFAIL, pages of user memory, per-CPU memory that needs no new pages, and what
 * another task allocates.
 *
 * The allocation that fails need not fail the call, for many can do without, or try
 * again. So a round ends in one of two ways: with an errno, and everything as before;
 * or as if nothing had happened. In both cases the same calls pass afterwards.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "nth.h"
#include "sysfs.h"

#define DEBUGFS "/sys/kernel/debug"
/* More than any sequence has; it is the kernel that would go on for ever then */
#define MANY 5000

static const struct {
	const char *file, *on, *off;
} knobs[] = {
	{ "failslab/ignore-gfp-wait", "N", "Y" },
	{ "failslab/verbose", "0", "2" },
	{ "failslab/times", "-1", "1" },
	{ "failslab/stacktrace-depth", "32", "32" },
	{ "fail_page_alloc/ignore-gfp-wait", "N", "Y" },
	/* Pages of this process, which are none of what is tested */
	{ "fail_page_alloc/ignore-gfp-highmem", "Y", "Y" },
	{ "fail_page_alloc/min-order", "0", "1" },
	{ "fail_page_alloc/verbose", "0", "2" },
	{ "fail_page_alloc/times", "-1", "1" },
	{ "fail_page_alloc/stacktrace-depth", "32", "32" },
};

#define NR_KNOBS (sizeof(knobs) / sizeof(knobs[0]))

/* The file of the task whose allocations fail */
static int armed = -1;

static int set_knobs(bool on)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < NR_KNOBS; i++)
		ret = sysfs_write(on ? knobs[i].on : knobs[i].off, DEBUGFS "/%s", knobs[i].file);
	return ret;
}

static void say_which(const char *level)
{
	sysfs_write(level, DEBUGFS "/failslab/verbose");
	sysfs_write(level, DEBUGFS "/fail_page_alloc/verbose");
}

/* Whether the thread of this process is called that */
static bool is_called(const char *tid, const char *name)
{
	char path[64], line[32] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/comm", tid);
	comm = fopen(path, "r");
	if (!comm)
		return false;
	if (fgets(line, sizeof(line), comm))
		line[strcspn(line, "\n")] = '\0';
	fclose(comm);
	return !strcmp(line, name);
}

static int open_thread(const char *name)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	char path[64];
	int fd = -1;

	assert_non_null(tasks);
	while (fd < 0 && (task = readdir(tasks))) {
		if (!is_called(task->d_name, name))
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%.16s/fail-nth", task->d_name);
		fd = open(path, O_RDWR);
	}
	closedir(tasks);
	return fd;
}

/* Of @which, "require" or "reject": the addresses that somebody who allocates was called from */
static int set_range(const char *which, unsigned long long from, unsigned long long to)
{
	static const char * const kinds[] = { "failslab", "fail_page_alloc" };
	char text[32];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(text, sizeof(text), "%llu", from);
		ret = sysfs_write(text, DEBUGFS "/%s/%s-start", kinds[i], which);
		snprintf(text, sizeof(text), "%llu", to);
		ret = ret ?: sysfs_write(text, DEBUGFS "/%s/%s-end", kinds[i], which);
	}
	return ret;
}

/* It ends where another symbol begins, whichever that is. False: there is none of that name */
static bool find_function(const char *function, unsigned long long *start, unsigned long long *end)
{
	FILE *symbols = fopen("/proc/kallsyms", "r");
	char line[512], name[256];
	unsigned long long at;

	*start = 0;
	*end = ULLONG_MAX;
	assert_non_null(symbols);
	while (!*start && fgets(line, sizeof(line), symbols))
		if (sscanf(line, "%llx %*c %255s", &at, name) == 2 && !strcmp(name, function))
			*start = at;
	rewind(symbols);
	while (fgets(line, sizeof(line), symbols))
		if (sscanf(line, "%llx", &at) == 1 && at > *start && at < *end)
			*end = at;
	fclose(symbols);
	return *start;
}

static void within(const char *function)
{
	unsigned long long start, end;

	assert_true(find_function(function, &start, &end));
	assert_int_equal(set_range("require", start, end), 0);
}

static void everywhere(void)
{
	set_range("require", 0, ULLONG_MAX);
}

static int leave_out(const char *function)
{
	unsigned long long start, end;

	if (!find_function(function, &start, &end))
		return -ENOENT;
	return set_range("reject", start, end);
}

/* It has one object for each that is allocated, and a reserve of them */
static void leave_out_kmemleak(void)
{
	static unsigned long long start, end;

	if (!start)
		find_function("__alloc_object", &start, &end);
	set_range("reject", start, start ? end : 0);
}

int nth_setup(void **state)
{
	(void)state;
	leave_out_kmemleak();
	return set_knobs(true);
}

int nth_teardown(void **state)
{
	(void)state;
	return set_range("reject", 0, 0) ?: set_knobs(false);
}

static void put_nth(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	assert_int_equal(pwrite(armed, text, len, 0), len);
}

static void start(const struct nth_sequence *sequence, unsigned int nth)
{
	armed = sequence->thread ? open_thread(sequence->thread) :
				   open("/proc/thread-self/fail-nth", O_RDWR);
	assert_true(armed >= 0);
	put_nth(nth);
}

/* Whether an allocation has failed since start() */
static bool stop(void)
{
	char text[16] = "";

	assert_true(pread(armed, text, sizeof(text) - 1, 0) > 0);
	put_nth(0);
	close(armed);
	armed = -1;
	return !strtoul(text, NULL, 10);
}

void nth_stop(void)
{
	if (armed >= 0)
		stop();
	everywhere();
	leave_out_kmemleak();
}

static bool is_expected(const struct nth_sequence *sequence, int ret)
{
	size_t i;

	if (!ret || ret == -ENOMEM)
		return true;
	for (i = 0; i < sizeof(sequence->errnos) / sizeof(sequence->errnos[0]); i++)
		if (sequence->errnos[i] && ret == -sequence->errnos[i])
			return true;
	return false;
}

/* What the kernel has logged since the file was opened; closes it */
static void show_log(int log)
{
	char line[1024], *text;
	ssize_t len;

	while ((len = read(log, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		text = strchr(line, ';');
		if (text)
			print_message("# %.*s\n", (int)strcspn(text + 1, "\n"), text + 1);
	}
	close(log);
}

/* Shows which allocation it is, by doing it once more, before the test fails */
static void blame(const struct nth_sequence *sequence, unsigned int nth, const char *what)
{
	int ret, log = klog_open();

	print_message("# %s, allocation %u: %s\n", sequence->name, nth, what);
	say_which("2");
	start(sequence, nth);
	ret = sequence->run();
	stop();
	say_which("0");
	print_message("# once more, it returns %d:\n", ret);
	show_log(log);
	fail();
}

static void expect_state(const struct nth_sequence *sequence, unsigned int nth,
			 const struct nth_state *before)
{
	const char *what = nth_state_differs(before);

	if (what)
		blame(sequence, nth, what);
}

static void passed(const struct nth_sequence *sequence)
{
	if (sequence->check)
		sequence->check();
	sequence->undo();
}

/* Everything is as before, and goes on to work. Returns what has failed, if anything */
static int round_of(const struct nth_sequence *sequence, unsigned int nth,
		    const struct nth_state *before, bool *fired)
{
	char text[80];
	int ret, again;

	start(sequence, nth);
	ret = sequence->run();
	*fired = stop();
	snprintf(text, sizeof(text), "errno %d", -ret);
	if (!is_expected(sequence, ret) || (ret && !*fired))
		blame(sequence, nth, text);
	if (!ret) {
		passed(sequence);
		expect_state(sequence, nth, before);
		return 0;
	}

	expect_state(sequence, nth, before);
	if (sequence->kept)
		sequence->kept();
	/* What this leaves is found in the next round */
	again = sequence->run();
	snprintf(text, sizeof(text), "errno %d, and then, with all memory there is, %d", -ret,
		 -again);
	if (again)
		blame(sequence, nth, text);
	passed(sequence);
	return ret;
}

void nth_sweep(const struct nth_sequence *sequence)
{
	struct nth_state *before = nth_state_new();
	unsigned int nth = 0, refused = 0;
	struct timespec from, to;
	bool fired;

	assert_non_null(before);
	clock_gettime(CLOCK_MONOTONIC, &from);
	/* What is allocated once and for all, such as caches */
	assert_int_equal(sequence->run(), 0);
	passed(sequence);
	nth_state_read(before);
	if (sequence->within)
		within(sequence->within);
	if (sequence->without)
		assert_int_equal(leave_out(sequence->without), 0);
	do {
		assert_true(nth < MANY);
		refused += !!round_of(sequence, ++nth, before, &fired);
	} while (fired);
	if (sequence->works) {
		assert_int_equal(sequence->run(), 0);
		sequence->works();
		sequence->undo();
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("# %s: %u allocations failed, and of the calls %u; %ld ms\n",
		      sequence->name, nth - 1, refused,
		      (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
	free(before);
	assert_true(nth > 1 || sequence->frugal);
}
