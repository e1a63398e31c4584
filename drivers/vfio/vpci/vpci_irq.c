// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: interrupts
 *
 * A function has none: INTx, MSI and MSI-X are there with a count of zero, ERR
 * and REQ are refused, which tells QEMU that they are absent; a count of zero
 * for ERR would make it warn.
 */
#include "vpci_private.h"

int vpci_irq_get_info(struct vfio_irq_info *info)
{
	if (info->index > VFIO_PCI_MSIX_IRQ_INDEX)
		return -EINVAL;

	info->flags = 0;
	info->count = 0;
	return 0;
}

/* To turn off what is off already succeeds: VMMs do that while they reset */
int vpci_irq_set(const struct vfio_irq_set *set)
{
	if (set->index > VFIO_PCI_MSIX_IRQ_INDEX || set->start || set->count ||
	    set->flags != (VFIO_IRQ_SET_DATA_NONE |
			   VFIO_IRQ_SET_ACTION_TRIGGER))
		return -EINVAL;
	return 0;
}
