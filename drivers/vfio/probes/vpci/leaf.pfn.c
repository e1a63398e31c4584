// SPDX-License-Identifier: GPL-2.0-only
/* Large leaves: by the bare frame number, from 6.17 on */
#include <linux/mm.h>

vm_fault_t probe(struct vm_fault *vmf, unsigned long pfn, bool write)
{
#ifdef CONFIG_ARCH_SUPPORTS_PUD_PFNMAP
	if (!pfn)
		return vmf_insert_pfn_pud(vmf, pfn, write);
#endif
	return vmf_insert_pfn_pmd(vmf, pfn, write);
}
