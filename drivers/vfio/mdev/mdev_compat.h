/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices: what differs between the supported kernels
 *
 * The files of mdev.ko are written for the newest of them. Kbuild looks for the
 * interfaces that an older one has in another form and defines a macro for each.
 */
#ifndef MDEV_COMPAT_H
#define MDEV_COMPAT_H

#include <linux/device/class.h>

/* Older kernels can make a second link, to a device, which nobody wants here */
#ifdef MDEV_CLASS_COMPAT_HAS_DEVICE_LINK
#define class_compat_create_link(cls, dev) \
	class_compat_create_link(cls, dev, NULL)
#define class_compat_remove_link(cls, dev) \
	class_compat_remove_link(cls, dev, NULL)
#endif

#endif /* MDEV_COMPAT_H */
