// SPDX-License-Identifier: GPL-2.0-only
/* Calls that give a part of a leaf a VMA of its own, and what has to be seen afterwards; see leaf_split.h */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>

#include "leaf_split.h"

#define MIB	(1UL << 20)
#define GIB	(1UL << 30)
#define PAGE	4096UL
#define LEAF	(2 * MIB)

/* Newer than the C library */
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#define ADVISE_GUARD_INSTALL 102
#define DEADLINE 60	/* seconds */

static long unmap(char *at, size_t size) { return munmap(at, size); }
static long protect(char *at, size_t size) { return mprotect(at, size, PROT_READ); }
static long dont_fork(char *at, size_t size) { return madvise(at, size, MADV_DONTFORK); }
static long dont_dump(char *at, size_t size) { return madvise(at, size, MADV_DONTDUMP); }
static long at_random(char *at, size_t size) { return madvise(at, size, MADV_RANDOM); }
static long no_huge(char *at, size_t size) { return madvise(at, size, MADV_NOHUGEPAGE); }
static long dont_need(char *at, size_t size) { return madvise(at, size, MADV_DONTNEED); }
static long cold(char *at, size_t size) { return madvise(at, size, MADV_COLD); }
static long guard(char *at, size_t size) { return madvise(at, size, ADVISE_GUARD_INSTALL); }
static long lock(char *at, size_t size) { return mlock(at, size); }
static long seal(char *at, size_t size) { return syscall(SYS_mseal, at, size, 0); }

static long policy(char *at, size_t size)
{
	unsigned long nodes = 1;

	return syscall(SYS_mbind, at, size, MPOL_INTERLEAVE, &nodes, 8 * sizeof(nodes), 0);
}

static long cover(char *at, size_t size)
{
	void *map = mmap(at, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
			 MAP_NORESERVE, -1, 0);

	return map == at ? 0 : -1;
}

static long move(char *at, size_t size)
{
	char *to = split_room();

	return mremap(at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		      to + (uintptr_t)at % GIB) == MAP_FAILED ? -1 : 0;
}

/* Whatever kind it is for, one after the other */
static long watch(char *at, size_t size)
{
	static const uint64_t modes[] = { UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
					  UFFDIO_REGISTER_MODE_MINOR };
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC), ret = -1;
	size_t i;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -1;
	for (i = 0; i < 3; i++) {
		struct uffdio_register reg = {
			.range = { (uintptr_t)at, size }, .mode = modes[i],
		};

		if (!ioctl(fd, UFFDIO_REGISTER, &reg))
			ret = 0;
	}
	close(fd);
	return ret;
}

const struct split_op split_ops[] = {
	{ "mprotect", .act = protect },
	{ "madvise(DONTFORK)", .act = dont_fork },
	{ "munmap", .act = unmap, .takes_it = true },
	{ "madvise(RANDOM)", .act = at_random },
	{ "madvise(DONTDUMP)", .act = dont_dump },
	{ "madvise(NOHUGEPAGE)", .act = no_huge, .may_fail = true },
	{ "madvise(DONTNEED)", .act = dont_need, .may_fail = true },
	{ "madvise(COLD)", .act = cold, .may_fail = true },
	{ "madvise(GUARD_INSTALL)", .act = guard, .may_fail = true, .takes_it = true },
	{ "mlock", .act = lock },
	{ "mseal", .act = seal },
	{ "mbind", .act = policy, .may_fail = true },
	{ "mmap(MAP_FIXED)", .act = cover, .takes_it = true },
	{ "mremap", .act = move, .takes_it = true },
	{ "UFFDIO_REGISTER", .act = watch, .may_fail = true, .takes_it = true },
};
const size_t split_nr_ops = sizeof(split_ops) / sizeof(split_ops[0]);

/* A page, and 2 MiB, at both ends, inside, and at borders of 2 MiB; and all but the ends */
const struct split_part split_parts[] = {
	{ 0, PAGE },
	{ 0, LEAF },
	{ 16 * MIB + 5 * PAGE, PAGE },
	{ 16 * MIB, PAGE },
	{ 16 * MIB, LEAF },
	{ 512 * MIB, 512 * MIB },
	{ GIB - LEAF, LEAF },
	{ GIB - PAGE, PAGE },
	{ PAGE, GIB - 2 * PAGE },
};
const size_t split_nr_parts = sizeof(split_parts) / sizeof(split_parts[0]);

char *split_room(void)
{
	char *start = mmap(NULL, 4 * GIB, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	return start + GIB + -(uintptr_t)start % GIB;
}

static bool read_all(const char *path)
{
	FILE *file = fopen(path, "r");
	char buf[4096];

	if (!file)
		return false;
	while (fread(buf, 1, sizeof(buf), file))
		;
	return !fclose(file);
}

bool split_look(const char *map, size_t size)
{
	/* What stands in the page tables, at 16 places */
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned char resident[LEAF / PAGE];
	bool good = fd >= 0;
	uint64_t entries[512];
	size_t i;

	for (i = 0; i < size; i += size / 16)
		good &= pread(fd, entries, sizeof(entries),
			      ((uintptr_t)map + i) / PAGE * 8) == sizeof(entries);
	close(fd);
	mincore((void *)map, LEAF, resident);
	/* Not every kernel has nodes */
	if (!access("/proc/self/numa_maps", F_OK))
		good &= read_all("/proc/self/numa_maps");
	return good && read_all("/proc/self/smaps") && read_all("/proc/self/smaps_rollup");
}

struct toucher {
	volatile uint64_t **at;
	size_t nr;
	atomic_bool stop;
	atomic_size_t turns;
};

static void *touch_what_stays(void *arg)
{
	struct toucher *t = arg;
	size_t i;

	while (!t->stop) {
		for (i = 0; i < t->nr; i++)
			(void)*t->at[i];
		t->turns++;
	}
	return NULL;
}

static void touch_all(volatile uint64_t *const at[], size_t nr)
{
	while (nr--)
		(void)*at[nr];
}

/* Both sides of the part, and both ends: what stays. Then what is in it */
static size_t places(char *map, const struct split_part *part, bool inside,
		     volatile uint64_t *at[])
{
	char *first = map + part->offset, *end = first + part->size;
	size_t nr = 0;

	if (part->offset) {
		at[nr++] = (void *)map;
		at[nr++] = (void *)(first - PAGE);
	}
	if (end < map + GIB) {
		at[nr++] = (void *)end;
		at[nr++] = (void *)(map + GIB - PAGE);
	}
	if (inside) {
		at[nr++] = (void *)first;
		at[nr++] = (void *)(end - PAGE);
	}
	return nr;
}

/* Anew in its place, touched: so it is one leaf, which the thread meets, too */
static bool map_giant(const struct split_run *run, char *map, struct toucher *t)
{
	size_t turns;

	if (mmap(map, GIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, run->device,
		 run->pos) != map)
		return false;
	turns = t->turns;
	(void)*(volatile uint64_t *)(map + 256 * MIB);
	while (run->touched && t->turns < turns + 2)
		;
	return true;
}

static bool complain(const struct split_op *op, const struct split_part *part,
		     const char *what)
{
	printf("# %s of %#zx at %#zx: %s\n", op->name, part->size, part->offset, what);
	fflush(stdout);
	return false;
}

static bool rounds(const struct split_run *run, const struct split_op *op,
		   const struct split_part *part, char *map, struct toucher *t)
{
	volatile uint64_t *at[SPLIT_PLACES];
	size_t nr = places(map, part, !op->takes_it, at);
	bool sealed = op->act == seal;
	unsigned int i;

	for (i = 0; i < run->rounds && (!i || !sealed); i++) {
		if (!map_giant(run, map, t))
			return complain(op, part, "there is no mapping");
		if (op->act(map + part->offset, part->size) && !op->may_fail)
			return complain(op, part, strerror(errno));
		touch_all(at, nr);
		if (!split_look(map, GIB))
			return complain(op, part, "cannot look at it");
		touch_all(at, nr);
		if (run->check && !run->check(run, at, nr))
			return complain(op, part, "not as it should be");
	}
	return true;
}

/* In the child */
static bool split_here(const struct split_run *run, const struct split_op *op,
		       const struct split_part *part)
{
	volatile uint64_t *at[SPLIT_PLACES];
	struct toucher t = { .at = at };
	char *map = split_room();
	pthread_t thread;
	bool good;

	alarm(DEADLINE);
	if (!map || !map_giant(&(struct split_run){ .device = run->device, .pos = run->pos },
			       map, &t))
		return complain(op, part, "there is no mapping");
	if (!run->touched)
		return rounds(run, op, part, map, &t);
	t.nr = places(map, part, false, at);
	if (pthread_create(&thread, NULL, touch_what_stays, &t))
		return complain(op, part, "there is no thread");
	good = rounds(run, op, part, map, &t);
	t.stop = true;
	pthread_join(thread, NULL);
	return good;
}

bool split(const struct split_run *run, const struct split_op *op,
	   const struct split_part *part)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(!split_here(run, op, part));
	if (child < 0 || waitpid(child, &status, 0) != child)
		return complain(op, part, "there is no process");
	if (!WIFEXITED(status))
		return complain(op, part, "it was killed");
	return !WEXITSTATUS(status);
}
