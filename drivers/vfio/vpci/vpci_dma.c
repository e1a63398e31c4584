// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: access to the guest's memory
 *
 * The guest gives the function addresses (IOVAs). What lies behind one is decided
 * by the VMM, and can change: a pin is a promise of VFIO that some pages stay, until
 * the VMM unmaps them. Then every pin that reaches into the range must be gone
 * before the ioctl returns. The function's pins are therefore kept in a tree by
 * IOVA; the parent driver is told which one goes, and the library undoes it. What
 * is left after a reset or at the last close goes in the same way.
 *
 * A parent driver takes a lock of its own while it uses pages, and again in
 * vpci_ops.dma_revoke. vpci_pin.nr_pages is 0 by then. So whoever holds the lock
 * either sees that, or has it before the pages go.
 *
 * Addresses come from a guest: they are checked here, before any arithmetic.
 *
 * Pins need iommufd. The type 1 IOMMU lets a range that is being unmapped be pinned
 * again after the driver was told, and after ten times that is a BUG() in
 * vfio_dma_do_unmap(): a guest that pins while its VMM unmaps could stop the machine.
 * Nobody tells a driver when an unmapping is over. Nor can two threads unmap what
 * is pinned at the same time: each waits for a lock of type 1 that the other holds.
 * iommufd refuses such a pin. Copying has none of this.
 *
 * vpci_device.dma_lock is held for writing while pins come and go, and for
 * reading while memory is copied, so that no copy is in flight when an unmapping
 * returns. The VMM can make an access take as long as it likes, by userfaultfd.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "vpci_private.h"

static bool vpci_dma_range_fits(u64 iova, u64 size)
{
	u64 last;

	return size && !check_add_overflow(iova, size - 1, &last) &&
	       last <= ULONG_MAX;
}

/* 0, or why the function cannot reach memory now */
static int vpci_dma_check(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->dma_lock);

	if (!vpci->dma_open)
		return -ENODEV;
	return vpci_config_bus_master(&vpci->config) ? 0 : -EPERM;
}

/* As opposed to the type 1 IOMMU. Constant while the function is open */
static bool vpci_dma_by_iommufd(const struct vpci_device *vpci)
{
#if IS_ENABLED(CONFIG_IOMMUFD)
	return vpci->vdev.iommufd_access;
#else
	return false;
#endif
}

static int vpci_pin_take(struct vpci_device *vpci, struct vpci_pin *pin,
			 u64 iova, unsigned int nr_pages, int prot)
{
	int ret;

	pin->pages = kvcalloc(nr_pages, sizeof(*pin->pages), GFP_KERNEL_ACCOUNT);
	if (!pin->pages)
		return -ENOMEM;

	ret = vfio_pin_pages(&vpci->vdev, iova, nr_pages, prot, pin->pages);
	if (ret != nr_pages) {
		kvfree(pin->pages);
		pin->pages = NULL;
		return ret < 0 ? ret : -EFAULT;
	}
	pin->node.start = iova >> PAGE_SHIFT;
	pin->node.last = pin->node.start + nr_pages - 1;
	interval_tree_insert(&pin->node, &vpci->pins);
	/* Pairs with vpci_pin_page() */
	smp_store_release(&pin->nr_pages, nr_pages);
	return 0;
}

static void vpci_pin_drop(struct vpci_device *vpci, struct vpci_pin *pin)
{
	unsigned int nr_pages = pin->nr_pages;

	lockdep_assert_held_write(&vpci->dma_lock);

	interval_tree_remove(&pin->node, &vpci->pins);
	/* Whoever looks from now on finds nothing, and the driver waits for the others */
	WRITE_ONCE(pin->nr_pages, 0);
	if (vpci->ops->dma_revoke)
		vpci->ops->dma_revoke(vpci, pin);
	vfio_unpin_pages(&vpci->vdev, (u64)pin->node.start << PAGE_SHIFT,
			 nr_pages);
	kvfree(pin->pages);
	pin->pages = NULL;
}

/**
 * vpci_dma_pin - have pages of the guest's memory stay where they are
 * @vpci: the function
 * @pin: in the parent driver's structure, zeroed or unpinned. The pages are what
 *	vpci_pin_page() says
 * @iova: where the guest says that they are, a multiple of the page size
 * @nr_pages: how many, at most VPCI_PIN_MAX
 * @write: the function will write to them
 *
 * Context: may sleep, for as long as the VMM likes; takes vpci_device.dma_lock, so
 * the caller holds no lock that vpci_ops.dma_revoke takes.
 * Return: 0; -EINVAL, the guest's address or the number is bad; -EPERM, its bus
 * mastering is off; -EBUSY, @pin is in use; -ENODEV, nobody has the function open;
 * -EOPNOTSUPP, the VMM uses a type 1 IOMMU, and vpci_dma_rw() is all there is;
 * -ENOMEM; or an errno of VFIO: nothing is mapped there, or not for writing.
 */
int vpci_dma_pin(struct vpci_device *vpci, struct vpci_pin *pin, u64 iova,
		 unsigned int nr_pages, bool write)
{
	int prot = IOMMU_READ | (write ? IOMMU_WRITE : 0);
	int ret;

	if (!IS_ALIGNED(iova, PAGE_SIZE) || nr_pages > VPCI_PIN_MAX ||
	    !vpci_dma_range_fits(iova, (u64)nr_pages << PAGE_SHIFT))
		return -EINVAL;

	down_write(&vpci->dma_lock);
	ret = vpci_dma_check(vpci);
	if (!ret && !vpci_dma_by_iommufd(vpci))
		ret = -EOPNOTSUPP;
	if (!ret && pin->nr_pages)
		ret = -EBUSY;
	if (!ret)
		ret = vpci_pin_take(vpci, pin, iova, nr_pages, prot);
	up_write(&vpci->dma_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpci_dma_pin);

/**
 * vpci_dma_unpin - undo vpci_dma_pin()
 * @vpci: the function
 * @pin: the pin; nothing happens if it is gone already. When this returns, it and
 *	what it is part of can be freed
 *
 * Calls vpci_ops.dma_revoke.
 *
 * Context: as vpci_dma_pin().
 */
void vpci_dma_unpin(struct vpci_device *vpci, struct vpci_pin *pin)
{
	down_write(&vpci->dma_lock);
	if (pin->nr_pages)
		vpci_pin_drop(vpci, pin);
	up_write(&vpci->dma_lock);
}
EXPORT_SYMBOL_GPL(vpci_dma_unpin);

/**
 * vpci_dma_rw - copy from or to the guest's memory
 * @vpci: the function
 * @iova: where, in the guest's view; any alignment
 * @data: the kernel's side
 * @len: bytes
 * @write: to the guest's memory
 *
 * Part of it may have been copied when there is an error.
 *
 * Context: as vpci_dma_pin().
 * Return: 0; -EINVAL, -EPERM, -ENODEV, or an errno of VFIO, as vpci_dma_pin() has
 * them.
 */
int vpci_dma_rw(struct vpci_device *vpci, u64 iova, void *data, size_t len,
		bool write)
{
	int ret;

	if (!vpci_dma_range_fits(iova, len))
		return -EINVAL;

	down_read(&vpci->dma_lock);
	ret = vpci_dma_check(vpci);
	if (!ret)
		ret = vfio_dma_rw(&vpci->vdev, iova, data, len, write);
	up_read(&vpci->dma_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpci_dma_rw);

static void vpci_dma_revoke(struct vpci_device *vpci, unsigned long first,
			    unsigned long last)
{
	struct interval_tree_node *node;
	struct vpci_pin *pin;

	lockdep_assert_held_write(&vpci->dma_lock);

	while ((node = interval_tree_iter_first(&vpci->pins, first, last))) {
		pin = container_of(node, struct vpci_pin, node);
		vpci_pin_drop(vpci, pin);
	}
}

/*
 * The VMM unmaps memory; of all that the container has, not only the function's.
 * Type 1 has no pins, and makes an unmapping wait for copies itself, by a lock that
 * it takes before and after the one under which this is called: whoever waits for
 * a copy here can wait for ever.
 */
void vpci_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	if (!vpci_dma_by_iommufd(vpci))
		return;

	down_write(&vpci->dma_lock);
	vpci_dma_revoke(vpci, iova >> PAGE_SHIFT,
			(iova + length - 1) >> PAGE_SHIFT);
	up_write(&vpci->dma_lock);
}

/* The function was reset */
void vpci_dma_reset(struct vpci_device *vpci)
{
	down_write(&vpci->dma_lock);
	vpci_dma_revoke(vpci, 0, ULONG_MAX);
	up_write(&vpci->dma_lock);
}

/* There is memory to reach from now on, or not any more; a reset follows then */
void vpci_dma_set_open(struct vpci_device *vpci, bool open)
{
	down_write(&vpci->dma_lock);
	vpci->dma_open = open;
	up_write(&vpci->dma_lock);
}
