// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: VFIO regions, their description and read(2)/write(2)
 *
 * An access that reaches beyond the end is short in a BAR, or refused by -EINVAL if
 * it begins there; of config space all of it is refused by -EFAULT. So does vfio-pci
 * answer it. A BAR, or the ROM, is not there while the guest has it
 * disabled: -EIO. The ROM cannot be written: -EINVAL. A function that is gone reads
 * ones and ignores writes; to answer each access with an error would let a guest
 * fill its VMM's log. What is no part of PCI is in vpci_own.c.
 *
 * An access of a BAR is cut at the borders of its areas, and what traps is cut
 * further into naturally aligned accesses of 1, 2, 4 or 8 bytes.
 *
 * Data passes through a buffer on the stack, so that user memory is touched
 * with no lock held. Such a buffer, and every loop, lock and division, costs more
 * than a register is worth: single registers have ways of their own, at the end.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <linux/percpu-rwsem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "vpci_private.h"
#include "vpci_trace.h"

/* @to or @from is the user's buffer, as @write says */
struct vpci_access {
	struct vpci_device *vpci;
	unsigned int index;
	u64 offset;
	bool write;
	char __user *to;
	const char __user *from;
};

u64 vpci_region_size(const struct vpci_device *vpci, unsigned int index)
{
	if (index <= VPCI_ROM) {
		index = array_index_nospec(index, VPCI_ROM + 1);
		return vpci->function->bars[index].size;
	}
	if (index == VFIO_PCI_CONFIG_REGION_INDEX)
		return vpci->function->layout->size;
	return 0;
}

/* Which parts of a BAR can be mapped, unless it is all or nothing */
static int vpci_region_add_sparse(const struct vpci_bar *bar,
				  struct vfio_info_cap *caps)
{
	unsigned int i, nr = vpci_areas_count_mapped(bar);
	struct vfio_region_info_cap_sparse_mmap *sparse;
	size_t size = struct_size(sparse, areas, nr);
	int ret;

	sparse = kzalloc(size, GFP_KERNEL);
	if (!sparse)
		return -ENOMEM;

	sparse->header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
	sparse->header.version = 1;
	for (i = 0; i < bar->nr_areas; i++) {
		const struct vpci_area *area = &bar->areas[i];

		if (!area->mapped)
			continue;
		sparse->areas[sparse->nr_areas].offset = area->start;
		sparse->areas[sparse->nr_areas++].size = area->last -
							 area->start + 1;
	}
	ret = vfio_info_add_capability(caps, &sparse->header, size);
	kfree(sparse);
	return ret;
}

int vpci_region_get_info(struct vfio_device *vdev,
			 struct vfio_region_info *info,
			 struct vfio_info_cap *caps)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	const struct vpci_bar *bar;

	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return vpci_own_get_info(vpci, info, caps);
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
		info->flags |= VFIO_REGION_INFO_FLAG_READ;
	if (info->size && info->index != VPCI_ROM)
		info->flags |= VFIO_REGION_INFO_FLAG_WRITE;
	if (info->index >= VPCI_NUM_BARS)
		return 0;

	bar = &vpci->function->bars[info->index];
	if (!vpci_areas_count_mapped(bar))
		return 0;
	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	return bar->nr_areas > 1 ? vpci_region_add_sparse(bar, caps) : 0;
}

static void vpci_config_access(struct vpci_device *vpci, unsigned int offset,
			       u8 *buf, unsigned int len, bool write)
{
	offset = array_index_nospec(offset, vpci->function->layout->size);

	if (!write) {
		if (READ_ONCE(vpci->dead))
			memset(buf, 0xff, len);
		else
			vpci_config_read(&vpci->config, offset, buf, len);
		vpci_stat_inc(vpci, VPCI_STAT_CONFIG_READS);
		return;
	}

	mutex_lock(&vpci->config_lock);
	if (!vpci->dead)
		vpci_config_write(&vpci->config, offset, buf, len);
	vpci_stat_inc(vpci, VPCI_STAT_CONFIG_WRITES);
	mutex_unlock(&vpci->config_lock);
}

u64 vpci_value_get(const u8 *buf, unsigned int width)
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

void vpci_value_put(u8 *buf, unsigned int width, u64 value)
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
unsigned int vpci_access_width(u64 offset, unsigned int len)
{
	return 1U << min(__ffs64(offset | 8), __fls(min(len, 8U)));
}

static u64 vpci_trap_read(struct vpci_device *vpci, unsigned int bar,
			  const struct vpci_area *area, u64 offset,
			  unsigned int width)
{
	if (area->library)
		return area->library->read(vpci, offset - area->start, width);
	return vpci_registers_read(vpci, bar, offset, width);
}

static void vpci_trap_write(struct vpci_device *vpci, unsigned int bar,
			    const struct vpci_area *area, u64 offset,
			    unsigned int width, u64 value)
{
	if (area->library)
		area->library->write(vpci, offset - area->start, width, value);
	else
		vpci_registers_write(vpci, bar, offset, width, value);
}

static void vpci_trap_one(struct vpci_device *vpci, unsigned int bar,
			  const struct vpci_area *area, u64 offset, u8 *buf,
			  unsigned int width, bool write)
{
	u64 value;

	if (write) {
		value = vpci_value_get(buf, width);
		vpci_stat_inc(vpci, VPCI_STAT_TRAPPED_WRITES);
		trace_vpci_trap_write(vpci, bar, offset, width, value);
		vpci_trap_write(vpci, bar, area, offset, width, value);
	} else {
		vpci_stat_inc(vpci, VPCI_STAT_TRAPPED_READS);
		value = vpci_trap_read(vpci, bar, area, offset, width);
		trace_vpci_trap_read(vpci, bar, offset, width, value);
		vpci_value_put(buf, width, value);
	}
}

/* The range lies in one area. -EIO: the BAR is not decoded, and the function is there */
static int vpci_trap_access(struct vpci_device *vpci, unsigned int bar,
			    const struct vpci_area *area, u64 offset, u8 *buf,
			    unsigned int len, bool write)
{
	int ret = 0;

	percpu_down_read(&vpci->trap_lock);
	if (!(vpci->decode & vpci->function->bars[bar].decode)) {
		ret = vpci_bar_absent(vpci, buf, len, write);
		goto out_unlock;
	}

	while (len) {
		/* Aligned in the BAR, and in an area that begins anywhere */
		u64 aligned = offset | (offset - area->start);
		unsigned int width = vpci_access_width(aligned, len);

		vpci_trap_one(vpci, bar, area, offset, buf, width, write);
		offset += width;
		buf += width;
		len -= width;
	}

out_unlock:
	percpu_up_read(&vpci->trap_lock);
	return ret;
}

static int vpci_bar_access(const struct vpci_access *access, u64 offset,
			   u8 *buf, unsigned int len)
{
	struct vpci_device *vpci = access->vpci;
	const struct vpci_bar *bar = &vpci->function->bars[access->index];

	while (len) {
		const struct vpci_area *area = vpci_area_find(bar, offset);
		unsigned int here = min_t(u64, len, area->last - offset + 1);
		int ret;

		if (area->mapped)
			ret = vpci_bar_copy(vpci, access->index, offset, buf,
					    here, access->write);
		else
			ret = vpci_trap_access(vpci, access->index, area,
					       offset, buf, here,
					       access->write);
		if (ret)
			return ret;
		offset += here;
		buf += here;
		len -= here;
	}
	return 0;
}

static int vpci_region_access(const struct vpci_access *access, u64 offset,
			      u8 *buf, unsigned int len)
{
	if (access->index >= VFIO_PCI_NUM_REGIONS)
		return vpci_own_access(access->vpci, access->index, offset, buf, len,
				       access->write);
	if (access->index != VFIO_PCI_CONFIG_REGION_INDEX)
		return vpci_bar_access(access, offset, buf, len);

	vpci_config_access(access->vpci, offset, buf, len, access->write);
	return 0;
}

/* @count becomes what there is of it */
static int vpci_access_prepare(struct vpci_access *access, loff_t pos,
			       size_t *count)
{
	u64 size;

	access->index = pos >> VPCI_REGION_SHIFT;
	access->offset = pos & VPCI_REGION_MASK;
	if (access->index >= VFIO_PCI_NUM_REGIONS)
		return vpci_own_check(access->vpci, access->index, access->offset, *count);
	if (!*count)
		return 0;

	size = vpci_region_size(access->vpci, access->index);
	if (access->index == VFIO_PCI_CONFIG_REGION_INDEX)
		return *count > size || access->offset > size - *count ?
		       -EFAULT : 0;
	if (access->offset >= size || (access->index == VPCI_ROM && access->write))
		return -EINVAL;
	*count = min_t(u64, *count, size - access->offset);
	access->index = array_index_nospec(access->index, VFIO_PCI_NUM_REGIONS);
	return 0;
}

/* One chunk of an access, through @buf */
static int vpci_region_chunk(const struct vpci_access *access, size_t done,
			     u8 *buf, unsigned int len)
{
	int ret;

	if (access->write && copy_from_user(buf, access->from + done, len))
		return -EFAULT;
	ret = vpci_region_access(access, access->offset + done, buf, len);
	if (!ret && !access->write && copy_to_user(access->to + done, buf, len))
		ret = -EFAULT;
	return ret;
}

/* Returns the bytes that were transferred, or an errno when there are none */
static ssize_t vpci_region_rw(struct vpci_access *access, size_t count,
			      loff_t *ppos)
{
	u8 buf[VPCI_REGION_CHUNK];
	size_t done = 0;
	int ret;

	ret = vpci_access_prepare(access, *ppos, &count);
	if (ret)
		return ret;

	while (done < count) {
		u64 offset = access->offset + done;
		/* A chunk ends where the next would begin: never across a page */
		unsigned int len = min_t(size_t, count - done,
					 VPCI_REGION_CHUNK - offset % VPCI_REGION_CHUNK);

		ret = fatal_signal_pending(current) ? -EINTR :
		      vpci_region_chunk(access, done, buf, len);
		if (ret)
			break;
		done += len;
		cond_resched();
	}

	*ppos += done;
	return done ? done : ret;
}

/* Not inlined: the kernel zeroes what is on a stack, at each call */
static noinline ssize_t vpci_region_read_any(struct vpci_device *vpci,
					     char __user *buf, size_t count,
					     loff_t *ppos)
{
	struct vpci_access access = { .vpci = vpci, .to = buf };

	return vpci_region_rw(&access, count, ppos);
}

static noinline ssize_t vpci_region_write_any(struct vpci_device *vpci,
					      const char __user *buf,
					      size_t count, loff_t *ppos)
{
	struct vpci_access access = {
		.vpci = vpci,
		.from = buf,
		.write = true,
	};

	return vpci_region_rw(&access, count, ppos);
}

/*
 * What follows is the quick way for what a guest does all the time: one access
 * of one register of the parent driver's, in the first area of a memory BAR, or a read
 * of config space. It has no loop and no buffer, and looks at as little memory
 * as possible. What is not as simple as that, errors included, it leaves to
 * vpci_region_read_any() and vpci_region_write_any().
 */
static bool vpci_register_traps(struct vpci_device *vpci, unsigned int index,
				u64 offset, unsigned int width)
{
	return index < VPCI_NUM_BARS &&
	       offset + width <=
	       vpci->registers[array_index_nospec(index, VPCI_NUM_BARS)].end;
}

static bool vpci_is_register(u64 pos, size_t width)
{
	return width <= 8 && is_power_of_2(width) && !(pos & (width - 1));
}

static bool vpci_register_read(struct vpci_device *vpci, u64 pos,
			       unsigned int width, u64 *value)
{
	unsigned int index = pos >> VPCI_REGION_SHIFT;
	u64 offset = pos & VPCI_REGION_MASK;
	bool done = false;

	if (!vpci_register_traps(vpci, index, offset, width))
		return false;

	index = array_index_nospec(index, VPCI_NUM_BARS);
	percpu_down_read(&vpci->trap_lock);
	if (vpci->decode & VPCI_DECODE_MEMORY) {
		vpci_stat_inc(vpci, VPCI_STAT_TRAPPED_READS);
		*value = vpci_registers_read(vpci, index, offset, width);
		trace_vpci_trap_read(vpci, index, offset, width, *value);
		done = true;
	}
	percpu_up_read(&vpci->trap_lock);
	return done;
}

static bool vpci_register_write(struct vpci_device *vpci, u64 pos,
				unsigned int width, u64 value)
{
	unsigned int index = pos >> VPCI_REGION_SHIFT;
	u64 offset = pos & VPCI_REGION_MASK;
	bool done = false;

	if (!vpci_register_traps(vpci, index, offset, width))
		return false;

	index = array_index_nospec(index, VPCI_NUM_BARS);
	percpu_down_read(&vpci->trap_lock);
	if (vpci->decode & VPCI_DECODE_MEMORY) {
		vpci_stat_inc(vpci, VPCI_STAT_TRAPPED_WRITES);
		trace_vpci_trap_write(vpci, index, offset, width, value);
		vpci_registers_write(vpci, index, offset, width, value);
		done = true;
	}
	percpu_up_read(&vpci->trap_lock);
	return done;
}

static int vpci_register_to_user(char __user *to, unsigned int width, u64 value)
{
	switch (width) {
	case 8:
		return put_user((__force u64)cpu_to_le64(value),
				(u64 __user *)to);
	case 4:
		return put_user((__force u32)cpu_to_le32(value),
				(u32 __user *)to);
	case 2:
		return put_user((__force u16)cpu_to_le16(value),
				(u16 __user *)to);
	default:
		return put_user((u8)value, (u8 __user *)to);
	}
}

/* Reading config space takes no lock, and changes nothing */
static bool vpci_config_dword_read(struct vpci_device *vpci, u64 pos,
				   unsigned int width, u64 *value)
{
	u64 offset = pos - vpci_region_start(VFIO_PCI_CONFIG_REGION_INDEX);
	unsigned int size = vpci->config.layout->size;

	if (width > 4 || offset >= size || READ_ONCE(vpci->dead))
		return false;

	offset = array_index_nospec(offset, size);
	*value = vpci_config_read_dword(&vpci->config, offset & ~3ULL) >>
		 8 * (offset % 4);
	vpci_stat_inc(vpci, VPCI_STAT_CONFIG_READS);
	return true;
}

ssize_t vpci_region_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	u64 value;

	if (vpci_is_register(*ppos, count) &&
	    (vpci_register_read(vpci, *ppos, count, &value) ||
	     vpci_config_dword_read(vpci, *ppos, count, &value))) {
		if (vpci_register_to_user(buf, count, value))
			return -EFAULT;
		*ppos += count;
		return count;
	}

	return vpci_region_read_any(vpci, buf, count, ppos);
}

ssize_t vpci_region_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	u8 bytes[8];

	if (vpci_is_register(*ppos, count) && *ppos >> VPCI_REGION_SHIFT <
	    VPCI_NUM_BARS) {
		if (copy_from_user(bytes, buf, count))
			return -EFAULT;
		if (vpci_register_write(vpci, *ppos, count,
					vpci_value_get(bytes, count))) {
			*ppos += count;
			return count;
		}
	}

	return vpci_region_write_any(vpci, buf, count, ppos);
}
