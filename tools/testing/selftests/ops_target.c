// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tester of operations is let loose on: the module vpci_lab, whose frames say
 * where they belong; mgpu, which has interrupts, a display and a parent that goes; and any
 * other device, of which nothing is known
 */
#include <fcntl.h>
#include <unistd.h>

#include "../modules/vpci_lab.h"
#include "ops.h"
#include "sysfs.h"

#define MIB		(1UL << 20)
#define LAB_UUID	"aaaaaaaa-0b5f-4111-8111-0123456789ab"
#define MGPU_UUID	"aaaaaaaa-0b5f-4222-8222-0123456789ab"
/* The module's device has no driver, whose name would stand before the dash */
#define LAB_CREATE	"/sys/devices/vpci_lab/mdev_supported_types/-bars/create"
#define WINDOW		(6 * MIB)

static int lab_create(const struct target *target)
{
	return sysfs_write(target->uuid, LAB_CREATE);
}

static bool lab_may_be_there(struct world *w, unsigned int bar, size_t page, uint64_t value)
{
	/* Behind the giant there is nothing that anybody has written */
	if (bar == LAB_TOUCH_BAR && page * PAGE >= LAB_TOUCH_BAR_SIZE / 2)
		return true;
	return value == ~0ULL || value == LAB_TAG(w->id, bar, page);
}

static uint64_t lab_own(struct world *w, unsigned int bar, size_t page)
{
	return LAB_TAG(w->id, bar, page);
}

static void lab_put(struct world *w, unsigned int reg, uint64_t value)
{
	uint64_t pos = w->region[LAB_MIXED_BAR].offset + reg;

	/* It fails where decode is off */
	if (pwrite(w->client.device, &value, sizeof(value), pos) != sizeof(value))
		return;
}

/* Several players do so at once, so what the module is told to do is a mixture of theirs */
static bool lab_poke(struct player *p)
{
	static const unsigned int commands[] = { LAB_BACK, LAB_BACK, LAB_BACK, LAB_REVOKE,
						 LAB_GIANT, LAB_NO_GIANT };
	static const unsigned int pages[] = { 1, 16, 512, 512, 511, 1024 };
	struct world *w = p->world;
	unsigned int command = commands[ops_below(p, 6)], nr = pages[ops_below(p, 6)];
	uint64_t page = ops_below(p, WINDOW / PAGE - nr + 1);

	if (!ops_seldom(p, 4))
		page &= ~511UL;
	lab_put(w, LAB_MODE, ops_below(p, LAB_TOUCH_WAITS));
	lab_put(w, LAB_ARG_BAR, ops_seldom(p, 4) ? ops_below(p, 6) : LAB_BAR);
	lab_put(w, LAB_ARG_OFFSET, command == LAB_NO_GIANT ? LAB_TOUCH_BAR_SIZE / 2 : page * PAGE);
	lab_put(w, LAB_ARG_SIZE, command == LAB_NO_GIANT ? LAB_TOUCH_BAR_SIZE / 2 : nr * PAGE);
	lab_put(w, LAB_ARG_FRAME, ops_seldom(p, 2) ? LAB_ANY_FRAME :
				  ops_below(p, LAB_CHUNKS) * LAB_CHUNK_FRAMES);
	lab_put(w, LAB_COMMAND, command);
	return true;
}

/* What stands in a frame is the module's, and the registers are for lab_poke() */
static bool lab_may_write(unsigned int region, uint64_t offset, size_t len)
{
	if (region == LAB_BAR || region == LAB_TOUCH_BAR)
		return false;
	if (region != LAB_MIXED_BAR)
		return true;
	return offset < LAB_MIXED_SIZE && offset >= LAB_REGS_END &&
	       (offset + len <= LAB_MAPPED_1 || offset >= LAB_MAPPED_1 + LAB_MAPPED_1_SIZE) &&
	       (offset + len <= LAB_MAPPED_2 || offset >= LAB_MAPPED_2 + LAB_MAPPED_2_SIZE);
}

const struct target ops_lab = {
	.name = "vpci_lab",
	.uuid = LAB_UUID,
	.create = lab_create,
	.bars = { LAB_BAR, LAB_TOUCH_BAR, -1 },
	.room_size = { WINDOW, LAB_TOUCH_BAR_SIZE },
	.word = LAB_USER_WORD,
	.may_be_there = lab_may_be_there,
	.own = lab_own,
	.poke = lab_poke,
	.may_write = lab_may_write,
};

static int mgpu_create(const struct target *target)
{
	return mdev_create_when_free("8M", target->uuid);
}

static uint64_t any_own(struct world *w, unsigned int bar, size_t page)
{
	(void)w;
	return (uint64_t)bar << 32 | page;
}

const struct target ops_mgpu = {
	.name = "mgpu",
	.uuid = MGPU_UUID,
	.create = mgpu_create,
	.bars = { 0, 2, -1 },
	.room_size = { 8 * MIB, PAGE },
	.own = any_own,
};

struct target ops_any = {
	.name = "any",
	.bars = { -1, -1, -1 },
	.own = any_own,
};
