// SPDX-License-Identifier: GPL-2.0-only
/* From a description to a model; nothing if the description is wrong */
#include "model.h"

enum { OWNER_HEADER = 1, OWNER_CAP, OWNER_REG };

static bool take(struct model *m, unsigned int offset, unsigned int len, u8 who)
{
	unsigned int i;

	for (i = offset; i < offset + len; i++) {
		if (i >= m->size || m->owner[i])
			return false;
	}
	memset(m->owner + offset, who, len);
	return true;
}

static void fill(u8 *bytes, unsigned int width, u64 value)
{
	while (width--) {
		*bytes++ |= value;
		value >>= 8;
	}
}

/* A field with a reset value and writable bits */
static void field(struct model *m, unsigned int offset, unsigned int width,
		  u64 reset, u64 w)
{
	fill(m->reset + offset, width, reset);
	fill(m->w + offset, width, w);
}

static bool one_bit(u64 n)
{
	return __builtin_popcountll(n) == 1;
}

static bool make_bar(struct model *m, const struct vpci_desc *desc,
		     unsigned int i)
{
	const struct vpci_bar_desc *bar = &desc->bars[i];
	unsigned int at = 0x10 + 4 * i;

	if (!bar->size)
		return !bar->mapped;
	if (!one_bit(bar->size))
		return false;
	if (bar->is_io) {
		field(m, at, 4, 1, 0x100000000 - bar->size);
		m->w[4] |= 1;
		return bar->size >= 4 && bar->size <= 256 && !bar->is_64bit &&
		       !bar->prefetchable && !bar->mapped;
	}
	m->w[4] |= 2;
	m->is_64bit[i] = bar->is_64bit;
	if (bar->is_64bit && (i == 5 || desc->bars[i + 1].size))
		return false;
	field(m, at, bar->is_64bit ? 8 : 4,
	      bar->is_64bit * 4 + bar->prefetchable * 8, -bar->size);
	return bar->size >= 16 && (bar->is_64bit || bar->size < 0x100000000);
}

static bool make_header(struct model *m, const struct vpci_desc *desc)
{
	unsigned int i;

	take(m, 0, 64, OWNER_HEADER);
	field(m, 0, 2, desc->vendor, 0);
	field(m, 2, 2, desc->device, 0);
	field(m, 4, 2, 0, desc->command | 4 | (desc->interrupt_pin ? 0x400 : 0) |
			  (desc->rom_size ? 2 : 0));
	m->c[7] = 0xf9;
	m->device[6] = desc->interrupt_pin ? 8 : 0;
	field(m, 8, 1, desc->revision, 0);
	field(m, 9, 3, desc->class, 0);
	field(m, 12, 1, 0, 0xff);
	for (i = 0; i < 6; i++) {
		if (!make_bar(m, desc, i))
			return false;
	}
	field(m, 0x2c, 2, desc->subsystem_vendor, 0);
	field(m, 0x2e, 2, desc->subsystem, 0);
	if (desc->rom_size)
		field(m, 0x30, 4, 0, -(u64)desc->rom_size | 1);
	field(m, 0x3c, 1, 0, 0xff);
	field(m, 0x3d, 1, desc->interrupt_pin, 0);
	return desc->vendor != 0xffff && desc->class < 0x1000000 &&
	       desc->interrupt_pin <= 4 && !(desc->command & ~0x547) &&
	       (!desc->rom_size ||
		(one_bit(desc->rom_size) && desc->rom_size >= 2048 &&
		 desc->rom_size <= 0x1000000));
}

/* A register of the description; @at is where its offset counts from */
static bool make_reg(struct model *m, const struct vpci_reg_desc *reg,
		     unsigned int at, unsigned int end)
{
	u64 masks[] = { reg->wmask, reg->w1c, reg->device, reg->rsvdp,
			reg->rsvdz, reg->trigger };
	u64 all = 0, sum = 0, limit = 1ULL << 8 * (reg->width % 8);
	unsigned int offset = at + reg->offset, i;

	if (reg->width != 1 && reg->width != 2 && reg->width != 4)
		return false;
	if (reg->offset % reg->width || offset + reg->width > end)
		return false;
	for (i = 0; i < 6; i++) {
		all |= masks[i];
		sum += masks[i];
	}
	/* No carry exactly if they are disjoint */
	if (all != sum || all >= limit || reg->reset >= limit ||
	    reg->sticky >= limit)
		return false;
	if (reg->reset & (reg->rsvdz | reg->trigger) ||
	    reg->sticky & ~(reg->wmask | reg->w1c | reg->device))
		return false;
	if (reg->hook) {
		if (!(reg->wmask | reg->w1c | reg->trigger) ||
		    m->hooked[offset / 4])
			return false;
		m->hooked[offset / 4] = true;
	}
	field(m, offset, reg->width, reg->reset, reg->wmask);
	fill(m->c + offset, reg->width, reg->w1c);
	fill(m->device + offset, reg->width, reg->device | reg->rsvdp);
	fill(m->hidden + offset, reg->width, reg->rsvdp);
	fill(m->trigger + offset, reg->width, reg->trigger);
	fill(m->sticky + offset, reg->width, reg->sticky);
	return true;
}

static unsigned int cap_length(const struct vpci_cap_desc *cap)
{
	unsigned int i, n = 0;

	switch (cap->type) {
	case VPCI_CAP_PM:
		return 8;
	case VPCI_CAP_MSI:
		return (cap->msi.is_64bit ? 14 : 10) +
		       (cap->msi.maskable ? 10 : 0);
	case VPCI_CAP_MSIX:
	case VPCI_EXT_CAP_DSN:
		return 12;
	case VPCI_CAP_EXP:
		return 60;
	case VPCI_EXT_CAP_AER:
		return 44;
	case VPCI_EXT_CAP_REBAR:
		for (i = 0; i < 6; i++)
			n += cap->rebar.sizes[i] != 0;
		return 4 + 8 * n;
	default:
		return cap->vendor.length;
	}
}

static bool is_extended(const struct vpci_cap_desc *cap)
{
	return cap->type >= VPCI_EXT_CAP_AER;
}

static bool in_bar(const struct vpci_desc *desc, unsigned int bar, u64 offset,
		   u64 len)
{
	return bar < 6 && !desc->bars[bar].is_io && offset % 8 == 0 &&
	       offset + len <= desc->bars[bar].size;
}

static bool cap_valid(const struct vpci_desc *desc,
		      const struct vpci_cap_desc *cap)
{
	u64 table = cap->msix.table_offset, pba = cap->msix.pba_offset;
	u64 table_len = 16 * cap->msix.vectors;
	u64 pba_len = (cap->msix.vectors + 63) / 64 * 8;
	unsigned int i;

	switch (cap->type) {
	case VPCI_CAP_MSI:
		return one_bit(cap->msi.vectors) && cap->msi.vectors <= 32;
	case VPCI_CAP_MSIX:
		return cap->msix.vectors && cap->msix.vectors <= 2048 &&
		       in_bar(desc, cap->msix.table_bar, table, table_len) &&
		       in_bar(desc, cap->msix.pba_bar, pba, pba_len) &&
		       (cap->msix.table_bar != cap->msix.pba_bar ||
			table + table_len <= pba || pba + pba_len <= table);
	case VPCI_CAP_VENDOR:
		return cap->vendor.length >= 3;
	case VPCI_EXT_CAP_VENDOR:
		return cap->vendor.length >= 8 && cap->vendor.revision < 16;
	case VPCI_EXT_CAP_REBAR:
		for (i = 0; i < 6; i++) {
			u64 sizes = cap->rebar.sizes[i];

			if (sizes && (sizes >= 1 << 28 ||
				      desc->bars[i].size <= sizes << 19 ||
				      desc->bars[i].size > sizes << 20))
				return false;
		}
		return cap_length(cap) > 4;
	default:
		return true;
	}
}

static bool place_caps(struct model *m, const struct vpci_desc *desc,
		       unsigned int *at, bool fixed)
{
	unsigned int i;

	for (i = 0; i < desc->nr_caps; i++) {
		const struct vpci_cap_desc *cap = &desc->caps[i];
		unsigned int first = is_extended(cap) ? 0x100 : 0x40;
		unsigned int end = is_extended(cap) ? m->size : 0x100;
		unsigned int len = cap_length(cap);

		if (!!cap->offset != fixed)
			continue;
		at[i] = cap->offset;
		if (fixed) {
			if (at[i] % 4 || at[i] < first || at[i] + len > end ||
			    !take(m, at[i], len, OWNER_CAP))
				return false;
			continue;
		}
		for (at[i] = first; at[i] + len <= end; at[i] += 4) {
			if (take(m, at[i], len, OWNER_CAP))
				break;
		}
		if (at[i] + len > end)
			return false;
	}
	return true;
}

static void make_msi(struct model *m, const struct vpci_cap_desc *cap,
		     unsigned int at)
{
	unsigned int log = __builtin_ctz(cap->msi.vectors);
	unsigned int data = at + (cap->msi.is_64bit ? 12 : 8);
	u64 vectors = (1ULL << cap->msi.vectors) - 1;

	m->msi = at;
	field(m, at + 2, 2, log << 1 | cap->msi.is_64bit << 7 |
	      cap->msi.maskable << 8, 0x71);
	field(m, at + 4, 4, 0, 0xfffffffc);
	if (cap->msi.is_64bit)
		field(m, at + 8, 4, 0, 0xffffffff);
	field(m, data, 2, 0, 0xffff);
	if (cap->msi.maskable) {
		field(m, data + 4, 4, 0, vectors);
		fill(m->device + data + 8, 4, vectors);
	}
}

static void make_exp(struct model *m, const struct vpci_cap_desc *cap,
		     unsigned int at)
{
	m->exp = at;
	m->flr = cap->exp.flr;
	field(m, at + 2, 2, 0x0002, 0);
	field(m, at + 4, 4, 0x8000 | cap->exp.flr << 28, 0);
	field(m, at + 8, 2, 0x2810, 0x781f);
	m->trigger[at + 9] = cap->exp.flr ? 0x80 : 0;
	m->c[at + 10] = 0x0f;
	m->device[at + 10] = 0x20;
	field(m, at + 12, 4, 0x11, 0);
	field(m, at + 16, 2, 0, 0xc8);
	fill(m->sticky + at + 16, 2, 0xc8);
	field(m, at + 18, 2, 0x11, 0);
	field(m, at + 36, 4, 0x10, 0);
	field(m, at + 40, 2, 0, 0x10);
	field(m, at + 44, 4, 2, 0);
}

static void make_aer(struct model *m, unsigned int at)
{
	unsigned int i;

	fill(m->c + at + 4, 4, 0x0017f010);
	field(m, at + 8, 4, 0, 0x0017f010);
	field(m, at + 12, 4, 0x00062010, 0x0017f010);
	fill(m->c + at + 16, 4, 0x31c1);
	field(m, at + 20, 4, 0x2000, 0x31c1);
	for (i = 4; i < 24; i++)
		m->sticky[at + i] = m->c[at + i] | m->w[at + i];
}

static void make_rebar(struct model *m, const struct vpci_cap_desc *cap,
		       unsigned int at)
{
	unsigned int count = cap_length(cap) / 8, i;

	for (i = 0; i < 6; i++) {
		u32 sizes = cap->rebar.sizes[i];

		if (!sizes)
			continue;
		field(m, at + 4, 4, (u64)sizes << 4, 0);
		field(m, at + 8, 1, i | count << 5, 0);
		field(m, at + 9, 1, 31 - __builtin_clz(sizes), 0x3f);
		m->rebar[i] = at + 9;
		m->rebar_sizes[i] = sizes;
		/* The BAR itself, as if it had its smallest size */
		field(m, 0x10 + 4 * i, m->is_64bit[i] ? 8 : 4, 0,
		      -((u64)(sizes & -sizes) << 20));
		at += 8;
	}
}

static bool make_vendor_regs(struct model *m, const struct vpci_cap_desc *cap,
			     unsigned int at, unsigned int header)
{
	unsigned int i, end = at + cap->vendor.length;

	/* Inside a capability its bytes are given out once more */
	memset(m->owner + at, 0, cap->vendor.length);
	take(m, at, header, OWNER_CAP);
	for (i = 0; i < cap->vendor.nr_regs; i++) {
		const struct vpci_reg_desc *reg = &cap->vendor.regs[i];

		if (!make_reg(m, reg, at, end) ||
		    !take(m, at + reg->offset, reg->width, OWNER_REG))
			return false;
	}
	return true;
}

static bool make_cap(struct model *m, const struct vpci_cap_desc *cap,
		     unsigned int at)
{
	static const u8 ids[] = { 0x01, 0x05, 0x11, 0x10, 0x09 };
	static const u32 headers[] = { 0x20001, 0x10003, 0x1000b, 0x10015 };

	if (is_extended(cap))
		field(m, at, 4, headers[cap->type - VPCI_EXT_CAP_AER], 0);
	else
		field(m, at, 1, ids[cap->type], 0);

	switch (cap->type) {
	case VPCI_CAP_PM:
		m->pm = at;
		field(m, at + 2, 2, 3, 0);
		field(m, at + 4, 2, cap->pm.no_soft_reset ? 8 : 0, 3);
		break;
	case VPCI_CAP_MSI:
		make_msi(m, cap, at);
		break;
	case VPCI_CAP_MSIX:
		m->msix = at;
		field(m, at + 2, 2, cap->msix.vectors - 1, 0xc000);
		field(m, at + 4, 4, cap->msix.table_offset + cap->msix.table_bar, 0);
		field(m, at + 8, 4, cap->msix.pba_offset + cap->msix.pba_bar, 0);
		break;
	case VPCI_CAP_EXP:
		make_exp(m, cap, at);
		break;
	case VPCI_CAP_VENDOR:
		field(m, at + 2, 1, cap->vendor.length, 0);
		return make_vendor_regs(m, cap, at, 3);
	case VPCI_EXT_CAP_AER:
		make_aer(m, at);
		break;
	case VPCI_EXT_CAP_DSN:
		field(m, at + 4, 8, cap->dsn.serial, 0);
		fill(m->device + at + 4, 8, ~0ULL);
		fill(m->sticky + at + 4, 8, ~0ULL);
		break;
	case VPCI_EXT_CAP_VENDOR:
		field(m, at + 4, 4, cap->vendor.id + ((u64)cap->vendor.revision << 16) +
		      ((u64)cap->vendor.length << 20), 0);
		return make_vendor_regs(m, cap, at, 8);
	default:
		make_rebar(m, cap, at);
	}
	return true;
}

/* The two lists, each from its last member to the first */
static bool link_caps(struct model *m, const struct vpci_desc *desc,
		      const unsigned int *at)
{
	unsigned int next = 0, ext_next = 0, i;
	bool at_head = false;

	for (i = desc->nr_caps; i--;) {
		if (desc->caps[i].hidden)
			continue;
		if (!is_extended(&desc->caps[i])) {
			m->reset[at[i] + 1] = next;
			next = at[i];
		} else if (at[i] == 0x100) {
			at_head = true;
		} else {
			m->reset[at[i] + 2] |= ext_next << 4;
			m->reset[at[i] + 3] |= ext_next >> 4;
			ext_next = at[i];
		}
	}
	m->reset[0x34] = next;
	m->reset[6] = next ? 0x10 : 0;
	for (i = 0x100; ext_next && !at_head && i < 0x104; i++) {
		if (m->owner[i] == OWNER_REG)
			return false;
	}
	if (ext_next) {
		m->reset[0x102] |= ext_next << 4;
		m->reset[0x103] |= ext_next >> 4;
	}
	return true;
}

static bool caps_valid(const struct vpci_desc *desc)
{
	unsigned int i, k;

	for (i = 0; i < desc->nr_caps; i++) {
		const struct vpci_cap_desc *cap = &desc->caps[i];

		if ((unsigned int)cap->type >= VPCI_NR_CAP_TYPES ||
		    !cap_valid(desc, cap) ||
		    (is_extended(cap) && desc->config_size == 256))
			return false;
		for (k = 0; k < i; k++) {
			if (cap->type == desc->caps[k].type &&
			    cap->type != VPCI_CAP_VENDOR &&
			    cap->type != VPCI_EXT_CAP_VENDOR)
				return false;
		}
	}
	return desc->nr_caps <= 64;
}

bool model_make(struct model *m, const struct vpci_desc *desc)
{
	unsigned int at[64], i;

	memset(m, 0, sizeof(*m));
	m->size = desc->config_size;
	if ((m->size != 256 && m->size != 4096) || !make_header(m, desc) ||
	    !caps_valid(desc) || !place_caps(m, desc, at, true))
		return false;
	for (i = 0; i < desc->nr_regs; i++) {
		const struct vpci_reg_desc *reg = &desc->regs[i];

		if (!make_reg(m, reg, 0, m->size) ||
		    !take(m, reg->offset, reg->width, OWNER_REG))
			return false;
	}
	if (!place_caps(m, desc, at, false) || !link_caps(m, desc, at))
		return false;
	for (i = 0; i < desc->nr_caps; i++) {
		if (!desc->caps[i].hidden && !make_cap(m, &desc->caps[i], at[i]))
			return false;
	}
	memcpy(m->raw, m->reset, sizeof(m->raw));
	return true;
}
