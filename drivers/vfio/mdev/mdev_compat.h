/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices: what differs between the supported kernels
 *
 * The files of mdev-core.ko are written for the newest of them. For each form of an
 * interface that the kernel has, drivers/vfio/probes defines a macro.
 */
#ifndef MDEV_COMPAT_H
#define MDEV_COMPAT_H

#include <linux/device/class.h>

/* Older kernels can make a second link, to a device, which nobody wants here */
#ifdef MDEV_CLASS_COMPAT_DEVICE_LINK
#define class_compat_create_link(cls, dev) \
	class_compat_create_link(cls, dev, NULL)
#define class_compat_remove_link(cls, dev) \
	class_compat_remove_link(cls, dev, NULL)
#endif

#endif /* MDEV_COMPAT_H */
