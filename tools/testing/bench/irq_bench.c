// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq_bench DEVICE INDEX: how long it takes to signal an eventfd through
 * VFIO_DEVICE_SET_IRQS, for vector 0 of the index, of the device whose
 * directory in sysfs is DEVICE. Prints the best of some rounds in nanoseconds.
 */
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/vfio.h>

#define SIGNALS	20000
#define ROUNDS	40

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_device(const char *path)
{
	char link[PATH_MAX], group[PATH_MAX + 16], name[PATH_MAX];
	int container, fd, device;
	ssize_t len;

	snprintf(name, sizeof(name), "%s/iommu_group", path);
	len = readlink(name, link, sizeof(link) - 1);
	if (len < 0)
		die(name);
	link[len] = '\0';
	snprintf(group, sizeof(group), "/dev/vfio/%s", basename(link));
	if (!realpath(path, name))
		die(path);

	container = open("/dev/vfio/vfio", O_RDWR);
	fd = open(group, O_RDWR);
	if (container < 0 || fd < 0 ||
	    ioctl(fd, VFIO_GROUP_SET_CONTAINER, &container) ||
	    ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		die(group);
	device = ioctl(fd, VFIO_GROUP_GET_DEVICE_FD, basename(name));
	if (device < 0)
		die(path);
	return device;
}

static void set_irqs(int device, struct vfio_irq_set *set)
{
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, set))
		die("VFIO_DEVICE_SET_IRQS");
}

static void give(int device, unsigned int index, int32_t fd)
{
	union {
		struct vfio_irq_set set;
		char room[sizeof(struct vfio_irq_set) + sizeof(fd)];
	} irq = {
		.set = {
			.argsz = sizeof(irq),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
				 VFIO_IRQ_SET_DATA_EVENTFD,
			.index = index,
			.count = 1,
		},
	};

	memcpy(irq.set.data, &fd, sizeof(fd));
	set_irqs(device, &irq.set);
}

static double measure(int device, unsigned int index)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_NONE,
		.index = index,
		.count = 1,
	};
	struct timespec from, to;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < SIGNALS; i++)
		set_irqs(device, &set);
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec) /
	       SIGNALS;
}

int main(int argc, char **argv)
{
	double ns, best = 1e9;
	unsigned int index;
	uint64_t count;
	int device, fd, round;

	if (argc != 3) {
		fprintf(stderr, "usage: irq_bench DEVICE INDEX\n");
		return 2;
	}
	index = atoi(argv[2]);
	device = open_device(argv[1]);
	fd = eventfd(0, EFD_NONBLOCK);
	give(device, index, fd);
	for (round = 0; round < ROUNDS; round++) {
		ns = measure(device, index);
		if (ns < best)
			best = ns;
	}
	if (read(fd, &count, sizeof(count)) != sizeof(count) ||
	    count != (uint64_t)SIGNALS * ROUNDS) {
		fprintf(stderr, "irq_bench: signals were lost\n");
		return 1;
	}
	printf("%.0f\n", best);
	return 0;
}
