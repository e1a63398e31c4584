/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Areas of a virtual PCI function's BARs
 *
 * Compiled from the description once for each kind of function. Parent drivers
 * see these structures inside struct vpci_function. They call nothing of this
 * header.
 */
#ifndef _LINUX_VPCI_AREA_H
#define _LINUX_VPCI_AREA_H

#include <linux/types.h>
#include <linux/vpci_config.h>
#include <linux/vpci_desc.h>

#define VPCI_MAX_AREAS 16

struct vpci_device;

/**
 * struct vpci_area_ops - registers that the library itself has in a BAR
 * @read: @offset bytes from the start of the area, a multiple of @width, which
 *	is 1, 2, 4 or 8; the access lies inside the area
 * @write: likewise
 *
 * Called as vpci_ops.bar_read and vpci_ops.bar_write are.
 */
struct vpci_area_ops {
	u64 (*read)(struct vpci_device *vpci, u64 offset, unsigned int width);
	void (*write)(struct vpci_device *vpci, u64 offset, unsigned int width,
		      u64 value);
};

/**
 * struct vpci_area - a part of a BAR that is of one kind
 * @start: bytes from the start of the BAR
 * @last: its last byte
 * @mapped: backings stand behind it; otherwise accesses trap
 * @library: if they trap into the library, where; NULL for the parent driver
 */
struct vpci_area {
	u64 start;
	u64 last;
	bool mapped;
	const struct vpci_area_ops *library;
};

/**
 * struct vpci_bar - a BAR, cut into areas
 * @size: bytes; 0 means that there is no such BAR
 * @cache: as described
 * @decode: what it takes to reach it, of enum vpci_decode
 * @nr_banks: as described
 * @banks: likewise
 * @nr_areas: number of @areas in use
 * @areas: ascending, without gaps, neighbours differ in kind; mapped ones
 *	consist of whole pages
 */
struct vpci_bar {
	u64 size;
	enum vpci_cache cache;
	unsigned int decode;
	unsigned int nr_banks;
	const struct vpci_bank *banks;
	unsigned int nr_areas;
	struct vpci_area areas[VPCI_MAX_AREAS];
};

int vpci_areas_compile(struct vpci_bar *bar, const struct vpci_bar_desc *desc,
		       struct vpci_config_error *err);
int vpci_area_claim(struct vpci_bar *bar, u64 offset, u64 size,
		    const struct vpci_area_ops *ops);
bool vpci_area_is_mapped(const struct vpci_bar *bar, u64 offset, u64 size);
unsigned int vpci_areas_count_mapped(const struct vpci_bar *bar);

/* The area that the byte at @offset is in; it lies inside the BAR */
static inline const struct vpci_area *vpci_area_find(const struct vpci_bar *bar,
						     u64 offset)
{
	const struct vpci_area *area = bar->areas;

	while (offset > area->last)
		area++;
	return area;
}

#endif /* _LINUX_VPCI_AREA_H */
