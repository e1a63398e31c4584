// SPDX-License-Identifier: GPL-2.0-only
/*
 * What accesses of a display adapter cost by VFIO, whichever driver is behind
 *
 *   mmio_bench zero                 read(2) of /dev/zero, to compare with
 *   mmio_bench DEVICE               a device in sysfs: BAR 0 is the frame buffer,
 *                                   BAR 2 has the registers
 *   mmio_bench lab DEVICE           an instance of vpci_lab: backing, revoking
 *
 * Prints lines "KEY VALUE". A time is the best of several, which is what a busy
 * machine disturbs least.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "../modules/vpci_lab.h"

#define MIB		(1UL << 20)
#define PAGE		4096UL
#define LEAF		(2 * MIB)
#define SIZE		(16 * MIB)
#define REPEATS		9
#define READS		20000
/* The ID register of the display adapter, 16 bits */
#define ID_REGISTER	0x500

static int device;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "mmio_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

static uint64_t region(unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info))
		fail("VFIO_DEVICE_GET_REGION_INFO");
	return info.offset;
}

static void open_device(const char *path)
{
	char link[PATH_MAX], target[PATH_MAX], node[64];
	uint16_t command = PCI_COMMAND_MEMORY;
	int group, container;
	ssize_t len;

	snprintf(link, sizeof(link), "%s/iommu_group", path);
	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		fail(link);
	target[len] = '\0';
	snprintf(node, sizeof(node), "/dev/vfio/%s", basename(target));
	group = open(node, O_RDWR);
	if (group < 0)
		fail(node);
	container = open("/dev/vfio/vfio", O_RDWR);
	if (container < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		fail("the container");
	snprintf(link, sizeof(link), "%s", path);
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, basename(link));
	if (device < 0)
		fail(path);
	if (pwrite(device, &command, 2, region(VFIO_PCI_CONFIG_REGION_INDEX) +
		   PCI_COMMAND) != 2)
		fail("COMMAND");
}

/* At @pos and @step behind it, in turns */
static void time_reads_apart(const char *name, int fd, uint64_t pos, uint64_t step, size_t len)
{
	double best = 1e18, start;
	uint64_t value;
	int i, r;

	for (r = 0; r < REPEATS; r++) {
		start = now();
		for (i = 0; i < READS; i++)
			if (pread(fd, &value, len, pos + i % 2 * step) != (ssize_t)len)
				fail(name);
		start = now() - start;
		if (start < best)
			best = start;
	}
	printf("%s %.1f\n", name, best / READS);
}

static void time_reads(const char *name, int fd, uint64_t pos, size_t len)
{
	time_reads_apart(name, fd, pos, 0, len);
}

/* At an address that is congruent with @shift modulo 2 MiB */
static volatile uint32_t *map_at(uint64_t pos, size_t shift)
{
	char *room = mmap(NULL, SIZE + 2 * LEAF, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at = (char *)(((uintptr_t)room + LEAF - 1) & ~(LEAF - 1)) + shift;
	void *map;

	munmap(room, SIZE + 2 * LEAF);
	map = mmap(at, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		   device, pos);
	if (map == MAP_FAILED)
		fail("mmap");
	return map;
}

/* One store to each page, @passes times; us per MiB and pass */
static double touch_all(volatile uint32_t *map, int passes)
{
	double start = now();
	size_t i;
	int pass;

	for (pass = 0; pass < passes; pass++)
		for (i = 0; i < SIZE / 4; i += PAGE / 4)
			map[i] = i;
	return (now() - start) / 1000 / (SIZE / MIB) / passes;
}

static void time_touches(uint64_t pos, size_t shift, const char *suffix)
{
	double first = 1e18, second = 1e18, took;
	long before, count = 0;
	int r;

	/* The emulator tracks first writes to a page of the adapter */
	touch_all(map_at(pos, shift), 1);
	for (r = 0; r < 3 * REPEATS; r++) {
		volatile uint32_t *map = map_at(pos, shift);

		before = faults();
		took = touch_all(map, 1);
		count = faults() - before;
		if (took < first)
			first = took;
		took = touch_all(map, 50);
		if (took < second)
			second = took;
		munmap((void *)map, SIZE);
	}
	printf("faults%s %ld\nfirst_touch%s %.2f\nsecond_touch%s %.3f\n",
	       suffix, count, suffix, first, suffix, second);
}

static void time_copy(uint64_t pos)
{
	double best = 1e18, start;
	char *buf = malloc(MIB);
	int r;

	for (r = 0; r < REPEATS; r++) {
		start = now();
		if (pread(device, buf, MIB, pos) != (ssize_t)MIB)
			fail("pread of BAR 0");
		start = now() - start;
		if (start < best)
			best = start;
	}
	printf("copy %.1f\n", best / 1000);
	free(buf);
}

static uint64_t get(uint64_t regs, unsigned int reg)
{
	uint64_t value;

	if (pread(device, &value, 8, regs + reg) != 8)
		fail("a register");
	return value;
}

static void put(uint64_t regs, unsigned int reg, uint64_t value)
{
	if (pwrite(device, &value, 8, regs + reg) != 8)
		fail("a register");
}

static void time_extents(unsigned int nr)
{
	uint64_t regs = region(LAB_MIXED_BAR);
	uint64_t back = UINT64_MAX, revoke = UINT64_MAX;
	int r;

	for (r = 0; r < REPEATS; r++) {
		put(regs, LAB_ARG_SIZE, nr);
		put(regs, LAB_COMMAND, LAB_EXTENTS);
		errno = -(int64_t)get(regs, LAB_RESULT);
		if (errno)
			fail("LAB_EXTENTS");
		if (get(regs, LAB_BACK_NS) < back)
			back = get(regs, LAB_BACK_NS);
		if (get(regs, LAB_REVOKE_NS) < revoke)
			revoke = get(regs, LAB_REVOKE_NS);
	}
	printf("back_%u %lu\nrevoke_%u %lu\n", nr, back / nr, nr, revoke / nr);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "zero")) {
		int zero = open("/dev/zero", O_RDONLY);

		time_reads("read2", zero, 0, 2);
		time_reads("read4", zero, 0, 4);
	} else if (argc == 3 && !strcmp(argv[1], "lab")) {
		open_device(argv[2]);
		time_extents(100);
		time_extents(1000);
		time_extents(10000);
	} else if (argc == 2) {
		open_device(argv[1]);
		time_reads("config", device, region(VFIO_PCI_CONFIG_REGION_INDEX), 4);
		time_reads("trapped", device, region(2) + ID_REGISTER, 2);
		time_reads("near", device, region(0), 4);
		time_reads_apart("far", device, region(0), LEAF, 4);
		time_touches(region(0), 0, "");
		time_touches(region(0), PAGE, "_unaligned");
		time_copy(region(0));
	} else {
		fputs("usage: mmio_bench zero | DEVICE | lab DEVICE\n", stderr);
		return 2;
	}
	return 0;
}
