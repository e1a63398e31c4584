// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: backings of mapped areas
 *
 * A backing says which physical frames stand behind a range of a BAR. Recording
 * one maps nothing; vpci_fault.c maps when a page is touched, vpci_copy.c reads
 * and writes without a mapping of user space.
 *
 * The backings of all BARs are in one maple tree, indexed by page of the VFIO
 * region space, which is what a VMA's pgoff counts in. The entry of a range is
 * the same for each page of it: the distance from index to frame number, and
 * the cacheability. So a range can be cut anywhere without a new entry, and two
 * neighbours with the same entry are one range.
 *
 * Whoever changes a backing or decode does so with memory_lock held for writing
 * and removes the mappings of the range before it lets go of the lock. A fault
 * holds it for reading from look-up to insertion: it either came before and is
 * removed, or comes after and sees the new state. memory_lock is the tree's
 * lock, too.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>

#include "vpci_private.h"
#include "vpci_trace.h"

/* Entry of the tree: frame number minus index, modulo 2^58, and cacheability */
#define VPCI_BACKING_CACHE_BITS	2
#define VPCI_BACKING_PFN_MASK	((1UL << 58) - 1)

/*
 * Calls of fault_backing for one touch. Who revokes at the same time does not make
 * so many of them vain: it is a parent driver that says it has backed, and has not.
 */
#define VPCI_MAX_BACKING_TRIES	100

static void *vpci_backing_entry(unsigned long index, unsigned long pfn,
				enum vpci_cache cache)
{
	unsigned long distance = (pfn - index) & VPCI_BACKING_PFN_MASK;

	return xa_mk_value(distance << VPCI_BACKING_CACHE_BITS | cache);
}

static unsigned long vpci_backing_pfn(void *entry, unsigned long index)
{
	unsigned long distance = xa_to_value(entry) >> VPCI_BACKING_CACHE_BITS;

	return (distance + index) & VPCI_BACKING_PFN_MASK;
}

static enum vpci_cache vpci_backing_cache(void *entry)
{
	return xa_to_value(entry) & ((1 << VPCI_BACKING_CACHE_BITS) - 1);
}

/* Neighbours with the same entry are joined */
static int vpci_backings_store(struct vpci_device *vpci, unsigned long first,
			       unsigned long last, void *entry, gfp_t gfp)
{
	MA_STATE(mas, &vpci->backings, last + 1, last + 1);

	if (mas_walk(&mas) == entry)
		last = mas.last;
	if (first) {
		mas_set(&mas, first - 1);
		if (mas_walk(&mas) == entry)
			first = mas.index;
	}
	mas_set_range(&mas, first, last);
	return mas_store_gfp(&mas, entry, gfp);
}

static int vpci_backings_add(struct vpci_device *vpci, unsigned long first,
			     unsigned long last, void *entry)
{
	MA_STATE(mas, &vpci->backings, first, last);

	if (mas_find(&mas, last))
		return -EEXIST;
	return vpci_backings_store(vpci, first, last, entry, GFP_KERNEL);
}

/* Cutting a range may need a node of the tree, and cannot be refused */
static void vpci_backings_remove(struct vpci_device *vpci, unsigned long first,
				 unsigned long last)
{
	MA_STATE(mas, &vpci->backings, first, last);

	mas_store_gfp(&mas, NULL, GFP_KERNEL | __GFP_NOFAIL);
}

/* What a touch of the page meets; false for the sink page */
static bool vpci_backing_find(struct vpci_device *vpci, unsigned long index,
			      struct vpci_extent *extent)
{
	MA_STATE(mas, &vpci->backings, index, index);
	void *entry;

	lockdep_assert_held(&vpci->memory_lock);

	entry = vpci->decode & VPCI_DECODE_MEMORY ? mas_walk(&mas) : NULL;
	if (!entry)
		return false;
	extent->first = mas.index;
	extent->last = mas.last;
	extent->pfn = vpci_backing_pfn(entry, mas.index);
	extent->cache = vpci_backing_cache(entry);
	return true;
}

/*
 * Ask the parent driver; decode cannot go off while it works. If it has gone off
 * before, there is nothing to ask for, and the next look finds out.
 */
static bool vpci_backing_request(struct vpci_device *vpci, unsigned long index)
{
	u64 pos = (u64)index << PAGE_SHIFT;
	int ret = 0;

	down_read(&vpci->touch_lock);
	if (vpci->decode & VPCI_DECODE_MEMORY)
		ret = vpci->ops->fault_backing(vpci, pos >> VPCI_REGION_SHIFT,
					       pos & VPCI_REGION_MASK);
	up_read(&vpci->touch_lock);
	return !ret;
}

/*
 * The page is touched: what does it meet? False for the sink page. In both
 * cases memory_lock is held for reading on return, and the caller lets go of it.
 */
bool vpci_backing_touch(struct vpci_device *vpci, unsigned long index,
			struct vpci_extent *extent)
{
	unsigned int tries = VPCI_MAX_BACKING_TRIES;

	for (;;) {
		down_read(&vpci->memory_lock);
		if (vpci_backing_find(vpci, index, extent))
			return true;
		/* With decode off the parent may be gone, its ops with it */
		if (!tries || !(vpci->decode & VPCI_DECODE_MEMORY) ||
		    !vpci->ops->fault_backing)
			return false;
		up_read(&vpci->memory_lock);
		tries = vpci_backing_request(vpci, index) ? tries - 1 : 0;
	}
}

/*
 * Removes all mappings of the range, for now: faults are not held up. A leaf of
 * 1 GiB cannot lose a part, only go as a whole; what was not meant of it comes
 * back by faults. 6.12 wants mmap_lock for that unless it is asked to unmap all
 * of it.
 */
void vpci_bar_zap(struct vpci_device *vpci, u64 start, u64 size)
{
	u64 end = start + size;

	if (READ_ONCE(vpci->has_giants)) {
		start = ALIGN_DOWN(start, PUD_SIZE);
		end = ALIGN(end, PUD_SIZE);
	}
	unmap_mapping_range(vpci->vdev.inode->i_mapping, start, end - start,
			    true);
}

/* No fault is between look-up and insertion: nothing of the range is left */
static void vpci_bar_unmap(struct vpci_device *vpci, u64 start, u64 size)
{
	lockdep_assert_held_write(&vpci->memory_lock);
	vpci_bar_zap(vpci, start, size);
}

/*
 * The one place that changes decode. Every trapped access that began before is
 * over when it returns, and every mapping is gone if that of memory changed.
 */
void vpci_bar_set_decode(struct vpci_device *vpci, unsigned int decode)
{
	bool memory = (vpci->decode ^ decode) & VPCI_DECODE_MEMORY;

	lockdep_assert_held(&vpci->config_lock);

	if (vpci->decode == decode)
		return;

	trace_vpci_decode(vpci, decode);
	percpu_down_write(&vpci->trap_lock);
	down_write(&vpci->touch_lock);
	down_write(&vpci->memory_lock);
	vpci->decode = decode;
	if (memory)
		vpci_bar_unmap(vpci, 0, vpci_region_start(VPCI_NUM_BARS));
	up_write(&vpci->memory_lock);
	up_write(&vpci->touch_lock);
	percpu_up_write(&vpci->trap_lock);
}

/*
 * What one user wrote to the sink page, the next one must not read. Decode is
 * off; a user that still has the page mapped harms nobody but itself.
 */
void vpci_bar_reset(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->config_lock);

	memset(page_address(vpci->sink), 0xff, PAGE_SIZE);
}

static bool vpci_bar_range_valid(const struct vpci_device *vpci,
				 unsigned int bar, u64 offset, u64 size)
{
	return bar < VPCI_NUM_BARS &&
	       vpci_area_is_mapped(&vpci->function->bars[bar], offset, size);
}

/* Whole pages of the BAR, of whatever area */
static bool vpci_bar_holds(const struct vpci_device *vpci, unsigned int bar,
			   u64 offset, u64 size)
{
	u64 end;

	return bar < VPCI_NUM_BARS && size && PAGE_ALIGNED(offset | size) &&
	       !check_add_overflow(offset, size, &end) &&
	       end <= PAGE_ALIGN(vpci->function->bars[bar].size);
}

/*
 * Why these frames must not stand behind a BAR, or NULL. ioremap(), for which a user's
 * read(2) is enough, warns of memory; and KVM of 6.12 stops a guest at a page without a
 * reference count of its own.
 */
static const char *vpci_frames_unfit(phys_addr_t phys, u64 size, enum vpci_cache cache)
{
	unsigned long pfn;

	switch (region_intersects(phys, size, IORESOURCE_SYSTEM_RAM, IORES_DESC_NONE)) {
	case REGION_DISJOINT:
		return NULL;
	case REGION_MIXED:
		return "are partly memory";
	}
	if (cache != VPCI_CACHE_WRITE_BACK)
		return "are memory, and not write-back";
	for (pfn = PHYS_PFN(phys); pfn < PHYS_PFN(phys + size); pfn++)
		if (PageCompound(pfn_to_page(pfn)))
			return "are a compound page";
	return NULL;
}

/* A guest can have its parent driver come here again and again */
static bool vpci_frames_fit(const struct vpci_device *vpci, unsigned int bar, phys_addr_t phys,
			    u64 size, enum vpci_cache cache)
{
	const char *why = vpci_frames_unfit(phys, size, cache);

	if (why)
		dev_err_once(vpci->vdev.dev, "BAR %u: frames from %pa %s\n", bar, &phys, why);
	return !why;
}

/**
 * vpci_bar_back - record which frames stand behind a range of a mapped area
 * @vpci: the function
 * @bar: number of the BAR
 * @offset: bytes from the start of the BAR
 * @phys: physical address of the first frame, of a device or of memory; the
 *	caller keeps the range alive until it is revoked
 * @size: bytes
 * @cache: how it may be cached. For frames of a device the caller keeps an
 *	ioremap() or ioremap_wc() of the whole range, of the same kind, until
 *	the range is revoked: on x86 it is that mapping which decides. Frames
 *	of memory are %VPCI_CACHE_WRITE_BACK, and each must have a reference
 *	count of its own, as those of alloc_page(), vmalloc() and split_page()
 *	have and those of a compound page have not; KVM takes it, and may drop
 *	it a moment after the range was revoked
 *
 * Nothing is mapped by this call. @offset, @phys and @size must be multiples
 * of PAGE_SIZE. A range that goes on where a neighbour's frames end is joined
 * with it. It is mapped by leaves of 2 MiB or 1 GiB where @phys and @offset are
 * congruent modulo that size.
 *
 * Context: may sleep; takes memory_lock.
 * Return: 0; -EINVAL, the range is not inside one mapped area; -EFAULT, with a log line,
 * the frames are memory and not as @cache says; -EEXIST, a part has a backing already;
 * -ENOMEM.
 */
int vpci_bar_back(struct vpci_device *vpci, unsigned int bar, u64 offset,
		  phys_addr_t phys, u64 size, enum vpci_cache cache)
{
	u64 start = vpci_region_start(bar) + offset;
	unsigned long first = start >> PAGE_SHIFT;
	unsigned long last = first + (size >> PAGE_SHIFT) - 1;
	int ret;

	if (!vpci_bar_range_valid(vpci, bar, offset, size) ||
	    !PAGE_ALIGNED(phys))
		return -EINVAL;
	if (!vpci_frames_fit(vpci, bar, phys, size, cache))
		return -EFAULT;

	down_write(&vpci->memory_lock);
	ret = vpci_backings_add(vpci, first, last,
				vpci_backing_entry(first, PHYS_PFN(phys), cache));
	/* Where the sink page was touched, the new frames must show now */
	if (!ret)
		vpci_bar_unmap(vpci, start, size);
	up_write(&vpci->memory_lock);
	if (!ret)
		trace_vpci_back(vpci, start, size, phys, cache);
	return ret;
}
EXPORT_SYMBOL_GPL(vpci_bar_back);

/**
 * vpci_bar_revoke - take the backing of a range away
 * @vpci: the function
 * @bar: number of the BAR
 * @offset: bytes from the start of the BAR
 * @size: bytes
 *
 * When it returns, no CPU mapping of the range is left, in no process and no
 * guest. Parts without a backing are passed over, trapped areas among them; of a
 * backing that is wider the rest stays.
 *
 * What is not revoked is an IOMMU mapping: a process that has the instance and a
 * physical vfio-pci device in one type 1 container can map the BAR for that
 * device's DMA, and type 1 keeps such a mapping until it is unmapped. It asks
 * nobody and tells nobody, for frames that have no struct page or a reserved
 * one; others it refuses, and iommufd refuses all. Nor is what KVM itself has
 * mapped: a guest hypervisor that puts a page of its VMCS or VMCB, such as the
 * virtual APIC, into the BAR keeps it until its guest has left it. Who cannot
 * wait for that lets frames rest, or has KVM without nested virtualization.
 *
 * @offset and @size must be multiples of PAGE_SIZE, within the BAR.
 *
 * Context: may sleep; takes memory_lock.
 */
void vpci_bar_revoke(struct vpci_device *vpci, unsigned int bar, u64 offset,
		     u64 size)
{
	u64 start = vpci_region_start(bar) + offset;
	unsigned long first = start >> PAGE_SHIFT;
	unsigned long last = first + (size >> PAGE_SHIFT) - 1;

	if (WARN_ON_ONCE(!vpci_bar_holds(vpci, bar, offset, size)))
		return;

	trace_vpci_revoke(vpci, start, size);
	down_write(&vpci->memory_lock);
	vpci_backings_remove(vpci, first, last);
	vpci_bar_unmap(vpci, start, size);
	vpci_windows_close(vpci, first, last);
	up_write(&vpci->memory_lock);
	vpci_stat_inc(vpci, VPCI_STAT_REVOKES);
}
EXPORT_SYMBOL_GPL(vpci_bar_revoke);

/**
 * vpci_bar_move - put other frames behind a range, and what it contains into them
 * @vpci: the function
 * @bar: number of the BAR
 * @offset: bytes from the start of the BAR
 * @phys: physical address of the first of the new frames
 * @size: bytes
 * @cache: how the new frames may be cached; see vpci_bar_back()
 * @copy: copies the contents. Called once, when nobody reaches the old frames any
 *	more and nobody the new ones yet; must not touch user memory
 * @data: for @copy
 *
 * Users notice nothing but a new fault. The range has a backing.
 *
 * Context: may sleep; takes memory_lock.
 */
void vpci_bar_move(struct vpci_device *vpci, unsigned int bar, u64 offset,
		   phys_addr_t phys, u64 size, enum vpci_cache cache,
		   void (*copy)(void *data), void *data)
{
	u64 start = vpci_region_start(bar) + offset;
	unsigned long first = start >> PAGE_SHIFT;
	unsigned long last = first + (size >> PAGE_SHIFT) - 1;
	void *entry = vpci_backing_entry(first, PHYS_PFN(phys), cache);

	if (WARN_ON_ONCE(!vpci_bar_range_valid(vpci, bar, offset, size) ||
			 !vpci_frames_fit(vpci, bar, phys, size, cache)))
		return;

	down_write(&vpci->memory_lock);
	vpci_bar_unmap(vpci, start, size);
	vpci_windows_close(vpci, first, last);
	copy(data);
	vpci_backings_store(vpci, first, last, entry,
			    GFP_KERNEL | __GFP_NOFAIL);
	up_write(&vpci->memory_lock);
	trace_vpci_back(vpci, start, size, phys, cache);
}
EXPORT_SYMBOL_GPL(vpci_bar_move);

int vpci_bar_init(struct vpci_device *vpci)
{
	int ret;

	vpci_registers_init(vpci);
	init_rwsem(&vpci->touch_lock);
	init_rwsem(&vpci->memory_lock);
	vpci_windows_init(vpci);
	mt_init_flags(&vpci->backings, MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&vpci->backings, &vpci->memory_lock);
	ret = percpu_init_rwsem(&vpci->trap_lock);
	if (ret)
		return ret;

	vpci->sink = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!vpci->sink)
		return -ENOMEM;
	memset(page_address(vpci->sink), 0xff, PAGE_SIZE);
	return 0;
}

/* No mapping is left, for each would hold the VFIO file and with it the device; nor a window */
void vpci_bar_destroy(struct vpci_device *vpci)
{
	down_write(&vpci->memory_lock);
	__mt_destroy(&vpci->backings);
	vpci_windows_destroy(vpci);
	up_write(&vpci->memory_lock);
	/* Whatever of it was not initialized is zero, and that is fine with both */
	percpu_free_rwsem(&vpci->trap_lock);
	if (vpci->sink)
		__free_page(vpci->sink);
}
