// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: regions that are no part of PCI
 *
 * Their numbers follow those of PCI, in the order of vpci_ops.regions. An access must lie
 * inside its region, otherwise all of it is refused: -EINVAL. vpci_region.c cuts it into
 * chunks.
 */
#include <linux/nospec.h>
#include <linux/string.h>

#include "vpci_private.h"

static const struct vpci_region *vpci_own_find(const struct vpci_device *vpci,
					       u64 index)
{
	u64 nr = index - VFIO_PCI_NUM_REGIONS;

	if (nr >= vpci->ops->nr_regions)
		return NULL;
	return &vpci->ops->regions[array_index_nospec(nr, vpci->ops->nr_regions)];
}

int vpci_own_get_info(struct vpci_device *vpci, struct vfio_region_info *info,
		      struct vfio_info_cap *caps)
{
	const struct vpci_region *region = vpci_own_find(vpci, info->index);
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
	};

	if (!region)
		return -EINVAL;

	info->offset = vpci_region_start(info->index);
	info->size = region->size;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	info->cap_offset = 0;
	type.type = region->type;
	type.subtype = region->subtype;
	return vfio_info_add_capability(caps, &type.header, sizeof(type));
}

/* 0, or -EINVAL: there is no such region, or the access does not lie in it */
int vpci_own_check(const struct vpci_device *vpci, unsigned int index, u64 offset,
		   size_t count)
{
	const struct vpci_region *region = vpci_own_find(vpci, index);

	if (!region || count > region->size || offset > region->size - count)
		return -EINVAL;
	return 0;
}

/* One chunk of an access that vpci_own_check() has seen */
int vpci_own_access(struct vpci_device *vpci, unsigned int index, u32 offset,
		    u8 *buf, unsigned int len, bool write)
{
	const struct vpci_region *region = vpci_own_find(vpci, index);
	int ret = 0;

	mutex_lock(&vpci->config_lock);
	/* As in vpci_region.c */
	if (vpci->dead && !write)
		memset(buf, 0xff, len);
	else if (!vpci->dead)
		ret = write ? region->write(vpci, offset, buf, len) :
			      region->read(vpci, offset, buf, len);
	mutex_unlock(&vpci->config_lock);
	return ret;
}

void vpci_own_close(struct vpci_device *vpci)
{
	unsigned int i;

	lockdep_assert_held(&vpci->config_lock);

	for (i = 0; i < vpci->ops->nr_regions; i++)
		if (vpci->ops->regions[i].close)
			vpci->ops->regions[i].close(vpci);
}
