// SPDX-License-Identifier: GPL-2.0-only
/*
 * Areas and backings, by the module vpci_lab: what a page shows says where it
 * comes from. How it is mapped is tested by fault_test.c.
 *
 * Each test has an instance "a", open and with decode on; some make a second
 * one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "lab_client.h"
#include "sysfs.h"
#include "trace.h"

static void test_mixed_bar_has_sparse_areas(void **state)
{
	struct lab_client *lab = *state;
	struct {
		struct vfio_region_info info;
		struct vfio_region_info_cap_sparse_mmap sparse;
		struct vfio_region_sparse_mmap_area areas[2];
	} r = { .info = { .argsz = sizeof(r.info), .index = LAB_MIXED_BAR } };

	/* No room: the size that it takes, and no capability */
	assert_int_equal(ioctl(lab->vfio.device, VFIO_DEVICE_GET_REGION_INFO, &r), 0);
	assert_int_equal(r.info.argsz, sizeof(r));
	assert_int_equal(r.info.cap_offset, 0);
	assert_true(r.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	assert_true(r.info.flags & VFIO_REGION_INFO_FLAG_MMAP);
	assert_int_equal(r.info.size, LAB_MIXED_SIZE);

	assert_int_equal(ioctl(lab->vfio.device, VFIO_DEVICE_GET_REGION_INFO, &r), 0);
	assert_int_equal(r.info.cap_offset, sizeof(r.info));
	assert_int_equal(r.sparse.header.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
	assert_int_equal(r.sparse.header.version, 1);
	assert_int_equal(r.sparse.header.next, 0);
	assert_int_equal(r.sparse.nr_areas, 2);
	assert_int_equal(r.areas[0].offset, LAB_MAPPED_1);
	assert_int_equal(r.areas[0].size, LAB_MAPPED_1_SIZE);
	assert_int_equal(r.areas[1].offset, LAB_MAPPED_2);
	assert_int_equal(r.areas[1].size, LAB_MAPPED_2_SIZE);

	/* A BAR of one kind needs none */
	r.info.index = LAB_BAR;
	r.info.argsz = sizeof(r);
	assert_int_equal(ioctl(lab->vfio.device, VFIO_DEVICE_GET_REGION_INFO, &r), 0);
	assert_false(r.info.flags & VFIO_REGION_INFO_FLAG_CAPS);
	assert_true(r.info.flags & VFIO_REGION_INFO_FLAG_MMAP);
}

static void test_region_info_bad_pointer(void **state)
{
	struct lab_client *lab = *state;
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vfio_region_info *info;

	/* The capabilities would come to lie where there is nothing */
	munmap(page + PAGE, PAGE);
	info = (void *)(page + PAGE - sizeof(*info));
	info->argsz = 4096;
	info->index = LAB_MIXED_BAR;
	assert_int_equal(ioctl(lab->vfio.device, VFIO_DEVICE_GET_REGION_INFO, info), -1);
	assert_int_equal(errno, EFAULT);
	munmap(page, PAGE);
}

static void test_only_mapped_areas_can_be_mapped(void **state)
{
	static const struct { uint64_t offset; size_t size; bool good; } cases[] = {
		{ LAB_MAPPED_1, LAB_MAPPED_1_SIZE, true },
		{ LAB_MAPPED_2 + PAGE, PAGE, true },
		{ 0, PAGE, false },
		{ 0, LAB_MIXED_SIZE, false },
		{ LAB_MAPPED_1 - PAGE, 2 * PAGE, false },
		{ LAB_MAPPED_1, LAB_MAPPED_1_SIZE + PAGE, false },
		{ LAB_MAPPED_1 + LAB_MAPPED_1_SIZE, PAGE, false },
		{ LAB_MAPPED_1, LAB_MAPPED_2 - LAB_MAPPED_1 + PAGE, false },
		{ LAB_MIXED_SIZE - PAGE, PAGE, false },
		{ LAB_MIXED_SIZE, PAGE, false },
	};
	struct lab_client *lab = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		void *map = mmap(NULL, cases[i].size, PROT_READ, MAP_SHARED,
				 lab->vfio.device,
				 lab->start[LAB_MIXED_BAR] + cases[i].offset);

		assert_int_equal(map != MAP_FAILED, cases[i].good);
		if (cases[i].good)
			munmap(map, cases[i].size);
		else
			assert_int_equal(errno, EINVAL);
	}
}

/* What byte @at of BAR 2 shows with nothing backed */
static uint8_t mixed_byte(uint64_t at)
{
	bool mapped = (at >= LAB_MAPPED_1 && at < LAB_MAPPED_1 + LAB_MAPPED_1_SIZE) ||
		      (at >= LAB_MAPPED_2 && at < LAB_MAPPED_2 + LAB_MAPPED_2_SIZE);

	return mapped ? 0xff : at & 0xff;
}

static void expect_mixed_read(struct lab_client *lab, uint64_t offset, size_t len)
{
	uint8_t buf[LAB_MIXED_SIZE];
	size_t i, wrong = 0;

	assert_int_equal(vfio_client_read(&lab->vfio,
					  lab->start[LAB_MIXED_BAR] + offset,
					  buf, len), len);
	for (i = 0; i < len; i++)
		wrong += buf[i] != mixed_byte(offset + i);
	assert_int_equal(wrong, 0);
}

/* Any range: each byte comes from its area, and no access crosses a border */
static void test_access_is_split_at_areas(void **state)
{
	static const uint64_t borders[] = {
		LAB_MAPPED_1, LAB_MAPPED_1 + LAB_MAPPED_1_SIZE, LAB_MAPPED_2,
		LAB_MAPPED_2 + LAB_MAPPED_2_SIZE,
	};
	struct lab_client *lab = *state;
	uint64_t at;
	size_t i, len;

	for (i = 0; i < 4; i++)
		for (at = borders[i] - 17; at <= borders[i]; at++)
			for (len = 1; len <= 34; len++)
				expect_mixed_read(lab, at, len);
	expect_mixed_read(lab, LAB_REGS_END, LAB_MIXED_SIZE - LAB_REGS_END);
	assert_int_equal(lab_get(lab, LAB_BAD_ACCESSES), 0);
}

/* The fewest aligned accesses: 13 bytes from 3 are 1 + 4 + 8 */
static void test_access_widths(void **state)
{
	static const struct {
		uint64_t offset;
		size_t len;
		unsigned int count[4];
	} cases[] = {
		{ 0x1000 - 1, 1, { 1, 0, 0, 0 } },
		{ 0x100, 2, { 0, 1, 0, 0 } },
		{ 0x100, 4, { 0, 0, 1, 0 } },
		{ 0x100, 8, { 0, 0, 0, 1 } },
		{ 0x103, 13, { 1, 0, 1, 1 } },
		{ 0x101, 2, { 2, 0, 0, 0 } },
		{ 0x102, 8, { 0, 2, 1, 0 } },
		{ 0x100, 256, { 0, 0, 0, 32 } },
		{ 0x1000 - 4, 8, { 0, 0, 1, 0 } },
	};
	struct lab_client *lab = *state;
	uint8_t buf[256] = {};
	unsigned int i, w, write;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (write = 0; write < 2; write++) {
			uint64_t pos = lab->start[LAB_MIXED_BAR] + cases[i].offset;

			for (w = 0; w < 4; w++)
				lab_put(lab, LAB_WIDTH(w), 0);
			if (write)
				vfio_client_write(&lab->vfio, pos, buf, cases[i].len);
			else
				vfio_client_read(&lab->vfio, pos, buf, cases[i].len);
			for (w = 0; w < 4; w++)
				assert_int_equal(lab_get(lab, LAB_WIDTH(w)),
						 cases[i].count[w]);
		}
	}
	assert_int_equal(lab_get(lab, LAB_BAD_ACCESSES), 0);
}

static void test_backing_maps_nothing_and_shows_at_once(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 4 * MIB, 0);

	assert_int_equal(lab_back(lab, LAB_BAR, LEAF, LEAF, 0), 0);
	assert_int_equal(lab_stat(lab, "faults"), 0);
	assert_int_equal(lab_stat(lab, "pages_mapped"), 0);

	/* The sink page was there before the backing arrives */
	lab_expect_pages(lab, map, 0, 16, false);
	assert_int_equal(lab_stat(lab, "sink_faults"), 16);
	assert_int_equal(lab_back(lab, LAB_BAR, 0, 16 * PAGE, 512), 0);
	lab_expect_pages(lab, map, 0, 16, true);
	lab_unmap(lab, map, 4 * MIB);
}

static void test_mixed_area_is_backed(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_MIXED_BAR, LAB_MAPPED_2,
					 LAB_MAPPED_2_SIZE, 0);
	uint64_t word;

	assert_int_equal(lab_word(map, 1), ONES);
	assert_int_equal(lab_back(lab, LAB_MIXED_BAR, LAB_MAPPED_2 + PAGE, PAGE,
				  LAB_ANY_FRAME), 0);
	assert_int_equal(lab_word(map, 0), ONES);
	assert_int_equal(lab_word(map, 1), lab_tag(lab, LAB_MIXED_BAR, 9));
	assert_int_equal(vfio_client_read(&lab->vfio, lab->start[LAB_MIXED_BAR] +
					  LAB_MAPPED_2 + PAGE, &word, 8), 8);
	assert_int_equal(word, lab_tag(lab, LAB_MIXED_BAR, 9));
	lab_unmap(lab, map, LAB_MAPPED_2_SIZE);
}

static void test_bad_ranges_are_refused(void **state)
{
	struct lab_client *lab = *state;

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF, 0), 0);
	/* Of pages that are free in the module: it is the library that refuses */
	assert_int_equal(lab_back(lab, LAB_MIXED_BAR, 0, PAGE, 600), -EINVAL);
	assert_int_equal(lab_back(lab, LAB_MIXED_BAR, LAB_MAPPED_1 - PAGE,
				  2 * PAGE, 600), -EINVAL);
	assert_int_equal(lab_back(lab, LAB_MIXED_BAR, LAB_MAPPED_1,
				  LAB_MAPPED_1_SIZE + PAGE, 600), -EINVAL);
	assert_int_equal(lab_back(lab, LAB_BAR, LEAF + 1, PAGE, 600), -EINVAL);
	assert_int_equal(lab_command(lab, 99), -EINVAL);
	/* The giant is one extent; a second one in its place is one too many */
	assert_int_equal(lab_command(lab, LAB_GIANT), 0);
	assert_int_equal(lab_command(lab, LAB_GIANT), -EEXIST);
}

/* What a parent takes away at once may be more than what it had given */
static void test_revoke_across_areas(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *first = lab_map(lab, LAB_MIXED_BAR, LAB_MAPPED_1, PAGE, 0);
	volatile uint64_t *second = lab_map(lab, LAB_MIXED_BAR, LAB_MAPPED_2, PAGE, 0);

	assert_int_equal(lab_back(lab, LAB_MIXED_BAR, LAB_MAPPED_1, PAGE, 0), 0);
	assert_int_equal(lab_back(lab, LAB_MIXED_BAR, LAB_MAPPED_2, PAGE, 1), 0);
	assert_int_not_equal(first[0], ONES);
	assert_int_not_equal(second[0], ONES);
	assert_int_equal(lab_revoke(lab, LAB_MIXED_BAR, 0, LAB_MIXED_SIZE), 0);
	assert_int_equal(first[0], ONES);
	assert_int_equal(second[0], ONES);
	lab_unmap(lab, first, PAGE);
	lab_unmap(lab, second, PAGE);
}

/* Mappings of device memory that the library has made for itself */
static unsigned int own_mappings(void)
{
	FILE *areas = fopen("/proc/vmallocinfo", "r");
	unsigned int count = 0;
	char line[512];

	assert_non_null(areas);
	while (fgets(line, sizeof(line), areas))
		count += strstr(line, "[vfio_vpci]") && strstr(line, "ioremap");
	fclose(areas);
	return count;
}

/* The kernel's mapping for read(2) goes with the frames, as all others do */
static void test_revoke_unmaps_for_read(void **state)
{
	struct lab_client *lab = *state;
	uint64_t value;

	assert_int_equal(own_mappings(), 0);
	assert_int_equal(lab_command(lab, LAB_GIANT), 0);
	assert_int_equal(vfio_client_read(&lab->vfio, lab->start[LAB_TOUCH_BAR] + GIB, &value, 8), 8);
	assert_int_equal(own_mappings(), 1);
	assert_int_equal(lab_revoke_giant(lab, 0, GIB), 0);
	assert_int_equal(own_mappings(), 0);
}

static void test_partial_revoke(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, LEAF, 0);
	const size_t half = 256;

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF, 0), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 1);

	assert_int_equal(lab_revoke(lab, LAB_BAR, half * PAGE, 8 * PAGE), 0);
	lab_expect_pages(lab, map, 0, half, true);
	lab_expect_pages(lab, map + half * 512, half, 8, false);
	lab_expect_pages(lab, map + (half + 8) * 512, half + 8, half - 8, true);
	/* Twice is once, and what is not there does not disturb */
	assert_int_equal(lab_revoke(lab, LAB_BAR, (half - 1) * PAGE, 8 * PAGE), 0);
	lab_expect_pages(lab, map + (half - 1) * 512, half - 1, 9, false);
	lab_expect_pages(lab, map, 0, half - 1, true);

	/* The gap can be filled with other frames */
	assert_int_equal(lab_back(lab, LAB_BAR, (half - 1) * PAGE, 9 * PAGE, 5000), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "revokes"), 2);
	lab_unmap(lab, map, LEAF);
}

/* However a range was recorded, in what order, it is mapped by one leaf */
static void test_neighbours_join(void **state)
{
	static const unsigned int order[] = { 1, 3, 0, 2 };
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, LEAF, 0);
	unsigned int i;

	for (i = 0; i < 4; i++)
		assert_int_equal(lab_back(lab, LAB_BAR, order[i] * 128 * PAGE,
					  128 * PAGE, order[i] * 128), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 1);
	assert_int_equal(lab_stat(lab, "faults"), 1);
	assert_int_equal(lab_stat(lab, "pages_mapped"), 512);
	lab_unmap(lab, map, LEAF);
}

/* Of other frames than the neighbour's, it is a range of its own */
static void test_strangers_do_not_join(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, LEAF, 0);

	assert_int_equal(lab_back(lab, LAB_BAR, 0, MIB, 0), 0);
	assert_int_equal(lab_back(lab, LAB_BAR, MIB, MIB, 1024), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	assert_int_equal(lab_stat(lab, "faults"), 32);
	lab_unmap(lab, map, LEAF);
}

static void test_decode_and_reset(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, LEAF, 0);

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF, 0), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	vfio_client_decode(&lab->vfio, 0);
	lab_expect_pages(lab, map, 0, 512, false);
	lab_enable(lab);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(ioctl(lab->vfio.device, VFIO_DEVICE_RESET), 0);
	lab_enable(lab);
	lab_expect_pages(lab, map, 0, 512, false);
	lab_unmap(lab, map, LEAF);
}

/* At every offset and length read(2) and write(2) see what a mapping shows */
static void test_read_and_write_equal_mapping(void **state)
{
	struct lab_client *lab = *state;
	volatile uint8_t *bytes = (void *)lab_map(lab, LAB_BAR, 0, 4 * PAGE, 0);
	uint64_t pos = lab->start[LAB_BAR];
	uint8_t buf[3 * PAGE] = {}, seen[3 * PAGE];
	unsigned int at, len, i;

	/* Two extents, and a hole */
	assert_int_equal(lab_back(lab, LAB_BAR, 0, PAGE, 7), 0);
	assert_int_equal(lab_back(lab, LAB_BAR, PAGE, PAGE, 2000), 0);
	for (at = PAGE - 20; at < PAGE + 20; at += 3) {
		for (len = 1; len < 600; len += len < 20 ? 1 : 97) {
			for (i = 0; i < len; i++)
				buf[i] = at + 7 * i + len;
			assert_int_equal(vfio_client_write(&lab->vfio, pos + at, buf, len), len);
			for (i = 0; i < len; i++)
				seen[i] = bytes[at + i];
			assert_memory_equal(buf, seen, len);
			memset(seen, 0, len);
			assert_int_equal(vfio_client_read(&lab->vfio, pos + at, seen, len), len);
			assert_memory_equal(buf, seen, len);
		}
	}
	/* The module wants its tags back */
	for (at = 0; at < 2 * PAGE; at += LAB_TAG_STEP) {
		*(volatile uint64_t *)(bytes + at) = lab_tag(lab, LAB_BAR, at / PAGE);
		*(volatile uint64_t *)(bytes + at + LAB_USER_WORD) = 0;
	}
	assert_int_equal(vfio_client_read(&lab->vfio, pos + 2 * PAGE - 8, buf, PAGE), PAGE);
	for (i = 8; i < PAGE; i++)
		assert_int_equal(buf[i], 0xff);
	lab_unmap(lab, (void *)bytes, 4 * PAGE);
}

/* A frame goes from one instance to another, and the first sees nothing of it */
static void test_frame_changes_hands(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, LEAF, 0), *other;
	struct lab_client b;
	size_t i;

	lab_open(&b, LAB_UUID_B);
	assert_int_not_equal(b.id, lab->id);
	other = lab_map(&b, LAB_BAR, 0, LEAF, 0);
	for (i = 0; i < 4; i++) {
		struct lab_client *from = i % 2 ? &b : lab;

		assert_int_equal(lab_back(from, LAB_BAR, 0, LEAF, 0), 0);
		assert_int_equal(lab_back(i % 2 ? lab : &b, LAB_BAR, 0, LEAF, 0), -EBUSY);
		lab_expect_pages(lab, map, 0, 512, !(i % 2));
		lab_expect_pages(&b, other, 0, 512, i % 2);
		assert_int_equal(lab_revoke(from, LAB_BAR, 0, LEAF), 0);
	}
	lab_unmap(lab, map, LEAF);
	lab_unmap(&b, other, LEAF);
	assert_int_equal(lab_get(&b, LAB_CORRUPT), 0);
	lab_close(&b);
}

static void test_many_extents(void **state)
{
	struct lab_client *lab = *state;

	lab_put(lab, LAB_ARG_SIZE, 10000);
	assert_int_equal(lab_command(lab, LAB_EXTENTS), 0);
	assert_int_equal(lab_stat(lab, "revokes"), 10000);
	/* Nothing is left of them */
	assert_int_equal(lab_back(lab, LAB_BAR, 0, 4 * LEAF, 0), 0);
}

static void test_tracepoints(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, LEAF, 0);

	trace_begin("vpci");
	assert_int_equal(lab_back(lab, LAB_BAR, PAGE, PAGE, 3), 0);
	(void)lab_word(map, 1);
	(void)lab_word(map, 2);
	assert_int_equal(lab_revoke(lab, LAB_BAR, PAGE, PAGE), 0);
	vfio_client_decode(&lab->vfio, 0);
	lab_enable(lab);
	assert_int_equal(ioctl(lab->vfio.device, VFIO_DEVICE_RESET), 0);
	trace_end("vpci");

	assert_true(trace_has("vpci_back: " LAB_UUID_A " BAR 0 offset 0x1000 size 0x1000 phys 0x"));
	assert_true(trace_has("vpci_fault: " LAB_UUID_A " BAR 0 offset 0x1000 pfn 0x"));
	assert_true(trace_has(" order 0 pages 1"));
	assert_true(trace_has("vpci_sink_fault: " LAB_UUID_A " BAR 0 offset 0x2000 decode 1"));
	assert_true(trace_has("vpci_revoke: " LAB_UUID_A " BAR 0 offset 0x1000 size 0x1000"));
	assert_true(trace_has("vpci_decode: " LAB_UUID_A " off"));
	assert_true(trace_has("vpci_decode: " LAB_UUID_A " memory"));
	assert_true(trace_has("vpci_trap_write: " LAB_UUID_A " BAR 2 offset 0x"));
	assert_true(trace_has("vpci_trap_read: " LAB_UUID_A " BAR 2 offset 0x"));
	assert_true(trace_has("vpci_reset: " LAB_UUID_A));
	lab_unmap(lab, map, LEAF);
}

/* Programs such as perf know no names of constants */
static void test_formats_of_tracepoints(void **state)
{
	(void)state;
	assert_int_equal(trace_unresolved("vpci", "VPCI_"), 0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
	const struct CMUnitTest tests[] = {
		T(test_mixed_bar_has_sparse_areas),
		T(test_region_info_bad_pointer),
		T(test_only_mapped_areas_can_be_mapped),
		T(test_access_is_split_at_areas),
		T(test_access_widths),
		T(test_backing_maps_nothing_and_shows_at_once),
		T(test_mixed_area_is_backed),
		T(test_bad_ranges_are_refused),
		T(test_revoke_across_areas),
		T(test_revoke_unmaps_for_read),
		T(test_partial_revoke),
		T(test_neighbours_join),
		T(test_strangers_do_not_join),
		T(test_decode_and_reset),
		T(test_read_and_write_equal_mapping),
		T(test_frame_changes_hands),
		T(test_many_extents),
		T(test_tracepoints),
		T(test_formats_of_tracepoints),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bar", tests, NULL, NULL);
}
