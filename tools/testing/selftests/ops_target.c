// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tester of operations is let loose on: the module vpci_lab, whose frames say
 * where they belong; irq_lab, which interrupts; dma_lab, which reaches memory, and whose
 * parent goes; mgpu, whose parent does, too, and which has a display; and any other
 * device, of which nothing is known
 */
#include <fcntl.h>
#include <unistd.h>

#include "../modules/dma_lab.h"
#include "../modules/irq_lab.h"
#include "../modules/vpci_lab.h"
#include "fixture.h"
#include "ops.h"
#include "sysfs.h"

#define MIB		(1UL << 20)
#define LAB_UUID	"aaaaaaaa-0b5f-4111-8111-0123456789ab"
#define MGPU_UUID	"aaaaaaaa-0b5f-4222-8222-0123456789ab"
#define IRQ_UUID	"aaaaaaaa-0b5f-4333-8333-0123456789ab"
#define DMA_UUID	"aaaaaaaa-0b5f-4444-8444-0123456789ab"
#define CREATE(parent, type)	"/sys/class/mdev_bus/" parent "/mdev_supported_types/" type "/create"
#define DMA_DRIVER	"/sys/bus/platform/drivers/dma_lab/"
#define WINDOW		(6 * MIB)
/* In a page of mgpu's VRAM, after a word that nobody stores: that of its owner, and anybody's */
#define VRAM_WORD	8
#define VRAM_FREE	16
/* Pages of one pin, see VPCI_PIN_MAX */
#define MAX_PINNED	512

/* A register, or several. It fails where decode is off */
static bool put(struct world *w, unsigned int bar, unsigned int reg, uint64_t value, size_t width)
{
	return pwrite(w->client.device, &value, width, w->region[bar].offset + reg) ==
	       (ssize_t)width;
}

static int lab_create(const struct target *target)
{
	/* The module's device has no driver, whose name would stand before the dash */
	return mdev_create_in(CREATE("vpci_lab", "-bars"), target->uuid);
}

/* Where there is no frame is the sink page, one for all, whose first word nobody stores */
static bool lab_may_be_there(struct world *w, unsigned int bar, size_t page, uint64_t first,
			     uint64_t owners)
{
	/* Behind the giant there is nothing that anybody has written */
	if (bar == LAB_TOUCH_BAR && page * PAGE >= LAB_TOUCH_BAR_SIZE / 2)
		return true;
	return (first == ~0ULL || first == LAB_TAG(w->id, bar, page)) &&
	       (owners == ~0ULL || !owners || owners >> 40 == LAB_TAG(w->id, 0, 0) >> 40);
}

static uint64_t lab_own(struct world *w, unsigned int bar, size_t page)
{
	return LAB_TAG(w->id, bar, page);
}

/* Several players do so at once, so what the module is told to do is a mixture of theirs */
static bool lab_poke(struct player *p)
{
	static const unsigned int commands[] = { LAB_BACK, LAB_BACK, LAB_BACK, LAB_REVOKE,
						 LAB_GIANT, LAB_NO_GIANT };
	static const unsigned int pages[] = { 1, 16, 512, 512, 511, 1024 };
	unsigned int command = commands[ops_below(p, 6)], nr = pages[ops_below(p, 6)];
	bool half = command == LAB_NO_GIANT;
	uint64_t page = ops_below(p, WINDOW / PAGE - nr + 1);
	const struct {
		unsigned int reg;
		uint64_t value;
	} writes[] = {
		{ LAB_MODE, ops_below(p, LAB_TOUCH_WAITS) },
		{ LAB_ARG_BAR, ops_seldom(p, 4) ? ops_below(p, 6) : LAB_BAR },
		{ LAB_ARG_OFFSET, half ? LAB_TOUCH_BAR_SIZE / 2 :
				  (ops_seldom(p, 4) ? page : page & ~511UL) * PAGE },
		{ LAB_ARG_SIZE, half ? LAB_TOUCH_BAR_SIZE / 2 : nr * PAGE },
		{ LAB_ARG_FRAME, ops_seldom(p, 2) ? LAB_ANY_FRAME :
				 ops_below(p, LAB_CHUNKS) * LAB_CHUNK_FRAMES },
		{ LAB_COMMAND, command },
	};
	bool done = true;
	size_t i;

	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		done &= put(p->world, LAB_MIXED_BAR, writes[i].reg, writes[i].value, 8);
	return done;
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

static int irq_create(const struct target *target)
{
	return mdev_create_in(CREATE("irq_lab", "-irqs"), target->uuid);
}

static bool irq_poke(struct player *p)
{
	static const unsigned int regs[] = { IRQ_LAB_SIGNAL, IRQ_LAB_SIGNAL, IRQ_LAB_HARDIRQ,
					     IRQ_LAB_HARDIRQ, IRQ_LAB_LOWER, IRQ_LAB_ERROR };

	return put(p->world, 0, regs[ops_below(p, 6)],
		   ops_seldom(p, 2) ? ops_below(p, 4) : ops_near(p, IRQ_LAB_MSIX_VECTORS), 4);
}

const struct target ops_irq = {
	.name = "irq_lab",
	.uuid = IRQ_UUID,
	.create = irq_create,
	.bars = { -1, -1, -1 },
	.poke = irq_poke,
};

static int dma_create(const struct target *target)
{
	return mdev_create_in(CREATE("dma_lab", "dma_lab-dma"), target->uuid);
}

static int dma_bind(bool bound)
{
	return bound ? sysfs_write("dma_lab", DMA_DRIVER "bind") :
		       sysfs_write("dma_lab", DMA_DRIVER "unbind");
}

/* Most of its addresses are some of memory, which may be mapped there or not */
static bool dma_poke(struct player *p)
{
	unsigned int command = ops_below(p, DMA_LAB_READ_LATER + 1);
	uint64_t iova = ops_seldom(p, 8) ? ops_near(p, OPS_MEMORY) : ops_below(p, OPS_MEMORY);

	if (command == DMA_LAB_PIN)
		iova &= ~(PAGE - 1);
	return put(p->world, 0, DMA_LAB_IOVA, iova, 8) &&
	       put(p->world, 0, DMA_LAB_COUNT, ops_seldom(p, 8) ? ops_near(p, MAX_PINNED) :
							       1 + ops_below(p, 8), 8) &&
	       put(p->world, 0, DMA_LAB_VALUE, ops_roll(p), 8) &&
	       put(p->world, 0, DMA_LAB_COMMAND, DMA_LAB_DO(command, ops_below(p, DMA_LAB_PINS + 1)), 8);
}

const struct target ops_dma = {
	.name = "dma_lab",
	.uuid = DMA_UUID,
	.create = dma_create,
	.bind = dma_bind,
	.bars = { -1, -1, -1 },
	.poke = dma_poke,
};

static int mgpu_create(const struct target *target)
{
	return mdev_create_when_free("8M", target->uuid);
}

static int mgpu_bind(bool bound)
{
	return bound ? parent_bind() : parent_unbind();
}

/* The memory was zero when the world began, and what its owner stores says who that is */
static bool mgpu_may_be_there(struct world *w, unsigned int bar, size_t page, uint64_t first,
			      uint64_t owners)
{
	(void)bar;
	(void)page;
	return (first == ~0ULL || !first) &&
	       (owners == ~0ULL || !owners || owners >> 32 == w->id);
}

static uint64_t mgpu_own(struct world *w, unsigned int bar, size_t page)
{
	(void)bar;
	return (uint64_t)w->id << 32 | page;
}

static bool mgpu_may_write(unsigned int region, uint64_t offset, size_t len)
{
	uint64_t at = offset % PAGE;

	return region || (at >= VRAM_FREE && at + len <= PAGE);
}

const struct target ops_mgpu = {
	.name = "mgpu",
	.uuid = MGPU_UUID,
	.create = mgpu_create,
	.bind = mgpu_bind,
	.bars = { 0, 2, -1 },
	.room_size = { 8 * MIB, PAGE },
	.word = VRAM_WORD,
	.may_be_there = mgpu_may_be_there,
	.own = mgpu_own,
	.may_write = mgpu_may_write,
};

static uint64_t any_own(struct world *w, unsigned int bar, size_t page)
{
	(void)w;
	return (uint64_t)bar << 32 | page;
}

struct target ops_any = {
	.name = "any",
	.bars = { -1, -1, -1 },
	.own = any_own,
};
