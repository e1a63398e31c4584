// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: config space
 *
 * vpci_layout_compile() turns a description into a layout: for every dword its
 * reset value, and for a dword that can change a slot with its masks and hook.
 * All that can be wrong with a description is found there.
 *
 * An access of any offset and length is cut into dwords with byte enables. The
 * new value of a dword keeps the read-only bits, takes the writable ones from
 * the bytes that are enabled and clears the write-1-to-clear ones that are
 * enabled and written as 1; no other bit changes. It is stored, then the hook
 * is told the old and the new value.
 *
 * A dword that nobody described has no slot: it reads its image, zero.
 *
 * No service of the kernel is called here: the file is compiled as it is in
 * user space as well, for tests.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/pci_regs.h>
#include <linux/vpci_config.h>

#define VPCI_COMMAND_WMASK	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

/* STATUS bits 15:11 and 8 are write-1-to-clear, PCI 3.0 section 6.2.3 */
#define VPCI_STATUS_W1C		(PCI_STATUS_DETECTED_PARITY |	\
				 PCI_STATUS_SIG_SYSTEM_ERROR |	\
				 PCI_STATUS_REC_MASTER_ABORT |	\
				 PCI_STATUS_REC_TARGET_ABORT |	\
				 PCI_STATUS_SIG_TARGET_ABORT |	\
				 PCI_STATUS_PARITY)

/* A layout under construction */
struct vpci_compile {
	struct vpci_layout *layout;
	struct vpci_layout_error *err;
	/* Bytes that are described already, one bit each */
	u8 taken[VPCI_CONFIG_DWORDS * 4 / 8];
};

static int vpci_refuse(struct vpci_compile *c, const char *item,
		       unsigned int index, const char *reason)
{
	c->err->item = item;
	c->err->index = index;
	c->err->reason = reason;
	return -EINVAL;
}

static struct vpci_slot *vpci_compile_slot(struct vpci_compile *c,
					   unsigned int dword)
{
	struct vpci_layout *layout = c->layout;
	struct vpci_slot *slot;

	if (layout->map[dword])
		return &layout->slots[layout->map[dword] - 1];
	if (layout->nr_slots == VPCI_MAX_SLOTS)
		return NULL;

	slot = &layout->slots[layout->nr_slots++];
	slot->offset = dword * 4;
	layout->map[dword] = layout->nr_slots;
	return slot;
}

static u32 vpci_width_mask(unsigned int width)
{
	return width == 4 ? ~0U : (1U << (width * 8)) - 1;
}

static int vpci_compile_masks(struct vpci_compile *c,
			      const struct vpci_reg_desc *reg)
{
	u32 outside = ~vpci_width_mask(reg->width);

	if ((reg->reset | reg->wmask | reg->w1c) & outside)
		return vpci_refuse(c, reg->name, reg->offset,
				   "has a bit beyond its width");
	if (reg->wmask & reg->w1c)
		return vpci_refuse(c, reg->name, reg->offset,
				   "has a bit both writable and write-1-to-clear");
	return 0;
}

/* Enter one register whose place is checked */
static int vpci_compile_place(struct vpci_compile *c,
			      const struct vpci_reg_desc *reg)
{
	unsigned int shift = (reg->offset % 4) * 8;
	unsigned int dword = reg->offset / 4;
	struct vpci_slot *slot;

	c->layout->image[dword] |= reg->reset << shift;
	if (!(reg->wmask | reg->w1c))
		return reg->hook ? vpci_refuse(c, reg->name, reg->offset,
					       "has a hook but no bit that can be written") :
				   0;

	slot = vpci_compile_slot(c, dword);
	if (!slot)
		return vpci_refuse(c, reg->name, reg->offset,
				   "is one dword too many that can change");
	if (slot->hook && reg->hook)
		return vpci_refuse(c, reg->name, reg->offset,
				   "is the second hook of its dword");

	slot->wmask |= reg->wmask << shift;
	slot->w1c |= reg->w1c << shift;
	if (reg->hook)
		slot->hook = reg->hook;
	return 0;
}

static int vpci_compile_reg(struct vpci_compile *c,
			    const struct vpci_reg_desc *reg)
{
	u8 bytes;
	int ret;

	if (reg->width != 1 && reg->width != 2 && reg->width != 4)
		return vpci_refuse(c, reg->name, reg->offset,
				   "is not 1, 2 or 4 bytes wide");
	if (reg->offset % reg->width)
		return vpci_refuse(c, reg->name, reg->offset,
				   "is not aligned to its width");
	if (reg->offset + reg->width > c->layout->size)
		return vpci_refuse(c, reg->name, reg->offset,
				   "ends beyond the config space");

	ret = vpci_compile_masks(c, reg);
	if (ret)
		return ret;

	/* An aligned register never straddles an element of taken[] */
	bytes = ((1U << reg->width) - 1) << (reg->offset % 8);
	if (c->taken[reg->offset / 8] & bytes)
		return vpci_refuse(c, reg->name, reg->offset,
				   "overlaps another register");
	c->taken[reg->offset / 8] |= bytes;

	return vpci_compile_place(c, reg);
}

static int vpci_compile_regs(struct vpci_compile *c,
			     const struct vpci_reg_desc *regs, unsigned int nr)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = vpci_compile_reg(c, &regs[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int vpci_compile_header(struct vpci_compile *c,
			       const struct vpci_desc *desc,
			       vpci_reg_hook command)
{
	const struct vpci_reg_desc regs[] = {
		{ "vendor", PCI_VENDOR_ID, 2, desc->vendor },
		{ "device", PCI_DEVICE_ID, 2, desc->device },
		{ "COMMAND", PCI_COMMAND, 2, 0, VPCI_COMMAND_WMASK, 0, command },
		{ "STATUS", PCI_STATUS, 2, 0, 0, VPCI_STATUS_W1C },
		{ "class", PCI_CLASS_REVISION, 4,
		  desc->class << 8 | desc->revision },
		{ "cache line size", PCI_CACHE_LINE_SIZE, 1, 0, 0xff },
		{ "latency timer", PCI_LATENCY_TIMER, 1 },
		{ "header type", PCI_HEADER_TYPE, 1, PCI_HEADER_TYPE_NORMAL },
		{ "BIST", PCI_BIST, 1 },
		{ "CardBus CIS", PCI_CARDBUS_CIS, 4 },
		{ "subsystem vendor", PCI_SUBSYSTEM_VENDOR_ID, 2,
		  desc->subsystem_vendor },
		{ "subsystem", PCI_SUBSYSTEM_ID, 2, desc->subsystem },
		{ "expansion ROM", PCI_ROM_ADDRESS, 4 },
		{ "capability pointer", PCI_CAPABILITY_LIST, 4 },
		{ "reserved", 0x38, 4 },
		{ "interrupt line", PCI_INTERRUPT_LINE, 1, 0, 0xff },
		{ "interrupt pin", PCI_INTERRUPT_PIN, 1 },
		{ "MIN_GNT and MAX_LAT", PCI_MIN_GNT, 2 },
	};

	if (desc->class >> 24)
		return vpci_refuse(c, "class", 0, "has more than 24 bits");
	if (desc->vendor == 0xffff)
		return vpci_refuse(c, "vendor", 0,
				   "is 0xffff, which means an absent function");
	return vpci_compile_regs(c, regs, ARRAY_SIZE(regs));
}

static int vpci_check_bar(struct vpci_compile *c, const struct vpci_desc *desc,
			  unsigned int i)
{
	const struct vpci_bar_desc *bar = &desc->bars[i];

	if (!bar->size)
		return bar->mapped ? vpci_refuse(c, "BAR", i,
						 "is mapped but has no size") :
				     0;
	if (bar->size < 16 || !is_power_of_2(bar->size))
		return vpci_refuse(c, "BAR", i,
				   "has a size that is not a power of two from 16");
	if (!bar->is_64bit && bar->size > 0x80000000U)
		return vpci_refuse(c, "BAR", i,
				   "is larger than a 32-bit BAR can be");
	if (bar->is_64bit && i == VPCI_NUM_BARS - 1)
		return vpci_refuse(c, "BAR", i,
				   "is 64-bit but has no slot behind it");
	if (bar->is_64bit && desc->bars[i + 1].size)
		return vpci_refuse(c, "BAR", i + 1,
				   "is the upper half of the 64-bit BAR before it");
	return 0;
}

static int vpci_compile_bar(struct vpci_compile *c,
			    const struct vpci_desc *desc, unsigned int i)
{
	const struct vpci_bar_desc *bar = &desc->bars[i];
	u64 mask = bar->size ? ~(bar->size - 1) : 0;
	struct vpci_reg_desc low = {
		.name = "BAR",
		.offset = PCI_BASE_ADDRESS_0 + 4 * i,
		.width = 4,
		.wmask = (u32)mask,
	};
	struct vpci_reg_desc high = {
		.name = "upper half of BAR",
		.offset = low.offset + 4,
		.width = 4,
		.wmask = (u32)(mask >> 32),
	};
	int ret;

	ret = vpci_check_bar(c, desc, i);
	if (ret)
		return ret;

	if (bar->is_64bit)
		low.reset |= PCI_BASE_ADDRESS_MEM_TYPE_64;
	if (bar->prefetchable)
		low.reset |= PCI_BASE_ADDRESS_MEM_PREFETCH;
	if (!bar->size)
		low.reset = 0;

	ret = vpci_compile_reg(c, &low);
	if (ret || !bar->size || !bar->is_64bit)
		return ret;
	return vpci_compile_reg(c, &high);
}

static int vpci_compile_bars(struct vpci_compile *c,
			     const struct vpci_desc *desc)
{
	unsigned int i;
	int ret;

	for (i = 0; i < VPCI_NUM_BARS; i++) {
		ret = vpci_compile_bar(c, desc, i);
		if (ret)
			return ret;
		if (desc->bars[i].size && desc->bars[i].is_64bit)
			i++;
	}
	return 0;
}

/**
 * vpci_layout_compile - check a description and turn it into a layout
 * @layout: filled in; of no use after an error
 * @desc: the description
 * @command: hook of the dword that holds COMMAND and STATUS, or NULL
 * @err: says what is wrong with @desc after an error
 *
 * Return: 0, or -EINVAL.
 */
int vpci_layout_compile(struct vpci_layout *layout,
			const struct vpci_desc *desc, vpci_reg_hook command,
			struct vpci_layout_error *err)
{
	struct vpci_compile c = { .layout = layout, .err = err };
	unsigned int i;
	int ret;

	static_assert(VPCI_MAX_SLOTS <= (u8)~0);

	memset(layout, 0, sizeof(*layout));
	if (desc->config_size != PCI_CFG_SPACE_SIZE &&
	    desc->config_size != PCI_CFG_SPACE_EXP_SIZE)
		return vpci_refuse(&c, "config_size", desc->config_size,
				   "is neither 256 nor 4096");
	layout->size = desc->config_size;

	ret = vpci_compile_header(&c, desc, command);
	if (ret)
		return ret;
	ret = vpci_compile_bars(&c, desc);
	if (ret)
		return ret;

	for (i = 0; i < desc->nr_regs; i++) {
		if (desc->regs[i].offset < PCI_STD_HEADER_SIZEOF)
			return vpci_refuse(&c, desc->regs[i].name,
					   desc->regs[i].offset,
					   "lies in the header");
	}
	return vpci_compile_regs(&c, desc->regs, desc->nr_regs);
}

/**
 * vpci_config_reset - give every register its reset value
 * @cfg: the config space
 *
 * Hooks are not called: who resets a function takes care of all of it.
 */
void vpci_config_reset(struct vpci_config *cfg)
{
	const struct vpci_layout *layout = cfg->layout;
	unsigned int i;

	for (i = 0; i < layout->nr_slots; i++)
		WRITE_ONCE(cfg->dwords[i],
			   layout->image[layout->slots[i].offset / 4]);
}

/**
 * vpci_config_read_dword - the value of one dword
 * @cfg: the config space
 * @offset: a multiple of 4 inside it
 *
 * Return: the value, as the processor has it.
 */
u32 vpci_config_read_dword(const struct vpci_config *cfg, unsigned int offset)
{
	const struct vpci_layout *layout = cfg->layout;
	u8 slot = layout->map[offset / 4];

	return slot ? READ_ONCE(cfg->dwords[slot - 1]) :
		      layout->image[offset / 4];
}

/**
 * vpci_config_read - read any range of bytes
 * @cfg: the config space
 * @offset: of the first byte
 * @buf: receives the bytes as they are on the bus, little endian
 * @len: how many; @offset + @len must not exceed the size of the layout
 */
void vpci_config_read(const struct vpci_config *cfg, unsigned int offset,
		      u8 *buf, unsigned int len)
{
	while (len) {
		unsigned int first = offset % 4;
		unsigned int count = min(len, 4 - first);
		u32 value = vpci_config_read_dword(cfg, offset - first);
		unsigned int i;

		for (i = 0; i < count; i++)
			*buf++ = value >> (8 * (first + i));
		offset += count;
		len -= count;
	}
}

/* Bits of @value outside @enables are zero */
static void vpci_config_write_dword(struct vpci_config *cfg,
				    unsigned int offset, u32 value, u32 enables)
{
	u8 nr = cfg->layout->map[offset / 4];
	const struct vpci_slot *slot;
	u32 old, new;

	if (!nr)
		return;
	slot = &cfg->layout->slots[nr - 1];

	old = cfg->dwords[nr - 1];
	new = old & ~(slot->wmask & enables);
	new |= value & slot->wmask;
	new &= ~(value & slot->w1c);
	WRITE_ONCE(cfg->dwords[nr - 1], new);

	if (slot->hook)
		slot->hook(cfg, offset, old, new, enables);
}

/**
 * vpci_config_write - write any range of bytes
 * @cfg: the config space; the caller excludes other writers
 * @offset: of the first byte
 * @buf: the bytes as they are on the bus, little endian
 * @len: how many; @offset + @len must not exceed the size of the layout
 *
 * Calls the hook of each dword that has one, in ascending order.
 */
void vpci_config_write(struct vpci_config *cfg, unsigned int offset,
		       const u8 *buf, unsigned int len)
{
	while (len) {
		unsigned int first = offset % 4;
		unsigned int count = min(len, 4 - first);
		u32 value = 0, enables = 0;
		unsigned int i;

		for (i = 0; i < count; i++) {
			value |= (u32)*buf++ << (8 * (first + i));
			enables |= 0xffU << (8 * (first + i));
		}
		vpci_config_write_dword(cfg, offset - first, value, enables);
		offset += count;
		len -= count;
	}
}
