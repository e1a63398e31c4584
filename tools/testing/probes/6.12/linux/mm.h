/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/huge_mm.h>
#include <linux/mm_types.h>
#include <linux/mmap_lock.h>
struct address_space;
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
	int (*may_split)(struct vm_area_struct *vma, unsigned long addr);
	vm_fault_t (*fault)(struct vm_fault *vmf);
	vm_fault_t (*huge_fault)(struct vm_fault *vmf, unsigned int order);
};
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma_start_write(vma);
	*(vm_flags_t *)&vma->vm_flags |= flags;
}
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
	vma_start_write(vma);
	*(vm_flags_t *)&vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
pgprot_t vm_get_page_prot(unsigned long vm_flags);
vm_fault_t vmf_insert_pfn_prot(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn, pgprot_t prot);
void unmap_mapping_range(struct address_space *mapping, loff_t begin, loff_t len, int even_cows);
