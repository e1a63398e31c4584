// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: resizable BARs
 *
 * The guest chooses the size of a BAR in a control register of this capability.
 * The slots of the BAR can be written down to its smallest size; what the
 * size of the moment forbids is taken away before a value is stored. A new size
 * clears the bits that it forbids in the BAR itself.
 *
 * The VFIO region keeps the largest size: it is the VMM that shows a part of it.
 *
 * No service of the kernel is called here: the file is compiled as it is in
 * user space as well, for tests.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/pci_regs.h>

#include "vpci_layout.h"

#define VPCI_REBAR_UNIT		20	/* sizes are powers of two from 1 MiB */
#define VPCI_REBAR_NR_SIZES	28U
#define VPCI_REBAR_SIZE_SHIFT	8
#define VPCI_REBAR_SIZE_MASK	0x3fU

static unsigned int vpci_rebar_count(const struct vpci_cap_desc *cap)
{
	unsigned int bar, count = 0;

	for (bar = 0; bar < VPCI_NUM_BARS; bar++)
		count += !!cap->rebar.sizes[bar];
	return count;
}

unsigned int vpci_rebar_length(const struct vpci_cap_desc *cap)
{
	return 4 + 8 * vpci_rebar_count(cap);
}

const char *vpci_rebar_check(const struct vpci_desc *desc,
			     const struct vpci_cap_desc *cap)
{
	unsigned int bar;

	if (!vpci_rebar_count(cap))
		return "has no BAR";

	for (bar = 0; bar < VPCI_NUM_BARS; bar++) {
		u32 sizes = cap->rebar.sizes[bar];

		if (!sizes)
			continue;
		/* What follows holds for no I/O BAR: it is too small */
		if (sizes >> VPCI_REBAR_NR_SIZES ||
		    desc->bars[bar].size != 1ULL << (ilog2(sizes) + VPCI_REBAR_UNIT))
			return "has a BAR whose size is not its largest";
	}
	return NULL;
}

/* @offset: of a control register */
static u32 vpci_rebar_sizes(const struct vpci_config *cfg, unsigned int offset)
{
	return vpci_config_read_dword(cfg, offset - 4) >> 4;
}

static unsigned int vpci_rebar_log(u32 control)
{
	return control >> VPCI_REBAR_SIZE_SHIFT & VPCI_REBAR_SIZE_MASK;
}

/*
 * What a BAR of the chosen size cannot have set. A saved state can have a size
 * that is none; it is refused for that, if not for the BAR.
 */
static u64 vpci_rebar_below(u32 control)
{
	unsigned int log = min(vpci_rebar_log(control), VPCI_REBAR_NR_SIZES);

	return (1ULL << (log + VPCI_REBAR_UNIT)) - 1;
}

static u32 vpci_rebar_adjust_low(const struct vpci_config *cfg,
				 unsigned int offset, u32 old, u32 new)
{
	unsigned int bar = (offset - PCI_BASE_ADDRESS_0) / 4;
	u32 control = vpci_config_read_dword(cfg, cfg->layout->rebar[bar]);

	return new & ((u32)~vpci_rebar_below(control) |
		      (u32)~PCI_BASE_ADDRESS_MEM_MASK);
}

static u32 vpci_rebar_adjust_high(const struct vpci_config *cfg,
				  unsigned int offset, u32 old, u32 new)
{
	unsigned int bar = (offset - PCI_BASE_ADDRESS_0) / 4 - 1;
	u32 control = vpci_config_read_dword(cfg, cfg->layout->rebar[bar]);

	return new & (u32)(~vpci_rebar_below(control) >> 32);
}

/* A size that is not offered, or chosen while the BAR decodes, is not taken */
static u32 vpci_rebar_adjust(const struct vpci_config *cfg, unsigned int offset,
			     u32 old, u32 new)
{
	u32 size = VPCI_REBAR_SIZE_MASK << VPCI_REBAR_SIZE_SHIFT;
	u32 sizes = vpci_rebar_sizes(cfg, offset);
	unsigned int log = vpci_rebar_log(new);

	if (vpci_config_decode(cfg) & VPCI_DECODE_MEMORY)
		log = vpci_rebar_log(old);
	if (log >= VPCI_REBAR_NR_SIZES || !(sizes & 1U << log))
		log = vpci_rebar_log(old);
	if (log >= VPCI_REBAR_NR_SIZES || !(sizes & 1U << log))
		log = ilog2(sizes);
	return (new & ~size) | log << VPCI_REBAR_SIZE_SHIFT;
}

/* Of what the new size forbids, the type bits are not the guest's */
static void vpci_rebar_trim(struct vpci_config *cfg, unsigned int at, u32 below)
{
	unsigned int nr = cfg->layout->map[at / 4];

	if (nr < cfg->layout->nr_slots)
		WRITE_ONCE(cfg->dwords[nr], cfg->dwords[nr] &
			   ~(below & cfg->layout->slots[nr].wmask));
}

static void vpci_rebar_written(struct vpci_config *cfg, unsigned int offset,
			       u32 old, u32 new, u32 enables)
{
	unsigned int bar = new & PCI_REBAR_CTRL_BAR_IDX;
	unsigned int at = PCI_BASE_ADDRESS_0 + 4 * bar;
	u64 below = vpci_rebar_below(new);

	vpci_rebar_trim(cfg, at, (u32)below);
	if (vpci_config_read_dword(cfg, at) & PCI_BASE_ADDRESS_MEM_TYPE_64)
		vpci_rebar_trim(cfg, at + 4, (u32)(below >> 32));
}

/* Down to the smallest size, all bits of the BAR can be written */
static void vpci_rebar_widen(struct vpci_build *build, unsigned int bar,
			     u32 sizes)
{
	struct vpci_build_dword *low =
		&build->dwords[PCI_BASE_ADDRESS_0 / 4 + bar];
	u32 smallest = sizes & -sizes;
	u64 mask = ~(((u64)smallest << VPCI_REBAR_UNIT) - 1);

	low->wmask = (u32)mask;
	low->adjust = vpci_rebar_adjust_low;
	if (build->desc->bars[bar].is_64bit) {
		low[1].wmask = (u32)(mask >> 32);
		low[1].adjust = vpci_rebar_adjust_high;
	}
}

int vpci_rebar_build(struct vpci_build *build, const struct vpci_cap_desc *cap,
		     unsigned int at)
{
	unsigned int end = at + vpci_rebar_length(cap);
	unsigned int entry = at, bar;
	int ret;

	for (bar = 0; bar < VPCI_NUM_BARS; bar++) {
		u32 sizes = cap->rebar.sizes[bar];
		const struct vpci_reg_desc regs[] = {
			{ "resizable BAR capability", PCI_REBAR_CAP, 4,
			  sizes << 4 },
			{ "resizable BAR control", PCI_REBAR_CTRL, 4,
			  bar |
			  vpci_rebar_count(cap) << PCI_REBAR_CTRL_NBAR_SHIFT |
			  (sizes ? ilog2(sizes) : 0) << VPCI_REBAR_SIZE_SHIFT,
			  .wmask = VPCI_REBAR_SIZE_MASK << VPCI_REBAR_SIZE_SHIFT,
			  .adjust = vpci_rebar_adjust,
			  .hook = vpci_rebar_written },
		};

		if (!sizes)
			continue;
		ret = vpci_build_regs(build, entry, end, regs, ARRAY_SIZE(regs));
		if (ret)
			return ret;
		vpci_rebar_widen(build, bar, sizes);
		build->rebar[bar] = entry + PCI_REBAR_CTRL;
		entry += 8;
	}
	return 0;
}
