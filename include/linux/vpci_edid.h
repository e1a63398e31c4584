/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual displays: what a display says of itself (EDID)
 *
 * This header and what it describes need nothing of a running kernel, so that
 * the same code is built and tested in user space.
 */
#ifndef _LINUX_VPCI_EDID_H
#define _LINUX_VPCI_EDID_H

#include <linux/types.h>

#define VPCI_EDID_SIZE		128

/* How often the preferred mode is drawn in a second */
#define VPCI_EDID_HZ		60

/**
 * struct vpci_edid_desc - a display
 * @vendor: three capital letters
 * @product: code of the product
 * @name: up to 13 characters
 * @serial: up to 13 characters
 * @width: of the preferred mode, pixels
 * @height: likewise, lines
 */
struct vpci_edid_desc {
	const char *vendor;
	u16 product;
	const char *name;
	const char *serial;
	unsigned int width;
	unsigned int height;
};

int vpci_edid_generate(u8 edid[VPCI_EDID_SIZE],
		       const struct vpci_edid_desc *desc);
void vpci_edid_largest(u64 bytes, unsigned int *width, unsigned int *height);

#endif /* _LINUX_VPCI_EDID_H */
