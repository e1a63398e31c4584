// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: read(2) and write(2) of regions, of all widths, at offsets that end inside,
 * outside and astride, by io_uring, and by processes that are killed meanwhile
 */
#include <errno.h>
#include <linux/pci_regs.h>
#include <liburing.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

static size_t pick_len(struct player *p)
{
	static const size_t lens[] = { 1, 2, 4, 8, 3, 16, 64, PAGE };

	if (ops_seldom(p, 8))
		return ops_below(p, sizeof(p->buf) + 1);
	return lens[ops_below(p, sizeof(lens) / sizeof(lens[0]))];
}

/* Config space and BARs, mostly; their edges; now and then what is no region */
static uint64_t pick_pos(struct player *p, unsigned int *region, uint64_t *offset)
{
	struct world *w = p->world;

	*region = ops_seldom(p, 3) ? VFIO_PCI_CONFIG_REGION_INDEX : ops_below(p, OPS_REGIONS);
	*offset = ops_seldom(p, 2) ? ops_near(p, w->region[*region].size) :
				     ops_below(p, w->region[*region].size + 1);
	if (ops_seldom(p, 32))
		return ops_roll(p);
	if (!ops_seldom(p, 4))
		*offset &= ~7UL;
	return w->region[*region].offset + *offset;
}

bool ops_may_write(struct player *p, uint64_t pos, size_t len)
{
	const struct target *target = p->world->target;
	unsigned int region;

	if (!target->may_write)
		return true;
	for (region = 0; region < OPS_REGIONS; region++) {
		const struct vfio_region_info *info = &p->world->region[region];

		if (pos + len > info->offset && pos < info->offset + info->size &&
		    !target->may_write(region, pos - info->offset, len))
			return false;
	}
	return true;
}

/* @done bytes were transferred, or it failed. Nobody gets more than there is of a region */
static bool accessed(struct player *p, uint64_t pos, ssize_t done)
{
	unsigned int region;

	if (done <= 0)
		return false;
	for (region = 0; region < OPS_REGIONS; region++) {
		const struct vfio_region_info *info = &p->world->region[region];
		uint64_t offset = pos - info->offset;

		if (pos >= info->offset && offset < info->size &&
		    (size_t)done > info->size - offset)
			ops_complain(p, "%zd bytes at %#llx of region %u, which has %#llx", done,
				     (unsigned long long)offset, region,
				     (unsigned long long)info->size);
	}
	return true;
}

static bool run_read(struct player *p)
{
	unsigned int region;
	uint64_t offset, pos = pick_pos(p, &region, &offset);

	return accessed(p, pos, pread(p->world->client.device, p->buf, pick_len(p), pos));
}

static bool run_write(struct player *p)
{
	unsigned int region;
	uint64_t offset, value = ops_near(p, ~0UL), pos = pick_pos(p, &region, &offset);
	size_t len = pick_len(p);

	if (!ops_may_write(p, pos, len))
		return false;
	memset(p->buf, ops_below(p, 256), len);
	memcpy(p->buf, &value, len < sizeof(value) ? len : sizeof(value));
	return accessed(p, pos, pwrite(p->world->client.device, p->buf, len, pos));
}

/* What a guest's driver does all the time: memory decode, bus mastering, the pin */
static bool run_command(struct player *p)
{
	uint16_t value = ops_seldom(p, 2) ? PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER :
					    ops_roll(p);

	return pwrite(p->world->client.device, &value, sizeof(value),
		      p->world->client.config + PCI_COMMAND) == sizeof(value);
}

/* The capabilities, where power states, FLR, and MSI are switched */
static bool run_capability(struct player *p)
{
	int fd = p->world->client.device, left = 16;
	uint64_t config = p->world->client.config;
	uint8_t at = PCI_CAPABILITY_LIST, next;
	uint16_t value = ops_near(p, 0xffff);

	while (left-- && pread(fd, &next, 1, config + at) == 1 && next >= PCI_STD_HEADER_SIZEOF) {
		at = next + PCI_CAP_LIST_NEXT;
		if (ops_seldom(p, 4))
			break;
	}
	return pwrite(fd, &value, sizeof(value), config + (at & ~1) + 2 * ops_below(p, 12)) > 0;
}

static bool run_vectors(struct player *p)
{
	unsigned int region;
	uint64_t offset, pos = pick_pos(p, &region, &offset);
	struct iovec vec[2] = {
		{ p->buf, pick_len(p) },
		{ p->buf + PAGE, ops_below(p, PAGE) },
	};

	return accessed(p, pos, preadv(p->world->client.device, vec, 2, pos));
}

/* A worker of the kernel may be the one that reads; and a BAR is no buffer that can be pinned */
static bool run_uring(struct player *p)
{
	struct world *w = p->world;
	struct iovec bar = { (void *)w->rooms[ops_below(p, OPS_ROOMS)], LEAF };
	unsigned int region;
	uint64_t offset, pos = pick_pos(p, &region, &offset);
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	bool done = false;

	if (io_uring_queue_init(2, &ring, 0))
		return false;
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, w->client.device, p->buf, pick_len(p), pos);
	if (ops_seldom(p, 2))
		io_uring_sqe_set_flags(sqe, IOSQE_ASYNC);
	if (io_uring_submit_and_wait(&ring, 1) == 1 && !io_uring_peek_cqe(&ring, &cqe)) {
		done = accessed(p, pos, cqe->res);
		io_uring_cqe_seen(&ring, cqe);
	}
	if (bar.iov_base && ops_seldom(p, 4))
		done |= !io_uring_register_buffers(&ring, &bar, 1);
	io_uring_queue_exit(&ring);
	return done;
}

/* From a mapping of a BAR, which is touched in the middle of the write; and into one */
static bool run_own_buffer(struct player *p)
{
	struct world *w = p->world;
	unsigned int region, room = ops_below(p, OPS_ROOMS);
	uint64_t offset, at, pos = pick_pos(p, &region, &offset);
	size_t len = pick_len(p);
	char *buf = (char *)w->rooms[room];

	if (!buf)
		return false;
	at = ops_below(p, w->target->room_size[room] / PAGE - 1) * PAGE + ops_below(p, PAGE);
	buf += at;
	if (ops_seldom(p, 2) && ops_may_write(p, w->region[w->target->bars[room]].offset + at, len))
		return accessed(p, pos, pread(w->client.device, buf, len, pos));
	return ops_may_write(p, pos, len) &&
	       accessed(p, pos, pwrite(w->client.device, buf, len, pos));
}

/* Another process that has inherited the file, in the middle of an access */
static bool run_killed(struct player *p)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			ops_poke(p);
			run_read(p);
			run_write(p);
		}
	}
	if (pid < 0)
		return false;
	usleep(ops_below(p, 2000));
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return true;
}

const struct op ops_region[] = {
	{ "read", 12, run_read },
	{ "write", 8, run_write },
	{ "command", 4, run_command },
	{ "capability", 3, run_capability },
	{ "readv", 2, run_vectors },
	{ "io_uring", 1, run_uring },
	{ "own buffer", 2, run_own_buffer },
	{ "killed", 1, run_killed },
	{ }
};
