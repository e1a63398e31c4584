// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: read(2) and write(2) of mapped areas
 *
 * What a VMM does when it does not map a BAR, and a debugger always. Frames of a
 * device need a mapping of the kernel's own, a window. Making one costs as much as
 * copying many kilobytes, and taking it down is an interrupt for all processors now and
 * then, which a user must not cause by how it chooses its addresses: a window stays until
 * its range is revoked, or nobody has the function open. So there is one for each
 * VPCI_WINDOW_PAGES of a backing at most, and one for each backing. The parent driver has
 * all of it mapped anyway, see vpci_bar_back().
 *
 * Windows are in a maple tree, by page of the VFIO region space like backings. What
 * stands behind a page changes by revocation only, so a window shows what it ought to
 * for as long as it is there, and whoever holds memory_lock can use it. Whether the
 * function decodes is looked at for each access.
 *
 * Registers see one access for each naturally aligned 1, 2, 4 or 8 bytes, as on
 * a bus.
 */
#include <linux/io.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "vpci_private.h"

/* Largest window, and what its start is aligned to */
#define VPCI_WINDOW_PAGES	(SZ_64M / PAGE_SIZE)

/**
 * struct vpci_window - where frames of a device are mapped for the kernel
 * @io: the mapping
 * @first: its first page in the region space
 */
struct vpci_window {
	void __iomem *io;
	unsigned long first;
};

void vpci_windows_init(struct vpci_device *vpci)
{
	mutex_init(&vpci->window_lock);
	mt_init_flags(&vpci->windows, MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&vpci->windows, &vpci->window_lock);
}

/* Of the range in the region space; those that reach out of it as a whole */
void vpci_windows_close(struct vpci_device *vpci, unsigned long first, unsigned long last)
{
	MA_STATE(mas, &vpci->windows, first, first);
	struct vpci_window *window;

	lockdep_assert_held_write(&vpci->memory_lock);

	mutex_lock(&vpci->window_lock);
	while ((window = mas_find(&mas, last))) {
		mas_set_range(&mas, mas.index, mas.last);
		mas_store_gfp(&mas, NULL, GFP_KERNEL | __GFP_NOFAIL);
		iounmap(window->io);
		kfree(window);
		mas_set(&mas, first);
	}
	mutex_unlock(&vpci->window_lock);
}

void vpci_windows_destroy(struct vpci_device *vpci)
{
	mutex_lock(&vpci->window_lock);
	__mt_destroy(&vpci->windows);
	mutex_unlock(&vpci->window_lock);
}

/* Nobody will read and write any more for now */
void vpci_windows_close_all(struct vpci_device *vpci)
{
	down_write(&vpci->memory_lock);
	vpci_windows_close(vpci, 0, ULONG_MAX);
	up_write(&vpci->memory_lock);
}

static struct vpci_window *vpci_window_map(const struct vpci_extent *extent, unsigned long first,
					   unsigned long last)
{
	phys_addr_t phys = PFN_PHYS(extent->pfn + (first - extent->first));
	size_t size = (last - first + 1) << PAGE_SHIFT;
	struct vpci_window *window = kmalloc(sizeof(*window), GFP_KERNEL_ACCOUNT);

	if (!window)
		return NULL;
	window->first = first;
	window->io = extent->cache == VPCI_CACHE_WRITE_COMBINE ? ioremap_wc(phys, size) :
								 ioremap(phys, size);
	if (window->io)
		return window;
	kfree(window);
	return NULL;
}

/* @mas stands in a gap between windows, which it may not leave */
static struct vpci_window *vpci_window_open(struct vpci_device *vpci, struct ma_state *mas,
					    unsigned long index, const struct vpci_extent *extent)
{
	unsigned long start = ALIGN_DOWN(index, VPCI_WINDOW_PAGES);
	unsigned long first = max3(start, extent->first, mas->index);
	unsigned long last = min3(start + VPCI_WINDOW_PAGES - 1, extent->last, mas->last);
	struct vpci_window *window = vpci_window_map(extent, first, last);

	if (!window)
		return NULL;
	mas_set_range(mas, first, last);
	if (mas_store_gfp(mas, window, GFP_KERNEL)) {
		iounmap(window->io);
		kfree(window);
		return NULL;
	}
	vpci_stat_inc(vpci, VPCI_STAT_WINDOWS);
	return window;
}

/* Address of a page of the extent; can be used while memory_lock is held */
static void __iomem *vpci_window_at(struct vpci_device *vpci, unsigned long index,
				    const struct vpci_extent *extent)
{
	MA_STATE(mas, &vpci->windows, index, index);
	struct vpci_window *window;

	lockdep_assert_held(&vpci->memory_lock);

	mutex_lock(&vpci->window_lock);
	window = mas_walk(&mas);
	if (!window)
		window = vpci_window_open(vpci, &mas, index, extent);
	mutex_unlock(&vpci->window_lock);
	return window ? window->io + PFN_PHYS(index - window->first) : NULL;
}

static u64 vpci_register_read(void __iomem *io, unsigned int width)
{
	switch (width) {
	case 8:
		return readq(io);
	case 4:
		return readl(io);
	case 2:
		return readw(io);
	default:
		return readb(io);
	}
}

static void vpci_register_write(void __iomem *io, unsigned int width, u64 value)
{
	switch (width) {
	case 8:
		writeq(value, io);
		break;
	case 4:
		writel(value, io);
		break;
	case 2:
		writew(value, io);
		break;
	default:
		writeb(value, io);
	}
}

static void vpci_copy_registers(void __iomem *io, u64 offset, u8 *buf,
				size_t len, bool write)
{
	while (len) {
		unsigned int width = vpci_access_width(offset, len);

		if (write)
			vpci_register_write(io, width,
					    vpci_value_get(buf, width));
		else
			vpci_value_put(buf, width,
				       vpci_register_read(io, width));
		io += width;
		offset += width;
		buf += width;
		len -= width;
	}
}

static int vpci_copy_device(struct vpci_device *vpci, u64 pos,
			    const struct vpci_extent *extent, u8 *buf,
			    size_t len, bool write)
{
	void __iomem *io = vpci_window_at(vpci, pos >> PAGE_SHIFT, extent);

	if (!io)
		return -ENOMEM;

	io += offset_in_page(pos);
	if (extent->cache == VPCI_CACHE_UNCACHED)
		vpci_copy_registers(io, pos, buf, len, write);
	else if (write)
		memcpy_toio(io, buf, len);
	else
		memcpy_fromio(buf, io, len);
	return 0;
}

/* For memory this is its address in the kernel's direct map, at no cost */
static int vpci_copy_memory(u64 pos, const struct vpci_extent *extent, u8 *buf,
			    size_t len, bool write)
{
	unsigned long pfn = extent->pfn - extent->first + (pos >> PAGE_SHIFT);
	u8 *mem = memremap(PFN_PHYS(pfn) + offset_in_page(pos), len,
			   MEMREMAP_WB);

	if (!mem)
		return -ENOMEM;

	memcpy(write ? mem : buf, write ? buf : mem, len);
	memunmap(mem);
	return 0;
}

/*
 * Access a mapped area. The range lies in one page. -EIO: decode is off, and the
 * function is there. A page without a backing reads ones and ignores writes.
 */
int vpci_bar_copy(struct vpci_device *vpci, unsigned int bar, u64 offset,
		  void *buf, size_t len, bool write)
{
	u64 pos = vpci_region_start(bar) + offset;
	struct vpci_extent extent;
	int ret = 0;

	if (!vpci_backing_touch(vpci, pos >> PAGE_SHIFT, &extent)) {
		if (!(vpci->decode & VPCI_DECODE_MEMORY))
			ret = vpci_bar_absent(vpci, buf, len, write);
		else if (!write)
			memset(buf, 0xff, len);
	} else if (extent.cache == VPCI_CACHE_WRITE_BACK) {
		ret = vpci_copy_memory(pos, &extent, buf, len, write);
	} else {
		ret = vpci_copy_device(vpci, pos, &extent, buf, len, write);
	}
	up_read(&vpci->memory_lock);
	return ret;
}
