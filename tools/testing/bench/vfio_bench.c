// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a read of config space takes through VFIO, in the lab VM
 *
 * Compared to a read of as many bytes of /dev/zero, which is what the system
 * call itself costs. Both are measured in turns, and the best round of each
 * counts: where the VM is emulated only their ratio means something.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "sysfs.h"
#include "vfio_client.h"

#define UUID	"bbbbbbbb-0000-4000-8000-0123456789ab"
#define READS	20000
#define ROUNDS	40

/* Nanoseconds for one read, or a negative number if it does not work */
static double measure(int fd, uint64_t pos)
{
	struct timespec from, to;
	uint32_t value;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < READS; i++) {
		if (pread(fd, &value, sizeof(value), pos) != sizeof(value))
			return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec) /
	       READS;
}

static int run(const struct vfio_client *client)
{
	int zero = open("/dev/zero", O_RDONLY);
	/* The ID, which never changes, and INTERRUPT_LINE, which can */
	struct {
		const char *name;
		int fd;
		uint64_t pos;
		double best;
	} cases[] = {
		{ "/dev/zero", zero, 0, 1e9 },
		{ "config 0x00", client->device, client->config, 1e9 },
		{ "config 0x3c", client->device, client->config + 0x3c, 1e9 },
	};
	unsigned int i, round;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < 3; i++) {
			double ns = measure(cases[i].fd, cases[i].pos);

			if (ns < 0) {
				perror(cases[i].name);
				return 1;
			}
			if (ns < cases[i].best)
				cases[i].best = ns;
		}
	}
	for (i = 0; i < 3; i++)
		printf("pread of 4 bytes: %-12s %6.0f ns  %.2f\n", cases[i].name,
		       cases[i].best, cases[i].best / cases[0].best);
	printf("(goal: 1.20)\n");
	return 0;
}

int main(void)
{
	struct vfio_client client;
	int ret;

	if (mdev_create("4M", UUID)) {
		fprintf(stderr, "vfio_bench: no instance could be made\n");
		return 1;
	}
	ret = vfio_client_open(&client, UUID);
	if (ret) {
		fprintf(stderr, "vfio_bench: cannot open it: %d\n", ret);
	} else {
		ret = run(&client);
		vfio_client_close(&client);
	}
	mdev_remove(UUID);
	return ret ? 1 : 0;
}
