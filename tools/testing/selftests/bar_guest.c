// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a nested guest: use the BARs of an instance of vpci_lab as a driver would
 *
 *   bar_guest PCI_DEVICE_DIRECTORY FRAME
 *
 * FRAME is the first of 2,048 frames that nobody else uses meanwhile; others take
 * what is free below 512.
 * Whatever a page shows must be what was put behind it last, although the guest
 * has touched it before. Prints "ok" and some figures, or what was wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../modules/vpci_lab.h"

#define PAGE	4096UL
#define LEAF	(2UL << 20)
#define ONES	(~0ULL)
#define ROUNDS	50

static volatile uint64_t *regs;

static _Noreturn void fail(const char *what, unsigned long long got)
{
	printf("%s: got %#llx\n", what, got);
	exit(1);
}

static volatile uint64_t *map_bar(const char *device, unsigned int bar, size_t size)
{
	char path[256];
	void *map;
	int fd;

	snprintf(path, sizeof(path), "%s/resource%u", device, bar);
	fd = open(path, O_RDWR);
	if (fd < 0)
		fail(path, errno);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		fail(path, errno);
	close(fd);
	return map;
}

static void command(unsigned int what, unsigned int bar, uint64_t offset,
		    uint64_t size, uint64_t frame)
{
	regs[LAB_ARG_BAR / 8] = bar;
	regs[LAB_ARG_OFFSET / 8] = offset;
	regs[LAB_ARG_SIZE / 8] = size;
	regs[LAB_ARG_FRAME / 8] = frame;
	regs[LAB_COMMAND / 8] = what;
	if (regs[LAB_RESULT / 8])
		fail("the register for commands", regs[LAB_RESULT / 8]);
}

static void expect(volatile uint64_t *map, unsigned int bar, size_t page,
		   int backed, const char *when)
{
	uint64_t value = map[page * PAGE / 8];

	if (value != (backed ? LAB_TAG(regs[LAB_ID / 8], bar, page) : ONES))
		fail(when, value);
}

/* Touched, revoked by a register, touched, backed by other frames, touched */
static void move_frames(volatile uint64_t *map, unsigned long first)
{
	static const size_t pages[] = { 0, 1, 100, 511, 512, 515 };
	unsigned int round, i;

	for (round = 0; round < ROUNDS; round++) {
		unsigned long frame = first + round % 2 * LAB_CHUNK_FRAMES;

		command(LAB_BACK, LAB_BAR, 0, LEAF + 4 * PAGE, frame);
		for (i = 0; i < 6; i++)
			expect(map, LAB_BAR, pages[i], 1, "after backing");
		map[100 * PAGE / 8 + 1] = LAB_TAG(regs[LAB_ID / 8], LAB_BAR, 100);
		command(LAB_REVOKE, LAB_BAR, 100 * PAGE, PAGE, 0);
		expect(map, LAB_BAR, 99, 1, "beside what was revoked");
		expect(map, LAB_BAR, 100, 0, "after revoking one page");
		command(LAB_REVOKE, LAB_BAR, 0, LEAF + 4 * PAGE, 0);
		for (i = 0; i < 6; i++)
			expect(map, LAB_BAR, pages[i], 0, "after revoking all");
	}
}

/* The table of areas reached the guest's page tables: each behaves as its kind */
static void mixed_bar(void)
{
	command(LAB_BACK, LAB_MIXED_BAR, LAB_MAPPED_2, PAGE, LAB_ANY_FRAME);
	expect(regs, LAB_MIXED_BAR, LAB_MAPPED_2 / PAGE, 1, "the mapped area");
	expect(regs, LAB_MIXED_BAR, LAB_MAPPED_2 / PAGE + 1, 0, "the page after it");
	if (regs[0xf00 / 8] != 0x0706050403020100)
		fail("the trapped area", regs[0xf00 / 8]);
	if (regs[LAB_BAD_ACCESSES / 8])
		fail("accesses that are not aligned", regs[LAB_BAD_ACCESSES / 8]);
	command(LAB_REVOKE, LAB_MIXED_BAR, LAB_MAPPED_2, PAGE, 0);
	expect(regs, LAB_MIXED_BAR, LAB_MAPPED_2 / PAGE, 0, "the area, revoked");
}

static void touch_bar(volatile uint64_t *map)
{
	size_t page;

	for (page = 0; page < 64; page += 3)
		expect(map, LAB_TOUCH_BAR, page, 1, "the first touch");
	command(LAB_REVOKE, LAB_TOUCH_BAR, 0, LEAF, 0);
	for (page = 0; page < 64; page += 3)
		expect(map, LAB_TOUCH_BAR, page, 1, "the next first touch");
}

int main(int argc, char **argv)
{
	volatile uint64_t *map;
	char path[256];
	int fd;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "%s/enable", argv[1]);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		fail(path, errno);
	close(fd);

	regs = map_bar(argv[1], LAB_MIXED_BAR, LAB_MIXED_SIZE);
	map = map_bar(argv[1], LAB_BAR, 2 * LEAF);
	move_frames(map, atol(argv[2]));
	mixed_bar();
	touch_bar(map_bar(argv[1], LAB_TOUCH_BAR, LEAF));
	if (regs[LAB_CORRUPT / 8])
		fail("frames written by a stranger", regs[LAB_CORRUPT / 8]);
	puts("ok");
	return 0;
}
