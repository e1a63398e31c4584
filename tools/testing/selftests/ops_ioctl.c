// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: ioctls of the device, with arguments that are right, nearly right, and anything,
 * eventfds that close at any moment, and memory for DMA
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "ops.h"

/* @size is what is right, in the first word; sometimes it is not */
static void spoil(struct player *p, void *arg, size_t size)
{
	uint32_t *words = arg;

	if (ops_seldom(p, 8))
		words[0] = ops_near(p, size);
	if (ops_seldom(p, 8))
		words[ops_below(p, size / sizeof(*words))] = ops_near(p, ~0U);
}

/* True if it was done, and was given @arg */
static bool call_given(struct player *p, unsigned long request, void *arg, bool *done)
{
	void *given = arg;

	if (ops_seldom(p, 64))
		given = (void *)(uintptr_t)ops_near(p, 1UL << 47);
	*done = ioctl(p->world->client.device, request, given) >= 0;
	return *done && given == arg;
}

static bool call(struct player *p, unsigned long request, void *arg)
{
	bool done;

	call_given(p, request, arg, &done);
	return done;
}

static bool run_info(struct player *p)
{
	struct vfio_device_info *info = (void *)p->buf;

	memset(info, 0, PAGE);
	info->argsz = sizeof(*info);
	spoil(p, info, sizeof(*info));
	return call(p, VFIO_DEVICE_GET_INFO, info);
}

static bool run_region_info(struct player *p)
{
	struct vfio_region_info *info = (void *)p->buf;
	const struct vfio_region_info *known = p->world->region;
	bool done;

	memset(info, 0, PAGE);
	info->argsz = ops_seldom(p, 2) ? PAGE : sizeof(*info);
	info->index = ops_near(p, OPS_REGIONS);
	spoil(p, info, sizeof(*info));
	if (call_given(p, VFIO_DEVICE_GET_REGION_INFO, info, &done) && info->index < OPS_REGIONS &&
	    (info->offset != known[info->index].offset || info->size != known[info->index].size))
		ops_complain(p, "region %u has %#llx bytes at %#llx now", info->index,
			     (unsigned long long)info->size, (unsigned long long)info->offset);
	return done;
}

static bool run_irq_info(struct player *p)
{
	struct vfio_irq_info *info = (void *)p->buf;

	memset(info, 0, PAGE);
	info->argsz = sizeof(*info);
	info->index = ops_near(p, VFIO_PCI_NUM_IRQS);
	spoil(p, info, sizeof(*info));
	return call(p, VFIO_DEVICE_GET_IRQ_INFO, info);
}

static bool run_set_irqs(struct player *p)
{
	static const uint32_t datas[] = {
		VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL,
		VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_EVENTFD,
	};
	static const uint32_t actions[] = {
		VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK,
		VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_ACTION_TRIGGER,
	};
	struct vfio_irq_set *set = (void *)p->buf;
	int32_t *fds = (int32_t *)set->data;
	uint32_t i;
	bool done;

	set->flags = datas[ops_below(p, 4)] | actions[ops_below(p, 4)];
	set->index = ops_below(p, VFIO_PCI_NUM_IRQS);
	set->start = ops_seldom(p, 2) ? ops_below(p, 4) : 0;
	set->count = ops_seldom(p, 8) ? ops_near(p, 32) : 1 + ops_below(p, 4);
	/* What all of them have, given to somebody or taken away */
	if (ops_seldom(p, 2)) {
		set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
		set->start = 0;
		set->count = 1;
	}
	for (i = 0; i < 32; i++)
		fds[i] = ops_eventfd(p);
	set->argsz = sizeof(*set) + 32 * sizeof(*fds);
	spoil(p, set, sizeof(*set));
	if (call_given(p, VFIO_DEVICE_SET_IRQS, set, &done) && set->count &&
	    (set->index >= VFIO_PCI_NUM_IRQS ||
	     (uint64_t)set->start + set->count > p->world->irqs[set->index]))
		ops_complain(p, "there were interrupts %u, %u of them, of index %u", set->start,
			     set->count, set->index);
	return done;
}

static bool run_eventfd(struct player *p)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	fd = atomic_exchange(&p->world->eventfds[ops_below(p, OPS_EVENTFDS)], fd);
	return fd >= 0 && close(fd) == 0;
}

static bool run_reset(struct player *p)
{
	return call(p, VFIO_DEVICE_RESET, NULL);
}

static bool run_plane(struct player *p)
{
	struct vfio_device_gfx_plane_info *info = (void *)p->buf;

	memset(info, 0, PAGE);
	info->argsz = sizeof(*info);
	info->flags = ops_seldom(p, 2) ? VFIO_GFX_PLANE_TYPE_REGION : ops_near(p, 8);
	spoil(p, info, sizeof(*info));
	return call(p, VFIO_DEVICE_QUERY_GFX_PLANE, info);
}

static bool run_feature(struct player *p)
{
	struct vfio_device_feature *feature = (void *)p->buf;

	memset(feature, 0, PAGE);
	feature->argsz = sizeof(*feature) + ops_below(p, 64);
	feature->flags = ops_below(p, 16) | ops_below(p, 8) << 16;
	spoil(p, feature, sizeof(*feature));
	return call(p, VFIO_DEVICE_FEATURE, feature);
}

/* Any number of VFIO; binding it elsewhere and taking its address space away are among them */
static bool run_any(struct player *p)
{
	unsigned long request = _IO(VFIO_TYPE, VFIO_BASE + ops_below(p, 32));
	size_t i;

	for (i = 0; i < 64; i++)
		p->buf[i] = ops_seldom(p, 4) ? ops_roll(p) : 0;
	*(uint32_t *)p->buf = ops_below(p, 128);
	return call(p, request, p->buf);
}

/* Another file of the same device in place of this one, which others may be using */
static bool run_reopen(struct player *p)
{
	struct vfio_client *client = &p->world->client;
	bool done;
	int fd;

	if (client->group < 0)
		return false;
	fd = ioctl(client->group, VFIO_GROUP_GET_DEVICE_FD, p->world->target->uuid);
	if (fd < 0)
		return false;
	done = dup3(fd, client->device, O_CLOEXEC) >= 0;
	close(fd);
	return done;
}

/* Some pages of the memory at their own address, where others may be already; or away from there */
static bool run_dma(struct player *p)
{
	struct world *w = p->world;
	uint64_t at = ops_below(p, OPS_MEMORY / PAGE) * PAGE;
	uint64_t size = ops_seldom(p, 2) ? PAGE : (1 + ops_below(p, 512)) * PAGE;

	/* Ranges that others unmap whole as well */
	if (!ops_seldom(p, 4))
		at &= ~(16 * PAGE - 1);
	if (at + size > OPS_MEMORY)
		return false;
	if (ops_seldom(p, 2))
		return vfio_client_unmap(&w->client, at, size) == 0;
	return vfio_client_map(&w->client, (char *)w->memory + at, at, size, !ops_seldom(p, 8)) == 0;
}

const struct op ops_ioctl[] = {
	{ "device info", 1, run_info },
	{ "region info", 2, run_region_info },
	{ "irq info", 1, run_irq_info },
	{ "set irqs", 8, run_set_irqs },
	{ "eventfd", 3, run_eventfd },
	{ "reset", 1, run_reset },
	{ "plane", 2, run_plane },
	{ "feature", 1, run_feature },
	{ "any ioctl", 1, run_any },
	{ "reopen", 1, run_reopen },
	{ "dma", 2, run_dma },
	{ }
};
