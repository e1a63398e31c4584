// SPDX-License-Identifier: GPL-2.0-only
/* Large leaves: by a frame number that is wrapped in a structure */
#include <linux/mm.h>
#include <linux/pfn_t.h>

vm_fault_t probe(struct vm_fault *vmf, unsigned long pfn, bool write)
{
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	if (!pfn)
		return vmf_insert_pfn_pud(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
#endif
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), write);
}
