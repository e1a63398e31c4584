// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev_bench TYPE COUNT: what instances cost, in the lab VM
 *
 * TYPE is the directory of a type in sysfs. Creates COUNT instances of it, then
 * removes them in the order of creation, and prints one "KEY VALUE" per line:
 *
 *	create_1000 create_16000	us for a create around that one
 *	slab slab_unreclaimable		bytes per instance
 *	remove_1000 remove_16000	us for a remove around that one
 *	cache NAME BYTES		per instance, for caches that grew most
 *
 * A cost is the median of the WINDOW calls around the one named.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WINDOW		500
#define MAX_CACHES	512
#define TOP_CACHES	8

static const int around[] = { 1000, 16000 };
#define NR_AROUND (sizeof(around) / sizeof(around[0]))

/* Memory in slabs: /proc/meminfo in bytes, and each cache of /proc/slabinfo */
struct cache {
	char name[64];
	long bytes;
};

struct slabs {
	long all;
	long unreclaimable;
	struct cache caches[MAX_CACHES];
	int nr_caches;
};

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "mdev_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_meminfo(struct slabs *slabs)
{
	FILE *in = fopen("/proc/meminfo", "r");
	char line[128];
	long kib;

	if (!in)
		fail("/proc/meminfo");
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "Slab: %ld", &kib) == 1)
			slabs->all = kib * 1024;
		else if (sscanf(line, "SUnreclaim: %ld", &kib) == 1)
			slabs->unreclaimable = kib * 1024;
	}
	fclose(in);
}

static void read_slabinfo(struct slabs *slabs)
{
	FILE *in = fopen("/proc/slabinfo", "r");
	long active, pages_per_slab, nr_slabs;
	char line[512];

	if (!in)
		fail("/proc/slabinfo");
	while (slabs->nr_caches < MAX_CACHES && fgets(line, sizeof(line), in)) {
		struct cache *cache = &slabs->caches[slabs->nr_caches];

		if (sscanf(line, "%63s %ld %*d %*d %*d %ld : tunables %*d %*d %*d : slabdata %*d %ld",
			   cache->name, &active, &pages_per_slab, &nr_slabs) != 4)
			continue;
		cache->bytes = nr_slabs * pages_per_slab * sysconf(_SC_PAGESIZE);
		slabs->nr_caches++;
	}
	fclose(in);
}

static void read_slabs(struct slabs *slabs)
{
	memset(slabs, 0, sizeof(*slabs));
	read_meminfo(slabs);
	read_slabinfo(slabs);
}

static long bytes_of(const struct slabs *slabs, const char *name)
{
	int i;

	for (i = 0; i < slabs->nr_caches; i++)
		if (!strcmp(slabs->caches[i].name, name))
			return slabs->caches[i].bytes;
	return 0;
}

static int more_first(const void *a, const void *b)
{
	const struct cache *x = a, *y = b;

	return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

/* Growth of all caches, the largest first; @after is used up */
static void print_caches(const struct slabs *before, struct slabs *after, int count)
{
	int i;

	for (i = 0; i < after->nr_caches; i++)
		after->caches[i].bytes -= bytes_of(before, after->caches[i].name);
	qsort(after->caches, after->nr_caches, sizeof(after->caches[0]), more_first);
	for (i = 0; i < TOP_CACHES && i < after->nr_caches; i++)
		printf("cache %s %ld\n", after->caches[i].name, after->caches[i].bytes / count);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static const char *uuid_of(int i)
{
	static char uuid[37];

	/* As random as a real one, and the same in every run */
	snprintf(uuid, sizeof(uuid), "%08x-be7c-4a11-8a11-%012x", i * 2654435761u, i);
	return uuid;
}

/* Time of the write(2) alone, in us */
static double timed_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	double start;

	if (fd < 0)
		fail(path);
	start = now_us();
	if (write(fd, text, strlen(text)) < 0)
		fail(path);
	start = now_us() - start;
	close(fd);
	return start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_medians(const char *what, const double *us)
{
	double window[WINDOW];
	size_t i;

	for (i = 0; i < NR_AROUND; i++) {
		memcpy(window, us + around[i] - WINDOW / 2, sizeof(window));
		qsort(window, WINDOW, sizeof(window[0]), compare);
		printf("%s_%d %.0f\n", what, around[i], window[WINDOW / 2]);
	}
}

int main(int argc, char **argv)
{
	static struct slabs before, after;
	char path[512];
	double *us;
	int count, i;

	count = argc == 3 ? atoi(argv[2]) : 0;
	if (count < around[NR_AROUND - 1] + WINDOW / 2) {
		fprintf(stderr, "usage: mdev_bench TYPE COUNT, COUNT at least %d\n",
			around[NR_AROUND - 1] + WINDOW / 2);
		return 2;
	}
	us = calloc(count, sizeof(*us));
	if (!us)
		fail("memory");

	read_slabs(&before);
	snprintf(path, sizeof(path), "%s/create", argv[1]);
	for (i = 0; i < count; i++)
		us[i] = timed_write(path, uuid_of(i));
	print_medians("create", us);
	read_slabs(&after);
	printf("slab %ld\n", (after.all - before.all) / count);
	printf("slab_unreclaimable %ld\n", (after.unreclaimable - before.unreclaimable) / count);

	for (i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s/remove", uuid_of(i));
		us[i] = timed_write(path, "1");
	}
	print_medians("remove", us);
	print_caches(&before, &after, count);
	return 0;
}
