// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: from a description to a layout
 *
 * Whatever can be wrong with a description is found here, and never when a
 * guest uses the function. The header and the capabilities at a given place
 * claim their bytes first, then the registers of no capability, and then the
 * other capabilities take what is left. Registers inside a claim may not
 * overlap each other either.
 *
 * The result is one piece of memory: struct vpci_layout with its map, the slots
 * of the dwords that can change, and one reset value for each dword that is not
 * zero for ever.
 *
 * No service of the kernel is called here: the file is compiled as it is in
 * user space as well, for tests.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/pci_regs.h>

#include "vpci_layout.h"

/* What a guest may be allowed to write; the rest is reserved or obsolete */
#define VPCI_COMMAND_BITS	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY |	\
				 PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |	\
				 PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE)

/* STATUS bits 15:11 and 8 are write-1-to-clear, PCI 3.0 section 6.2.3 */
#define VPCI_STATUS_W1C		(PCI_STATUS_DETECTED_PARITY |	\
				 PCI_STATUS_SIG_SYSTEM_ERROR |	\
				 PCI_STATUS_REC_MASTER_ABORT |	\
				 PCI_STATUS_REC_TARGET_ABORT |	\
				 PCI_STATUS_SIG_TARGET_ABORT |	\
				 PCI_STATUS_PARITY)

int vpci_build_refuse(struct vpci_build *build, const char *item,
		      unsigned int index, const char *reason)
{
	build->err->item = item;
	build->err->index = index;
	build->err->reason = reason;
	return -EINVAL;
}

static bool vpci_bytes_free(const u8 *bitmap, unsigned int offset,
			    unsigned int len)
{
	for (; len; offset++, len--) {
		if (bitmap[offset / 8] & (1U << offset % 8))
			return false;
	}
	return true;
}

static void vpci_bytes_take(u8 *bitmap, unsigned int offset, unsigned int len)
{
	for (; len; offset++, len--)
		bitmap[offset / 8] |= 1U << offset % 8;
}

bool vpci_build_is_free(const struct vpci_build *build, unsigned int offset,
			unsigned int len)
{
	return vpci_bytes_free(build->claimed, offset, len);
}

void vpci_build_claim(struct vpci_build *build, unsigned int offset,
		      unsigned int len)
{
	vpci_bytes_take(build->claimed, offset, len);
}

/* Whether a byte of the dword at @offset is described */
bool vpci_build_has_reg(const struct vpci_build *build, unsigned int offset)
{
	return !vpci_bytes_free(build->described, offset, 4);
}

/* What a guest writes there outlasts a reset by the VFIO user */
void vpci_build_save(struct vpci_build *build, unsigned int offset,
		     unsigned int len)
{
	unsigned int i;

	for (i = offset / 4; i < (offset + len + 3) / 4; i++)
		build->dwords[i].saved = true;
}

static u32 vpci_width_mask(unsigned int width)
{
	return width == 4 ? ~0U : (1U << (width * 8)) - 1;
}

static int vpci_check_masks(struct vpci_build *build,
			    const struct vpci_reg_desc *reg)
{
	const u32 masks[] = { reg->wmask, reg->w1c, reg->device, reg->rsvdp,
			      reg->rsvdz, reg->trigger };
	u32 written = reg->wmask | reg->w1c | reg->trigger;
	u32 all = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		if (all & masks[i])
			return vpci_build_refuse(build, reg->name, reg->offset,
						 "has a bit in two masks");
		all |= masks[i];
	}
	if ((all | reg->reset | reg->sticky) & ~vpci_width_mask(reg->width))
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "has a bit beyond its width");
	if (reg->reset & (reg->rsvdz | reg->trigger))
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "has a reset value in a bit that reads 0");
	if (reg->sticky & ~(reg->wmask | reg->w1c | reg->device))
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "has a sticky bit that cannot change");
	if (reg->hook && !written)
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "has a hook but no bit that can be written");
	if (reg->adjust && !reg->wmask)
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "is adjusted but has no writable bit");
	return 0;
}

static int vpci_check_reg(struct vpci_build *build, unsigned int start,
			  unsigned int end, const struct vpci_reg_desc *reg)
{
	if (reg->width != 1 && reg->width != 2 && reg->width != 4)
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "is not 1, 2 or 4 bytes wide");
	if (reg->offset % reg->width)
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "is not aligned to its width");
	if (start + reg->offset + reg->width > end)
		return vpci_build_refuse(build, reg->name, reg->offset,
					 start ? "ends beyond its capability" :
						 "ends beyond the config space");
	if (!vpci_bytes_free(build->described, start + reg->offset, reg->width))
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "overlaps another register");
	return vpci_check_masks(build, reg);
}

static int vpci_build_reg(struct vpci_build *build, unsigned int start,
			  unsigned int end, const struct vpci_reg_desc *reg)
{
	unsigned int offset = start + reg->offset;
	unsigned int shift = (offset % 4) * 8;
	struct vpci_build_dword *dword;
	int ret;

	ret = vpci_check_reg(build, start, end, reg);
	if (ret)
		return ret;

	dword = &build->dwords[offset / 4];
	if ((dword->hook && reg->hook) || (dword->adjust && reg->adjust))
		return vpci_build_refuse(build, reg->name, reg->offset,
					 "is the second hook of its dword");

	vpci_bytes_take(build->described, offset, reg->width);
	dword->reset |= reg->reset << shift;
	dword->wmask |= reg->wmask << shift;
	dword->w1c |= reg->w1c << shift;
	dword->device |= reg->device << shift;
	dword->rsvdp |= reg->rsvdp << shift;
	dword->trigger |= reg->trigger << shift;
	dword->sticky |= reg->sticky << shift;
	if (reg->hook)
		dword->hook = reg->hook;
	if (reg->adjust)
		dword->adjust = reg->adjust;
	return 0;
}

/* Enter registers whose offsets count from @start and that end before @end */
int vpci_build_regs(struct vpci_build *build, unsigned int start,
		    unsigned int end, const struct vpci_reg_desc *regs,
		    unsigned int nr)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = vpci_build_reg(build, start, end, &regs[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static void vpci_command_written(struct vpci_config *cfg, unsigned int offset,
				 u32 old, u32 new, u32 enables)
{
	const struct vpci_config_ops *ops = cfg->layout->ops;
	u32 changed = old ^ new;

	if (changed & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY))
		ops->decode(cfg);
	if ((changed & (PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE)) &&
	    ops->interrupt)
		ops->interrupt(cfg);
}

static void vpci_rom_written(struct vpci_config *cfg, unsigned int offset,
			     u32 old, u32 new, u32 enables)
{
	if ((old ^ new) & PCI_ROM_ADDRESS_ENABLE)
		cfg->layout->ops->decode(cfg);
}

static u32 vpci_command_wmask(const struct vpci_desc *desc)
{
	u32 wmask = desc->command | PCI_COMMAND_MASTER;
	unsigned int i;

	for (i = 0; i < VPCI_NUM_BARS; i++) {
		if (desc->bars[i].size)
			wmask |= desc->bars[i].is_io ? PCI_COMMAND_IO :
						       PCI_COMMAND_MEMORY;
	}
	if (desc->rom_size)
		wmask |= PCI_COMMAND_MEMORY;
	if (desc->interrupt_pin)
		wmask |= PCI_COMMAND_INTX_DISABLE;
	return wmask;
}

static int vpci_check_header(struct vpci_build *build,
			     const struct vpci_desc *desc)
{
	if (desc->class >> 24)
		return vpci_build_refuse(build, "class", desc->class,
					 "has more than 24 bits");
	if (desc->vendor == 0xffff)
		return vpci_build_refuse(build, "vendor", desc->vendor,
					 "means an absent function");
	if (desc->interrupt_pin > 4)
		return vpci_build_refuse(build, "interrupt_pin",
					 desc->interrupt_pin,
					 "is not 0 or one of the pins 1 to 4");
	if (desc->command & ~VPCI_COMMAND_BITS)
		return vpci_build_refuse(build, "command", desc->command,
					 "has a bit that no guest may write");
	if (desc->rom_size &&
	    (desc->rom_size < 2048 || desc->rom_size > (16U << 20) ||
	     !is_power_of_2(desc->rom_size)))
		return vpci_build_refuse(build, "rom_size", desc->rom_size,
					 "is not a power of two from 2 KiB to 16 MiB");
	return 0;
}

static int vpci_build_header(struct vpci_build *build,
			     const struct vpci_desc *desc)
{
	u32 rom = desc->rom_size;
	const struct vpci_reg_desc regs[] = {
		{ "vendor", PCI_VENDOR_ID, 2, desc->vendor },
		{ "device", PCI_DEVICE_ID, 2, desc->device },
		{ "COMMAND", PCI_COMMAND, 2,
		  .wmask = vpci_command_wmask(desc),
		  .hook = vpci_command_written },
		{ "STATUS", PCI_STATUS, 2,
		  .w1c = VPCI_STATUS_W1C,
		  .device = desc->interrupt_pin ? PCI_STATUS_INTERRUPT : 0 },
		{ "class", PCI_CLASS_REVISION, 4,
		  desc->class << 8 | desc->revision },
		{ "cache line size", PCI_CACHE_LINE_SIZE, 1, .wmask = 0xff },
		{ "header type", PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_NORMAL },
		{ "subsystem vendor", PCI_SUBSYSTEM_VENDOR_ID, 2,
		  desc->subsystem_vendor },
		{ "subsystem", PCI_SUBSYSTEM_ID, 2, desc->subsystem },
		{ "expansion ROM", PCI_ROM_ADDRESS, 4,
		  .wmask = rom ? ~(rom - 1) | PCI_ROM_ADDRESS_ENABLE : 0,
		  .hook = rom ? vpci_rom_written : NULL },
		{ "interrupt line", PCI_INTERRUPT_LINE, 1, .wmask = 0xff },
		{ "interrupt pin", PCI_INTERRUPT_PIN, 1, desc->interrupt_pin },
	};
	int ret;

	ret = vpci_check_header(build, desc);
	if (ret)
		return ret;
	vpci_build_claim(build, 0, PCI_STD_HEADER_SIZEOF);
	vpci_build_save(build, 0, PCI_STD_HEADER_SIZEOF);
	return vpci_build_regs(build, 0, PCI_STD_HEADER_SIZEOF, regs,
			       ARRAY_SIZE(regs));
}

static const char *vpci_check_io_bar(const struct vpci_bar_desc *bar)
{
	if (bar->is_64bit || bar->prefetchable || bar->mapped)
		return "is in I/O space, so not 64-bit, prefetchable or mapped";
	if (bar->size < 4 || bar->size > 256)
		return "is in I/O space, so not smaller than 4 or larger than 256";
	return NULL;
}

/* Returns what is wrong with it, or NULL */
static const char *vpci_check_bar(const struct vpci_desc *desc, unsigned int i)
{
	const struct vpci_bar_desc *bar = &desc->bars[i];

	if (!bar->size)
		return bar->mapped ? "is mapped but has no size" : NULL;
	if (!is_power_of_2(bar->size))
		return "has a size that is not a power of two";
	if (bar->is_io)
		return vpci_check_io_bar(bar);
	if (bar->size < 16)
		return "is smaller than 16, which memory must have";
	if (!bar->is_64bit && bar->size > 0x80000000U)
		return "is larger than a 32-bit BAR can be";
	if (bar->is_64bit && i == VPCI_NUM_BARS - 1)
		return "is 64-bit but has no slot behind it";
	if (bar->is_64bit && desc->bars[i + 1].size)
		return "is 64-bit but the slot behind it is not absent";
	return NULL;
}

static int vpci_build_bar(struct vpci_build *build,
			  const struct vpci_bar_desc *bar, unsigned int i)
{
	u64 mask = ~(bar->size - 1);
	struct vpci_reg_desc regs[] = {
		{ .name = "BAR", .offset = PCI_BASE_ADDRESS_0 + 4 * i,
		  .width = 4, .wmask = (u32)mask },
		{ .name = "upper half of BAR",
		  .offset = PCI_BASE_ADDRESS_0 + 4 * i + 4, .width = 4,
		  .wmask = (u32)(mask >> 32) },
	};

	if (bar->is_io)
		regs[0].reset |= PCI_BASE_ADDRESS_SPACE_IO;
	if (bar->is_64bit)
		regs[0].reset |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->prefetchable)
		regs[0].reset |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	return vpci_build_regs(build, 0, PCI_STD_HEADER_SIZEOF, regs,
			       bar->is_64bit ? 2 : 1);
}

static int vpci_build_bars(struct vpci_build *build,
			   const struct vpci_desc *desc)
{
	const char *reason;
	unsigned int i;
	int ret;

	for (i = 0; i < VPCI_NUM_BARS; i++) {
		reason = vpci_check_bar(desc, i);
		if (reason)
			return vpci_build_refuse(build, "BAR", i, reason);
		if (!desc->bars[i].size)
			continue;
		ret = vpci_build_bar(build, &desc->bars[i], i);
		if (ret)
			return ret;
	}
	return 0;
}

static int vpci_build_own_regs(struct vpci_build *build,
			       const struct vpci_desc *desc)
{
	unsigned int i;
	int ret;

	for (i = 0; i < desc->nr_regs; i++) {
		const struct vpci_reg_desc *reg = &desc->regs[i];

		if (reg->offset < PCI_STD_HEADER_SIZEOF)
			return vpci_build_refuse(build, reg->name, reg->offset,
						 "lies in the header");
		ret = vpci_build_regs(build, 0, desc->config_size, reg, 1);
		if (ret)
			return ret;
		if (!vpci_build_is_free(build, reg->offset, reg->width))
			return vpci_build_refuse(build, reg->name, reg->offset,
						 "overlaps a capability");
		vpci_build_claim(build, reg->offset, reg->width);
	}
	return 0;
}

/**
 * vpci_layout_compile - check a description
 * @build: holds the result; its contents before do not matter
 * @desc: the description; must live as long as @build
 * @ops: how config space acts on the rest of the function
 * @err: says what is wrong with @desc after an error
 *
 * Return: 0, or -EINVAL.
 */
int vpci_layout_compile(struct vpci_build *build, const struct vpci_desc *desc,
			const struct vpci_config_ops *ops,
			struct vpci_config_error *err)
{
	int ret;

	memset(build, 0, sizeof(*build));
	build->desc = desc;
	build->ops = ops;
	build->err = err;

	if (desc->config_size != PCI_CFG_SPACE_SIZE &&
	    desc->config_size != PCI_CFG_SPACE_EXP_SIZE)
		return vpci_build_refuse(build, "config_size",
					 desc->config_size,
					 "is neither 256 nor 4096");

	ret = vpci_build_header(build, desc);
	if (ret)
		return ret;
	ret = vpci_build_bars(build, desc);
	if (ret)
		return ret;
	ret = vpci_caps_place(build, true);
	if (ret)
		return ret;
	ret = vpci_build_own_regs(build, desc);
	if (ret)
		return ret;
	ret = vpci_caps_place(build, false);
	if (ret)
		return ret;
	return vpci_caps_compile(build);
}

static bool vpci_dword_changes(const struct vpci_build_dword *dword)
{
	return dword->wmask | dword->w1c | dword->device | dword->rsvdp |
	       dword->trigger;
}

static void vpci_layout_count(const struct vpci_build *build, u16 *slots,
			      u16 *values)
{
	unsigned int i;

	*slots = 0;
	*values = 1;
	for (i = 0; i < build->desc->config_size / 4; i++) {
		if (vpci_dword_changes(&build->dwords[i])) {
			++*slots;
			++*values;
		} else if (build->dwords[i].reset) {
			++*values;
		}
	}
}

/**
 * vpci_layout_size - how much memory the layout needs
 * @build: after a successful vpci_layout_compile()
 *
 * Return: bytes.
 */
size_t vpci_layout_size(const struct vpci_build *build)
{
	u16 slots, values;

	vpci_layout_count(build, &slots, &values);
	return sizeof(struct vpci_layout) +
	       build->desc->config_size / 4 * sizeof(u16) +
	       slots * sizeof(struct vpci_slot) + values * sizeof(u32);
}

/* FNV-1a over the bytes of a value */
static u64 vpci_hash(u64 hash, u32 value)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		hash = (hash ^ (u8)(value >> (8 * i))) * 0x100000001b3ULL;
	return hash;
}

static u64 vpci_layout_fingerprint(const struct vpci_build *build)
{
	u64 hash = 0xcbf29ce484222325ULL;
	unsigned int i;

	for (i = 0; i < build->desc->config_size / 4; i++) {
		const struct vpci_build_dword *dword = &build->dwords[i];

		hash = vpci_hash(hash, dword->reset);
		hash = vpci_hash(hash, dword->wmask);
		hash = vpci_hash(hash, dword->w1c);
		hash = vpci_hash(hash, dword->device);
		hash = vpci_hash(hash, dword->rsvdp);
		hash = vpci_hash(hash, dword->trigger);
	}
	return hash;
}

static struct vpci_slot vpci_dword_slot(const struct vpci_build_dword *dword)
{
	return (struct vpci_slot) {
		.wmask = dword->wmask,
		.w1c = dword->w1c,
		.device = dword->device | dword->rsvdp,
		.trigger = dword->trigger,
		.readable = ~dword->rsvdp,
		.sticky = dword->sticky,
		.saved = dword->saved ? dword->wmask : 0,
		.adjust = dword->adjust,
		.hook = dword->hook,
	};
}

/**
 * vpci_layout_emit - make the layout
 * @build: after a successful vpci_layout_compile()
 * @layout: vpci_layout_size() bytes; its contents before do not matter
 */
void vpci_layout_emit(const struct vpci_build *build,
		      struct vpci_layout *layout)
{
	unsigned int nr_dwords = build->desc->config_size / 4;
	u16 slot = 0, value, i;
	struct vpci_slot *slots;
	u32 *reset;

	static_assert(sizeof(struct vpci_layout) % sizeof(void *) == 0);

	layout->size = build->desc->config_size;
	layout->ops = build->ops;
	layout->fingerprint = vpci_layout_fingerprint(build);
	memcpy(layout->caps, build->caps, sizeof(layout->caps));
	memcpy(layout->rebar, build->rebar, sizeof(layout->rebar));
	vpci_layout_count(build, &layout->nr_slots, &layout->nr_values);

	slots = (struct vpci_slot *)(layout->map + nr_dwords);
	reset = (u32 *)(slots + layout->nr_slots);
	layout->slots = slots;
	layout->reset = reset;

	value = layout->nr_slots;
	reset[value++] = 0;
	for (i = 0; i < nr_dwords; i++) {
		const struct vpci_build_dword *dword = &build->dwords[i];

		if (vpci_dword_changes(dword)) {
			slots[slot] = vpci_dword_slot(dword);
			reset[slot] = dword->reset;
			layout->map[i] = slot++;
		} else if (dword->reset) {
			reset[value] = dword->reset;
			layout->map[i] = value++;
		} else {
			layout->map[i] = layout->nr_slots;
		}
	}
}
