/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: regions that are no part of PCI
 *
 * VFIO lets a device have regions behind those of PCI, and says of each what it is by a
 * type and a subtype: a conversation of the VMM with the driver, of which the guest
 * learns nothing. A parent driver lists them in its struct vpci_ops. They can be read and
 * written, not mapped.
 */
#ifndef _LINUX_VPCI_REGION_H
#define _LINUX_VPCI_REGION_H

#include <linux/types.h>

struct vpci_device;

/* What an access is cut into at most: it never crosses a multiple of that */
#define VPCI_REGION_CHUNK	256

/**
 * struct vpci_region - a region that is no part of PCI
 * @type: VFIO_REGION_TYPE_*
 * @subtype: of that type
 * @size: bytes
 * @read: fill in @buf. Returns 0 or an errno
 * @write: likewise, what the VMM writes
 * @close: optional: the last user has closed the instance
 *
 * @offset and @len lie inside the region, and inside one chunk. All may sleep; they run
 * one at a time, with vpci_device.config_lock held, and not after
 * vpci_device_disconnect(). Resets do not concern them.
 */
struct vpci_region {
	u32 type;
	u32 subtype;
	u32 size;
	int (*read)(struct vpci_device *vpci, u32 offset, void *buf,
		    unsigned int len);
	int (*write)(struct vpci_device *vpci, u32 offset, const void *buf,
		     unsigned int len);
	void (*close)(struct vpci_device *vpci);
};

#endif /* _LINUX_VPCI_REGION_H */
