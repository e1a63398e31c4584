// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: read(2) and write(2) of mapped areas
 *
 * What a VMM does when it does not map a BAR, and a debugger always. Frames of a
 * device need a mapping of the kernel's own. Making one costs as much as copying
 * many kilobytes, so the last one is kept: the window. It may show frames for as
 * long as they stand behind the instance and it decodes, so every revocation
 * closes it.
 *
 * Registers see one access for each naturally aligned 1, 2, 4 or 8 bytes, as on
 * a bus.
 */
#include <linux/io.h>
#include <linux/sizes.h>

#include "vpci_private.h"

/* Largest window, and what its start is aligned to */
#define VPCI_WINDOW_PAGES	(SZ_2M / PAGE_SIZE)

void vpci_window_close(struct vpci_device *vpci)
{
	struct vpci_window *window = &vpci->window;

	lockdep_assert_held_write(&vpci->memory_lock);

	if (window->io)
		iounmap(window->io);
	window->io = NULL;
}

static bool vpci_window_shows(const struct vpci_window *window,
			      phys_addr_t phys, enum vpci_cache cache)
{
	return window->io && window->cache == cache && phys >= window->phys &&
	       phys - window->phys < window->size;
}

/* Address of a page of the extent in the window, moved there if need be */
static void __iomem *vpci_window_open(struct vpci_window *window,
				      unsigned long index,
				      const struct vpci_extent *extent)
{
	unsigned long start = ALIGN_DOWN(index, VPCI_WINDOW_PAGES);
	unsigned long first = max(start, extent->first);
	unsigned long last = min(start + VPCI_WINDOW_PAGES - 1, extent->last);
	unsigned long pfn = extent->pfn - extent->first;

	if (!vpci_window_shows(window, PFN_PHYS(pfn + index), extent->cache)) {
		if (window->io)
			iounmap(window->io);
		window->phys = PFN_PHYS(pfn + first);
		window->size = (last - first + 1) << PAGE_SHIFT;
		window->cache = extent->cache;
		if (window->cache == VPCI_CACHE_WRITE_COMBINE)
			window->io = ioremap_wc(window->phys, window->size);
		else
			window->io = ioremap(window->phys, window->size);
		if (!window->io)
			return NULL;
	}
	return window->io + (PFN_PHYS(pfn + index) - window->phys);
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
	void __iomem *io;

	mutex_lock(&vpci->window_lock);
	io = vpci_window_open(&vpci->window, pos >> PAGE_SHIFT, extent);
	if (io) {
		io += offset_in_page(pos);
		if (extent->cache == VPCI_CACHE_UNCACHED)
			vpci_copy_registers(io, pos, buf, len, write);
		else if (write)
			memcpy_toio(io, buf, len);
		else
			memcpy_fromio(buf, io, len);
	}
	mutex_unlock(&vpci->window_lock);
	return io ? 0 : -ENOMEM;
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
