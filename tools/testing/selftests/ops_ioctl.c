// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations: ioctls of the device, with arguments that are right, nearly right, and anything,
 * and eventfds that close at any moment
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

static bool call(struct player *p, unsigned long request, void *arg)
{
	if (ops_seldom(p, 64))
		arg = (void *)(uintptr_t)ops_near(p, 1UL << 47);
	return ioctl(p->world->client.device, request, arg) >= 0;
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

	memset(info, 0, PAGE);
	info->argsz = ops_seldom(p, 2) ? PAGE : sizeof(*info);
	info->index = ops_near(p, OPS_REGIONS);
	spoil(p, info, sizeof(*info));
	return call(p, VFIO_DEVICE_GET_REGION_INFO, info);
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

	set->flags = datas[ops_below(p, 4)] | actions[ops_below(p, 4)];
	set->index = ops_below(p, VFIO_PCI_NUM_IRQS);
	set->start = ops_seldom(p, 2) ? ops_below(p, 4) : 0;
	set->count = ops_seldom(p, 8) ? ops_near(p, 32) : 1 + ops_below(p, 4);
	for (i = 0; i < 32; i++)
		fds[i] = ops_eventfd(p);
	set->argsz = sizeof(*set) + 32 * sizeof(*fds);
	spoil(p, set, sizeof(*set));
	return call(p, VFIO_DEVICE_SET_IRQS, set);
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
	{ }
};
