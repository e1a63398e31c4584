// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: life of an instance, VFIO ioctls, reset
 *
 * An instance that nobody has open is in the state after creation: decode is
 * off, every register has its reset value and the parent's behaviour was reset.
 * Opening it therefore changes nothing; closing it resets it.
 *
 * The parent gives an instance up by setting @dead. From then on it is as an
 * unplugged device: decode stays off, read(2) of config space and BARs and mapped
 * pages show ones, writes change nothing, and no access fails, since a VMM would
 * say so each time that its guest makes one. The ioctls answer from what the library
 * knows; of interrupts none comes. No op of the parent
 * is called any more, so that the parent can go while the file stays.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vpci_compat.h"
#include "vpci_private.h"
#include "vpci_trace.h"

/* VFIO itself asks as often as this */
#define VPCI_ASK_INTERVAL	(10 * HZ)

/* @renew: nothing is to be left for the next user, as opposed to a reset by this one */
static void vpci_device_reset(struct vpci_device *vpci, bool renew)
{
	lockdep_assert_held(&vpci->config_lock);

	trace_vpci_reset(vpci);
	vpci_bar_set_decode(vpci, 0);
	vpci_bar_reset(vpci);
	if (renew)
		vpci_config_renew(&vpci->config);
	else
		vpci_config_reset(&vpci->config);
	vpci->ops->reset(vpci);
	vpci_dma_stop(vpci);
	/* Of what the parent driver has signalled until then, nothing is left */
	vpci_irq_reset(vpci);
	vpci_stat_inc(vpci, VPCI_STAT_RESETS);
}

/* The one decision on what the function answers to, whatever the cause */
static void vpci_decode_changed(struct vpci_config *cfg)
{
	struct vpci_device *vpci = to_vpci_device(cfg);

	vpci_bar_set_decode(vpci, vpci->dead ? 0 : vpci_config_decode(cfg));
	WRITE_ONCE(vpci->self_reset, false);
}

static void vpci_reset_asked(struct vpci_config *cfg)
{
	struct vpci_device *vpci = to_vpci_device(cfg);

	/* Before decode goes off, for that alone is an error of an access */
	WRITE_ONCE(vpci->self_reset, true);
	vpci_device_reset(vpci, false);
}

static void vpci_interrupt_changed(struct vpci_config *cfg)
{
	struct vpci_device *vpci = to_vpci_device(cfg);

	/* A guest relies on it when it gives its memory to another kernel, by kexec for one */
	if (!vpci_config_bus_master(cfg))
		vpci_dma_stop(vpci);
	vpci_irq_update(vpci);
}

const struct vpci_config_ops vpci_device_config_ops = {
	.decode		= vpci_decode_changed,
	.interrupt	= vpci_interrupt_changed,
	.reset		= vpci_reset_asked,
};

static int vpci_device_open(struct vfio_device *vdev)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	int ret = -ENODEV;

	mutex_lock(&vpci->open_lock);
	if (!vpci->dead)
		ret = vpci_carrier_open(vpci);
	if (!ret) {
		vpci->open = true;
		vpci->asked = jiffies - VPCI_ASK_INTERVAL;
		vpci->holder_pid = task_tgid_nr(current);
		get_task_comm(vpci->holder_comm, current->group_leader);
	}
	mutex_unlock(&vpci->open_lock);
	return ret;
}

static void vpci_device_close(struct vfio_device *vdev)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	mutex_lock(&vpci->open_lock);
	vpci_carrier_shut(vpci);
	mutex_lock(&vpci->config_lock);
	vpci_irq_close(vpci);
	WRITE_ONCE(vpci->self_reset, false);
	if (!vpci->dead) {
		vpci_device_reset(vpci, true);
		vpci_own_close(vpci);
	}
	vpci_windows_close_all(vpci);
	mutex_unlock(&vpci->config_lock);

	vpci->open = false;
	mutex_unlock(&vpci->open_lock);
	/* Of VFIO's locks only vfio_device_set.lock is held, so it may take as long as it likes */
	vpci_carrier_close(vpci);
}

/*
 * Ask the user to give the instance up, unless that was done a moment ago: a
 * guest takes seconds to let go of a device. False: there is nobody to ask.
 */
static bool vpci_device_ask(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->open_lock);

	if (time_before(jiffies, vpci->asked + VPCI_ASK_INTERVAL))
		return true;
	if (!vpci_irq_request(vpci))
		return false;
	vpci->asked = jiffies;
	return true;
}

/* VFIO calls this again and again while it waits for the last close */
static void vpci_device_request(struct vfio_device *vdev, unsigned int count)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	mutex_lock(&vpci->open_lock);
	if (vpci->open) {
		vpci_device_ask(vpci);
		if (!count)
			dev_notice(vdev->dev, "waiting for %s (pid %d) to close it\n",
				   vpci->holder_comm, vpci->holder_pid);
	} else if (!count) {
		dev_notice(vdev->dev, "waiting for whoever has its device node open to close it\n");
	}
	mutex_unlock(&vpci->open_lock);
}

static int vpci_ioctl_get_info(struct vpci_device *vpci,
			       struct vfio_device_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info = {};

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS + vpci->ops->nr_regions;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static int vpci_ioctl_get_irq_info(struct vpci_device *vpci,
				   struct vfio_irq_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	ret = vpci_irq_get_info(vpci, &info);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static int vpci_ioctl_set_irqs(struct vpci_device *vpci,
			       struct vfio_irq_set __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_irq_set, count);
	struct vfio_irq_set set;

	if (copy_from_user(&set, arg, minsz))
		return -EFAULT;
	if (set.argsz < minsz)
		return -EINVAL;
	return vpci_irq_set(vpci, &set, &arg->data);
}

static int vpci_ioctl_query_gfx_plane(struct vpci_device *vpci, void __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_device_gfx_plane_info,
					  region_index);
	struct vfio_device_gfx_plane_info asked;
	struct vfio_device_gfx_plane_info plane = {};

	if (!vpci->ops->get_plane)
		return -ENOTTY;
	if (copy_from_user(&asked, arg, minsz))
		return -EFAULT;
	if (asked.argsz < minsz)
		return -EINVAL;
	if (asked.flags ==
	    (VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_REGION))
		return 0;
	if (asked.flags != VFIO_GFX_PLANE_TYPE_REGION)
		return -EINVAL;

	/* QEMU leaves drm_plane_type unset when it asks for a region */
	plane.argsz = asked.argsz;
	plane.flags = asked.flags;
	plane.drm_plane_type = asked.drm_plane_type;
	mutex_lock(&vpci->config_lock);
	/* What is gone shows nothing */
	if (!vpci->dead)
		vpci->ops->get_plane(vpci, &plane);
	mutex_unlock(&vpci->config_lock);
	return copy_to_user(arg, &plane, minsz) ? -EFAULT : 0;
}

/*
 * As vfio-pci does it: the function is reset and its config space saved and restored.
 * Of one that is gone nothing is left to reset
 */
static int vpci_ioctl_reset(struct vpci_device *vpci)
{
	size_t size = vpci->function->layout->nr_slots * sizeof(u32);
	u32 *saved = kmalloc(size, GFP_KERNEL);

	if (!saved)
		return -ENOMEM;

	mutex_lock(&vpci->config_lock);
	if (!vpci->dead) {
		vpci_config_copy(&vpci->config, saved);
		vpci_device_reset(vpci, false);
		vpci_config_restore(&vpci->config, saved);
	}
	mutex_unlock(&vpci->config_lock);
	kfree(saved);
	return 0;
}

static long vpci_device_ioctl(struct vfio_device *vdev, unsigned int cmd,
			      unsigned long arg)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vpci_ioctl_get_info(vpci, uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return vpci_ioctl_get_irq_info(vpci, uarg);
	case VFIO_DEVICE_SET_IRQS:
		return vpci_ioctl_set_irqs(vpci, uarg);
	case VFIO_DEVICE_QUERY_GFX_PLANE:
		return vpci_ioctl_query_gfx_plane(vpci, uarg);
	case VFIO_DEVICE_RESET:
		return vpci_ioctl_reset(vpci);
	default:
		return vpci_compat_ioctl(vdev, cmd, uarg);
	}
}

/* Also called for an instance that vpci_device_init() gave up half way */
static void vpci_device_release(struct vfio_device *vdev)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	vpci_irq_destroy(vpci);
	vpci_bar_destroy(vpci);
	kfree(vpci->config.dwords);
	free_percpu(vpci->stats);
	vpci_function_free(vpci->function);
}

static const struct vfio_device_ops vpci_vfio_ops = {
	.name		= "vfio-vpci",
	.release	= vpci_device_release,
	.bind_iommufd	= vfio_iommufd_emulated_bind,
	.unbind_iommufd	= vfio_iommufd_emulated_unbind,
	.attach_ioas	= vfio_iommufd_emulated_attach_ioas,
	.detach_ioas	= vfio_iommufd_emulated_detach_ioas,
	.open_device	= vpci_device_open,
	.close_device	= vpci_device_close,
	.read		= vpci_region_read,
	.write		= vpci_region_write,
	.ioctl		= vpci_device_ioctl,
	.mmap		= vpci_bar_mmap,
	.request	= vpci_device_request,
	.dma_unmap	= vpci_dma_unmap,
	VPCI_COMPAT_VFIO_OPS
};

static int vpci_device_init(struct vpci_device *vpci,
			    struct vpci_function *function)
{
	u32 *dwords;
	int ret;

	kref_get(&function->refs);
	vpci->function = function;
	mutex_init(&vpci->open_lock);
	mutex_init(&vpci->config_lock);
	mutex_init(&vpci->dma_lock);
	vpci_carrier_init(vpci);
	vpci->pins = RB_ROOT_CACHED;
	ret = vpci_bar_init(vpci);
	if (ret)
		return ret;

	/* When VFIO does it at registration, it ignores the error */
	ret = vfio_assign_device_set(&vpci->vdev, vpci);
	if (ret)
		return ret;

	vpci->stats = alloc_percpu(struct vpci_stats);
	if (!vpci->stats)
		return -ENOMEM;

	dwords = kcalloc(function->layout->nr_slots, sizeof(*dwords),
			 GFP_KERNEL_ACCOUNT);
	if (!dwords)
		return -ENOMEM;
	vpci_config_init(&vpci->config, function->layout, dwords);
	return vpci_irq_init(vpci);
}

/**
 * vpci_device_alloc - allocate an instance of a function
 * @size: of the parent driver's structure, whose first member is a
 *	struct vpci_device; the rest is zeroed
 * @dev: the device that VFIO shows, such as the mediated device
 * @function: what kind of function it is
 * @ops: the parent driver's part; all but the optional ones must be there
 *
 * Context: may sleep.
 * Return: the instance, to be given back with vpci_device_put(), or an ERR_PTR.
 */
struct vpci_device *vpci_device_alloc(size_t size, struct device *dev,
				      struct vpci_function *function,
				      const struct vpci_ops *ops)
{
	struct vfio_device *vdev;
	struct vpci_device *vpci;
	int ret;

	if (WARN_ON_ONCE(size < sizeof(*vpci) || !ops->reset ||
			 !ops->bar_read != !ops->bar_write))
		return ERR_PTR(-EINVAL);

	vdev = _vfio_alloc_device(size, dev, &vpci_vfio_ops);
	if (IS_ERR(vdev))
		return ERR_CAST(vdev);

	vpci = vdev_to_vpci(vdev);
	vpci->ops = ops;
	ret = vpci_device_init(vpci, function);
	if (ret) {
		vpci_device_put(vpci);
		return ERR_PTR(ret);
	}
	return vpci;
}
EXPORT_SYMBOL_GPL(vpci_device_alloc);

/**
 * vpci_device_set_config - change bits of config space that are the function's
 * @vpci: the function
 * @offset: of the dword, a multiple of 4
 * @mask: which bits; of these only the write-1-to-clear ones and those that are
 *	described as the device's change
 * @value: what they become
 *
 * For status of the parent driver's own registers. Calls no hook.
 *
 * Context: any.
 */
void vpci_device_set_config(struct vpci_device *vpci, unsigned int offset,
			    u32 mask, u32 value)
{
	if (WARN_ON_ONCE(offset % 4 || offset >= vpci->function->layout->size))
		return;

	vpci_config_set(&vpci->config, offset, mask, value);
}
EXPORT_SYMBOL_GPL(vpci_device_set_config);

/**
 * vpci_device_set_serial - give an instance a serial number of its own
 * @vpci: the instance, not registered yet
 * @serial: the number; resets do not change it
 *
 * Without a visible serial number capability, nothing happens.
 *
 * Context: any.
 */
void vpci_device_set_serial(struct vpci_device *vpci, u64 serial)
{
	unsigned int at = vpci->function->layout->caps[VPCI_EXT_CAP_DSN];

	if (!at)
		return;
	vpci_device_set_config(vpci, at + 4, ~0U, (u32)serial);
	vpci_device_set_config(vpci, at + 8, ~0U, (u32)(serial >> 32));
}
EXPORT_SYMBOL_GPL(vpci_device_set_serial);

/**
 * vpci_device_register - make the instance available to VFIO users
 * @vpci: the instance, complete
 *
 * Sets the driver data of the device to @vpci. The device must be bound to the
 * driver, or just being: VFIO holds the driver's module while it is open.
 *
 * Context: may sleep.
 * Return: 0, or a negative errno from VFIO.
 */
int vpci_device_register(struct vpci_device *vpci)
{
	if (WARN_ON_ONCE(!vpci->vdev.dev->driver))
		return -EINVAL;

	dev_set_drvdata(vpci->vdev.dev, vpci);
	return vfio_register_emulated_iommu_dev(&vpci->vdev);
}
EXPORT_SYMBOL_GPL(vpci_device_register);

static int vpci_device_refuse(struct vpci_device *vpci, unsigned int attempt)
{
	bool asked = vpci_device_ask(vpci);

	if (!attempt)
		dev_notice(vpci->vdev.dev, "in use by %s (pid %d), which %s\n",
			   vpci->holder_comm, vpci->holder_pid,
			   asked ? "was asked to give it up" :
				   "cannot be asked to give it up; not removed");
	return asked ? -EAGAIN : -EBUSY;
}

/**
 * vpci_device_retire - refuse new users, unless somebody has it open
 * @vpci: the instance
 * @attempt: 0 if this is not a repetition
 *
 * For a parent driver that would rather refuse to remove an instance than wait
 * for its user. The user, if it listens, is asked to give the instance up; a
 * log line names it, but not for a repetition. After a success
 * vpci_device_unregister() does not wait, unless somebody opens the device node
 * in this very instant, which VFIO does not let anybody prevent; such a file
 * is of no use, but must be closed.
 *
 * Context: may sleep; takes vpci_device.open_lock.
 * Return: 0, and nobody can use it any more. Otherwise it can be used as before:
 * -EAGAIN, the user was asked and may give it up later, or is about to bind the
 * instance or to close it; -EBUSY, the user does not listen.
 */
int vpci_device_retire(struct vpci_device *vpci, unsigned int attempt)
{
	int ret = 0;

	mutex_lock(&vpci->open_lock);
	if (vpci->open)
		ret = vpci_device_refuse(vpci, attempt);
	else if (refcount_read(&vpci->vdev.refcount) > 1)
		ret = -EAGAIN;
	else
		WRITE_ONCE(vpci->dead, true);
	mutex_unlock(&vpci->open_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpci_device_retire);

static void vpci_device_give_up(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->open_lock);

	/* Before config_lock: who holds it may be waiting for the VMM */
	vpci_carrier_shut(vpci);
	mutex_lock(&vpci->config_lock);
	vpci_irq_leave(vpci);
	/* As above */
	WRITE_ONCE(vpci->dead, true);
	vpci_device_reset(vpci, true);
	/* The frames are somebody else's soon, who may want them cached in another way */
	vpci_windows_close_all(vpci);
	mutex_unlock(&vpci->config_lock);

	if (!vpci->open)
		return;
	vpci_device_ask(vpci);
	dev_notice(vpci->vdev.dev, "disconnected, but still open in %s (pid %d)\n",
		   vpci->holder_comm, vpci->holder_pid);
}

/**
 * vpci_device_disconnect - the parent goes, whether somebody has it open or not
 * @vpci: the instance
 *
 * When it returns, every mapping is gone and every access finds nothing. The parent's
 * reset op and then its disconnect op have run, and no op runs or will be called
 * again: what they use can be freed, and the physical device can be given to others.
 * Whoever has the instance open is asked to close it, and named in a log line.
 * vpci_device_unregister() must follow, but can do so much later.
 *
 * Context: may sleep; takes vpci_device.open_lock. Waits for no user to close, nor for
 * its memory: a vpci_dma_rw() or vpci_dma_pin() in flight returns -ENODEV.
 */
void vpci_device_disconnect(struct vpci_device *vpci)
{
	mutex_lock(&vpci->open_lock);
	if (!vpci->dead)
		vpci_device_give_up(vpci);
	if (!vpci->disconnected && vpci->ops->disconnect)
		vpci->ops->disconnect(vpci);
	vpci->disconnected = true;
	mutex_unlock(&vpci->open_lock);
}
EXPORT_SYMBOL_GPL(vpci_device_disconnect);

/**
 * vpci_device_unregister - take the instance away from VFIO users
 * @vpci: the instance
 *
 * Disconnects it first, and then waits until whoever has it open closes it. That
 * can be told by vpci_device_retire() beforehand.
 *
 * Context: may sleep, for as long as VFIO users hold the instance.
 */
void vpci_device_unregister(struct vpci_device *vpci)
{
	vpci_device_disconnect(vpci);
	vfio_unregister_group_dev(&vpci->vdev);
}
EXPORT_SYMBOL_GPL(vpci_device_unregister);

static int __init vpci_init(void)
{
	return 0;
}

/* Eventfds are released after a grace period, by a function of this module */
static void __exit vpci_exit(void)
{
	rcu_barrier();
}

module_init(vpci_init);
module_exit(vpci_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual PCI function library for VFIO");
MODULE_VERSION(VPCI_VERSION);
