// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: registers of MSI and MSI-X, and how a function interrupts
 *
 * Only the registers of config space are here; who delivers interrupts asks
 * the functions at the end, and is told by the operation "interrupt" when their
 * results may have changed. At most one way to interrupt is in use: MSI-X if
 * it is enabled, else MSI if that is, else the pin.
 *
 * No service of the kernel is called here: the file is compiled as it is in
 * user space as well, for tests.
 */
#include <linux/array_size.h>
#include <linux/build_bug.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/pci_regs.h>

#include "vpci_layout.h"

static void vpci_irq_written(struct vpci_config *cfg, unsigned int offset,
			     u32 old, u32 new, u32 enables)
{
	if (old != new && cfg->layout->ops->interrupt)
		cfg->layout->ops->interrupt(cfg);
}

static unsigned int vpci_msi_mask_offset(bool is_64bit)
{
	return is_64bit ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32;
}

unsigned int vpci_msi_length(const struct vpci_cap_desc *cap)
{
	unsigned int mask = vpci_msi_mask_offset(cap->msi.is_64bit);

	/* Without masks it ends with the 16 bits of data in front of them */
	return cap->msi.maskable ? mask + 8 : mask - 2;
}

const char *vpci_msi_check(const struct vpci_desc *desc,
			   const struct vpci_cap_desc *cap)
{
	if (!is_power_of_2(cap->msi.vectors) || cap->msi.vectors > 32)
		return "has a number of vectors that is not 1, 2, 4, 8, 16 or 32";
	return NULL;
}

/* As many vectors as there are, at most */
static u32 vpci_msi_adjust(const struct vpci_config *cfg, unsigned int offset,
			   u32 old, u32 new)
{
	u32 most = (new >> 16 & PCI_MSI_FLAGS_QMASK) >> 1;
	u32 asked = (new >> 16 & PCI_MSI_FLAGS_QSIZE) >> 4;

	if (asked <= most)
		return new;
	return (new & ~((u32)PCI_MSI_FLAGS_QSIZE << 16)) | most << 20;
}

int vpci_msi_build(struct vpci_build *build, const struct vpci_cap_desc *cap,
		   unsigned int at)
{
	const struct vpci_msi_desc *msi = &cap->msi;
	unsigned int mask = vpci_msi_mask_offset(msi->is_64bit);
	u32 vectors = ~0U >> (32 - msi->vectors);
	const struct vpci_reg_desc regs[] = {
		{ "MSI control", PCI_MSI_FLAGS, 2,
		  ilog2(msi->vectors) << 1 |
		  (msi->is_64bit ? PCI_MSI_FLAGS_64BIT : 0) |
		  (msi->maskable ? PCI_MSI_FLAGS_MASKBIT : 0),
		  .wmask = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE,
		  .adjust = vpci_msi_adjust, .hook = vpci_irq_written },
		{ "MSI address", PCI_MSI_ADDRESS_LO, 4, .wmask = ~3U },
		{ "MSI data", mask - 4, 2, .wmask = 0xffff },
	};
	const struct vpci_reg_desc high[] = {
		{ "MSI upper address", PCI_MSI_ADDRESS_HI, 4, .wmask = ~0U },
	};
	const struct vpci_reg_desc masks[] = {
		{ "MSI mask", mask, 4, .wmask = vectors,
		  .hook = vpci_irq_written },
		{ "MSI pending", mask + 4, 4, .device = vectors },
	};
	unsigned int end = at + vpci_msi_length(cap);
	int ret;

	ret = vpci_build_regs(build, at, end, regs, ARRAY_SIZE(regs));
	if (!ret && msi->is_64bit)
		ret = vpci_build_regs(build, at, end, high, ARRAY_SIZE(high));
	if (!ret && msi->maskable)
		ret = vpci_build_regs(build, at, end, masks, ARRAY_SIZE(masks));
	return ret;
}

/* MSI-X */

unsigned int vpci_msix_length(const struct vpci_cap_desc *cap)
{
	return PCI_CAP_MSIX_SIZEOF;
}

static u64 vpci_msix_table_size(const struct vpci_msix_desc *msix)
{
	return msix->vectors * (u64)PCI_MSIX_ENTRY_SIZE;
}

static u64 vpci_msix_pba_size(const struct vpci_msix_desc *msix)
{
	return DIV_ROUND_UP(msix->vectors, 64) * 8ULL;
}

static bool vpci_in_memory_bar(const struct vpci_desc *desc, unsigned int bar,
			       u64 offset, u64 size)
{
	return bar < VPCI_NUM_BARS && !desc->bars[bar].is_io &&
	       offset + size <= desc->bars[bar].size;
}

const char *vpci_msix_check(const struct vpci_desc *desc,
			    const struct vpci_cap_desc *cap)
{
	const struct vpci_msix_desc *msix = &cap->msix;
	u64 table_end = msix->table_offset + vpci_msix_table_size(msix);
	u64 pba_end = msix->pba_offset + vpci_msix_pba_size(msix);

	if (!msix->vectors || msix->vectors > 2048)
		return "has a number of vectors that is not 1 to 2048";
	if (msix->table_offset % 8 || msix->pba_offset % 8)
		return "has a table or PBA that is not aligned to 8 bytes";
	if (!vpci_in_memory_bar(desc, msix->table_bar, msix->table_offset,
				vpci_msix_table_size(msix)))
		return "has its table outside a memory BAR";
	if (!vpci_in_memory_bar(desc, msix->pba_bar, msix->pba_offset,
				vpci_msix_pba_size(msix)))
		return "has its PBA outside a memory BAR";
	if (msix->table_bar == msix->pba_bar &&
	    msix->table_offset < pba_end && msix->pba_offset < table_end)
		return "has a table and a PBA that overlap";
	return NULL;
}

int vpci_msix_build(struct vpci_build *build, const struct vpci_cap_desc *cap,
		    unsigned int at)
{
	const struct vpci_msix_desc *msix = &cap->msix;
	const struct vpci_reg_desc regs[] = {
		{ "MSI-X control", PCI_MSIX_FLAGS, 2, msix->vectors - 1,
		  .wmask = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL,
		  .hook = vpci_irq_written },
		{ "MSI-X table", PCI_MSIX_TABLE, 4,
		  msix->table_offset | msix->table_bar },
		{ "MSI-X PBA", PCI_MSIX_PBA, 4,
		  msix->pba_offset | msix->pba_bar },
	};

	return vpci_build_regs(build, at, at + PCI_CAP_MSIX_SIZEOF, regs,
			       ARRAY_SIZE(regs));
}

/* Of a capability that is there */
static u32 vpci_config_flags(const struct vpci_config *cfg,
			     enum vpci_cap_type type)
{
	return vpci_config_read_dword(cfg, cfg->layout->caps[type]) >> 16;
}

/**
 * vpci_config_irq_mode - how the function interrupts now
 * @cfg: the config space
 *
 * Messages need vpci_config_bus_master() besides.
 *
 * Return: the mode; the pin counts even while it is disabled.
 */
enum vpci_irq_mode vpci_config_irq_mode(const struct vpci_config *cfg)
{
	const u16 *caps = cfg->layout->caps;

	if (caps[VPCI_CAP_MSIX] &&
	    vpci_config_flags(cfg, VPCI_CAP_MSIX) & PCI_MSIX_FLAGS_ENABLE)
		return VPCI_IRQ_MSIX;
	if (caps[VPCI_CAP_MSI] &&
	    vpci_config_flags(cfg, VPCI_CAP_MSI) & PCI_MSI_FLAGS_ENABLE)
		return VPCI_IRQ_MSI;
	if (vpci_config_read_dword(cfg, PCI_INTERRUPT_LINE) >> 8 & 0xff)
		return VPCI_IRQ_INTX;
	return VPCI_IRQ_NONE;
}

/**
 * vpci_config_irq_vectors - how many interrupts the function can tell apart now
 * @cfg: the config space
 *
 * Return: the number, 0 if it cannot interrupt at all.
 */
unsigned int vpci_config_irq_vectors(const struct vpci_config *cfg)
{
	u32 flags;

	switch (vpci_config_irq_mode(cfg)) {
	case VPCI_IRQ_MSIX:
		flags = vpci_config_flags(cfg, VPCI_CAP_MSIX);
		return (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
	case VPCI_IRQ_MSI:
		flags = vpci_config_flags(cfg, VPCI_CAP_MSI);
		return 1U << ((flags & PCI_MSI_FLAGS_QSIZE) >> 4);
	case VPCI_IRQ_INTX:
		return 1;
	default:
		return 0;
	}
}

/**
 * vpci_config_irq_masked - whether config space holds an interrupt back
 * @cfg: the config space
 * @vector: which, below vpci_config_irq_vectors()
 *
 * The masks in the table of MSI-X are not in config space.
 *
 * Return: true if it does.
 */
bool vpci_config_irq_masked(const struct vpci_config *cfg, unsigned int vector)
{
	unsigned int at;
	u32 flags;

	switch (vpci_config_irq_mode(cfg)) {
	case VPCI_IRQ_MSIX:
		flags = vpci_config_flags(cfg, VPCI_CAP_MSIX);
		return flags & PCI_MSIX_FLAGS_MASKALL;
	case VPCI_IRQ_MSI:
		flags = vpci_config_flags(cfg, VPCI_CAP_MSI);
		if (!(flags & PCI_MSI_FLAGS_MASKBIT))
			return false;
		at = cfg->layout->caps[VPCI_CAP_MSI] +
		     vpci_msi_mask_offset(flags & PCI_MSI_FLAGS_64BIT);
		/* The mode may have changed since @vector was chosen */
		return vpci_config_read_dword(cfg, at) >> vector % 32 & 1;
	case VPCI_IRQ_INTX:
		return !vpci_config_in_d0(cfg) ||
		       vpci_config_read_dword(cfg, PCI_COMMAND) &
		       PCI_COMMAND_INTX_DISABLE;
	default:
		return true;
	}
}

/**
 * vpci_config_set_msi_pending - show whether a message of MSI is pending
 * @cfg: the config space
 * @vector: which, below 32
 * @pending: whether it is
 *
 * Without masks nothing shows it. Atomic.
 */
void vpci_config_set_msi_pending(struct vpci_config *cfg, unsigned int vector,
				 bool pending)
{
	unsigned int at = cfg->layout->caps[VPCI_CAP_MSI];
	u32 flags;

	if (!at)
		return;
	flags = vpci_config_flags(cfg, VPCI_CAP_MSI);
	if (!(flags & PCI_MSI_FLAGS_MASKBIT))
		return;
	at += vpci_msi_mask_offset(flags & PCI_MSI_FLAGS_64BIT) + 4;
	vpci_config_set(cfg, at, 1U << vector, pending ? 1U << vector : 0);
}

/**
 * vpci_config_intx_asserted - whether the line of the pin is to be raised
 * @cfg: the config space
 *
 * Return: true while the function sets the interrupt bit of STATUS, unless the
 * guest disabled the pin, enabled messages instead, or put the function to D3hot.
 */
bool vpci_config_intx_asserted(const struct vpci_config *cfg)
{
	u32 status = vpci_config_read_dword(cfg, PCI_COMMAND) >> 16;

	return vpci_config_irq_mode(cfg) == VPCI_IRQ_INTX &&
	       status & PCI_STATUS_INTERRUPT && !vpci_config_irq_masked(cfg, 0);
}
