// SPDX-License-Identifier: GPL-2.0-only
/*
 * Touching while the ground moves: threads and processes read and write pages of
 * two instances through mappings that come, move and go, while backings are
 * taken away and given to others under them
 *
 * All frames come from one pool, and a frame carries the tag of the page that it
 * stands behind. So a reader sees ones or the tag of its own page; anything else
 * is a mapping that outlived its revocation. A writer writes its page's tag, and
 * the module looks for foreign ones when it gets a frame back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lab_client.h"
#include "sysfs.h"

/* Small, so that who touches and who revokes meet often */
#define WINDOW		(6 * MIB)
#define PAGES		(WINDOW / PAGE)
#define INSTANCES	2
#define TOUCHERS	2

/* A kernel with checkers is slow, and the suite ops looks for the same there */
#define OPS		3000
#define OPS_CHECKED	1000

struct player {
	struct lab_client lab;
	volatile uint64_t *map;
	atomic_bool *stop;
	atomic_size_t stale;
	atomic_size_t seen;
	atomic_size_t failed;
	size_t corrupt;
	long leaves;
};

static uint32_t roll(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return ((uint64_t)*seed * below) >> 32;
}

/* Page @first of the BAR is at the start of @map */
static void touch(struct player *p, volatile uint64_t *map, size_t first,
		  size_t i, bool write)
{
	uint64_t tag = lab_tag(&p->lab, LAB_BAR, first + i);
	uint64_t value = lab_word(map, i);

	p->stale += value != ONES && value != tag;
	p->seen += value == tag;
	if (write)
		map[i * PAGE / 8 + LAB_USER_WORD / 8] = tag;
}

static void *touch_all(void *arg)
{
	struct player *p = arg;
	uint32_t seed = (uintptr_t)&seed;

	while (!*p->stop) {
		size_t first = roll(&seed, PAGES), i;

		for (i = 0; i < 64; i++)
			touch(p, p->map, 0, (first + i) % PAGES, i % 4 == 0);
	}
	return NULL;
}

/*
 * A mapping of a part, which loses its middle, moves, and goes. Its page tables
 * are new ones, so there is room for a large leaf again, if it is aligned.
 */
static void remap_once(struct player *p, uint32_t *seed)
{
	bool aligned = roll(seed, 2);
	size_t pages = aligned ? 1024 : 16 + roll(seed, 1024);
	size_t first = roll(seed, PAGES - pages + 1), moved = pages / 4, i;
	volatile uint64_t *map, *to;
	char *room;

	if (aligned)
		first &= ~511UL;
	room = mmap(NULL, 5 * LEAF, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	map = mmap((void *)(((uintptr_t)room + LEAF - 1) & ~(LEAF - 1)),
		   pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   p->lab.vfio.device, p->lab.start[LAB_BAR] + first * PAGE);
	if (room == MAP_FAILED || map == MAP_FAILED) {
		p->failed++;
		return;
	}
	for (i = 0; i < pages; i += 7)
		touch(p, map, first, i, true);
	to = mremap((char *)map + (pages - moved) * PAGE, moved * PAGE,
		    moved * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		    (char *)map + 1280 * PAGE);
	p->failed += to == MAP_FAILED;
	munmap((char *)map + 4 * PAGE, 4 * PAGE);
	for (i = 0; i < moved && to != MAP_FAILED; i++)
		touch(p, to, first + pages - moved, i, false);
	for (i = 8; i < pages - moved; i += 5)
		touch(p, map, first, i, false);
	munmap(room, 5 * LEAF);
}

static void *remap(void *arg)
{
	struct player *p = arg;
	uint32_t seed = 4711;

	while (!*p->stop)
		remap_once(p, &seed);
	return NULL;
}

/* The counters of a child are its own: it tells by its status */
static void *fork_and_touch(void *arg)
{
	struct player *p = arg;
	uint32_t seed = 815;

	while (!*p->stop) {
		size_t first = roll(&seed, PAGES - 512), i;
		int status = 1;
		pid_t pid;

		pid = fork();
		if (!pid) {
			p->stale = 0;
			for (i = 0; i < 512; i++)
				touch(p, p->map, 0, first + i, i % 8 == 0);
			_exit(p->stale ? 1 : 0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			p->failed++;
		else
			p->stale += status != 0;
	}
	return NULL;
}

/* Frames for a large leaf, if some piece of the pool is free as a whole */
static int back_leaf(struct player *p, uint64_t offset, uint32_t *seed)
{
	uint32_t chunk = roll(seed, LAB_CHUNKS), i;
	int ret = -EBUSY;

	for (i = 0; i < LAB_CHUNKS && ret == -EBUSY; i++)
		ret = lab_back(&p->lab, LAB_BAR, offset, LEAF,
			       (chunk + i) % LAB_CHUNKS * LAB_CHUNK_FRAMES);
	return ret;
}

static int play_once(struct player *p, uint32_t *seed)
{
	static const unsigned int sizes[] = { 1, 3, 16, 64, 512, 512, 512 };
	unsigned int pages = sizes[roll(seed, 7)];
	uint64_t offset = (uint64_t)roll(seed, PAGES / pages) * pages * PAGE;
	int ret;

	ret = lab_revoke(&p->lab, LAB_BAR, offset, pages * PAGE);
	if (ret || roll(seed, 4) == 0)
		return ret;
	if (pages == 512)
		ret = back_leaf(p, offset, seed);
	else
		ret = lab_back(&p->lab, LAB_BAR, offset, pages * PAGE,
			       LAB_ANY_FRAME);
	/* All frames are in use: they will not be for long */
	return ret == -EBUSY ? 0 : ret;
}

/* Who moves the ground: backings, now and then decode, seldom a reset */
static void *play(void *arg)
{
	struct player *p = arg;
	unsigned int ops = kernel_has_checkers() ? OPS_CHECKED : OPS;
	uint32_t seed = p->lab.id * 12345;
	unsigned int i;

	for (i = 0; i < ops; i++) {
		p->failed += !!play_once(p, &seed);
		if (i % 64 == 63) {
			vfio_client_decode(&p->lab.vfio, 0);
			lab_enable(&p->lab);
		}
		if (i % 512 == 511) {
			ioctl(p->lab.vfio.device, VFIO_DEVICE_RESET);
			lab_enable(&p->lab);
		}
	}
	return NULL;
}

static void run_threads(struct player players[], atomic_bool *stop)
{
	pthread_t threads[INSTANCES][TOUCHERS + 2], managers[INSTANCES];
	int i, t;

	for (i = 0; i < INSTANCES; i++) {
		for (t = 0; t < TOUCHERS; t++)
			pthread_create(&threads[i][t], NULL, touch_all, &players[i]);
		pthread_create(&threads[i][t], NULL, remap, &players[i]);
		pthread_create(&threads[i][t + 1], NULL, fork_and_touch, &players[i]);
		pthread_create(&managers[i], NULL, play, &players[i]);
	}
	for (i = 0; i < INSTANCES; i++)
		pthread_join(managers[i], NULL);
	*stop = true;
	for (i = 0; i < INSTANCES; i++)
		for (t = 0; t < TOUCHERS + 2; t++)
			pthread_join(threads[i][t], NULL);
}

static void test_nobody_sees_a_stale_page(void **state)
{
	static struct player players[INSTANCES];
	atomic_bool stop = false;
	int i;

	(void)state;
	for (i = 0; i < INSTANCES; i++) {
		struct player *p = &players[i];

		lab_open(&p->lab, i ? LAB_UUID_B : LAB_UUID_A);
		/* One where leaves of 2 MiB fit, one where none does */
		p->map = lab_map(&p->lab, LAB_BAR, 0, WINDOW, i * PAGE);
		p->stop = &stop;
	}
	run_threads(players, &stop);
	for (i = 0; i < INSTANCES; i++) {
		struct player *p = &players[i];

		lab_revoke(&p->lab, LAB_BAR, 0, WINDOW);
		p->corrupt = lab_get(&p->lab, LAB_CORRUPT);
		p->leaves = mdev_stat(p->lab.uuid, "faults_2m");
		printf("# %s: %zu pages seen, %zu stale, %zu corrupt; faults: %ld of 4K, %ld of 2M, %ld sink\n",
		       i ? "B" : "A", p->seen, p->stale, p->corrupt,
		       mdev_stat(p->lab.uuid, "faults_4k"), p->leaves,
		       mdev_stat(p->lab.uuid, "sink_faults"));
		lab_close(&p->lab);
	}
	for (i = 0; i < INSTANCES; i++) {
		struct player *p = &players[i];

		assert_int_equal(p->stale, 0);
		assert_int_equal(p->corrupt, 0);
		assert_int_equal(p->failed, 0);
		assert_true(p->seen > 1000);
		assert_true(p->leaves > 0);
	}
}

/* Fresh page tables each time, so that every touch can become a large leaf */
static void *touch_new_leaves(void *arg)
{
	struct player *p = arg;
	char *room = mmap(NULL, 2 * LEAF, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *at = (void *)(((uintptr_t)room + LEAF - 1) & ~(LEAF - 1));

	while (!*p->stop) {
		volatile uint64_t *map = mmap(at, LEAF, PROT_READ | PROT_WRITE,
					      MAP_SHARED | MAP_FIXED, p->lab.vfio.device,
					      p->lab.start[LAB_BAR]);

		p->failed += map != at;
		touch(p, map, 0, 77, true);
		touch(p, map, 0, 500, false);
		/* Once more, when it may have been taken away */
		touch(p, map, 0, 77, false);
		mmap(at, LEAF, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	munmap(room, 2 * LEAF);
	return NULL;
}

static void test_large_leaves_race_with_revocation(void **state)
{
	static struct player player;
	atomic_bool stop = false;
	pthread_t threads[3];
	uint32_t seed = 42;
	long leaves;
	int i, failed = 0;

	(void)state;
	lab_open(&player.lab, LAB_UUID_A);
	player.stop = &stop;
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, touch_new_leaves, &player);
	for (i = 0; i < 3000; i++) {
		failed += !!back_leaf(&player, 0, &seed);
		failed += !!lab_revoke(&player.lab, LAB_BAR, 0, LEAF);
	}
	stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	leaves = mdev_stat(LAB_UUID_A, "faults_2m");
	player.corrupt = lab_get(&player.lab, LAB_CORRUPT);
	printf("# %zu pages seen, %zu stale, %zu corrupt; %ld large leaves\n",
	       player.seen, player.stale, player.corrupt, leaves);
	lab_close(&player.lab);
	assert_int_equal(player.stale, 0);
	assert_int_equal(player.corrupt, 0);
	assert_int_equal(player.failed + failed, 0);
	assert_true(leaves > 100);
}

struct opener {
	struct lab_client *lab;
	volatile uint64_t *map;
	atomic_bool stop;
	atomic_size_t wrong, passes;
};

static void *touch_new_pages(void *arg)
{
	struct opener *o = arg;
	size_t i = 0;

	while (!o->stop) {
		uint64_t value = lab_word(o->map, i);

		o->wrong += value != ONES &&
			    value != lab_tag(o->lab, LAB_TOUCH_BAR, i);
		i = (i + 13) % PAGES;
		o->passes += !i;
	}
	return NULL;
}

/* Pages that come by being touched, under revocation, reset and decode */
static void test_touch_races_with_reset(void **state)
{
	struct lab_client lab;
	struct opener o = { .lab = &lab };
	pthread_t threads[3];
	size_t passes, page;
	int i;

	(void)state;
	lab_open(&lab, LAB_UUID_A);
	o.map = lab_map(&lab, LAB_TOUCH_BAR, 0, WINDOW, 0);
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, touch_new_pages, &o);
	for (i = 0; i < 150; i++) {
		lab_revoke(&lab, LAB_TOUCH_BAR, 0, WINDOW);
		vfio_client_decode(&lab.vfio, 0);
		lab_enable(&lab);
		if (i % 16 == 0) {
			ioctl(lab.vfio.device, VFIO_DEVICE_RESET);
			lab_enable(&lab);
		}
	}
	/* One of them has seen all pages since, and all are what they should be */
	passes = o.passes;
	while (o.passes < passes + 4)
		sched_yield();
	o.stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (page = 0; page < PAGES; page++)
		o.wrong += lab_word(o.map, page) != lab_tag(&lab, LAB_TOUCH_BAR, page);
	lab_revoke(&lab, LAB_TOUCH_BAR, 0, WINDOW);
	assert_int_equal(o.wrong, 0);
	assert_int_equal(lab_get(&lab, LAB_CORRUPT), 0);
	lab_close(&lab);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_sees_a_stale_page),
		cmocka_unit_test(test_large_leaves_race_with_revocation),
		cmocka_unit_test(test_touch_races_with_reset),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stress", tests, NULL, NULL);
}
