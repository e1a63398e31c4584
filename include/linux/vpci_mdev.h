/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions whose instances are mediated devices
 *
 * What every such parent driver would write in the same way, for its struct
 * mdev_driver:
 *
 *	static struct mdev_driver example_mdev_driver = {
 *		.probe = example_mdev_probe,
 *		VPCI_MDEV_DRIVER_OPS,
 *		...
 *	};
 *
 * The driver's probe ends with vpci_device_register(), and vpci_ops.disconnect
 * gives back what the instance had. It works with either mdev core, ours and, if
 * VPCI_MDEV_CORE_KERNEL is defined, the kernel's. This header belongs to neither
 * module: vfio-vpci.ko knows nothing of mediated devices.
 */
#ifndef _LINUX_VPCI_MDEV_H
#define _LINUX_VPCI_MDEV_H

#include <linux/mdev.h>
#include <linux/vfio_vpci.h>

#if !defined(MDEV_HAVE_DISCONNECT) && !defined(VPCI_MDEV_CORE_KERNEL)
#error "<linux/mdev.h> is the kernel's: LINUXINCLUDE := -I.../include $(LINUXINCLUDE) puts ours 1st"
#error "ccflags-y does not. For the kernel's own mdev core define VPCI_MDEV_CORE_KERNEL"
#endif

static inline struct vpci_device *mdev_to_vpci(struct mdev_device *mdev)
{
	return dev_get_drvdata(mdev_dev(mdev));
}

/* Waits for the last user, unless vpci_mdev_prepare_remove() has agreed */
static inline void vpci_mdev_remove(struct mdev_device *mdev)
{
	struct vpci_device *vpci = mdev_to_vpci(mdev);

	vpci_device_unregister(vpci);
	vpci_device_put(vpci);
}

static inline int vpci_mdev_prepare_remove(struct mdev_device *mdev,
					   unsigned int attempt)
{
	return vpci_device_retire(mdev_to_vpci(mdev), attempt);
}

static inline void vpci_mdev_disconnect(struct mdev_device *mdev)
{
	vpci_device_disconnect(mdev_to_vpci(mdev));
}

#if defined(MDEV_HAVE_PREPARE_REMOVE) && defined(MDEV_HAVE_DISCONNECT)
#define VPCI_MDEV_DRIVER_OPS						\
	.remove		= vpci_mdev_remove,				\
	.prepare_remove	= vpci_mdev_prepare_remove,			\
	.disconnect	= vpci_mdev_disconnect
#else
#define VPCI_MDEV_DRIVER_OPS						\
	.remove		= vpci_mdev_remove
#endif

#endif /* _LINUX_VPCI_MDEV_H */
