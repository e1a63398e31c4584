// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults, by the module vpci_lab: how large a leaf is, where a run ends, what
 * shows where there is nothing, and what a process can do to its mappings
 *
 * Each test has an instance "a", open and with decode on; some make a second
 * one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lab_client.h"
#include "sysfs.h"

#define FAULT_AROUND "/sys/module/vfio_vpci/parameters/fault_around"
#define THP "/sys/kernel/mm/transparent_hugepage/enabled"

/* Has the instance open as well, and must not keep it when its test has failed */
static pid_t child = -1;

static int teardown(void **state)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = -1;
	}
	sysfs_write("65536", FAULT_AROUND);
	sysfs_write("always", THP);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	return lab_teardown(state);
}

/* The frame's alignment counts, not only the address's */
static void test_leaf_needs_aligned_frames(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 2 * LEAF, 0);

	/* One backing, as long as the leaf, with frames from 1 MiB behind a border */
	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF, 256), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	/* The border in the middle of the leaf */
	assert_int_equal(lab_back(lab, LAB_BAR, LEAF + MIB, MIB, 1024), 0);
	lab_expect_pages(lab, map + 768 * 512, 768, 256, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	lab_unmap(lab, map, 2 * LEAF);
}

static void test_leaf_needs_aligned_address(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, LEAF, PAGE);

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF, 0), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	assert_int_equal(lab_stat(lab, "faults_4k"), 32);
	lab_unmap(lab, map, LEAF);
}

/* Neither the VMA nor the backing may end inside */
static void test_leaf_needs_room(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map;

	assert_int_equal(lab_back(lab, LAB_BAR, 0, 2 * LEAF - PAGE, 0), 0);
	map = lab_map(lab, LAB_BAR, 0, LEAF - PAGE, 0);
	lab_expect_pages(lab, map, 0, 511, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	lab_unmap(lab, map, LEAF - PAGE);

	map = lab_map(lab, LAB_BAR, PAGE, LEAF - PAGE, PAGE);
	lab_expect_pages(lab, map, 1, 511, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	lab_unmap(lab, map, LEAF - PAGE);

	map = lab_map(lab, LAB_BAR, LEAF, LEAF, LEAF);
	lab_expect_pages(lab, map, 512, 511, true);
	lab_expect_pages(lab, map + 511 * 512, 1023, 1, false);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	lab_unmap(lab, map, LEAF);

	/* The touch is in the leaf's last page: it must begin at its first */
	map = lab_map(lab, LAB_BAR, 0, LEAF, 0);
	assert_int_equal(lab_word(map, 511), lab_tag(lab, LAB_BAR, 511));
	assert_int_equal(lab_stat(lab, "faults_2m"), 1);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 1);
	lab_unmap(lab, map, LEAF);
}

static void test_giant_leaf(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_TOUCH_BAR, GIB, GIB, 0);
	size_t i;

	assert_int_equal(lab_command(lab, LAB_GIANT), 0);
	for (i = 0; i < GIB / 8; i += 16 * MIB / 8)
		(void)map[i];
	assert_int_equal(lab_stat(lab, "faults_1g"), 1);
	assert_int_equal(lab_stat(lab, "faults"), 1);
	assert_int_equal(lab_stat(lab, "pages_mapped"), GIB / PAGE);
	/* It is taken away as a whole */
	vfio_client_decode(&lab->vfio, 0);
	assert_int_equal(map[0], ONES);
	assert_int_equal(map[GIB / 8 - 1], ONES);
	lab_unmap(lab, map, GIB);
}

/* The page goes, with the leaf; the rest comes back, by smaller ones */
static void test_part_of_a_giant(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_TOUCH_BAR, GIB, GIB, 0);

	assert_int_equal(lab_command(lab, LAB_GIANT), 0);
	(void)map[0];
	assert_int_equal(lab_stat(lab, "faults_1g"), 1);
	assert_int_equal(lab_revoke_giant(lab, 16 * MIB, PAGE), 0);
	assert_int_equal(map[16 * MIB / 8], ONES);
	assert_int_equal(lab_stat(lab, "sink_faults"), 1);
	(void)map[0];
	(void)map[GIB / 8 - 1];
	assert_int_equal(lab_stat(lab, "faults_1g"), 1);
	assert_int_equal(lab_stat(lab, "faults_2m"), 2);
	assert_int_equal(lab_stat(lab, "sink_faults"), 1);
	lab_unmap(lab, map, GIB);
}

/*
 * Frames and addresses are congruent, but neither is the place in the BAR: a run
 * of small pages, which is aligned there, would meet the leaf
 */
/* Room for 1 GiB at an address that is a multiple of that */
static void *giant_room(void)
{
	char *start = mmap(NULL, 2 * GIB, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(start, MAP_FAILED);
	return start + -(uintptr_t)start % GIB;
}

/*
 * The kernel can neither cut a leaf of 1 GiB nor move one: it says "bad pud" then, or
 * worse. So the leaf goes before, and smaller ones come where it does not fit any more.
 */
static void test_giants_are_neither_cut_nor_moved(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_TOUCH_BAR, GIB, GIB, 0);
	volatile uint64_t *moved, *part;

	assert_int_equal(lab_command(lab, LAB_GIANT), 0);
	(void)map[0];
	munmap((char *)map + 16 * MIB, PAGE);
	(void)map[0];
	(void)map[GIB / 8 - 1];
	assert_int_equal(lab_stat(lab, "faults_1g"), 1);
	assert_int_equal(lab_stat(lab, "faults_2m"), 2);
	lab_unmap(lab, map, GIB);

	map = lab_map(lab, LAB_TOUCH_BAR, GIB, GIB, 0);
	(void)map[0];
	assert_int_equal(mprotect((char *)map + 512 * MIB, LEAF, PROT_READ), 0);
	(void)map[0];
	assert_int_equal(madvise((char *)map + 64 * MIB, PAGE, MADV_DONTFORK), 0);
	(void)map[GIB / 8 - 1];
	assert_int_equal(lab_stat(lab, "faults_1g"), 2);
	lab_unmap(lab, map, GIB);

	map = lab_map(lab, LAB_TOUCH_BAR, GIB, GIB, 0);
	(void)map[0];
	moved = mremap((void *)map, GIB, GIB, MREMAP_MAYMOVE | MREMAP_FIXED,
		       giant_room());
	assert_ptr_not_equal(moved, MAP_FAILED);
	lab_unmap(lab, map, GIB);
	(void)moved[0];
	assert_int_equal(lab_stat(lab, "faults_1g"), 4);
	part = mremap((char *)moved + 512 * MIB, 512 * MIB, 512 * MIB,
		      MREMAP_MAYMOVE | MREMAP_FIXED, giant_room());
	assert_ptr_not_equal(part, MAP_FAILED);
	(void)moved[0];
	(void)part[0];
	assert_int_equal(lab_stat(lab, "faults_1g"), 4);

	/* Whatever became of it, all of it is found and taken away */
	assert_int_equal(lab_stat(lab, "sink_faults"), 0);
	assert_int_equal(lab_revoke_giant(lab, 0, GIB), 0);
	assert_int_equal(moved[0], ONES);
	assert_int_equal(part[0], ONES);
	assert_int_equal(lab_stat(lab, "sink_faults"), 2);
	munmap((void *)moved, 512 * MIB);
	munmap((void *)part, 512 * MIB);
}

static void test_leaf_is_aligned_in_the_bar(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 520 * PAGE, LEAF - 8 * PAGE);

	assert_int_equal(lab_back(lab, LAB_BAR, 0, 520 * PAGE, 504), 0);
	assert_int_equal(lab_word(map, 8), lab_tag(lab, LAB_BAR, 8));
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	assert_int_equal(lab_word(map, 7), lab_tag(lab, LAB_BAR, 7));
	lab_expect_pages(lab, map, 0, 520, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 0);
	lab_unmap(lab, map, 520 * PAGE);
}

/* 16 MiB at an odd address: a run for each fault, however it lies */
static void test_unaligned_vma_by_runs(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 16 * MIB, 5 * PAGE);

	assert_int_equal(lab_back(lab, LAB_BAR, 0, 16 * MIB, 0), 0);
	lab_expect_pages(lab, map, 0, 4096, true);
	assert_int_equal(lab_stat(lab, "faults"), 256);
	assert_int_equal(lab_stat(lab, "pages_mapped"), 4096);
	lab_unmap(lab, map, 16 * MIB);
}

/* A run ends where the VMA or the backing does */
static void test_run_is_bounded(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map;

	assert_int_equal(lab_back(lab, LAB_BAR, 5 * PAGE, 6 * PAGE, 100), 0);
	map = lab_map(lab, LAB_BAR, 0, 16 * PAGE, PAGE);
	assert_int_equal(lab_word(map, 7), lab_tag(lab, LAB_BAR, 7));
	assert_int_equal(lab_stat(lab, "pages_mapped"), 6);
	lab_expect_pages(lab, map, 0, 5, false);
	lab_expect_pages(lab, map + 5 * 512, 5, 6, true);
	lab_expect_pages(lab, map + 11 * 512, 11, 5, false);
	assert_int_equal(lab_stat(lab, "pages_mapped"), 6);
	lab_unmap(lab, map, 16 * PAGE);

	map = lab_map(lab, LAB_BAR, 7 * PAGE, 2 * PAGE, PAGE);
	assert_int_equal(lab_word(map, 1), lab_tag(lab, LAB_BAR, 8));
	assert_int_equal(lab_stat(lab, "pages_mapped"), 8);
	lab_unmap(lab, map, 2 * PAGE);
}

static void test_fault_around_parameter(void **state)
{
	static const char *const bad[] = {
		"0", "4095", "5000", "12288", "4194304", "-1", "x", "64K",
		"8192x", "99999999999", "",
	};
	struct lab_client *lab = *state;
	volatile uint64_t *map;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sysfs_write(bad[i], FAULT_AROUND),
				 *bad[i] ? -EINVAL : 0);
	assert_int_equal(sysfs_read_long(FAULT_AROUND), 65536);

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF, 0), 0);
	assert_int_equal(sysfs_write("4096", FAULT_AROUND), 0);
	map = lab_map(lab, LAB_BAR, 0, MIB, PAGE);
	lab_expect_pages(lab, map, 0, 256, true);
	assert_int_equal(lab_stat(lab, "faults"), 256);
	lab_unmap(lab, map, MIB);

	assert_int_equal(sysfs_write("0x200000", FAULT_AROUND), 0);
	map = lab_map(lab, LAB_BAR, 0, LEAF, PAGE);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults"), 257);
	lab_unmap(lab, map, LEAF);
}

/* They save memory; frames of a device are there anyway. Neither switch counts, at no time */
static void test_without_transparent_huge_pages(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 2 * LEAF, 0);

	assert_int_equal(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF, 0), 0);
	lab_expect_pages(lab, map, 0, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 1);
	assert_int_equal(lab_stat(lab, "faults"), 1);
	assert_int_equal(lab_revoke(lab, LAB_BAR, 0, LEAF), 0);
	lab_expect_pages(lab, map, 0, 512, false);
	assert_int_equal(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);

	assert_int_equal(sysfs_write("never", THP), 0);
	assert_int_equal(lab_back(lab, LAB_BAR, LEAF, LEAF, 512), 0);
	lab_expect_pages(lab, map + LEAF / 8, 512, 512, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 2);
	lab_unmap(lab, map, 2 * LEAF);
}

/* Ones for each instance, whatever another one, or this one before, wrote there */
static void test_sink_page_is_private(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, PAGE, 0), *other;
	struct lab_client b;
	size_t i;

	lab_open(&b, LAB_UUID_B);
	other = lab_map(&b, LAB_BAR, 0, PAGE, 0);
	for (i = 0; i < PAGE / 8; i++)
		map[i] = 0x5ec7e7;
	for (i = 0; i < PAGE / 8; i++)
		assert_int_equal(other[i], ONES);
	assert_int_equal(ioctl(lab->vfio.device, VFIO_DEVICE_RESET), 0);
	for (i = 0; i < PAGE / 8; i++)
		assert_int_equal(map[i], ONES);
	lab_unmap(lab, map, PAGE);
	lab_unmap(&b, other, PAGE);
	lab_close(&b);
}

static void test_touch_allocates(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_TOUCH_BAR, 0, LEAF, 0);
	uint64_t word;

	assert_int_equal(lab_word(map, 3), lab_tag(lab, LAB_TOUCH_BAR, 3));
	assert_int_equal(lab_word(map, 511), lab_tag(lab, LAB_TOUCH_BAR, 511));
	assert_int_equal(lab_stat(lab, "pages_mapped"), 2);
	/* read(2) is a touch, too */
	assert_int_equal(vfio_client_read(&lab->vfio, lab->start[LAB_TOUCH_BAR] +
					  5 * PAGE, &word, 8), 8);
	assert_int_equal(word, lab_tag(lab, LAB_TOUCH_BAR, 5));
	assert_int_equal(lab_word(map, 5), word);
	/* Nobody asks with decode off */
	vfio_client_decode(&lab->vfio, 0);
	assert_int_equal(lab_word(map, 7), ONES);
	lab_enable(lab);
	assert_int_equal(lab_revoke(lab, LAB_TOUCH_BAR, 3 * PAGE, PAGE), 0);
	assert_int_equal(lab_word(map, 3), lab_tag(lab, LAB_TOUCH_BAR, 3));
	lab_unmap(lab, map, LEAF);
}

/* Where the driver has nothing, or takes it back at once, a touch still ends */
static void test_touch_that_gets_nothing(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_TOUCH_BAR, 0, 2 * GIB, 0);
	uint64_t word = 0;

	lab_put(lab, LAB_MODE, LAB_TOUCH_FAILS);
	assert_int_equal(lab_word(map, 0), ONES);
	lab_put(lab, LAB_MODE, LAB_TOUCH_REVOKES);
	assert_int_equal(lab_word(map, 1), ONES);
	assert_int_equal(vfio_client_read(&lab->vfio, lab->start[LAB_TOUCH_BAR] +
					  2 * PAGE, &word, 8), 8);
	assert_int_equal(word, ONES);
	lab_put(lab, LAB_MODE, LAB_TOUCH_BACKS);
	/* A page that the driver has nothing for */
	assert_int_equal(lab_word(map, GIB / PAGE), ONES);
	assert_int_equal(lab_word(map, 2), lab_tag(lab, LAB_TOUCH_BAR, 2));
	lab_unmap(lab, map, 2 * GIB);
}

static void test_mremap_and_munmap_in_the_middle(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 2 * LEAF, 0);
	volatile uint64_t *moved;
	char *room;

	assert_int_equal(lab_back(lab, LAB_BAR, 0, 2 * LEAF, 0), 0);
	lab_expect_pages(lab, map, 0, 1024, true);
	/* Out of a leaf, and what is left on both sides */
	munmap((char *)map + 256 * PAGE, 16 * PAGE);
	lab_expect_pages(lab, map, 0, 256, true);
	lab_expect_pages(lab, map + 272 * 512, 272, 240, true);
	lab_expect_pages(lab, map + 512 * 512, 512, 512, true);

	/* A part of the other leaf, to an address that is congruent with nothing */
	room = mmap(NULL, LEAF, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap((char *)map + LEAF + 8 * PAGE, 256 * PAGE, 256 * PAGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, room + PAGE);
	assert_ptr_not_equal(moved, MAP_FAILED);
	lab_expect_pages(lab, moved, 520, 256, true);
	/* All of it is found and taken away */
	assert_int_equal(lab_revoke(lab, LAB_BAR, 0, 2 * LEAF), 0);
	lab_expect_pages(lab, moved, 520, 256, false);
	lab_expect_pages(lab, map, 0, 256, false);
	lab_expect_pages(lab, map + 512 * 512, 512, 8, false);
	assert_int_equal(lab_back(lab, LAB_BAR, 520 * PAGE, PAGE, LAB_ANY_FRAME), 0);
	lab_expect_pages(lab, moved, 520, 1, true);

	/* Smaller is possible, back to larger is not */
	assert_ptr_equal(mremap((void *)moved, 256 * PAGE, 128 * PAGE, 0), moved);
	assert_ptr_equal(mremap((void *)moved, 128 * PAGE, 256 * PAGE, 0), MAP_FAILED);
	munmap((void *)moved, 128 * PAGE);
	munmap(room, LEAF);
	lab_unmap(lab, map, 2 * LEAF);
}

static void test_write_after_mprotect(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 2 * LEAF, 0);
	size_t i;

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF + 16 * PAGE, 0), 0);
	assert_int_equal(mprotect((void *)map, 2 * LEAF, PROT_READ), 0);
	lab_expect_pages(lab, map, 0, 528, true);
	assert_int_equal(mprotect((void *)map, 2 * LEAF, PROT_READ | PROT_WRITE), 0);
	for (i = 0; i < 528; i++)
		map[i * 512 + 1] = lab_tag(lab, LAB_BAR, i);
	/* Half a leaf only */
	assert_int_equal(mprotect((void *)map, MIB, PROT_READ), 0);
	lab_expect_pages(lab, map, 0, 528, true);
	assert_int_equal(mprotect((void *)map, MIB, PROT_READ | PROT_WRITE), 0);
	for (i = 0; i < 528; i++)
		map[i * 512 + 1] = lab_tag(lab, LAB_BAR, i);
	lab_unmap(lab, map, 2 * LEAF);
}

static void write_proc(const char *name, const char *text)
{
	assert_int_equal(sysfs_write(text, "/proc/self/%s", name), 0);
}

/*
 * Tracking of what is written takes the right to write from the VMA's protection,
 * which leaves have. A touch that came to nothing would come again for ever.
 */
static void test_write_after_tracking(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map;
	size_t i, read;

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF + 16 * PAGE, 0), 0);
	alarm(60);
	for (read = 0; read <= 528; read += 528) {
		map = lab_map(lab, LAB_BAR, 0, 2 * LEAF, 0);
		write_proc("clear_refs", "4");
		lab_expect_pages(lab, map, 0, read, true);
		for (i = 0; i < 528; i++)
			map[i * 512 + 1] = lab_tag(lab, LAB_BAR, i);
		lab_expect_pages(lab, map, 0, 528, true);
		lab_unmap(lab, map, 2 * LEAF);
	}
	alarm(0);
}

/* Whatever else can be done to a mapping: frames may have no struct page */
static void test_everything_but_touching(void **state)
{
	static const int advice[] = {
		MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTNEED, MADV_FREE,
		MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_REMOVE,
		MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		25 /* MADV_COLLAPSE, newer than the C library */,
	};
	struct lab_client *lab = *state;
	volatile uint64_t *giant = lab_map(lab, LAB_TOUCH_BAR, GIB, GIB, 0);
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 2 * LEAF, 0);
	uint64_t word, pagemap[4];
	unsigned char resident[1024];
	char line[256];
	FILE *smaps;
	size_t i;
	int fd;

	/* A leaf of each size, the largest of frames that are no memory */
	assert_int_equal(lab_command(lab, LAB_GIANT), 0);
	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF + 16 * PAGE, 0), 0);
	(void)giant[0];
	lab_expect_pages(lab, map, 0, 528, true);

	write_proc("clear_refs", "1");
	write_proc("clear_refs", "4");
	smaps = fopen("/proc/self/smaps", "r");
	assert_non_null(smaps);
	while (fgets(line, sizeof(line), smaps))
		;
	fclose(smaps);
	fd = open("/proc/self/pagemap", O_RDONLY);
	assert_int_equal(pread(fd, pagemap, sizeof(pagemap),
			       (uintptr_t)map / PAGE * 8), sizeof(pagemap));
	assert_int_equal(pread(fd, pagemap, sizeof(pagemap),
			       (uintptr_t)giant / PAGE * 8), sizeof(pagemap));
	close(fd);
	fd = open("/proc/self/mem", O_RDONLY);
	assert_int_equal(pread(fd, &word, 8, (uintptr_t)map), -1);
	assert_int_equal(pread(fd, &word, 8, (uintptr_t)giant), -1);
	close(fd);
	mincore((void *)map, 2 * LEAF, resident);
	mlock((void *)map, 2 * LEAF);
	munlock((void *)map, 2 * LEAF);
	msync((void *)map, 2 * LEAF, MS_SYNC);
	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		madvise((void *)map, 2 * LEAF, advice[i]);
		madvise((void *)giant, GIB, advice[i]);
	}
	/* It is all there, and can be written to */
	lab_expect_pages(lab, map, 0, 528, true);
	for (i = 0; i < 528; i++)
		map[i * 512 + 1] = lab_tag(lab, LAB_BAR, i);
	lab_unmap(lab, map, 2 * LEAF);
	lab_unmap(lab, giant, GIB);
}

/*
 * A child has the mapping too, until it is taken from both. It gets it by faults of
 * its own, whatever was said before: nothing is copied that is revoked meanwhile
 */
static void test_fork_and_revoke(void **state)
{
	struct lab_client *lab = *state;
	volatile uint64_t *map = lab_map(lab, LAB_BAR, 0, 2 * LEAF, 0);
	int go[2], done[2], status;
	char byte = 0;

	assert_int_equal(lab_back(lab, LAB_BAR, 0, LEAF + 16 * PAGE, 0), 0);
	lab_expect_pages(lab, map, 0, 528, true);
	assert_int_equal(lab_stat(lab, "faults_2m"), 1);
	assert_int_equal(madvise((void *)map, 2 * LEAF, MADV_KEEPONFORK), 0);
	assert_int_equal(pipe(go) | pipe(done), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		bool good = lab_word(map, 9) == lab_tag(lab, LAB_BAR, 9);

		good &= write(done[1], &byte, 1) == 1;
		good &= read(go[0], &byte, 1) == 1;
		good &= lab_word(map, 9) == ONES && lab_word(map, 520) == ONES;
		_exit(!good);
	}
	assert_int_equal(read(done[0], &byte, 1), 1);
	assert_int_equal(lab_stat(lab, "faults_2m"), 2);
	assert_int_equal(lab_revoke(lab, LAB_BAR, 0, LEAF + 16 * PAGE), 0);
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	child = -1;
	assert_int_equal(status, 0);
	close(go[0]);
	close(go[1]);
	close(done[0]);
	close(done[1]);
	lab_unmap(lab, map, 2 * LEAF);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, lab_setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_leaf_needs_aligned_frames),
		T(test_leaf_needs_aligned_address),
		T(test_leaf_needs_room),
		T(test_giant_leaf),
		T(test_part_of_a_giant),
		T(test_giants_are_neither_cut_nor_moved),
		T(test_leaf_is_aligned_in_the_bar),
		T(test_unaligned_vma_by_runs),
		T(test_run_is_bounded),
		T(test_fault_around_parameter),
		T(test_without_transparent_huge_pages),
		T(test_sink_page_is_private),
		T(test_touch_allocates),
		T(test_touch_that_gets_nothing),
		T(test_mremap_and_munmap_in_the_middle),
		T(test_write_after_mprotect),
		T(test_write_after_tracking),
		T(test_everything_but_touching),
		T(test_fork_and_revoke),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
