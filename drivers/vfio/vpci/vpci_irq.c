// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: interrupts
 *
 * REQ asks the user to give the instance up, and is always there. It belongs to
 * VFIO and not to the function, so a reset leaves it alone; closing drops it.
 *
 * A function has no other: INTx, MSI and MSI-X are there with a count of zero;
 * ERR is refused, because a count of zero would make QEMU warn.
 */
#include <linux/eventfd.h>
#include <linux/uaccess.h>

#include "vpci_private.h"

int vpci_irq_get_info(struct vfio_irq_info *info)
{
	info->flags = 0;
	info->count = 0;

	switch (info->index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
	case VFIO_PCI_MSI_IRQ_INDEX:
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return 0;
	case VFIO_PCI_REQ_IRQ_INDEX:
		info->flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
		info->count = 1;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Takes over the caller's reference to @req, which may be NULL */
static void vpci_irq_set_req(struct vpci_device *vpci, struct eventfd_ctx *req)
{
	mutex_lock(&vpci->irq_lock);
	swap(vpci->req, req);
	mutex_unlock(&vpci->irq_lock);

	if (req)
		eventfd_ctx_put(req);
}

static int vpci_irq_set_req_fd(struct vpci_device *vpci,
			       const s32 __user *data)
{
	struct eventfd_ctx *req = NULL;
	s32 fd;

	if (get_user(fd, data))
		return -EFAULT;
	if (fd < -1)
		return -EINVAL;
	if (fd >= 0) {
		req = eventfd_ctx_fdget(fd);
		if (IS_ERR(req))
			return PTR_ERR(req);
	}
	vpci_irq_set_req(vpci, req);
	return 0;
}

static int vpci_irq_trigger_req(struct vpci_device *vpci,
				const struct vfio_irq_set *set,
				const void __user *data)
{
	u8 signal = true;

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return set->count ? vpci_irq_set_req_fd(vpci, data) : -EINVAL;
	case VFIO_IRQ_SET_DATA_BOOL:
		if (!set->count)
			return -EINVAL;
		if (get_user(signal, (const u8 __user *)data))
			return -EFAULT;
		break;
	}

	if (!set->count)
		vpci_irq_set_req(vpci, NULL);
	else if (signal)
		vpci_irq_request(vpci);
	return 0;
}

/* @data follows @set in user space */
int vpci_irq_set(struct vpci_device *vpci, struct vfio_irq_set *set,
		 const void __user *data)
{
	size_t size;
	int ret;

	/* To turn off what is off succeeds: VMMs do that while they reset */
	if (set->index <= VFIO_PCI_MSIX_IRQ_INDEX && !set->start &&
	    !set->count && set->flags == (VFIO_IRQ_SET_DATA_NONE |
					  VFIO_IRQ_SET_ACTION_TRIGGER))
		return 0;

	if (set->index != VFIO_PCI_REQ_IRQ_INDEX)
		return -EINVAL;
	ret = vfio_set_irqs_validate_and_prepare(set, 1, VFIO_PCI_NUM_IRQS,
						 &size);
	if (ret)
		return ret;
	if ((set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) !=
	    VFIO_IRQ_SET_ACTION_TRIGGER)
		return -EINVAL;
	return vpci_irq_trigger_req(vpci, set, data);
}

/* Ask whoever has the instance open to give it up. False: nobody listens */
bool vpci_irq_request(struct vpci_device *vpci)
{
	bool listens;

	mutex_lock(&vpci->irq_lock);
	listens = vpci->req;
	if (listens)
		eventfd_signal(vpci->req);
	mutex_unlock(&vpci->irq_lock);
	return listens;
}

void vpci_irq_close(struct vpci_device *vpci)
{
	vpci_irq_set_req(vpci, NULL);
}
