// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process does to a part of a mapping that is one leaf of 1 GiB, by the module vpci_lab
 *
 * The kernel takes such a leaf for a page table where it splits the VMA, or leaves it to two
 * VMAs, unless the driver took it away before (CVE-2026-99647), and it does not ask the driver
 * where it merges VMAs instead (CVE-2026-99648). What the kernel does then ends the lab VM.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "lab_client.h"
#include "leaf_split.h"
#include "sysfs.h"

static size_t pages(volatile uint64_t *const at[], size_t nr)
{
	size_t i, j, different = nr;

	for (i = 0; i < nr; i++)
		for (j = 0; j < i; j++)
			if ((uintptr_t)at[i] / PAGE == (uintptr_t)at[j] / PAGE) {
				different--;
				break;
			}
	return different;
}

/*
 * With decode off, each page is a fault: nothing is left of the leaf, or of what came after it,
 * in whatever VMA.
 */
static bool all_goes(const struct split_run *run, volatile uint64_t *const at[], size_t nr)
{
	struct lab_client *lab = run->arg;
	long before = lab_stat(lab, "sink_faults");
	size_t i, wrong = 0;

	vfio_client_decode(&lab->vfio, 0);
	for (i = 0; i < nr; i++)
		wrong += *at[i] != ONES;
	wrong += lab_stat(lab, "sink_faults") != before + (long)pages(at, nr);
	lab_enable(lab);
	return !wrong;
}

static struct split_run run_of(struct lab_client *lab)
{
	assert_int_equal(lab_command(lab, LAB_GIANT), 0);
	return (struct split_run){
		.device = lab->vfio.device,
		.pos = lab->start[LAB_TOUCH_BAR] + GIB,
		.rounds = 1,
		.arg = lab,
	};
}

static void split_all(struct lab_client *lab, const struct split_run *run)
{
	size_t op, part, bad = 0, nr = 0;

	for (op = 0; op < split_nr_ops; op++)
		for (part = 0; part < split_nr_parts; part++, nr++)
			bad += !split(run, &split_ops[op], &split_parts[part]);
	printf("# %zu calls in new mappings; faults: %ld of 1G, %ld of 2M, %ld of 4K, %ld sink\n",
	       nr, lab_stat(lab, "faults_1g"), lab_stat(lab, "faults_2m"),
	       lab_stat(lab, "faults_4k"), lab_stat(lab, "sink_faults"));
	assert_int_equal(bad, 0);
	/* There was a leaf to be cut, each time, and what stayed came back by smaller ones */
	assert_true(lab_stat(lab, "faults_1g") >= (long)nr);
	assert_true(lab_stat(lab, "faults_2m") > (long)nr);
}

static void test_part_of_a_leaf(void **state)
{
	struct lab_client *lab = *state;
	struct split_run run = run_of(lab);

	run.check = all_goes;
	split_all(lab, &run);
}

static void test_part_of_a_leaf_that_is_touched(void **state)
{
	struct lab_client *lab = *state;
	struct split_run run = run_of(lab);

	run.touched = true;
	run.rounds = kernel_has_checkers() ? 2 : 8;
	split_all(lab, &run);
}

/* How many VMAs there are in the range, none of which reaches beyond it */
static unsigned int vmas(const char *start, size_t size)
{
	unsigned long first, end, from = (uintptr_t)start;
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned int nr = 0;
	char line[512];

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		assert_int_equal(sscanf(line, "%lx-%lx", &first, &end), 2);
		if (end <= from || first >= from + size)
			continue;
		assert_true(first >= from && end <= from + size);
		nr++;
	}
	fclose(maps);
	return nr;
}

static int same_protection(char *at, size_t size) { return mprotect(at, size, PROT_READ); }
static int same_advice(char *at, size_t size) { return madvise(at, size, MADV_RANDOM); }

/*
 * The two halves of the BAR side by side, the second a leaf. Its beginning becomes like the first
 * half: were the two merged, the border between them would move into the leaf, and nobody
 * be asked.
 */
static void test_neighbours_are_not_merged(void **state)
{
	static int (*const likenings[])(char *at, size_t size) = { same_protection, same_advice };
	static const size_t sizes[] = { PAGE, LEAF, 512 * MIB };
	struct lab_client *lab = *state;
	struct split_run run = run_of(lab);
	size_t like, i;
	char *map;

	for (like = 0; like < 2; like++)
	for (i = 0; i < 3; i++) {
		map = split_room();
		assert_non_null(map);
		assert_ptr_equal(mmap(map - GIB, GIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				      run.device, run.pos - GIB), map - GIB);
		assert_int_equal(likenings[like](map - GIB, GIB), 0);
		assert_ptr_equal(mmap(map, GIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
				      run.device, run.pos), map);
		(void)*(volatile uint64_t *)map;
		assert_int_equal(vmas(map - GIB, 2 * GIB), 2);

		assert_int_equal(likenings[like](map, sizes[i]), 0);
		assert_int_equal(vmas(map - GIB, 2 * GIB), 3);
		assert_true(split_look(map - GIB, 2 * GIB));
		(void)*(volatile uint64_t *)(map - PAGE);
		(void)*(volatile uint64_t *)map;
		(void)*(volatile uint64_t *)(map + sizes[i]);
		/* All of it the same, which is the moment to merge what was split */
		assert_int_equal(likenings[like](map, GIB), 0);
		assert_int_equal(vmas(map - GIB, 2 * GIB), 3);
		assert_true(split_look(map - GIB, 2 * GIB));
		munmap(map - GIB, 2 * GIB);
	}
	assert_int_equal(lab_stat(lab, "faults_1g"), 6);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(test_part_of_a_leaf),
		T(test_part_of_a_leaf_that_is_touched),
		T(test_neighbours_are_not_merged),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("leaf-split", tests, NULL, NULL);
}
