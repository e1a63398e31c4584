// SPDX-License-Identifier: GPL-2.0-only
/* Small pages: frames with a protection that differs from the VMA's */
#include <linux/mm.h>

vm_fault_t probe(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn)
{
	return vmf_insert_pfn_prot(vma, addr, pfn, vm_get_page_prot(vma->vm_flags));
}
