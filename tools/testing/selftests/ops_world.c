// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tester of operations: what a world begins with, and what has to hold when its players
 * are gone
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "../modules/vpci_lab.h"
#include "fixture.h"
#include "ops.h"
#include "sysfs.h"

/* Where nothing comes by itself, and leaves of 1 GiB fit */
#define ROOM(n)		((void *)((1UL << 44) + (n) * (64UL << 30)))
#define MAX_COMPLAINTS	8
#define PATIENCE	10	/* seconds */

void ops_complain(struct player *p, const char *format, ...)
{
	struct world *w = p->world;
	char text[256];
	va_list args;

	if (atomic_fetch_add(&w->complaints, 1) >= MAX_COMPLAINTS)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* In one piece, also from a child */
	dprintf(STDOUT_FILENO, "# %s, round %u, after %.1f s, %s: %s\n", w->target->name, w->round,
		fixture_now() - w->began, p->op ? p->op->name : "afterwards", text);
}

static void command_write(struct world *w, uint16_t command)
{
	assert_int_equal(vfio_client_write(&w->client, w->client.config + PCI_COMMAND,
					   &command, 2), 2);
}

static void rooms_open(struct world *w)
{
	const struct target *target = w->target;
	unsigned int i;

	w->nothing = memfd_create("nothing", MFD_CLOEXEC);
	for (i = 0; i < OPS_ROOMS; i++) {
		w->rooms[i] = NULL;
		if (target->bars[i] < 0)
			continue;
		w->rooms[i] = mmap(ROOM(i), target->room_size[i], PROT_NONE,
				   MAP_SHARED | MAP_FIXED_NOREPLACE, w->nothing, 0);
		assert_ptr_equal(w->rooms[i], ROOM(i));
	}
}

static void describe(struct world *w)
{
	struct vfio_irq_info irq = { .argsz = sizeof(irq) };
	unsigned int i;

	for (i = 0; i < OPS_REGIONS; i++)
		if (vfio_client_region(&w->client, i, &w->region[i]))
			w->region[i].size = 0;
	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		irq.index = i;
		w->irqs[i] = ioctl(w->client.device, VFIO_DEVICE_GET_IRQ_INFO, &irq) ? 0 :
										      irq.count;
	}
}

void ops_world_open(struct world *w, uint64_t seed)
{
	unsigned int i;

	if (w->target->create)
		assert_int_equal(w->target->create(w->target), 0);
	assert_int_equal(vfio_client_open(&w->client, w->target->uuid), 0);
	describe(w);
	command_write(w, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	rooms_open(w);
	w->memory = mmap(NULL, OPS_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(w->memory, MAP_FAILED);
	for (i = 0; i < OPS_EVENTFDS; i++)
		w->eventfds[i] = -1;
	/* None of the last worlds had the same, whoever played it */
	w->id = (seed << 12 | (w->round + 1)) & 0x7fffffff;
	if (w->target == &ops_lab) {
		uint64_t id;

		assert_int_equal(vfio_client_read(&w->client, w->region[LAB_MIXED_BAR].offset +
						  LAB_ID, &id, 8), 8);
		w->id = id;
	}
	w->gone = false;
	w->stop = false;
}

/* Whatever was done to it, a reset makes it work again */
static void expect_it_works(struct world *w)
{
	uint64_t corrupt;
	uint32_t id;

	assert_int_equal(ioctl(w->client.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(vfio_client_read(&w->client, w->client.config, &id, 4), 4);
	assert_int_not_equal(id, ~0U);
	if (w->target != &ops_lab)
		return;
	command_write(w, PCI_COMMAND_MEMORY);
	assert_int_equal(vfio_client_read(&w->client, w->region[LAB_MIXED_BAR].offset +
					  LAB_CORRUPT, &corrupt, 8), 8);
	assert_int_equal(corrupt, 0);
}

/* The last file may be closed a moment after its last user */
static void expect_removal(const char *uuid)
{
	double end = fixture_now() + PATIENCE;
	int ret;

	while ((ret = mdev_remove(uuid)) && fixture_now() < end)
		sched_yield();
	assert_int_equal(ret, 0);
}

/* For who can make instances of these names, nothing is left of those before */
static void expect_all_is_free(struct world *w)
{
	mdev_remove(OPS_NEIGHBOUR);
	if (!w->gone)
		expect_removal(w->target->uuid);
	else
		assert_int_equal(w->target->bind(true), 0);
	assert_int_equal(w->target->create(w->target), 0);
	assert_int_equal(mdev_create("4M", OPS_NEIGHBOUR), 0);
	assert_int_equal(mdev_remove(OPS_NEIGHBOUR), 0);
	assert_int_equal(mdev_remove(w->target->uuid), 0);
}

void ops_world_close(struct world *w, struct player *admin)
{
	unsigned int i;

	if (!w->gone && w->target->may_be_there)
		command_write(w, 0);
	ops_expect_nothing(admin);
	if (!w->gone)
		expect_it_works(w);
	for (i = 0; i < OPS_ROOMS; i++)
		if (w->rooms[i])
			munmap((void *)w->rooms[i], w->target->room_size[i]);
	close(w->nothing);
	vfio_client_close(&w->client);
	munmap(w->memory, OPS_MEMORY);
	for (i = 0; i < OPS_EVENTFDS; i++)
		if (w->eventfds[i] >= 0)
			close(w->eventfds[i]);
	if (w->target->create)
		expect_all_is_free(w);
}
