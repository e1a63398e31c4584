// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: regions that are no part of PCI
 *
 * Their numbers follow those of PCI, in the order of vpci_ops.regions. An access must lie
 * inside its region, otherwise all of it is refused: -EINVAL. It is cut into chunks, and
 * user memory is touched with no lock held.
 */
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uaccess.h>

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

static int vpci_own_access(struct vpci_device *vpci,
			   const struct vpci_region *region, u32 offset,
			   u8 *buf, unsigned int len, bool write)
{
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

/* @to or @from is the user's buffer. Returns the bytes that were transferred, or an errno */
ssize_t vpci_own_rw(struct vpci_device *vpci, char __user *to,
		    const char __user *from, size_t count, loff_t *ppos)
{
	const struct vpci_region *region = vpci_own_find(vpci, *ppos >> VPCI_REGION_SHIFT);
	u64 offset = *ppos & VPCI_REGION_MASK;
	u8 buf[VPCI_REGION_CHUNK];
	size_t done = 0;
	int ret = 0;

	if (!region || count > region->size || offset > region->size - count)
		return -EINVAL;

	while (done < count) {
		u32 at = offset + done;
		unsigned int len = min_t(size_t, count - done,
					 VPCI_REGION_CHUNK - at % VPCI_REGION_CHUNK);

		if (fatal_signal_pending(current))
			ret = -EINTR;
		else if (from && copy_from_user(buf, from + done, len))
			ret = -EFAULT;
		else
			ret = vpci_own_access(vpci, region, at, buf, len, from);
		if (!ret && to && copy_to_user(to + done, buf, len))
			ret = -EFAULT;
		if (ret)
			break;
		done += len;
	}
	*ppos += done;
	return done ? done : ret;
}

void vpci_own_close(struct vpci_device *vpci)
{
	unsigned int i;

	lockdep_assert_held(&vpci->config_lock);

	for (i = 0; i < vpci->ops->nr_regions; i++)
		if (vpci->ops->regions[i].close)
			vpci->ops->regions[i].close(vpci);
}
