// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: the MSI-X table and pending bits in a BAR
 *
 * For users without a table of their own, see vpci_irq.c. Dwords and quadwords
 * are accessed as such (PCI 3.0 section 6.8.2); narrower accesses read 0 and
 * change nothing. Addresses and data are kept, and nobody looks at them.
 */
#include <linux/bitmap.h>
#include <linux/pci_regs.h>

#include "vpci_private.h"

#define VPCI_MSIX_ADDRESS_RESERVED 3U

static u64 vpci_msix_table_read(struct vpci_device *vpci, u64 offset,
				unsigned int width)
{
	const u32 *table = vpci->irqs.msix_table + offset / 4;
	u64 value;

	if (width < 4)
		return 0;
	value = READ_ONCE(table[0]);
	if (width == 8)
		value |= (u64)READ_ONCE(table[1]) << 32;
	return value;
}

static void vpci_msix_dword_write(struct vpci_device *vpci, unsigned int dword,
				  u32 value)
{
	struct vpci_irqs *irqs = &vpci->irqs;

	raw_spin_lock_irq(&irqs->lock);
	switch (dword % 4) {
	case 0:
		value &= ~VPCI_MSIX_ADDRESS_RESERVED;
		break;
	case 3:
		value &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
		__set_bit(dword / 4, irqs->msix_ruled);
		break;
	}
	WRITE_ONCE(irqs->msix_table[dword], value);
	raw_spin_unlock_irq(&irqs->lock);
}

static void vpci_msix_table_write(struct vpci_device *vpci, u64 offset,
				  unsigned int width, u64 value)
{
	if (width < 4)
		return;
	vpci_msix_dword_write(vpci, offset / 4, (u32)value);
	if (width == 8)
		vpci_msix_dword_write(vpci, offset / 4 + 1, value >> 32);
	vpci_irq_update_messages(vpci, offset / PCI_MSIX_ENTRY_SIZE, 1);
}

const struct vpci_area_ops vpci_msix_table_ops = {
	.read	= vpci_msix_table_read,
	.write	= vpci_msix_table_write,
};

static u64 vpci_msix_pba_read(struct vpci_device *vpci, u64 offset,
			      unsigned int width)
{
	unsigned int first = offset * 8;
	u64 value = 0;
	unsigned int i;

	if (width < 4)
		return 0;
	raw_spin_lock_irq(&vpci->irqs.lock);
	for (i = 0; i < width * 8 &&
	     first + i < vpci->function->msix_vectors; i++)
		value |= (u64)test_bit(first + i, vpci->irqs.msix_pending) << i;
	raw_spin_unlock_irq(&vpci->irqs.lock);
	return value;
}

static void vpci_msix_pba_write(struct vpci_device *vpci, u64 offset,
				unsigned int width, u64 value)
{
}

const struct vpci_area_ops vpci_msix_pba_ops = {
	.read	= vpci_msix_pba_read,
	.write	= vpci_msix_pba_write,
};
