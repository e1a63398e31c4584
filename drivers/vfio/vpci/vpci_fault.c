// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: mapping of BARs, by page faults
 *
 * mmap() maps nothing. The first touch of a page raises a fault, which inserts
 * the largest leaf that fits: 1 GiB or 2 MiB where frames and addresses are
 * congruent and neither the VMA nor the backing ends inside, otherwise a run of
 * small pages around the touched one. A page without a backing, or touched
 * while decode is off, gets the instance's sink page instead of SIGBUS, because
 * a VMM cannot survive that.
 *
 * A small page is inserted with the protection that its backing asks for. A
 * large leaf takes that of its VMA, which is what the BAR's description asks for;
 * on x86 with PAT the kernel replaces the memory type in it by that of the frames.
 *
 * The kernel looks at the page table before memory_lock is taken, and what is there,
 * what a touch meets, and whether huge pages are wanted may have changed since. So
 * all is decided anew under memory_lock, by vpci_map(), for a fault that came for a
 * large leaf and for one that came for a small page alike: a leaf goes where there
 * is nothing, a small page where there is no leaf. Whoever changes what a touch
 * meets holds memory_lock for writing and removes what is mapped, so under it a
 * leaf is that of the extent that is there.
 *
 * VM_PFNMAP keeps the kernel away from a struct page that a frame may not have.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sizes.h>

#include "vpci_compat.h"
#include "vpci_private.h"
#include "vpci_trace.h"

static unsigned int fault_around = SZ_64K;

static int fault_around_set(const char *text, const struct kernel_param *kp)
{
	unsigned int bytes;

	if (kstrtouint(text, 0, &bytes) || !is_power_of_2(bytes) ||
	    bytes < PAGE_SIZE || bytes > PMD_SIZE) {
		pr_err("vfio_vpci: fault_around=%.*s is not a power of two from %lu to %lu\n",
		       (int)strcspn(text, "\n"), text, PAGE_SIZE, PMD_SIZE);
		return -EINVAL;
	}
	WRITE_ONCE(fault_around, bytes);
	return 0;
}

static const struct kernel_param_ops fault_around_ops = {
	.set = fault_around_set,
	.get = param_get_uint,
};

module_param_cb(fault_around, &fault_around_ops, &fault_around, 0644);
MODULE_PARM_DESC(fault_around,
		 "bytes mapped by a fault where no large leaf fits, a power of two");

/* For frames of that kind, in that VMA */
static pgprot_t vpci_page_prot(const struct vm_area_struct *vma,
			       enum vpci_cache cache)
{
	pgprot_t prot = vm_get_page_prot(vma->vm_flags);

	switch (cache) {
	case VPCI_CACHE_UNCACHED:
		return pgprot_decrypted(pgprot_noncached(prot));
	case VPCI_CACHE_WRITE_COMBINE:
		return pgprot_decrypted(pgprot_writecombine(prot));
	case VPCI_CACHE_WRITE_BACK:
		break;
	}
	return prot;
}

static u64 vpci_fault_pos(const struct vm_fault *vmf)
{
	return (u64)vmf->pgoff << PAGE_SHIFT;
}

static vm_fault_t vpci_map_sink(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vpci_device *vpci = vma->vm_private_data;

	trace_vpci_sink_fault(vpci, vpci_fault_pos(vmf));
	vpci_stat_inc(vpci, VPCI_STAT_SINK_FAULTS);
	return vmf_insert_pfn_prot(vma, vmf->address, page_to_pfn(vpci->sink),
				   vpci_page_prot(vma, VPCI_CACHE_WRITE_BACK));
}

/*
 * The run is aligned in the BAR, not in the address space: so the number of
 * faults does not depend on where the BAR is mapped. Only the touched page must
 * be there in the end; whoever misses another one will fault.
 */
static vm_fault_t vpci_map_run(struct vm_fault *vmf,
			       const struct vpci_extent *extent)
{
	struct vm_area_struct *vma = vmf->vma;
	struct vpci_device *vpci = vma->vm_private_data;
	unsigned long run = READ_ONCE(fault_around) >> PAGE_SHIFT;
	unsigned long start = ALIGN_DOWN(vmf->pgoff, run);
	unsigned long first = max3(start, vma->vm_pgoff, extent->first);
	unsigned long last = min3(start + run - 1, extent->last,
				  vma->vm_pgoff + vma_pages(vma) - 1);
	pgprot_t prot = vpci_page_prot(vma, extent->cache);
	unsigned long pfn = extent->pfn - extent->first;
	unsigned long index;
	vm_fault_t ret;

	ret = vmf_insert_pfn_prot(vma, vmf->address, pfn + vmf->pgoff, prot);
	if (ret != VM_FAULT_NOPAGE)
		return ret;

	for (index = first; index <= last; index++) {
		unsigned long addr = vma->vm_start +
				     ((index - vma->vm_pgoff) << PAGE_SHIFT);

		if (index != vmf->pgoff &&
		    vmf_insert_pfn_prot(vma, addr, pfn + index, prot) !=
		    VM_FAULT_NOPAGE)
			break;
	}
	trace_vpci_fault(vpci, vpci_fault_pos(vmf), pfn + vmf->pgoff, 0,
			 index - first);
	vpci_stat_inc(vpci, VPCI_STAT_FAULTS_4K);
	vpci_stat_add(vpci, VPCI_STAT_PAGES_MAPPED, index - first);
	return ret;
}

/*
 * The kernel itself, for KVM or type 1, looks for a mapping after the fault. If the
 * page was revoked in between, it takes that for an error, KVM_RUN fails, and the
 * VMM stops its guest. But where the fault has let go of mmap_lock, it begins anew.
 * The caller lets go of memory_lock before: without mmap_lock the device may go.
 */
static vm_fault_t vpci_fault_complete(struct vm_fault *vmf, vm_fault_t ret)
{
	if (ret != VM_FAULT_NOPAGE || !fault_flag_allow_retry_first(vmf->flags) ||
	    vmf->flags & (FAULT_FLAG_USER | FAULT_FLAG_VMA_LOCK |
			  FAULT_FLAG_RETRY_NOWAIT))
		return ret;
	mmap_read_unlock(vmf->vma->vm_mm);
	return ret | VM_FAULT_COMPLETED;
}

#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP

/* Whether a large leaf, which has the VMA's protection, is right for the frames */
static bool vpci_leaf_prot_fits(const struct vm_fault *vmf,
				enum vpci_cache cache, unsigned int order)
{
	const struct vm_area_struct *vma = vmf->vma;
	const struct vpci_device *vpci = vma->vm_private_data;
	u64 bar = vpci_fault_pos(vmf) >> VPCI_REGION_SHIFT;
	enum vpci_cache usual = vpci->function->bars[bar].cache;
	pgprotval_t differs;

	/* See vpci_bar_mmap() */
	if (usual == cache)
		return true;

	differs = pgprot_val(vpci_page_prot(vma, cache)) ^
		  pgprot_val(vpci_page_prot(vma, usual));
	if (order == PMD_ORDER)
		differs &= ~vpci_compat_prot_by_memtype();
	return !differs;
}

enum vpci_entry { VPCI_ENTRY_NONE, VPCI_ENTRY_TABLE, VPCI_ENTRY_LEAF };

/* What stands in the page table where a leaf of that order would */
static enum vpci_entry vpci_entry_at(const struct vm_fault *vmf,
				     unsigned int order)
{
	pmd_t pmd;
	pud_t pud;

	if (order == PMD_ORDER) {
		pmd = pmdp_get_lockless(vmf->pmd);
		if (pmd_none(pmd))
			return VPCI_ENTRY_NONE;
		return pmd_leaf(pmd) ? VPCI_ENTRY_LEAF : VPCI_ENTRY_TABLE;
	}
	pud = READ_ONCE(*vmf->pud);
	if (pud_none(pud))
		return VPCI_ENTRY_NONE;
	return pud_leaf(pud) ? VPCI_ENTRY_LEAF : VPCI_ENTRY_TABLE;
}

/*
 * Only what is a leaf already is made writable: soft-dirty tracking takes the right
 * to write from the VMA's protection. Where there is nothing, the kernel may put a
 * table of its own in the place of 1 GiB meanwhile, without memory_lock. It would
 * warn of a write that meets one; otherwise it inserts nothing, and the touch comes
 * again.
 */
static vm_fault_t vpci_map_leaf(struct vm_fault *vmf, unsigned int order,
				const struct vpci_extent *extent)
{
	struct vpci_device *vpci = vmf->vma->vm_private_data;
	unsigned long pages = 1UL << order;
	unsigned long offset = (vmf->address >> PAGE_SHIFT) & (pages - 1);
	unsigned long index = vmf->pgoff - offset;
	unsigned long pfn = extent->pfn - extent->first + index;
	enum vpci_entry entry = vpci_entry_at(vmf, order);
	vm_fault_t ret;

	if (entry == VPCI_ENTRY_TABLE || index < extent->first ||
	    index + pages - 1 > extent->last ||
	    !IS_ALIGNED(pfn | index, pages) ||
	    !vpci_leaf_prot_fits(vmf, extent->cache, order))
		return VM_FAULT_FALLBACK;

	if (order == PUD_ORDER)
		WRITE_ONCE(vpci->has_giants, true);
	ret = vpci_compat_insert_leaf(vmf, pfn, order,
				      entry == VPCI_ENTRY_LEAF &&
				      vmf->flags & FAULT_FLAG_WRITE);
	if (ret != VM_FAULT_NOPAGE || entry == VPCI_ENTRY_LEAF)
		return ret;

	trace_vpci_fault(vpci, vpci_fault_pos(vmf), pfn, order, pages);
	vpci_stat_inc(vpci, order == PMD_ORDER ? VPCI_STAT_FAULTS_2M :
						 VPCI_STAT_FAULTS_1G);
	vpci_stat_add(vpci, VPCI_STAT_PAGES_MAPPED, pages);
	return ret;
}

/* Whether the VMA holds all that a leaf of that order would map */
static bool vpci_leaf_has_room(const struct vm_fault *vmf, unsigned int order)
{
	unsigned long size = PAGE_SIZE << order;
	unsigned long addr = ALIGN_DOWN(vmf->address, size);

	return addr >= vmf->vma->vm_start && size <= vmf->vma->vm_end - addr;
}

#else

static bool vpci_leaf_has_room(const struct vm_fault *vmf, unsigned int order)
{
	return false;
}

static vm_fault_t vpci_map_leaf(struct vm_fault *vmf, unsigned int order,
				const struct vpci_extent *extent)
{
	return VM_FAULT_FALLBACK;
}

#endif

/* @extent is NULL where the touch meets the sink page */
static vm_fault_t vpci_map(struct vm_fault *vmf, unsigned int order,
			   const struct vpci_extent *extent)
{
	vm_fault_t ret = VM_FAULT_FALLBACK;

	if (extent && order)
		ret = vpci_map_leaf(vmf, order, extent);
	if (ret != VM_FAULT_FALLBACK || order > PMD_ORDER)
		return ret;
	return extent ? vpci_map_run(vmf, extent) : vpci_map_sink(vmf);
}

static vm_fault_t vpci_fault_order(struct vm_fault *vmf, unsigned int order)
{
	struct vpci_device *vpci = vmf->vma->vm_private_data;
	struct vpci_extent extent;
	bool backed;
	vm_fault_t ret;

	backed = vpci_backing_touch(vpci, vmf->pgoff, &extent);
	ret = vpci_map(vmf, order, backed ? &extent : NULL);
	up_read(&vpci->memory_lock);
	return vpci_fault_complete(vmf, ret);
}

/*
 * The kernel comes here where there is no room for a leaf of 2 MiB, and where huge
 * pages are switched off. Who goes by that switch could meet, or be met by, a leaf
 * of somebody who came before it was turned. Frames of a device are not the memory
 * that it is there to save.
 */
static vm_fault_t vpci_fault(struct vm_fault *vmf)
{
	return vpci_fault_order(vmf, vpci_leaf_has_room(vmf, PMD_ORDER) ?
				     PMD_ORDER : 0);
}

#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
static vm_fault_t vpci_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	if (!vpci_leaf_has_room(vmf, order))
		return VM_FAULT_FALLBACK;
	return vpci_fault_order(vmf, order);
}
#endif

/*
 * The kernel takes a leaf of 1 GiB for a table where it splits a VMA inside of one,
 * and clears it without a flush where it moves one. So none may be there when it
 * does either, and none comes back: the VMA that is split or moved is locked
 * against faults by then, until mmap_lock is let go of.
 */
static void vpci_vma_drop_giants(struct vm_area_struct *vma, u64 start, u64 size)
{
	struct vpci_device *vpci = vma->vm_private_data;

	if (READ_ONCE(vpci->has_giants))
		vpci_bar_zap(vpci, start, size);
}

static u64 vpci_vma_pos(const struct vm_area_struct *vma, unsigned long addr)
{
	return ((u64)vma->vm_pgoff << PAGE_SHIFT) + addr - vma->vm_start;
}

static int vpci_vma_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	u64 pos = vpci_vma_pos(vma, addr);

	vma_start_write(vma);
	if (!IS_ALIGNED(pos, PUD_SIZE))
		vpci_vma_drop_giants(vma, pos, PAGE_SIZE);
	return 0;
}

/*
 * A new VMA, by fork(), mremap() or a split. Of these it is mremap() that moves
 * page tables here, from a VMA that shows the same part of the BAR.
 *
 * The child of a fork gets no page tables and faults on its own: to copy a large
 * leaf, fork() looks at it without a lock, relies on mmap_lock that it stays, and
 * would store it in the child after it was revoked. Set here, as madvise() can
 * clear it before.
 */
static void vpci_vma_open(struct vm_area_struct *vma)
{
	if (vma->vm_mm == current->mm)
		vpci_vma_drop_giants(vma, vpci_vma_pos(vma, vma->vm_start),
				     vma->vm_end - vma->vm_start);
	vm_flags_set(vma, VM_WIPEONFORK);
}

static const struct vm_operations_struct vpci_vm_ops = {
	.open = vpci_vma_open,
	.may_split = vpci_vma_may_split,
	.fault = vpci_fault,
#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
	.huge_fault = vpci_huge_fault,
#endif
};

/*
 * -EINVAL: not inside a mapped area, or a private mapping, whose copies no
 * device would ever see; -EACCES: executable.
 */
int vpci_bar_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	struct vpci_device *vpci = vdev_to_vpci(vdev);
	unsigned int index = vma->vm_pgoff >> (VPCI_REGION_SHIFT - PAGE_SHIFT);
	u64 offset = ((u64)vma->vm_pgoff << PAGE_SHIFT) & VPCI_REGION_MASK;
	const struct vpci_bar *bar;

	if (index >= VPCI_NUM_BARS || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	bar = &vpci->function->bars[array_index_nospec(index, VPCI_NUM_BARS)];
	if (!vpci_area_is_mapped(bar, offset, vma->vm_end - vma->vm_start))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;

	vma->vm_private_data = vpci;
	vma->vm_ops = &vpci_vm_ops;
	vma->vm_page_prot = vpci_page_prot(vma, bar->cache);
	vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP,
		     VM_MAYEXEC);
	return 0;
}
