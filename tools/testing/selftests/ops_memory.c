// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: mappings of BARs, which come, go, move, change and are touched in their rooms
 *
 * What is unmapped becomes empty room again, for nothing else of this process may come there.
 * Empty room is a file without contents, so that nobody finds memory in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

/* A piece of a room */
struct piece {
	unsigned int room;
	unsigned int bar;
	size_t page;
	size_t pages;
	void *at;
};

static bool pick(struct player *p, struct piece *piece)
{
	static const size_t sizes[] = { 1, 2, 16, 511, 512, 512, 512, 513, 1024 };
	struct world *w = p->world;
	size_t all;

	piece->room = ops_below(p, OPS_ROOMS);
	if (!w->rooms[piece->room])
		return false;
	piece->bar = w->target->bars[piece->room];
	all = w->target->room_size[piece->room] / PAGE;
	piece->pages = ops_seldom(p, 32) ? all : sizes[ops_below(p, sizeof(sizes) / sizeof(sizes[0]))];
	if (piece->pages > all)
		piece->pages = all;
	piece->page = ops_below(p, all - piece->pages + 1);
	/* Where a large leaf begins, or one page off */
	if (!ops_seldom(p, 4))
		piece->page &= ~511UL;
	piece->at = (char *)w->rooms[piece->room] + piece->page * PAGE;
	return true;
}

static bool run_map(struct player *p)
{
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE };
	struct world *w = p->world;
	struct piece piece;
	int flags = MAP_SHARED | MAP_FIXED;

	if (!pick(p, &piece))
		return false;
	if (ops_seldom(p, 16))
		flags ^= MAP_SHARED | MAP_PRIVATE;
	if (ops_seldom(p, 16))
		flags |= MAP_POPULATE;
	return mmap(piece.at, piece.pages * PAGE, prots[ops_below(p, 4)], flags, w->client.device,
		    w->region[piece.bar].offset + piece.page * PAGE) != MAP_FAILED;
}

/* What no room has: other regions, beyond the end, and at places where no leaf fits. It goes at once */
static bool run_map_any(struct player *p)
{
	struct world *w = p->world;
	unsigned int region = ops_below(p, OPS_REGIONS);
	size_t size = (1 + ops_below(p, 600)) * PAGE;
	uint64_t offset = ops_near(p, w->region[region].size) & ~(PAGE - 1);
	void *map;

	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, w->client.device,
		   w->region[region].offset + offset);
	if (map == MAP_FAILED)
		return false;
	p->trapped = true;
	if (!sigsetjmp(p->trap, 1))
		*(volatile uint8_t *)((char *)map + ops_below(p, size));
	p->trapped = false;
	return munmap(map, size) == 0;
}

static bool run_unmap(struct player *p)
{
	struct piece piece;

	return pick(p, &piece) &&
	       mmap(piece.at, piece.pages * PAGE, PROT_NONE, MAP_SHARED | MAP_FIXED,
		    p->world->nothing, 0) != MAP_FAILED;
}

static void expect_there(struct player *p, unsigned int bar, size_t page, uint64_t first,
			 uint64_t owners)
{
	const struct target *target = p->world->target;

	if (!target->may_be_there(p->world, bar, page, first, owners))
		ops_complain(p, "page %#zx of BAR %u shows %#llx, %#llx", page, bar,
			     (unsigned long long)first, (unsigned long long)owners);
}

/* Where the parent is gone, or memory decode is off for all */
static void expect_ones(struct player *p, unsigned int bar, size_t page, uint64_t first)
{
	if (first != ~0ULL)
		ops_complain(p, "page %#zx of BAR %u still shows %#llx", page, bar,
			     (unsigned long long)first);
}

/* For the page at @at, as whoever has it may: what stands there is looked at, and his word stored */
static void touch(struct player *p, struct piece *piece, size_t page, bool store)
{
	struct world *w = p->world;
	volatile uint64_t *words = (void *)((char *)piece->at + page * PAGE);
	volatile uint64_t *word = &words[w->target->word / 8];
	bool gone = w->gone;

	p->trapped = true;
	if (!sigsetjmp(p->trap, 1)) {
		uint64_t first = words[0], owners = *word;

		if (w->target->may_be_there)
			expect_there(p, piece->bar, piece->page + page, first, owners);
		if (w->target->may_be_there && gone)
			expect_ones(p, piece->bar, piece->page + page, first);
		if (store)
			*word = w->target->own(w, piece->bar, piece->page + page);
	}
	p->trapped = false;
}

static void touch_nothing(struct player *p, struct piece *piece)
{
	p->trapped = true;
	if (!sigsetjmp(p->trap, 1))
		expect_ones(p, piece->bar, piece->page, *(volatile uint64_t *)piece->at);
	p->trapped = false;
}

void ops_expect_nothing(struct player *p)
{
	struct piece piece;
	unsigned int i;

	for (i = 0; p->world->target->may_be_there && i < 4096; i++)
		if (pick(p, &piece))
			touch_nothing(p, &piece);
}

static bool run_touch(struct player *p)
{
	bool store = ops_seldom(p, 2);
	struct piece piece;
	size_t i;

	if (!pick(p, &piece))
		return false;
	for (i = 0; i < 8; i++)
		touch(p, &piece, ops_below(p, piece.pages), store);
	return true;
}

static bool run_protect(struct player *p)
{
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE,
				     PROT_READ | PROT_EXEC };
	struct piece piece;

	return pick(p, &piece) &&
	       mprotect(piece.at, piece.pages * PAGE, prots[ops_below(p, 5)]) == 0;
}

/* Away from its room and back, as its contents know their place. Others see a hole meanwhile */
static bool run_move(struct player *p)
{
	struct piece piece;
	size_t size;
	void *to;

	if (!pick(p, &piece))
		return false;
	size = piece.pages * PAGE;
	to = mremap(piece.at, size, size, MREMAP_MAYMOVE | (ops_seldom(p, 4) ? MREMAP_DONTUNMAP : 0));
	if (to == MAP_FAILED)
		return false;
	if (to == piece.at)
		return true;
	return mremap(to, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, piece.at) != MAP_FAILED ||
	       munmap(to, size) == 0;
}

static bool run_advise(struct player *p)
{
	/* None that puts the process's other memory at risk: 100 and 101 poison pages */
	static const int advices[] = { 0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
				       20, 21, 22, 23, 24, 25 };
	struct piece piece;

	return pick(p, &piece) &&
	       madvise(piece.at, piece.pages * PAGE,
		       advices[ops_below(p, sizeof(advices) / sizeof(advices[0]))]) == 0;
}

static bool run_lock(struct player *p)
{
	struct piece piece;

	if (!pick(p, &piece))
		return false;
	if (ops_seldom(p, 2))
		return munlock(piece.at, piece.pages * PAGE) == 0;
	return mlock2(piece.at, piece.pages * PAGE, ops_seldom(p, 2) ? MLOCK_ONFAULT : 0) == 0;
}

/* The child touches what it has inherited, and may be killed by that */
static bool run_fork(struct player *p)
{
	struct piece piece;
	int status = 0;
	pid_t pid;

	if (!pick(p, &piece))
		return false;
	pid = fork();
	if (!pid) {
		touch(p, &piece, 0, true);
		touch(p, &piece, piece.pages - 1, false);
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid;
}

/* Pages of it as somebody else's memory: the kernel has no page to give */
static bool run_vm_readv(struct player *p)
{
	struct piece piece;
	struct iovec local = { p->buf, PAGE }, remote;

	if (!pick(p, &piece))
		return false;
	remote.iov_base = piece.at;
	remote.iov_len = PAGE;
	if (ops_seldom(p, 2))
		return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) > 0;
	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) > 0;
}

static bool run_userfaultfd(struct player *p)
{
	static const uint64_t modes[] = { UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
					  UFFDIO_REGISTER_MODE_MINOR };
	struct uffdio_register range = { .mode = modes[ops_below(p, 3)] };
	struct uffdio_api api = { .api = UFFD_API };
	struct piece piece;
	bool done;
	int fd;

	if (!pick(p, &piece))
		return false;
	fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (fd < 0)
		return false;
	range.range.start = (uintptr_t)piece.at;
	range.range.len = piece.pages * PAGE;
	done = !ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &range);
	close(fd);
	return done;
}

/* Whether leaves may be large at all is looked at in each fault */
static bool run_thp(struct player *p)
{
	return prctl(PR_SET_THP_DISABLE, ops_seldom(p, 3), 0, 0, 0) == 0;
}

const struct op ops_memory[] = {
	{ "mmap", 10, run_map },
	{ "mmap elsewhere", 2, run_map_any },
	{ "munmap", 3, run_unmap },
	{ "touch", 24, run_touch },
	{ "mprotect", 3, run_protect },
	{ "mremap", 2, run_move },
	{ "madvise", 4, run_advise },
	{ "mlock", 1, run_lock },
	{ "fork", 1, run_fork },
	{ "vm_readv", 2, run_vm_readv },
	{ "userfaultfd", 1, run_userfaultfd },
	{ "thp", 1, run_thp },
	{ }
};
