// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a guest: how fast the processor writes to the mapped memory of a display
 * adapter. Prints MiB per second of the best pass. A pass is short, so that there are
 * enough during which nothing else had the processor.
 *
 *	vram_bench FILE SECONDS		FILE: such as /sys/bus/pci/devices/.../resource0
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB	(1UL << 20)
#define SIZE	(4 * MIB)

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double start, end, took, best = 1e9;
	volatile uint64_t *vram;
	size_t i;
	int fd;

	fd = argc == 3 ? open(argv[1], O_RDWR) : -1;
	vram = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (vram == MAP_FAILED) {
		fprintf(stderr, "vram_bench: %s: %s\n", argc > 1 ? argv[1] : "no file", strerror(errno));
		return 1;
	}
	start = now();
	end = start + atof(argv[2]);
	while (start < end) {
		for (i = 0; i < SIZE / sizeof(*vram); i++)
			vram[i] = i;
		took = now() - start;
		start += took;
		if (took < best)
			best = took;
	}
	printf("%.0f\n", SIZE / MIB / best);
	return 0;
}
