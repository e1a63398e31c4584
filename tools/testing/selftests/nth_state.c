// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be counted of the state that a sequence starts from
 *
 * Threads end, and VFIO's last references go, a moment after the call that lets go of
 * them: a number may differ for a while, but not for long.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "dma_client.h"
#include "nth.h"
#include "sysfs.h"

#define PATIENCE 20

/**
 * struct number - one of them
 * @what: what is counted
 * @read: counts it; -1 if there is no such thing
 * @arg: for @read
 * @dir: for @read
 * @fd: ditto; 0, not opened yet
 */
struct number {
	const char *what;
	long (*read)(struct number *number);
	const char *arg;
	DIR *dir;
	int fd;
};

/*
 * What @number leads to is there for as long as the test: it stays open, since to look its
 * path up costs more than to read it.
 */
static long count_entries(struct number *number)
{
	long count = 0;

	if (!number->dir)
		number->dir = opendir(number->arg);
	if (!number->dir)
		return -1;
	rewinddir(number->dir);
	while (readdir(number->dir))
		count++;
	return count;
}

static long references(struct number *number)
{
	char path[128], text[32] = "";

	if (!number->fd) {
		snprintf(path, sizeof(path), "/sys/module/%s/refcnt", number->arg);
		number->fd = open(path, O_RDONLY);
	}
	if (number->fd < 0 || pread(number->fd, text, sizeof(text) - 1, 0) <= 0)
		return -1;
	return strtol(text, NULL, 10);
}

/* Parents come and go */
static long available(struct number *number)
{
	return sysfs_read_long("/sys/class/mdev_bus/%s/available_instances", number->arg);
}

static long available_of_mgpu(struct number *number)
{
	return mdev_available(number->arg);
}

static long pinned(struct number *number)
{
	(void)number;
	return dma_pinned_kib();
}

static struct number numbers[] = {
	{ .what = "instances", .read = count_entries, .arg = "/sys/bus/mdev/devices" },
	{ .what = "VFIO groups", .read = count_entries, .arg = "/sys/class/vfio" },
	{ .what = "VFIO devices", .read = count_entries, .arg = "/sys/class/vfio-dev" },
	{ .what = "IOMMU groups", .read = count_entries, .arg = "/sys/kernel/iommu_groups" },
	{ .what = "parents", .read = count_entries, .arg = "/sys/class/mdev_bus" },
	{ .what = "open files", .read = count_entries, .arg = "/proc/self/fd" },
	{ .what = "threads", .read = count_entries, .arg = "/proc/self/task" },
	{ .what = "pinned KiB", .read = pinned },
	{ .what = "mgpu-4M left", .read = available_of_mgpu, .arg = "4M" },
	{ .what = "mgpu-16M left", .read = available_of_mgpu, .arg = "16M" },
	{ .what = "instances of mdev_lab left", .read = available,
	  .arg = "mdev_lab/mdev_supported_types/platform-lab" },
	{ .what = "references to mdev_core", .read = references, .arg = "mdev_core" },
	{ .what = "references to vfio_vpci", .read = references, .arg = "vfio_vpci" },
	{ .what = "references to mgpu", .read = references, .arg = "mgpu" },
	{ .what = "references to mdev_lab", .read = references, .arg = "mdev_lab" },
	{ .what = "references to irq_lab", .read = references, .arg = "irq_lab" },
	{ .what = "references to dma_lab", .read = references, .arg = "dma_lab" },
	{ .what = "references to vpci_lab", .read = references, .arg = "vpci_lab" },
	{ .what = "references to vfio", .read = references, .arg = "vfio" },
	{ .what = "references to vfio_iommu_type1", .read = references, .arg = "vfio_iommu_type1" },
	{ .what = "references to iommufd", .read = references, .arg = "iommufd" },
};

#define NR_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

struct nth_state {
	long values[NR_NUMBERS];
};

void nth_state_read(struct nth_state *state)
{
	size_t i;

	for (i = 0; i < NR_NUMBERS; i++)
		state->values[i] = numbers[i].read(&numbers[i]);
}

struct nth_state *nth_state_new(void)
{
	struct nth_state *state = calloc(1, sizeof(*state));

	/* What stays open is counted, too: all of it is from now on */
	if (state)
		nth_state_read(state);
	return state;
}

const char *nth_state_differs(const struct nth_state *before)
{
	time_t end = time(NULL) + PATIENCE;
	static char text[128];
	size_t i;
	long now;

	for (i = 0; i < NR_NUMBERS; i++) {
		while ((now = numbers[i].read(&numbers[i])) != before->values[i]) {
			snprintf(text, sizeof(text), "%s: %ld, and %ld before",
				 numbers[i].what, now, before->values[i]);
			if (time(NULL) > end)
				return text;
			sched_yield();
		}
	}
	return NULL;
}
