/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: what differs between the supported kernels
 *
 * The files of vfio-vpci.ko are written for the newest of them. Kbuild looks for
 * the interfaces that an older one lacks and defines a macro for each.
 */
#ifndef VPCI_COMPAT_H
#define VPCI_COMPAT_H

#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vpci_private.h"

/*
 * Newer kernels handle VFIO_DEVICE_GET_REGION_INFO in VFIO itself and ask the
 * driver for the contents. In older ones it is one more ioctl of the driver.
 */
#ifdef VPCI_VFIO_HAS_REGION_INFO_CAPS

#define VPCI_COMPAT_VFIO_OPS .get_region_info_caps = vpci_region_get_info,

static inline long vpci_compat_ioctl(struct vfio_device *vdev,
				     unsigned int cmd, void __user *arg)
{
	return -ENOTTY;
}

#else

#define VPCI_COMPAT_VFIO_OPS

static inline int vpci_compat_get_region_info(struct vfio_device *vdev,
					      struct vfio_region_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_region_info, offset);
	struct vfio_region_info info;
	struct vfio_info_cap caps = {};
	int ret;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;

	ret = vpci_region_get_info(vdev, &info, &caps);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static inline long vpci_compat_ioctl(struct vfio_device *vdev,
				     unsigned int cmd, void __user *arg)
{
	if (cmd == VFIO_DEVICE_GET_REGION_INFO)
		return vpci_compat_get_region_info(vdev, arg);
	return -ENOTTY;
}

#endif

#endif /* VPCI_COMPAT_H */
