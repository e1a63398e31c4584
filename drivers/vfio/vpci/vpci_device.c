// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: life of an instance, VFIO ioctls, reset
 *
 * An instance that nobody has open is in the state after creation: decode is
 * off, every register has its reset value and the parent's behaviour was reset.
 * Opening it therefore changes nothing; closing it resets it.
 *
 * The parent gives an instance up by setting @dead. From then on decode stays
 * off, read(2), write(2) and ioctl(2) fail with -ENODEV and mapped pages show
 * the sink page, whatever a VMM still does with its file. No op of the parent
 * is called any more, so that the parent can go while the file stays.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/pci_regs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vpci_compat.h"
#include "vpci_private.h"

/* VFIO itself asks as often as this */
#define VPCI_ASK_INTERVAL	(10 * HZ)

static void vpci_command_written(struct vpci_config *cfg, unsigned int offset,
				 u32 old, u32 new, u32 enables)
{
	struct vpci_device *vpci = to_vpci_device(cfg);

	vpci_bar_set_decode(vpci, (new & PCI_COMMAND_MEMORY) && !vpci->dead);
}

/* The second half of a BAR's description: what is not in config space */
static int vpci_function_add_bar(struct vpci_function *function,
				 const struct vpci_desc *desc, unsigned int bar,
				 struct vpci_layout_error *err)
{
	err->item = "BAR";
	err->index = bar;
	if (desc->bars[bar].size > 1ULL << VPCI_REGION_SHIFT) {
		err->reason = "is larger than 1 TiB, the room for a region";
		return -EINVAL;
	}
	return vpci_areas_compile(&function->bars[bar], &desc->bars[bar], err);
}

/**
 * vpci_function_create - check and compile the description of a function
 * @dev: the parent device, for the error message
 * @desc: the description; not needed any more afterwards
 *
 * Context: may sleep.
 * Return: the function, or an ERR_PTR: -EINVAL with a log line that names what
 * is wrong, or -ENOMEM.
 */
struct vpci_function *vpci_function_create(struct device *dev,
					   const struct vpci_desc *desc)
{
	struct vpci_function *function;
	struct vpci_layout_error err = {};
	unsigned int i;
	int ret;

	function = kvzalloc(sizeof(*function), GFP_KERNEL);
	if (!function)
		return ERR_PTR(-ENOMEM);
	kref_init(&function->refs);

	ret = vpci_layout_compile(&function->layout, desc,
				  vpci_command_written, &err);
	for (i = 0; !ret && i < VPCI_NUM_BARS; i++)
		ret = vpci_function_add_bar(function, desc, i, &err);
	if (ret) {
		dev_err(dev, "vpci: %s: %s %#x %s\n", desc->name, err.item,
			err.index, err.reason);
		kvfree(function);
		return ERR_PTR(ret);
	}
	return function;
}
EXPORT_SYMBOL_GPL(vpci_function_create);

static void vpci_function_release(struct kref *refs)
{
	kvfree(container_of(refs, struct vpci_function, refs));
}

/**
 * vpci_function_free - undo vpci_function_create()
 * @function: the function, of no use to the caller any more; NULL is ignored
 *
 * Instances that are left keep it alive.
 */
void vpci_function_free(struct vpci_function *function)
{
	if (function)
		kref_put(&function->refs, vpci_function_release);
}
EXPORT_SYMBOL_GPL(vpci_function_free);

static void vpci_device_reset(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->config_lock);

	vpci_bar_set_decode(vpci, false);
	vpci_bar_reset(vpci);
	vpci_config_reset(&vpci->config);
	vpci->ops->reset(vpci);
	vpci_stat_inc(vpci, VPCI_STAT_RESETS);
}

static int vpci_device_open(struct vfio_device *vdev)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	lockdep_assert_held(&vdev->dev_set->lock);

	if (vpci->dead)
		return -ENODEV;

	vpci->open = true;
	vpci->asked = jiffies - VPCI_ASK_INTERVAL;
	vpci->holder_pid = task_tgid_nr(current);
	get_task_comm(vpci->holder_comm, current->group_leader);
	return 0;
}

static void vpci_device_close(struct vfio_device *vdev)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	mutex_lock(&vpci->config_lock);
	if (!vpci->dead)
		vpci_device_reset(vpci);
	mutex_unlock(&vpci->config_lock);

	vpci_irq_close(vpci);
	vpci->open = false;
}

/*
 * Ask the user to give the instance up, unless that was done a moment ago: a
 * guest takes seconds to let go of a device. False: there is nobody to ask.
 */
static bool vpci_device_ask(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->vdev.dev_set->lock);

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

	mutex_lock(&vdev->dev_set->lock);
	if (vpci->open) {
		vpci_device_ask(vpci);
		if (!count)
			dev_notice(vdev->dev, "waiting for %s (pid %d) to close it\n",
				   vpci->holder_comm, vpci->holder_pid);
	} else if (!count) {
		dev_notice(vdev->dev, "waiting for whoever has its device node open to close it\n");
	}
	mutex_unlock(&vdev->dev_set->lock);
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
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static int vpci_ioctl_get_irq_info(struct vfio_irq_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	ret = vpci_irq_get_info(&info);
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
	int ret = -ENODEV;

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
	if (!vpci->dead) {
		vpci->ops->get_plane(vpci, &plane);
		ret = 0;
	}
	mutex_unlock(&vpci->config_lock);
	if (ret)
		return ret;
	return copy_to_user(arg, &plane, minsz) ? -EFAULT : 0;
}

static int vpci_ioctl_reset(struct vpci_device *vpci)
{
	int ret = -ENODEV;

	mutex_lock(&vpci->config_lock);
	if (!vpci->dead) {
		vpci_device_reset(vpci);
		ret = 0;
	}
	mutex_unlock(&vpci->config_lock);
	return ret;
}

static long vpci_device_ioctl(struct vfio_device *vdev, unsigned int cmd,
			      unsigned long arg)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	void __user *uarg = (void __user *)arg;

	if (READ_ONCE(vpci->dead))
		return -ENODEV;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vpci_ioctl_get_info(vpci, uarg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return vpci_ioctl_get_irq_info(uarg);
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
	VPCI_COMPAT_VFIO_OPS
};

static int vpci_device_init(struct vpci_device *vpci,
			    struct vpci_function *function)
{
	int ret;

	kref_get(&function->refs);
	vpci->function = function;
	mutex_init(&vpci->config_lock);
	mutex_init(&vpci->irq_lock);
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

	vpci->config.layout = &function->layout;
	vpci->config.dwords = kcalloc(function->layout.nr_slots, sizeof(u32),
				      GFP_KERNEL_ACCOUNT);
	if (!vpci->config.dwords)
		return -ENOMEM;
	vpci_config_reset(&vpci->config);
	return 0;
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

	if (WARN_ON_ONCE(size < sizeof(*vpci) || !ops->bar_read ||
			 !ops->bar_write || !ops->reset))
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
 * vpci_device_register - make the instance available to VFIO users
 * @vpci: the instance, complete
 *
 * Sets the driver data of the device to @vpci.
 *
 * Context: may sleep.
 * Return: 0, or a negative errno from VFIO.
 */
int vpci_device_register(struct vpci_device *vpci)
{
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
 * Context: may sleep; takes vfio_device_set.lock.
 * Return: 0, and nobody can use it any more. Otherwise nothing has changed:
 * -EAGAIN, the user was asked, or is about to bind the instance or to close it;
 * -EBUSY, the user does not listen.
 */
int vpci_device_retire(struct vpci_device *vpci, unsigned int attempt)
{
	struct vfio_device *vdev = &vpci->vdev;
	int ret = 0;

	mutex_lock(&vdev->dev_set->lock);
	if (vpci->open)
		ret = vpci_device_refuse(vpci, attempt);
	else if (refcount_read(&vdev->refcount) > 1)
		ret = -EAGAIN;
	else
		WRITE_ONCE(vpci->dead, true);
	mutex_unlock(&vdev->dev_set->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpci_device_retire);

/**
 * vpci_device_disconnect - the parent goes, whether somebody has it open or not
 * @vpci: the instance
 *
 * When it returns, every mapping is gone and every access fails. The parent's
 * reset op has run for the last time, and no op runs or will be called again:
 * what they use can be freed, and the physical device can be given to others.
 * Whoever has the instance open is asked to close it, and named in a log line.
 * vpci_device_unregister() must follow, but can do so much later.
 *
 * Context: may sleep, but waits for no user; takes vfio_device_set.lock.
 */
void vpci_device_disconnect(struct vpci_device *vpci)
{
	struct vfio_device *vdev = &vpci->vdev;

	mutex_lock(&vdev->dev_set->lock);
	if (vpci->dead)
		goto out_unlock;

	mutex_lock(&vpci->config_lock);
	vpci_device_reset(vpci);
	WRITE_ONCE(vpci->dead, true);
	mutex_unlock(&vpci->config_lock);

	if (vpci->open) {
		vpci_device_ask(vpci);
		dev_notice(vdev->dev, "disconnected, but still open in %s (pid %d)\n",
			   vpci->holder_comm, vpci->holder_pid);
	}
out_unlock:
	mutex_unlock(&vdev->dev_set->lock);
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

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual PCI function library for VFIO");
