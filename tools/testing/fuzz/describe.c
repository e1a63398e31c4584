// SPDX-License-Identifier: GPL-2.0-only
#include "describe.h"

u8 take_u8(struct bytes *in)
{
	if (!in->len)
		return 0;
	in->len--;
	return *in->data++;
}

u32 take_u32(struct bytes *in)
{
	u32 value = take_u8(in);

	value |= take_u8(in) << 8;
	value |= take_u8(in) << 16;
	return value | (u32)take_u8(in) << 24;
}

/* One time in 32 */
static bool odd(struct bytes *in)
{
	return take_u8(in) % 32 == 31;
}

static void describe_bars(struct vpci_desc *desc, struct bytes *in)
{
	unsigned int i;

	for (i = 0; i < VPCI_NUM_BARS; i++) {
		struct vpci_bar_desc *bar = &desc->bars[i];
		u8 kind = take_u8(in);

		if (!(kind & 3))
			continue;
		if ((kind & 3) == 1) {
			bar->is_io = true;
			bar->size = 4 << (kind >> 2) % 7;
		} else {
			bar->is_64bit = kind & 1 && i < 5;
			bar->size = 1ULL << (4 + take_u8(in) %
					     (bar->is_64bit ? 60 : 28));
			bar->prefetchable = kind & 4;
			bar->mapped = kind & 8;
		}
		if (odd(in)) {
			bar->size += take_u32(in);
			bar->mapped = true;
			bar->is_64bit = kind & 4;
		} else if (bar->is_64bit) {
			i++;
		}
	}
}

/* Of 4 bytes there are as many masks as will be disjoint */
static void describe_masks(struct vpci_reg_desc *reg, struct bytes *in)
{
	u32 all = reg->width >= 4 ? ~0U : (1U << 8 * reg->width) - 1;
	u32 *masks[] = { &reg->wmask, &reg->w1c, &reg->device, &reg->rsvdp,
			 &reg->rsvdz, &reg->trigger };
	u32 left = odd(in) ? ~0U : all;
	u8 which = take_u8(in);
	unsigned int i;

	reg->reset = take_u32(in) & left;
	for (i = 0; i < 6; i++) {
		if (!(which >> i & 1))
			continue;
		*masks[i] = take_u32(in) & left;
		if (!(which & 0x80))
			left &= ~*masks[i];
	}
	reg->sticky = (reg->wmask | reg->w1c | reg->device) & take_u8(in);
	if (!(which & 0x40))
		reg->reset &= ~(reg->rsvdz | reg->trigger);
}

static void describe_regs(struct vpci_reg_desc *regs, unsigned int nr,
			  unsigned int first, unsigned int size,
			  struct bytes *in, vpci_reg_hook hook)
{
	unsigned int at = first, i;

	for (i = 0; i < nr; i++) {
		struct vpci_reg_desc *reg = &regs[i];
		u8 place = take_u8(in);

		reg->name = "random";
		reg->width = odd(in) ? take_u8(in) % 6 : 1 << place % 3;
		if (odd(in))
			reg->offset = take_u32(in);
		else
			reg->offset = (at + reg->width * (place >> 4)) &
				      -(u32)reg->width;
		if (reg->offset >= size)
			reg->offset = size - 4 * (nr - i);
		at = reg->offset + reg->width;
		describe_masks(reg, in);
		if (place & 4 && (reg->wmask | reg->w1c | reg->trigger))
			reg->hook = hook;
	}
}

static void describe_msix(struct vpci_msix_desc *msix, struct bytes *in)
{
	msix->vectors = take_u8(in) + 1;
	msix->table_bar = take_u8(in) % 6;
	msix->pba_bar = take_u8(in) % 6;
	msix->table_offset = take_u8(in) * 8;
	msix->pba_offset = take_u8(in) * 128;
	if (odd(in)) {
		msix->vectors = take_u32(in);
		msix->table_bar = take_u8(in);
		msix->table_offset = take_u32(in);
		msix->pba_offset = take_u32(in);
	}
}

static void describe_rebar(struct vpci_rebar_desc *rebar,
			   const struct vpci_desc *desc, struct bytes *in)
{
	unsigned int bar;

	for (bar = 0; bar < VPCI_NUM_BARS; bar++) {
		u64 size = desc->bars[bar].size >> 20;

		if (!size || size >= 1 << 28 || take_u8(in) % 4 == 0)
			continue;
		rebar->sizes[bar] = size | (take_u32(in) & (size - 1));
		if (odd(in))
			rebar->sizes[bar] = take_u32(in);
	}
}

static void describe_vendor(struct described *d, struct vpci_cap_desc *cap,
			    unsigned int *used, struct bytes *in,
			    vpci_reg_hook hook)
{
	struct vpci_vendor_desc *vendor = &cap->vendor;
	unsigned int header = cap->type == VPCI_CAP_VENDOR ? 3 : 8;

	vendor->length = header + take_u8(in) % 48;
	vendor->id = take_u8(in);
	vendor->revision = take_u8(in) % 17;
	if (*used || !(vendor->length > 24 || odd(in)))
		return;
	*used = 1;
	vendor->regs = d->vendor_regs;
	vendor->nr_regs = take_u8(in) % 4;
	describe_regs(d->vendor_regs, vendor->nr_regs, header, vendor->length,
		      in, hook);
}

static void describe_cap(struct described *d, unsigned int i,
			 unsigned int *vendor_regs, struct bytes *in,
			 vpci_reg_hook hook)
{
	struct vpci_cap_desc *cap = &d->caps[i];
	u8 how = take_u8(in);

	/* Each type comes once if nobody disturbs */
	cap->type = odd(in) ? take_u8(in) % 10 : i;
	cap->hidden = how % 8 == 1;
	if (how % 4 == 2)
		cap->offset = take_u8(in) * (cap->type < VPCI_EXT_CAP_AER ? 1 : 16) & ~3;
	if (how == 255)
		cap->offset = take_u32(in);

	switch (cap->type) {
	case VPCI_CAP_PM:
		cap->pm.no_soft_reset = how & 0x80;
		break;
	case VPCI_CAP_MSI:
		cap->msi.vectors = how == 254 ? take_u8(in) : 1 << (how >> 4) % 6;
		cap->msi.is_64bit = how & 1;
		cap->msi.maskable = how & 0x80;
		break;
	case VPCI_CAP_MSIX:
		describe_msix(&cap->msix, in);
		break;
	case VPCI_CAP_EXP:
		cap->exp.flr = how & 0x80;
		break;
	case VPCI_CAP_VENDOR:
	case VPCI_EXT_CAP_VENDOR:
		describe_vendor(d, cap, vendor_regs, in, hook);
		break;
	case VPCI_EXT_CAP_DSN:
		cap->dsn.serial = take_u32(in) * 0x100000001ULL;
		break;
	case VPCI_EXT_CAP_REBAR:
		describe_rebar(&cap->rebar, &d->desc, in);
		break;
	default:
		break;
	}
}

/* Take out those capabilities whose bit is not set, and keep the order */
static unsigned int select_caps(struct described *d, unsigned int nr, u16 which)
{
	unsigned int i, kept = 0;

	for (i = 0; i < nr; i++) {
		if (which >> i & 1)
			d->caps[kept++] = d->caps[i];
	}
	return kept;
}

void describe(struct described *d, struct bytes *in, vpci_reg_hook hook)
{
	struct vpci_desc *desc = &d->desc;
	unsigned int nr, i, vendor_regs = 0;
	u8 how = take_u8(in);

	memset(d, 0, sizeof(*d));
	desc->name = "random";
	desc->vendor = take_u32(in);
	desc->device = take_u32(in);
	desc->subsystem = take_u32(in);
	desc->class = take_u32(in) & (odd(in) ? ~0U : 0xffffff);
	desc->interrupt_pin = take_u8(in) % (odd(in) ? 8 : 5);
	desc->command = take_u32(in) & (odd(in) ? 0xffff : 0x547);
	desc->config_size = how & 1 ? 256 : 4096;
	if (how & 2)
		desc->rom_size = 2048 << take_u8(in) % 15;
	if (how == 0xf0)
		desc->config_size = take_u32(in);
	describe_bars(desc, in);

	nr = how & 1 ? VPCI_EXT_CAP_AER : VPCI_NR_CAP_TYPES;
	for (i = 0; i < nr; i++)
		describe_cap(d, i, &vendor_regs, in, hook);
	desc->caps = d->caps;
	desc->nr_caps = select_caps(d, nr, take_u32(in));
	desc->regs = d->regs;
	desc->nr_regs = take_u8(in) % 12;
	describe_regs(d->regs, desc->nr_regs, 0xc0, desc->config_size, in, hook);
}
