// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: capabilities
 *
 * Each type of capability is a row of vpci_cap_kinds[]: how long it is, what can
 * be wrong with its description, and which registers it has. What these do
 * follows below the rows, then the questions that the rest of the function asks.
 *
 * A capability claims its bytes whether it is hidden or not. A hidden one has no
 * registers and is in no list, so that its bytes are those of a place that
 * nobody described.
 *
 * The list of extended capabilities begins at 0x100. If no visible capability
 * is there, the header there has the ID 0 and leads to the first one.
 *
 * No service of the kernel is called here: the file is compiled as it is in
 * user space as well, for tests.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/pci_regs.h>

#include "vpci_layout.h"

/* Errors that an endpoint without optional features can have */
#define VPCI_AER_UNCOR	(PCI_ERR_UNC_DLP | PCI_ERR_UNC_POISON_TLP |	\
			 PCI_ERR_UNC_FCP | PCI_ERR_UNC_COMP_TIME |	\
			 PCI_ERR_UNC_COMP_ABORT | PCI_ERR_UNC_UNX_COMP |	\
			 PCI_ERR_UNC_RX_OVER | PCI_ERR_UNC_MALF_TLP |	\
			 PCI_ERR_UNC_UNSUP)
#define VPCI_AER_FATAL	(PCI_ERR_UNC_DLP | PCI_ERR_UNC_FCP |		\
			 PCI_ERR_UNC_RX_OVER | PCI_ERR_UNC_MALF_TLP)
#define VPCI_AER_COR	(PCI_ERR_COR_RCVR | PCI_ERR_COR_BAD_TLP |	\
			 PCI_ERR_COR_BAD_DLLP | PCI_ERR_COR_REP_ROLL |	\
			 PCI_ERR_COR_REP_TIMER | PCI_ERR_COR_ADV_NFAT)

/* Of the link, which no reset of a function takes down (PCIe 6.0 section 6.6.2) */
#define VPCI_EXP_LNKCTL	(PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC |	\
			 PCI_EXP_LNKCTL_ES)

#define VPCI_AER_LENGTH		0x2c	/* as far as the header log */
#define VPCI_EXP_LENGTH		0x3c	/* version 2 */
#define VPCI_PM_D0		0
#define VPCI_PM_D3HOT		3

struct vpci_cap_kind {
	const char *name;
	u16 id;
	u8 version;	/* of an extended one, else 0 */
	bool many;	/* a function can have more than one */
	bool saved;	/* pci_save_state() knows what a guest writes there */
	unsigned int (*length)(const struct vpci_cap_desc *cap);
	const char *(*check)(const struct vpci_desc *desc,
			     const struct vpci_cap_desc *cap);
	int (*build)(struct vpci_build *build, const struct vpci_cap_desc *cap,
		     unsigned int at);
};

/* Power management */

static unsigned int vpci_pm_length(const struct vpci_cap_desc *cap)
{
	return PCI_PM_SIZEOF;
}

/* D1 and D2 are not supported: a write of them leaves the state alone */
static u32 vpci_pm_adjust(const struct vpci_config *cfg, unsigned int offset,
			  u32 old, u32 new)
{
	u32 state = new & PCI_PM_CTRL_STATE_MASK;

	if (state == VPCI_PM_D0 || state == VPCI_PM_D3HOT)
		return new;

	new &= ~PCI_PM_CTRL_STATE_MASK;
	if ((old & PCI_PM_CTRL_STATE_MASK) == VPCI_PM_D3HOT)
		new |= VPCI_PM_D3HOT;
	return new;
}

static void vpci_pm_written(struct vpci_config *cfg, unsigned int offset,
			    u32 old, u32 new, u32 enables)
{
	const struct vpci_config_ops *ops = cfg->layout->ops;

	if (!((old ^ new) & PCI_PM_CTRL_STATE_MASK))
		return;
	if ((new & PCI_PM_CTRL_STATE_MASK) == VPCI_PM_D0 &&
	    !(new & PCI_PM_CTRL_NO_SOFT_RESET))
		ops->reset(cfg);
	else
		ops->decode(cfg);
	if (ops->interrupt)
		ops->interrupt(cfg);
}

/* No PME is ever delivered, so none is offered */
static int vpci_pm_build(struct vpci_build *build,
			 const struct vpci_cap_desc *cap, unsigned int at)
{
	const struct vpci_reg_desc regs[] = {
		{ "PMC", PCI_PM_PMC, 2, 3 /* version 1.2 */ },
		{ "PMCSR", PCI_PM_CTRL, 2,
		  cap->pm.no_soft_reset ? PCI_PM_CTRL_NO_SOFT_RESET : 0,
		  .wmask = PCI_PM_CTRL_STATE_MASK,
		  .adjust = vpci_pm_adjust, .hook = vpci_pm_written },
	};

	return vpci_build_regs(build, at, at + PCI_PM_SIZEOF, regs,
			       ARRAY_SIZE(regs));
}

/* PCI Express */

static unsigned int vpci_exp_length(const struct vpci_cap_desc *cap)
{
	return VPCI_EXP_LENGTH;
}

static void vpci_exp_written(struct vpci_config *cfg, unsigned int offset,
			     u32 old, u32 new, u32 enables)
{
	if (new & PCI_EXP_DEVCTL_BCR_FLR)
		cfg->layout->ops->reset(cfg);
}

/* The link is one lane of the first generation; nothing passes over it */
static int vpci_exp_build(struct vpci_build *build,
			  const struct vpci_cap_desc *cap, unsigned int at)
{
	bool flr = cap->exp.flr;
	const struct vpci_reg_desc regs[] = {
		{ "PCIe capabilities", PCI_EXP_FLAGS, 2,
		  2 | PCI_EXP_TYPE_ENDPOINT << 4 },
		{ "DEVCAP", PCI_EXP_DEVCAP, 4,
		  PCI_EXP_DEVCAP_RBER | (flr ? PCI_EXP_DEVCAP_FLR : 0) },
		{ "DEVCTL", PCI_EXP_DEVCTL, 2,
		  PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
		  PCI_EXP_DEVCTL_READRQ_512B,
		  .wmask = PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE |
			   PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE |
			   PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
			   PCI_EXP_DEVCTL_READRQ,
		  .trigger = flr ? PCI_EXP_DEVCTL_BCR_FLR : 0,
		  .hook = flr ? vpci_exp_written : NULL },
		{ "DEVSTA", PCI_EXP_DEVSTA, 2,
		  .w1c = PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
			 PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD,
		  .device = PCI_EXP_DEVSTA_TRPND },
		{ "LNKCAP", PCI_EXP_LNKCAP, 4,
		  PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4 },
		{ "LNKCTL", PCI_EXP_LNKCTL, 2,
		  .wmask = VPCI_EXP_LNKCTL, .sticky = VPCI_EXP_LNKCTL },
		{ "LNKSTA", PCI_EXP_LNKSTA, 2,
		  PCI_EXP_LNKSTA_CLS_2_5GB | PCI_EXP_LNKSTA_NLW_X1 },
		{ "DEVCAP2", PCI_EXP_DEVCAP2, 4,
		  PCI_EXP_DEVCAP2_COMP_TMOUT_DIS },
		{ "DEVCTL2", PCI_EXP_DEVCTL2, 2,
		  .wmask = PCI_EXP_DEVCTL2_COMP_TMOUT_DIS },
		{ "LNKCAP2", PCI_EXP_LNKCAP2, 4, PCI_EXP_LNKCAP2_SLS_2_5GB },
	};

	return vpci_build_regs(build, at, at + VPCI_EXP_LENGTH, regs,
			       ARRAY_SIZE(regs));
}

/* Vendor-specific */

static unsigned int vpci_vendor_length(const struct vpci_cap_desc *cap)
{
	return cap->vendor.length;
}

static const char *vpci_vendor_check(const struct vpci_desc *desc,
				     const struct vpci_cap_desc *cap)
{
	return cap->vendor.length < 3 ? "is shorter than its header" : NULL;
}

static int vpci_vendor_build(struct vpci_build *build,
			     const struct vpci_cap_desc *cap, unsigned int at)
{
	const struct vpci_vendor_desc *vendor = &cap->vendor;
	const struct vpci_reg_desc length = { "length", 2, 1, vendor->length };
	unsigned int end = at + vendor->length;
	int ret;

	ret = vpci_build_regs(build, at, end, &length, 1);
	if (ret)
		return ret;
	return vpci_build_regs(build, at, end, vendor->regs, vendor->nr_regs);
}

static const char *vpci_ext_vendor_check(const struct vpci_desc *desc,
					 const struct vpci_cap_desc *cap)
{
	if (cap->vendor.length < 8)
		return "is shorter than its header";
	if (cap->vendor.revision > 15)
		return "has a revision of more than 4 bits";
	return NULL;
}

static int vpci_ext_vendor_build(struct vpci_build *build,
				 const struct vpci_cap_desc *cap,
				 unsigned int at)
{
	const struct vpci_vendor_desc *vendor = &cap->vendor;
	const struct vpci_reg_desc header = {
		"header", PCI_VNDR_HEADER, 4,
		vendor->id | vendor->revision << 16 |
		(u32)vendor->length << 20
	};
	unsigned int end = at + vendor->length;
	int ret;

	ret = vpci_build_regs(build, at, end, &header, 1);
	if (ret)
		return ret;
	return vpci_build_regs(build, at, end, vendor->regs, vendor->nr_regs);
}

/* Advanced error reporting: why a function was reset is to be read after the reset */

static unsigned int vpci_aer_length(const struct vpci_cap_desc *cap)
{
	return VPCI_AER_LENGTH;
}

static int vpci_aer_build(struct vpci_build *build,
			  const struct vpci_cap_desc *cap, unsigned int at)
{
	static const struct vpci_reg_desc regs[] = {
		{ "uncorrectable error status", PCI_ERR_UNCOR_STATUS, 4,
		  .w1c = VPCI_AER_UNCOR, .sticky = VPCI_AER_UNCOR },
		{ "uncorrectable error mask", PCI_ERR_UNCOR_MASK, 4,
		  .wmask = VPCI_AER_UNCOR, .sticky = VPCI_AER_UNCOR },
		{ "uncorrectable error severity", PCI_ERR_UNCOR_SEVER, 4,
		  VPCI_AER_FATAL, .wmask = VPCI_AER_UNCOR,
		  .sticky = VPCI_AER_UNCOR },
		{ "correctable error status", PCI_ERR_COR_STATUS, 4,
		  .w1c = VPCI_AER_COR, .sticky = VPCI_AER_COR },
		{ "correctable error mask", PCI_ERR_COR_MASK, 4,
		  PCI_ERR_COR_ADV_NFAT, .wmask = VPCI_AER_COR,
		  .sticky = VPCI_AER_COR },
	};

	return vpci_build_regs(build, at, at + VPCI_AER_LENGTH, regs,
			       ARRAY_SIZE(regs));
}

/* Device serial number */

static unsigned int vpci_dsn_length(const struct vpci_cap_desc *cap)
{
	return PCI_EXT_CAP_DSN_SIZEOF;
}

static int vpci_dsn_build(struct vpci_build *build,
			  const struct vpci_cap_desc *cap, unsigned int at)
{
	const struct vpci_reg_desc regs[] = {
		{ "serial number", 4, 4, (u32)cap->dsn.serial,
		  .device = ~0U, .sticky = ~0U },
		{ "upper serial number", 8, 4, (u32)(cap->dsn.serial >> 32),
		  .device = ~0U, .sticky = ~0U },
	};

	return vpci_build_regs(build, at, at + PCI_EXT_CAP_DSN_SIZEOF, regs,
			       ARRAY_SIZE(regs));
}

/* All types */

static const struct vpci_cap_kind vpci_cap_kinds[VPCI_NR_CAP_TYPES] = {
	[VPCI_CAP_PM] = {
		.name = "PM capability", .id = PCI_CAP_ID_PM,
		.length = vpci_pm_length, .build = vpci_pm_build,
	},
	[VPCI_CAP_MSI] = {
		.name = "MSI capability", .id = PCI_CAP_ID_MSI,
		.saved = true,
		.length = vpci_msi_length, .check = vpci_msi_check,
		.build = vpci_msi_build,
	},
	[VPCI_CAP_MSIX] = {
		.name = "MSI-X capability", .id = PCI_CAP_ID_MSIX,
		.saved = true,
		.length = vpci_msix_length, .check = vpci_msix_check,
		.build = vpci_msix_build,
	},
	[VPCI_CAP_EXP] = {
		.name = "PCI Express capability", .id = PCI_CAP_ID_EXP,
		.saved = true,
		.length = vpci_exp_length, .build = vpci_exp_build,
	},
	[VPCI_CAP_VENDOR] = {
		.name = "vendor-specific capability", .id = PCI_CAP_ID_VNDR,
		.many = true,
		.length = vpci_vendor_length, .check = vpci_vendor_check,
		.build = vpci_vendor_build,
	},
	[VPCI_EXT_CAP_AER] = {
		.name = "AER capability", .id = PCI_EXT_CAP_ID_ERR,
		.version = 2, .saved = true,
		.length = vpci_aer_length, .build = vpci_aer_build,
	},
	[VPCI_EXT_CAP_DSN] = {
		.name = "serial number capability", .id = PCI_EXT_CAP_ID_DSN,
		.version = 1,
		.length = vpci_dsn_length, .build = vpci_dsn_build,
	},
	[VPCI_EXT_CAP_VENDOR] = {
		.name = "extended vendor-specific capability",
		.id = PCI_EXT_CAP_ID_VNDR, .version = 1, .many = true,
		.length = vpci_vendor_length, .check = vpci_ext_vendor_check,
		.build = vpci_ext_vendor_build,
	},
	[VPCI_EXT_CAP_REBAR] = {
		.name = "resizable BAR capability",
		.id = PCI_EXT_CAP_ID_REBAR, .version = 1, .saved = true,
		.length = vpci_rebar_length, .check = vpci_rebar_check,
		.build = vpci_rebar_build,
	},
};

/* Where its list is: the whole configuration space of PCI, or what PCIe added */
static unsigned int vpci_cap_first(const struct vpci_cap_kind *kind)
{
	return kind->version ? PCI_CFG_SPACE_SIZE : PCI_STD_HEADER_SIZEOF;
}

static unsigned int vpci_cap_end(const struct vpci_cap_kind *kind,
				 const struct vpci_desc *desc)
{
	return kind->version ? desc->config_size : PCI_CFG_SPACE_SIZE;
}

/* Returns what is wrong with it, or NULL */
static const char *vpci_cap_check(const struct vpci_desc *desc, unsigned int i)
{
	const struct vpci_cap_desc *cap = &desc->caps[i];
	const struct vpci_cap_kind *kind = &vpci_cap_kinds[cap->type];
	unsigned int other;

	if (kind->version && desc->config_size == PCI_CFG_SPACE_SIZE)
		return "is extended but the config space is not";
	for (other = 0; other < i && !kind->many; other++) {
		if (desc->caps[other].type == cap->type)
			return "is there already";
	}
	return kind->check ? kind->check(desc, cap) : NULL;
}

static const char *vpci_cap_check_place(const struct vpci_build *build,
					const struct vpci_cap_desc *cap)
{
	const struct vpci_cap_kind *kind = &vpci_cap_kinds[cap->type];

	if (cap->offset % 4)
		return "is not at a multiple of 4";
	if (cap->offset < vpci_cap_first(kind))
		return kind->version ? "is extended but not behind 0x100" :
				       "lies in the header";
	if (cap->offset + kind->length(cap) >
	    vpci_cap_end(kind, build->desc))
		return "ends beyond its part of config space";
	if (!vpci_build_is_free(build, cap->offset, kind->length(cap)))
		return "overlaps another capability";
	return NULL;
}

/* Returns where there is room, or 0 */
static unsigned int vpci_cap_find_place(const struct vpci_build *build,
					const struct vpci_cap_desc *cap)
{
	const struct vpci_cap_kind *kind = &vpci_cap_kinds[cap->type];
	unsigned int end = vpci_cap_end(kind, build->desc);
	unsigned int len = kind->length(cap);
	unsigned int at;

	for (at = vpci_cap_first(kind); at + len <= end; at += 4) {
		if (vpci_build_is_free(build, at, len))
			return at;
	}
	return 0;
}

static int vpci_cap_place(struct vpci_build *build, unsigned int i)
{
	const struct vpci_cap_desc *cap = &build->desc->caps[i];
	const char *name = vpci_cap_kinds[cap->type].name;
	unsigned int at = cap->offset;
	const char *reason;

	reason = vpci_cap_check(build->desc, i);
	if (!reason && at)
		reason = vpci_cap_check_place(build, cap);
	if (reason)
		return vpci_build_refuse(build, name, i, reason);

	if (!at)
		at = vpci_cap_find_place(build, cap);
	if (!at)
		return vpci_build_refuse(build, name, i, "finds no room");

	vpci_build_claim(build, at, vpci_cap_kinds[cap->type].length(cap));
	build->cap_offsets[i] = at;
	return 0;
}

/* Give a place to the capabilities that ask for one, or to the others */
int vpci_caps_place(struct vpci_build *build, bool fixed)
{
	const struct vpci_desc *desc = build->desc;
	unsigned int i;
	int ret;

	if (desc->nr_caps > VPCI_MAX_CAPS)
		return vpci_build_refuse(build, "nr_caps", desc->nr_caps,
					 "is more than 64");
	for (i = 0; i < desc->nr_caps; i++) {
		if ((unsigned int)desc->caps[i].type >= VPCI_NR_CAP_TYPES)
			return vpci_build_refuse(build, "capability", i,
						 "is of no known type");
		if (!!desc->caps[i].offset != fixed)
			continue;
		ret = vpci_cap_place(build, i);
		if (ret)
			return ret;
	}
	return 0;
}

static int vpci_cap_build(struct vpci_build *build, unsigned int i)
{
	const struct vpci_cap_desc *cap = &build->desc->caps[i];
	const struct vpci_cap_kind *kind = &vpci_cap_kinds[cap->type];
	unsigned int at = build->cap_offsets[i];
	const struct vpci_reg_desc header = {
		"capability header", 0, kind->version ? 4 : 2,
		kind->id | (u32)kind->version << 16
	};
	int ret;

	if (!build->caps[cap->type])
		build->caps[cap->type] = at;
	if (kind->saved)
		vpci_build_save(build, at, kind->length(cap));
	ret = vpci_build_regs(build, at, at + kind->length(cap), &header, 1);
	if (ret)
		return ret;
	return kind->build(build, cap, at);
}

/* The list of the header: each capability's offset is written before it */
static void vpci_caps_link(struct vpci_build *build)
{
	const struct vpci_desc *desc = build->desc;
	unsigned int pointer = PCI_CAPABILITY_LIST;
	unsigned int i;

	for (i = 0; i < desc->nr_caps; i++) {
		unsigned int at = build->cap_offsets[i];

		if (desc->caps[i].hidden ||
		    vpci_cap_kinds[desc->caps[i].type].version)
			continue;
		build->dwords[pointer / 4].reset |= at << (8 * (pointer % 4));
		build->dwords[PCI_COMMAND / 4].reset |=
			PCI_STATUS_CAP_LIST << 16;
		pointer = at + PCI_CAP_LIST_NEXT;
	}
}

static int vpci_ext_caps_link(struct vpci_build *build)
{
	const struct vpci_desc *desc = build->desc;
	unsigned int header = PCI_CFG_SPACE_SIZE;
	unsigned int i;

	for (i = 0; i < desc->nr_caps; i++) {
		const struct vpci_cap_kind *kind =
			&vpci_cap_kinds[desc->caps[i].type];
		unsigned int at = build->cap_offsets[i];

		/* The one at 0x100 is where the list begins anyway */
		if (desc->caps[i].hidden || !kind->version ||
		    at == PCI_CFG_SPACE_SIZE)
			continue;
		if (vpci_build_has_reg(build, PCI_CFG_SPACE_SIZE))
			return vpci_build_refuse(build, kind->name, i,
						 "is in a list that cannot begin at 0x100: a register is there");
		build->dwords[header / 4].reset |= (u32)at << 20;
		header = at;
	}
	return 0;
}

/* Link the lists, and enter the registers of all capabilities */
int vpci_caps_compile(struct vpci_build *build)
{
	const struct vpci_desc *desc = build->desc;
	unsigned int i;
	int ret;

	vpci_caps_link(build);
	ret = vpci_ext_caps_link(build);
	for (i = 0; !ret && i < desc->nr_caps; i++) {
		if (!desc->caps[i].hidden)
			ret = vpci_cap_build(build, i);
	}
	return ret;
}
