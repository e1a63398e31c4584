// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: how fast the processor writes to the mapped memory of a display
 * adapter. Prints MiB per second, the best of PASSES passes.
 *
 *	vram_bench FILE		such as /sys/bus/pci/devices/.../resource0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB	(1UL << 20)
#define SIZE	(4 * MIB)
#define PASSES	24

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	volatile uint64_t *vram;
	double best = 0, start, speed;
	int fd, pass;
	size_t i;

	fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
	vram = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (vram == MAP_FAILED) {
		fprintf(stderr, "vram_bench: %s: %s\n", argc == 2 ? argv[1] : "no file", strerror(errno));
		return 1;
	}
	for (pass = 0; pass < PASSES; pass++) {
		start = now();
		for (i = 0; i < SIZE / sizeof(*vram); i++)
			vram[i] = i;
		speed = SIZE / MIB / (now() - start);
		if (speed > best)
			best = speed;
	}
	printf("%.0f\n", best);
	return 0;
}
