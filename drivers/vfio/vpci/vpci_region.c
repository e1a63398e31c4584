// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: VFIO regions, their description and read(2)/write(2)
 *
 * An access must lie inside its region, otherwise all of it is refused:
 * -EFAULT for config space and -EINVAL for BARs, as vfio-pci answers an access
 * that begins outside. Memory of a BAR is not there while decode is off: -EIO.
 *
 * Data passes through a buffer on the stack, so that user memory is touched
 * with no lock held.
 */
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "vpci_private.h"

#define VPCI_CHUNK 256

struct vpci_access {
	struct vpci_device *vpci;
	unsigned int index;
	u64 offset;
	bool write;
};

u64 vpci_region_size(const struct vpci_device *vpci, unsigned int index)
{
	if (index < VPCI_NUM_BARS) {
		index = array_index_nospec(index, VPCI_NUM_BARS);
		return vpci->function->bars[index].size;
	}
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return vpci->function->layout.size;
	return 0;
}

int vpci_region_get_info(struct vfio_device *vdev,
			 struct vfio_region_info *info,
			 struct vfio_info_cap *caps)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);

	if (READ_ONCE(vpci->dead))
		return -ENODEV;
	/* As with vfio-pci, a function without VGA has no such region at all */
	if (info->index >= VFIO_PCI_VGA_REGION_INDEX)
		return -EINVAL;
	info->index = array_index_nospec(info->index,
					 VFIO_PCI_VGA_REGION_INDEX);

	info->offset = vpci_region_start(info->index);
	info->size = vpci_region_size(vpci, info->index);
	info->flags = 0;
	info->cap_offset = 0;
	if (info->size)
		info->flags |= VFIO_REGION_INFO_FLAG_READ |
			       VFIO_REGION_INFO_FLAG_WRITE;
	if (info->index < VPCI_NUM_BARS &&
	    vpci->function->bars[info->index].mapped)
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return 0;
}

static int vpci_config_access(struct vpci_device *vpci, unsigned int offset,
			      u8 *buf, unsigned int len, bool write)
{
	int ret = -ENODEV;

	if (!write) {
		vpci_config_read(&vpci->config, offset, buf, len);
		vpci_stat_inc(vpci, VPCI_STAT_CONFIG_READS);
		return 0;
	}

	mutex_lock(&vpci->config_lock);
	if (!vpci->dead) {
		vpci_config_write(&vpci->config, offset, buf, len);
		vpci_stat_inc(vpci, VPCI_STAT_CONFIG_WRITES);
		ret = 0;
	}
	mutex_unlock(&vpci->config_lock);
	return ret;
}

static u64 vpci_get_value(const u8 *buf, unsigned int width)
{
	switch (width) {
	case 8:
		return get_unaligned_le64(buf);
	case 4:
		return get_unaligned_le32(buf);
	case 2:
		return get_unaligned_le16(buf);
	default:
		return *buf;
	}
}

static void vpci_put_value(u8 *buf, unsigned int width, u64 value)
{
	switch (width) {
	case 8:
		put_unaligned_le64(value, buf);
		break;
	case 4:
		put_unaligned_le32(value, buf);
		break;
	case 2:
		put_unaligned_le16(value, buf);
		break;
	default:
		*buf = value;
	}
}

/* The widest access that is aligned at @offset and fits into @len */
static unsigned int vpci_access_width(u64 offset, unsigned int len)
{
	unsigned int width = 8;

	while (width > len || offset % width)
		width /= 2;
	return width;
}

static void vpci_trap_one(struct vpci_device *vpci, unsigned int bar,
			  u64 offset, u8 *buf, unsigned int width, bool write)
{
	if (write) {
		vpci_stat_inc(vpci, VPCI_STAT_TRAPPED_WRITES);
		vpci->ops->bar_write(vpci, bar, offset, width,
				     vpci_get_value(buf, width));
	} else {
		vpci_stat_inc(vpci, VPCI_STAT_TRAPPED_READS);
		vpci_put_value(buf, width,
			       vpci->ops->bar_read(vpci, bar, offset, width));
	}
}

static int vpci_trap_access(struct vpci_device *vpci, unsigned int bar,
			    u64 offset, u8 *buf, unsigned int len, bool write)
{
	int ret = -EIO;

	down_read(&vpci->trap_lock);
	if (!vpci->decode)
		goto out_unlock;

	while (len) {
		unsigned int width = vpci_access_width(offset, len);

		vpci_trap_one(vpci, bar, offset, buf, width, write);
		offset += width;
		buf += width;
		len -= width;
	}
	ret = 0;

out_unlock:
	up_read(&vpci->trap_lock);
	return ret;
}

static int vpci_region_access(const struct vpci_access *access, u64 offset,
			      u8 *buf, unsigned int len)
{
	struct vpci_device *vpci = access->vpci;

	if (access->index == VFIO_PCI_CONFIG_REGION_INDEX)
		return vpci_config_access(vpci, offset, buf, len,
					  access->write);
	if (vpci->function->bars[access->index].mapped)
		return vpci_bar_copy(vpci, access->index, offset, buf, len,
				     access->write);
	return vpci_trap_access(vpci, access->index, offset, buf, len,
				access->write);
}

static int vpci_access_prepare(struct vpci_access *access, loff_t pos,
			       size_t count)
{
	u64 size;

	access->index = pos >> VPCI_REGION_SHIFT;
	access->offset = pos & VPCI_REGION_MASK;
	size = vpci_region_size(access->vpci, access->index);

	if (READ_ONCE(access->vpci->dead))
		return -ENODEV;
	if (count > size || access->offset > size - count)
		return access->index == VFIO_PCI_CONFIG_REGION_INDEX ?
		       -EFAULT : -EINVAL;
	/* Only for a length of zero can it be a region that is not there */
	access->index = array_index_nospec(access->index, VFIO_PCI_NUM_REGIONS);
	return 0;
}

/*
 * Returns the bytes that were transferred, or an errno when there are none.
 * @to and @from are the two directions' user buffers; one is NULL.
 */
static ssize_t vpci_region_rw(struct vpci_access *access, char __user *to,
			      const char __user *from, size_t count,
			      loff_t *ppos)
{
	u8 buf[VPCI_CHUNK];
	size_t done = 0;
	int ret;

	ret = vpci_access_prepare(access, *ppos, count);
	if (ret)
		return ret;

	while (done < count) {
		u64 offset = access->offset + done;
		/* A chunk ends where the next would begin: never across a page */
		unsigned int len = min_t(size_t, count - done,
					 VPCI_CHUNK - offset % VPCI_CHUNK);

		ret = -EINTR;
		if (fatal_signal_pending(current))
			break;
		ret = -EFAULT;
		if (from && copy_from_user(buf, from + done, len))
			break;
		ret = vpci_region_access(access, offset, buf, len);
		if (ret)
			break;
		ret = -EFAULT;
		if (to && copy_to_user(to + done, buf, len))
			break;
		done += len;
		cond_resched();
	}

	*ppos += done;
	return done ? done : count ? ret : 0;
}

ssize_t vpci_region_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct vpci_access access = { .vpci = vdev_to_vpci(vdev) };

	return vpci_region_rw(&access, buf, NULL, count, ppos);
}

ssize_t vpci_region_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct vpci_access access = {
		.vpci = vdev_to_vpci(vdev),
		.write = true,
	};

	return vpci_region_rw(&access, NULL, buf, count, ppos);
}
