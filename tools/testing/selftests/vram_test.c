// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of instances: which block of the parent's memory each one gets
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "display_client.h"
#include "fixture.h"
#include "sysfs.h"

/* More instances than a parent of 16 MiB can have */
#define NR_NAMES	12
#define MAX_UNITS	64

static const char *name_of(unsigned int i)
{
	static char name[40];

	snprintf(name, sizeof(name), "55555555-eeee-4eee-8eee-0000000000%02x", i);
	return name;
}

static int remove_all(void **state)
{
	unsigned int i;

	for (i = 0; i < NR_NAMES; i++)
		mdev_remove(name_of(i));
	return fixture_teardown(state);
}

/* A small block goes where it does the least harm */
static void test_blocks_stay_whole(void **state)
{
	unsigned int i;

	(void)state;
	if (mdev_available("4M") != 4)
		skip();
	for (i = 0; i < 4; i++)
		assert_int_equal(mdev_create("4M", name_of(i)), 0);
	assert_int_equal(mdev_remove(name_of(0)), 0);
	assert_int_equal(mdev_remove(name_of(1)), 0);
	assert_int_equal(mdev_remove(name_of(3)), 0);
	/* Free: the first half and the last quarter */
	assert_int_equal(mdev_available("4M"), 3);
	assert_int_equal(mdev_available("8M"), 1);
	assert_int_equal(mdev_create("4M", name_of(4)), 0);
	assert_int_equal(mdev_available("4M"), 2);
	assert_int_equal(mdev_available("8M"), 1);
	assert_int_equal(mdev_create("8M", name_of(5)), 0);
	assert_int_equal(mdev_available("4M"), 0);
}

/* Which units of 4 MiB have an owner, as the files of the instances say */
static void find_used(bool *used, unsigned int units)
{
	unsigned int i, unit;
	long start, size;

	memset(used, 0, MAX_UNITS * sizeof(*used));
	for (i = 0; i < NR_NAMES; i++) {
		if (!mdev_exists(name_of(i)))
			continue;
		start = sysfs_read_long("/sys/bus/mdev/devices/%s/mgpu/vram_offset", name_of(i));
		size = sysfs_read_long("/sys/bus/mdev/devices/%s/mgpu/vram_size", name_of(i));
		assert_int_equal(start % size, 0);
		assert_in_range(start + size, size, units * 4 * MIB);
		for (unit = start / MIB / 4; unit < (start + size) / MIB / 4; unit++) {
			assert_false(used[unit]);
			used[unit] = true;
		}
	}
}

static long count_free(const bool *used, unsigned int units, unsigned int size)
{
	unsigned int start, i;
	long count = 0;

	for (start = 0; start + size <= units; start += size) {
		for (i = 0; i < size && !used[start + i]; i++)
			;
		count += i == size;
	}
	return count;
}

/* "4M" times a power of two */
static const char *type_of(unsigned int size)
{
	static char type[8];

	snprintf(type, sizeof(type), "%uM", size * 4);
	return type;
}

/*
 * Instances of all sizes come and go at random. At each step the files say what
 * could be created, for every type, and creating it succeeds if they say so.
 */
static void test_available_is_what_can_be_placed(void **state)
{
	unsigned int units = mdev_available("4M"), types = 0, step, size, refused = 0;
	bool used[MAX_UNITS];
	const char *name;
	long available;

	(void)state;
	assert_in_range(units, 1, MAX_UNITS);
	while (units >> types)
		types++;
	random_state = 3;
	for (step = 0; step < 150; step++) {
		find_used(used, units);
		for (size = 1; size <= units; size *= 2)
			assert_int_equal(mdev_available(type_of(size)),
					 count_free(used, units, size));
		name = name_of(next_random() % NR_NAMES);
		if (mdev_exists(name)) {
			assert_int_equal(mdev_remove(name), 0);
			continue;
		}
		size = 1 << next_random() % types;
		available = mdev_available(type_of(size));
		assert_int_equal(mdev_create(type_of(size), name), available ? 0 : -ENOSPC);
		refused += !available;
	}
	assert_in_range(refused, 1, step);
}

/*
 * For scripts: write to all pages again and again until the input ends, and tell
 * whether they all show ones then
 */
static int touch(const char *uuid)
{
	struct vfio_region_info info;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	volatile uint32_t *vram;
	size_t i, words;

	if (vfio_client_open(&fixture_client, uuid) ||
	    vfio_client_region(&fixture_client, 0, &info))
		return 1;
	vfio_client_decode(&fixture_client, 1);
	words = info.size / sizeof(uint32_t);
	vram = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fixture_client.device, info.offset);
	if (vram == MAP_FAILED)
		return 1;
	puts("touching");
	fflush(stdout);
	do {
		for (i = 0; i < words; i += 1024)
			vram[i] = ~0U;
	} while (!poll(&input, 1, 0));
	for (i = 0; i < words && vram[i] == ~0U && vram[i + 512] == ~0U; i += 1024)
		;
	puts(i >= words ? "ones" : "something else");
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, remove_all)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocks_stay_whole),
		TEST(test_available_is_what_can_be_placed),
	};

	if (argc == 3 && !strcmp(argv[1], "--touch"))
		return touch(argv[2]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("vram", tests, NULL, NULL);
}
