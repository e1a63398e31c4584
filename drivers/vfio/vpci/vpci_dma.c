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
 * VFIO is asked for memory by the carrier alone, see vpci_carrier.c, and dma_lock is
 * never held meanwhile. Whether the function may reach memory at all is looked at
 * when the carrier begins, and for a pin again, under dma_lock, when it is put into the
 * tree; whoever takes the right away waits afterwards for what has begun. VFIO itself
 * lets no copy be in flight when an unmapping returns.
 */
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vpci_private.h"

/* Bytes that are carried at once */
#define VPCI_COPY_MAX	SZ_64K

/**
 * struct vpci_copy - bytes on their way from or to the guest's memory
 * @errand: first
 * @iova: where, in the guest's view
 * @len: how many
 * @write: to the guest
 * @data: the bytes; whoever waits for them may have gone
 */
struct vpci_copy {
	struct vpci_errand errand;
	u64 iova;
	size_t len;
	bool write;
	u8 data[];
};

/**
 * struct vpci_hold - the pages of a pin, from before they are pinned until after
 * @errand: first; has them pinned, and later unpinned
 * @pin: whom they are for; NULL if that has gone. Under vpci_device.dma_lock
 * @iova: where, in the guest's view
 * @nr_pages: how many
 * @prot: what for
 * @pages: the pages
 */
struct vpci_hold {
	struct vpci_errand errand;
	struct vpci_pin *pin;
	u64 iova;
	unsigned int nr_pages;
	int prot;
	struct page *pages[];
};

static bool vpci_dma_range_fits(u64 iova, u64 size)
{
	u64 last;

	return size && !check_add_overflow(iova, size - 1, &last) &&
	       last <= ULONG_MAX;
}

/* It is the guest that has the driver come here: that is nothing to warn of at each time */
static bool vpci_dma_described(const struct vpci_device *vpci)
{
	if (!vpci->function->dma)
		dev_err_once(vpci->vdev.dev, "is not described as one that reaches guest memory\n");
	return vpci->function->dma;
}

/* Without the op, pages that the VMM unmaps would go while the driver uses them */
static bool vpci_dma_revocable(const struct vpci_device *vpci)
{
	if (!vpci->ops->dma_revoke)
		dev_err_once(vpci->vdev.dev, "has no dma_revoke op, so nothing is pinned for it\n");
	return vpci->ops->dma_revoke;
}

/* 0, or why the function cannot reach memory now */
static int vpci_dma_check(struct vpci_device *vpci)
{
	if (READ_ONCE(vpci->carrier.shut) || READ_ONCE(vpci->carrier.dead))
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

static int vpci_hold_unpin(struct vpci_device *vpci, struct vpci_errand *errand)
{
	struct vpci_hold *hold = container_of(errand, struct vpci_hold, errand);

	vfio_unpin_pages(&vpci->vdev, hold->iova, hold->nr_pages);
	return 0;
}

/* The pages become those of the pin, unless it has gone, or the right to have any */
static int vpci_pin_settle(struct vpci_device *vpci, struct vpci_hold *hold)
{
	struct vpci_pin *pin = hold->pin;
	int ret;

	lockdep_assert_held(&vpci->dma_lock);

	ret = vpci_dma_check(vpci);
	if (!pin)
		ret = -EINTR;
	else if (!ret && pin->nr_pages)
		ret = -EBUSY;
	if (ret)
		return ret;

	kref_get(&hold->errand.refs);
	pin->errand = &hold->errand;
	pin->pages = hold->pages;
	pin->node.start = hold->iova >> PAGE_SHIFT;
	pin->node.last = pin->node.start + hold->nr_pages - 1;
	interval_tree_insert(&pin->node, &vpci->pins);
	/* Pairs with vpci_pin_page() */
	smp_store_release(&pin->nr_pages, hold->nr_pages);
	return 0;
}

static int vpci_hold_pin(struct vpci_device *vpci, struct vpci_errand *errand)
{
	struct vpci_hold *hold = container_of(errand, struct vpci_hold, errand);
	int ret;

	ret = vpci_dma_check(vpci);
	if (ret)
		return ret;
	if (!vpci_dma_by_iommufd(vpci))
		return -EOPNOTSUPP;
	ret = vfio_pin_pages(&vpci->vdev, hold->iova, hold->nr_pages, hold->prot, hold->pages);
	if (ret != hold->nr_pages)
		return ret < 0 ? ret : -EFAULT;

	mutex_lock(&vpci->dma_lock);
	ret = vpci_pin_settle(vpci, hold);
	mutex_unlock(&vpci->dma_lock);
	if (ret)
		vpci_hold_unpin(vpci, errand);
	return ret;
}

/* Returns the pages' errand, for vpci_dma_give_back() */
static struct vpci_errand *vpci_pin_drop(struct vpci_device *vpci, struct vpci_pin *pin)
{
	struct vpci_errand *errand = pin->errand;

	lockdep_assert_held(&vpci->dma_lock);

	interval_tree_remove(&pin->node, &vpci->pins);
	/* Whoever looks from now on finds nothing, and the driver waits for the others */
	WRITE_ONCE(pin->nr_pages, 0);
	vpci->ops->dma_revoke(vpci, pin);
	pin->pages = NULL;
	pin->errand = NULL;
	return errand;
}

/* Takes over a reference to @errand. The pages stay longer if waiting for that ends early */
static void vpci_dma_give_back(struct vpci_device *vpci, struct vpci_errand *errand)
{
	errand->run = vpci_hold_unpin;
	vpci_carrier_send(vpci, errand);
	vpci_errand_put(errand);
}

/**
 * vpci_dma_pin - have pages of the guest's memory stay where they are
 * @vpci: the function, described with dma
 * @pin: in the parent driver's structure, zeroed or unpinned. The pages are what
 *	vpci_pin_page() says
 * @iova: where the guest says that they are, a multiple of the page size
 * @nr_pages: how many, at most VPCI_PIN_MAX
 * @write: the function will write to them
 *
 * Context: may sleep, for as long as the VMM likes, but not longer than the function
 * is open and its parent is there, nor than the VMM lives. The caller holds no lock
 * that vpci_ops.dma_revoke or vpci_ops.fault_backing takes.
 * Return: 0; -EINVAL, the guest's address or the number is bad, or the driver has no
 * vpci_ops.dma_revoke, which the log says; -EPERM, its bus mastering is off; -EBUSY,
 * @pin is in use; -ENODEV, nobody has the function open, or
 * soon nobody will, or it was opened by a process that was killed; -EINTR, the caller
 * was killed; -EOPNOTSUPP, the VMM uses a type 1 IOMMU, and vpci_dma_rw() is all there
 * is; -ENOMEM; or an errno of VFIO: nothing is mapped there, or not for writing.
 */
int vpci_dma_pin(struct vpci_device *vpci, struct vpci_pin *pin, u64 iova,
		 unsigned int nr_pages, bool write)
{
	struct vpci_hold *hold;
	int ret;

	might_fault();
	if (!vpci_dma_described(vpci) || !vpci_dma_revocable(vpci) ||
	    !IS_ALIGNED(iova, PAGE_SIZE) || nr_pages > VPCI_PIN_MAX ||
	    !vpci_dma_range_fits(iova, (u64)nr_pages << PAGE_SHIFT))
		return -EINVAL;

	hold = kvzalloc(struct_size(hold, pages, nr_pages), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return -ENOMEM;
	kref_init(&hold->errand.refs);
	hold->errand.run = vpci_hold_pin;
	hold->pin = pin;
	hold->iova = iova;
	hold->nr_pages = nr_pages;
	hold->prot = IOMMU_READ | (write ? IOMMU_WRITE : 0);

	ret = vpci_carrier_send(vpci, &hold->errand);
	mutex_lock(&vpci->dma_lock);
	hold->pin = NULL;
	/* It may have come, or come and gone, all the same */
	if (ret && pin->errand == &hold->errand)
		ret = 0;
	mutex_unlock(&vpci->dma_lock);
	vpci_errand_put(&hold->errand);
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
	struct vpci_errand *errand = NULL;

	mutex_lock(&vpci->dma_lock);
	if (pin->nr_pages)
		errand = vpci_pin_drop(vpci, pin);
	mutex_unlock(&vpci->dma_lock);
	if (errand)
		vpci_dma_give_back(vpci, errand);
}
EXPORT_SYMBOL_GPL(vpci_dma_unpin);

static int vpci_copy_run(struct vpci_device *vpci, struct vpci_errand *errand)
{
	struct vpci_copy *copy = container_of(errand, struct vpci_copy, errand);

	return vpci_dma_check(vpci) ?:
	       vfio_dma_rw(&vpci->vdev, copy->iova, copy->data, copy->len, copy->write);
}

static int vpci_copy_one(struct vpci_device *vpci, u64 iova, void *data, size_t len, bool write)
{
	struct vpci_copy *copy;
	int ret;

	copy = kvmalloc(struct_size(copy, data, len), GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	kref_init(&copy->errand.refs);
	copy->errand.run = vpci_copy_run;
	copy->iova = iova;
	copy->len = len;
	copy->write = write;
	if (write)
		memcpy(copy->data, data, len);

	ret = vpci_carrier_send(vpci, &copy->errand);
	if (!ret && !write)
		memcpy(data, copy->data, len);
	vpci_errand_put(&copy->errand);
	return ret;
}

/**
 * vpci_dma_rw - copy from or to the guest's memory
 * @vpci: the function, described with dma
 * @iova: where, in the guest's view; any alignment
 * @data: the kernel's side
 * @len: bytes
 * @write: to the guest's memory
 *
 * Part of it may have been copied when there is an error, and what the VMM is making
 * last may be written to its memory later, unless the VMM is killed.
 *
 * Another thread does it, so a long copy costs less than many short ones.
 *
 * Context: as vpci_dma_pin(); any thread, such as one of a workqueue.
 * Return: 0; -EINVAL, -EPERM, -ENODEV, -EINTR, -ENOMEM or an errno of VFIO, as
 * vpci_dma_pin() has them.
 */
int vpci_dma_rw(struct vpci_device *vpci, u64 iova, void *data, size_t len,
		bool write)
{
	int ret = 0;

	might_fault();
	if (!vpci_dma_described(vpci) || !vpci_dma_range_fits(iova, len))
		return -EINVAL;

	while (len && !ret) {
		size_t part = min_t(size_t, len, VPCI_COPY_MAX);

		ret = vpci_copy_one(vpci, iova, data, part, write);
		iova += part;
		data += part;
		len -= part;
	}
	return ret;
}
EXPORT_SYMBOL_GPL(vpci_dma_rw);

static void vpci_dma_revoke(struct vpci_device *vpci, unsigned long first,
			    unsigned long last)
{
	struct interval_tree_node *node;
	struct vpci_errand *errand;

	do {
		errand = NULL;
		mutex_lock(&vpci->dma_lock);
		node = interval_tree_iter_first(&vpci->pins, first, last);
		if (node)
			errand = vpci_pin_drop(vpci, container_of(node, struct vpci_pin, node));
		mutex_unlock(&vpci->dma_lock);
		if (errand)
			vpci_dma_give_back(vpci, errand);
	} while (errand);
}

/*
 * The VMM unmaps memory; of all that the container has, not only the function's.
 * Type 1 has no pins, and makes an unmapping wait for copies itself, by a lock that
 * it takes before and after the one under which this is called: whoever waits for
 * a copy here can wait for ever. A pin that has begun by now is in the tree when its
 * errand is through, and iommufd refuses another one.
 */
void vpci_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	if (!vpci_dma_by_iommufd(vpci))
		return;

	vpci_carrier_flush(vpci);
	vpci_dma_revoke(vpci, iova >> PAGE_SHIFT,
			(iova + length - 1) >> PAGE_SHIFT);
	vpci_carrier_flush(vpci);
}

/* The function must not reach memory any more: it was reset, or its guest says so */
void vpci_dma_stop(struct vpci_device *vpci)
{
	vpci_dma_revoke(vpci, 0, ULONG_MAX);
	vpci_carrier_quiesce(vpci);
}
