// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: mapped BARs
 *
 * A backing says which physical frames stand behind a range of a BAR. Recording
 * one maps nothing. The first touch of a page raises a fault; the handler looks
 * the page up and inserts the frame. A page without a backing, or touched while
 * decode is off, gets the instance's sink page instead of SIGBUS, because a
 * VMM cannot survive that.
 *
 * The backings of all BARs are in one maple tree, indexed by page of the VFIO
 * region space, which is what a VMA's pgoff counts in. The entry of a range is
 * the same for each page of it: the distance from index to frame number, and
 * the cacheability. So a range can be cut anywhere without a new entry.
 *
 * Whoever changes a backing or decode does so with memory_lock held for writing
 * and removes the mappings of the range before it lets go of the lock. A fault
 * holds it for reading from look-up to insertion: it either came before and is
 * removed, or comes after and sees the new state.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>

#include "vpci_private.h"

/* Entry of the tree: frame number minus index, modulo 2^58, and cacheability */
#define VPCI_BACKING_CACHE_BITS	2
#define VPCI_BACKING_PFN_MASK	((1UL << 58) - 1)

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

static pgprot_t vpci_backing_pgprot(void *entry, pgprot_t prot)
{
	switch (vpci_backing_cache(entry)) {
	case VPCI_CACHE_UNCACHED:
		return pgprot_decrypted(pgprot_noncached(prot));
	case VPCI_CACHE_WRITE_COMBINE:
		return pgprot_decrypted(pgprot_writecombine(prot));
	case VPCI_CACHE_WRITE_BACK:
		break;
	}
	return prot;
}

/* What a touch of the page meets; NULL for the sink page */
static void *vpci_bar_find(struct vpci_device *vpci, unsigned long index)
{
	lockdep_assert_held(&vpci->memory_lock);

	return vpci->decode ? mtree_load(&vpci->backings, index) : NULL;
}

static void vpci_bar_unmap(struct vpci_device *vpci, u64 start, u64 size)
{
	lockdep_assert_held_write(&vpci->memory_lock);

	unmap_mapping_range(vpci->vdev.inode->i_mapping, start, size, true);
}

/* The one place that changes decode; removes every mapping when it does */
void vpci_bar_set_decode(struct vpci_device *vpci, bool decode)
{
	lockdep_assert_held(&vpci->config_lock);

	if (vpci->decode == decode)
		return;

	down_write(&vpci->trap_lock);
	down_write(&vpci->memory_lock);
	vpci->decode = decode;
	vpci_bar_unmap(vpci, 0, vpci_region_start(VPCI_NUM_BARS));
	up_write(&vpci->memory_lock);
	up_write(&vpci->trap_lock);
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
	const struct vpci_bar_desc *desc;

	if (bar >= VPCI_NUM_BARS)
		return false;
	desc = &vpci->function->bars[array_index_nospec(bar, VPCI_NUM_BARS)];
	return desc->mapped && size && PAGE_ALIGNED(offset | size) &&
	       size <= desc->size && offset <= desc->size - size;
}

/**
 * vpci_bar_back - record which frames stand behind a range of a mapped BAR
 * @vpci: the function
 * @bar: number of the BAR
 * @offset: bytes from the start of the BAR
 * @phys: physical address of the first frame, of a device or of memory; the
 *	caller keeps the range alive until it is revoked
 * @size: bytes
 * @cache: how it may be cached. For frames of a device the caller keeps an
 *	ioremap() or ioremap_wc() of the whole range, of the same kind, until
 *	the range is revoked: on x86 it is that mapping which decides. Frames
 *	of memory must each have a reference count of their own, as those of
 *	alloc_page() and vmalloc() have; KVM takes it
 *
 * Nothing is mapped by this call. @offset, @phys and @size must be multiples
 * of PAGE_SIZE.
 *
 * Context: may sleep; takes memory_lock.
 * Return: 0; -EINVAL, the range is not one of a mapped BAR; -EEXIST, a part
 * has a backing already; -ENOMEM.
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

	down_write(&vpci->memory_lock);
	ret = mtree_insert_range(&vpci->backings, first, last,
				 vpci_backing_entry(first, PHYS_PFN(phys), cache),
				 GFP_KERNEL);
	/* Where the sink page was touched, the new frames must show now */
	if (!ret)
		vpci_bar_unmap(vpci, start, size);
	up_write(&vpci->memory_lock);
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
 * guest. Parts without a backing are passed over.
 *
 * What is not revoked is an IOMMU mapping: a process that has the instance and a
 * physical vfio-pci device in one type 1 container can map the BAR for that
 * device's DMA, and type 1 keeps such a mapping until it is unmapped. Only
 * iommufd refuses it.
 *
 * Context: may sleep; takes memory_lock.
 */
void vpci_bar_revoke(struct vpci_device *vpci, unsigned int bar, u64 offset,
		     u64 size)
{
	u64 start = vpci_region_start(bar) + offset;
	unsigned long first = start >> PAGE_SHIFT;
	unsigned long last = first + (size >> PAGE_SHIFT) - 1;

	if (WARN_ON_ONCE(!vpci_bar_range_valid(vpci, bar, offset, size)))
		return;

	down_write(&vpci->memory_lock);
	/* Cutting a range may need a node of the tree, and cannot be refused */
	mtree_store_range(&vpci->backings, first, last, NULL,
			  GFP_KERNEL | __GFP_NOFAIL);
	vpci_bar_unmap(vpci, start, size);
	up_write(&vpci->memory_lock);
	vpci_stat_inc(vpci, VPCI_STAT_REVOKES);
}
EXPORT_SYMBOL_GPL(vpci_bar_revoke);

static vm_fault_t vpci_bar_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vpci_device *vpci = vma->vm_private_data;
	unsigned long pfn = page_to_pfn(vpci->sink);
	pgprot_t prot = vma->vm_page_prot;
	vm_fault_t ret;
	void *entry;

	vpci_stat_inc(vpci, VPCI_STAT_FAULTS);

	down_read(&vpci->memory_lock);
	entry = vpci_bar_find(vpci, vmf->pgoff);
	if (entry) {
		pfn = vpci_backing_pfn(entry, vmf->pgoff);
		prot = vpci_backing_pgprot(entry, prot);
	}
	ret = vmf_insert_pfn_prot(vma, vmf->address, pfn, prot);
	up_read(&vpci->memory_lock);

	if (ret == VM_FAULT_NOPAGE)
		vpci_stat_inc(vpci, entry ? VPCI_STAT_PAGES_MAPPED :
					    VPCI_STAT_SINK_FAULTS);
	return ret;
}

static const struct vm_operations_struct vpci_bar_vm_ops = {
	.fault = vpci_bar_fault,
};

/*
 * -EINVAL: not inside a mapped BAR, or a private mapping, whose copies no
 * device would ever see; -EACCES: executable.
 */
int vpci_bar_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	unsigned int bar = vma->vm_pgoff >> (VPCI_REGION_SHIFT - PAGE_SHIFT);
	u64 offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) & VPCI_REGION_MASK;

	if (!vpci_bar_range_valid(vpci, bar, offset,
				  vma->vm_end - vma->vm_start) ||
	    !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;

	vma->vm_private_data = vpci;
	vma->vm_ops = &vpci_bar_vm_ops;
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYEXEC);
	return 0;
}

static int vpci_bar_copy_device(phys_addr_t phys, enum vpci_cache cache,
				void *buf, size_t len, bool write)
{
	void __iomem *io;

	if (cache == VPCI_CACHE_WRITE_COMBINE)
		io = ioremap_wc(phys, len);
	else
		io = ioremap(phys, len);
	if (!io)
		return -ENOMEM;

	if (write)
		memcpy_toio(io, buf, len);
	else
		memcpy_fromio(buf, io, len);
	iounmap(io);
	return 0;
}

static int vpci_bar_copy_memory(phys_addr_t phys, void *buf, size_t len,
				bool write)
{
	void *mem = memremap(phys, len, MEMREMAP_WB);

	if (!mem)
		return -ENOMEM;

	memcpy(write ? mem : buf, write ? buf : mem, len);
	memunmap(mem);
	return 0;
}

static int vpci_bar_copy_backing(void *entry, unsigned long index,
				 unsigned int in_page, void *buf, size_t len,
				 bool write)
{
	phys_addr_t phys = PFN_PHYS(vpci_backing_pfn(entry, index)) + in_page;
	enum vpci_cache cache = vpci_backing_cache(entry);

	if (cache == VPCI_CACHE_WRITE_BACK)
		return vpci_bar_copy_memory(phys, buf, len, write);
	return vpci_bar_copy_device(phys, cache, buf, len, write);
}

/*
 * Access a mapped BAR without a mapping, for user space that uses read(2) and
 * write(2). The range lies in one page. -EIO: decode is off.
 */
int vpci_bar_copy(struct vpci_device *vpci, unsigned int bar, u64 offset,
		  void *buf, size_t len, bool write)
{
	unsigned long index = (vpci_region_start(bar) + offset) >> PAGE_SHIFT;
	void *entry;
	int ret = 0;

	down_read(&vpci->memory_lock);
	entry = vpci_bar_find(vpci, index);
	if (entry)
		ret = vpci_bar_copy_backing(entry, index,
					    offset_in_page(offset), buf, len,
					    write);
	else if (!vpci->decode)
		ret = -EIO;
	else if (!write)
		memset(buf, 0xff, len);
	up_read(&vpci->memory_lock);
	return ret;
}

int vpci_bar_init(struct vpci_device *vpci)
{
	mt_init(&vpci->backings);
	init_rwsem(&vpci->trap_lock);
	init_rwsem(&vpci->memory_lock);

	vpci->sink = alloc_page(GFP_KERNEL_ACCOUNT);
	if (!vpci->sink)
		return -ENOMEM;
	memset(page_address(vpci->sink), 0xff, PAGE_SIZE);
	return 0;
}

/* No mapping is left: each would hold the VFIO file and with it the device */
void vpci_bar_destroy(struct vpci_device *vpci)
{
	mtree_destroy(&vpci->backings);
	if (vpci->sink)
		__free_page(vpci->sink);
}
