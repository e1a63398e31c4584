// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a large leaf fits changes while somebody touches: by decode, by a backing
 * that a touch brings, by the switch for huge pages. Many threads touch one mapping,
 * which is made anew all the time, so that some have just looked at an empty page
 * table while another fills it. The kernel warns where a leaf meets a page table,
 * which ends the lab VM.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fixture.h"
#include "lab_client.h"
#include "sysfs.h"

#define TOUCHERS	6
#define SECONDS		8
#define PATIENCE	30	/* seconds */

struct race {
	struct lab_client *lab;
	unsigned int bar;
	uint64_t offset;
	size_t size;
	bool tagged;
	volatile uint64_t *map;
	atomic_bool stop;
	atomic_size_t rounds;
	atomic_size_t touches;
	atomic_size_t stale;
	atomic_size_t failed;
};

/* What is stored is what a page's owner may store; of the giant nothing comes back */
static void touch(struct race *r, size_t page)
{
	uint64_t tag = lab_tag(r->lab, r->bar, r->offset / PAGE + page);
	volatile uint64_t *word = &r->map[page * PAGE / 8];
	uint64_t value;

	if (!r->tagged) {
		word[0] = 0;
		return;
	}
	word[LAB_USER_WORD / 8] = tag;
	value = *word;
	r->stale += value != ONES && value != tag;
}

static void *touch_all(void *arg)
{
	struct race *r = arg;
	size_t pages = r->size / PAGE, page = (uintptr_t)&page / 64;

	while (!r->stop) {
		page = page * 1103515245 + 12345;
		touch(r, page / 64 % pages);
		r->touches++;
	}
	return NULL;
}

/* In its place: there is no moment without one */
static void *map_anew(void *arg)
{
	struct race *r = arg;

	while (!r->stop) {
		r->failed += mmap((void *)r->map, r->size, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_FIXED, r->lab->vfio.device,
				  r->lab->start[r->bar] + r->offset) != r->map;
		r->rounds++;
	}
	return NULL;
}

/* Somebody met what there is now */
static void await_touched(struct race *r)
{
	double end = fixture_now() + PATIENCE;
	size_t touches = r->touches;

	while (r->touches == touches) {
		assert_true(fixture_now() < end);
		sched_yield();
	}
}

/* Decode is switched off and on for some seconds */
static void run(struct race *r)
{
	pthread_t threads[TOUCHERS + 1];
	double end = fixture_now() + SECONDS;
	size_t turns = 0, i;

	r->map = lab_map(r->lab, r->bar, r->offset, r->size, 0);
	for (i = 0; i <= TOUCHERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i ? touch_all : map_anew, r), 0);
	while (fixture_now() < end) {
		vfio_client_decode(&r->lab->vfio, turns++ % 2);
		if (turns % 2 == 0)
			await_touched(r);
	}
	lab_enable(r->lab);
	r->stop = true;
	for (i = 0; i <= TOUCHERS; i++)
		pthread_join(threads[i], NULL);
	lab_unmap(r->lab, r->map, r->size);
	printf("# %zu mappings, decode changed %zu times; faults: %ld of 4K, %ld of 2M, %ld of 1G, %ld sink\n",
	       r->rounds, turns, lab_stat(r->lab, "faults_4k"),
	       lab_stat(r->lab, "faults_2m"), lab_stat(r->lab, "faults_1g"),
	       lab_stat(r->lab, "sink_faults"));
	assert_int_equal(r->stale, 0);
	assert_int_equal(r->failed, 0);
	assert_true(r->rounds > 100);
}

static void test_decode(void **state)
{
	struct race r = { .lab = *state, .bar = LAB_BAR, .size = LEAF, .tagged = true };

	assert_int_equal(lab_back(r.lab, LAB_BAR, 0, LEAF, 0), 0);
	run(&r);
	assert_true(lab_stat(r.lab, "faults_2m") > 20);
	assert_true(lab_stat(r.lab, "sink_faults") > 20);
}

static void test_decode_and_a_giant(void **state)
{
	struct race r = { .lab = *state, .bar = LAB_TOUCH_BAR, .offset = GIB, .size = GIB };

	assert_int_equal(lab_command(r.lab, LAB_GIANT), 0);
	run(&r);
	assert_true(lab_stat(r.lab, "faults_1g") > 20);
	assert_true(lab_stat(r.lab, "sink_faults") > 20);
}

static void *store_to_the_last(void *arg)
{
	volatile uint64_t *map = arg;

	map[511 * PAGE / 8 + LAB_USER_WORD / 8] = 0;
	return NULL;
}

static void await_touches(struct lab_client *lab, uint64_t waiting)
{
	double end = fixture_now() + PATIENCE;

	while (lab_get(lab, LAB_WAITING) != waiting)
		assert_true(fixture_now() < end);
}

/*
 * Not where the kernel has no PAT: memory that is not write-combining is not mapped
 * by leaves that are, as the BAR wants them
 */
static bool leaves_fit(struct lab_client *lab)
{
	volatile uint64_t *map = lab_map(lab, LAB_TOUCH_BAR, 0, LEAF, 0);

	assert_int_equal(lab_back(lab, LAB_TOUCH_BAR, 0, LEAF, 0), 0);
	assert_int_equal(lab_word(map, 0), lab_tag(lab, LAB_TOUCH_BAR, 0));
	lab_unmap(lab, map, LEAF);
	assert_int_equal(lab_revoke(lab, LAB_TOUCH_BAR, 0, LEAF), 0);
	return lab_stat(lab, "faults_2m") == 1;
}

/*
 * The last page that a leaf lacks is being backed by the first store to it. Meanwhile
 * somebody loads another page of the same 2 MiB, which needs a page table.
 */
static void test_backing_completes_a_leaf(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map;
	pthread_t thread;
	size_t i;

	if (!leaves_fit(lab)) {
		printf("# the kernel has no PAT, so no leaf fits\n");
		skip();
	}
	map = lab_map(lab, LAB_TOUCH_BAR, 0, LEAF, 0);
	for (i = 0; i < 511; i++)
		(void)lab_word(map, i);
	lab_unmap(lab, map, LEAF);
	map = lab_map(lab, LAB_TOUCH_BAR, 0, LEAF, 0);

	lab_put(lab, LAB_MODE, LAB_TOUCH_WAITS);
	assert_int_equal(pthread_create(&thread, NULL, store_to_the_last, (void *)map), 0);
	await_touches(lab, 1);
	assert_int_equal(lab_word(map, 0), lab_tag(lab, LAB_TOUCH_BAR, 0));
	lab_put(lab, LAB_MODE, LAB_TOUCH_BACKS);
	pthread_join(thread, NULL);

	for (i = 0; i < 512; i++)
		assert_int_equal(lab_word(map, i), lab_tag(lab, LAB_TOUCH_BAR, i));
	/* There was a page table; in a fresh mapping the 512 pages are one leaf */
	assert_int_equal(lab_stat(lab, "faults_2m"), 1);
	lab_unmap(lab, map, LEAF);
	map = lab_map(lab, LAB_TOUCH_BAR, 0, LEAF, 0);
	(void)lab_word(map, 511);
	assert_int_equal(lab_stat(lab, "faults_2m"), 2);
	lab_unmap(lab, map, LEAF);
}

/* The kernel says so, once per second or so, and KVM makes an error of it */
static void expect_no_fault_failed(int log)
{
	char line[1024];
	ssize_t len;

	while ((len = read(log, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		if (strstr(line, "VM_FAULT_OOM"))
			fail_msg("%s", line);
	}
}

static void *store_to_the_last_but_one(void *arg)
{
	volatile uint64_t *map = arg;

	map[510 * PAGE / 8 + LAB_USER_WORD / 8] = 0;
	return NULL;
}

/*
 * Two wait for their pages: one has come for a leaf, and one for a small page, as
 * huge pages have been switched off since. Who goes on first is not known.
 */
static void small_page_meets_a_leaf(struct lab_client *lab)
{
	volatile uint64_t *map = lab_map(lab, LAB_TOUCH_BAR, 0, LEAF, 0);
	pthread_t leaf, small;
	size_t i;

	assert_int_equal(lab_back(lab, LAB_TOUCH_BAR, 0, LEAF - 2 * PAGE, 0), 0);
	lab_put(lab, LAB_MODE, LAB_TOUCH_WAITS);
	assert_int_equal(pthread_create(&leaf, NULL, store_to_the_last, (void *)map), 0);
	await_touches(lab, 1);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	assert_int_equal(pthread_create(&small, NULL, store_to_the_last_but_one,
					(void *)map), 0);
	await_touches(lab, 2);
	lab_put(lab, LAB_MODE, LAB_TOUCH_BACKS);
	pthread_join(leaf, NULL);
	pthread_join(small, NULL);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);

	for (i = 0; i < 512; i++)
		assert_int_equal(lab_word(map, i), lab_tag(lab, LAB_TOUCH_BAR, i));
	lab_unmap(lab, map, LEAF);
	assert_int_equal(lab_revoke(lab, LAB_TOUCH_BAR, 0, LEAF), 0);
}

static void test_small_page_meets_a_leaf(void **state)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	int i;

	assert_true(log >= 0);
	lseek(log, 0, SEEK_END);
	for (i = 0; i < 20; i++)
		small_page_meets_a_leaf(*state);
	expect_no_fault_failed(log);
	close(log);
}

static int teardown(void **state)
{
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	return lab_teardown(state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, lab_setup, teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		T(test_backing_completes_a_leaf),
		T(test_small_page_meets_a_leaf),
		T(test_decode),
		T(test_decode_and_a_giant),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("leaf-race", tests, NULL, NULL);
}
