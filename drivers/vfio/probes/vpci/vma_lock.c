// SPDX-License-Identifier: GPL-2.0-only
/*
 * Excluding page faults of a VMA, and changing its flags
 *
 * Part of it is inline in the headers, and calls what the kernel may keep from modules.
 */
#include <linux/mm.h>

void probe(struct vm_area_struct *vma)
{
	vma_start_write(vma);
	vm_flags_set(vma, VM_WIPEONFORK);
	vm_flags_mod(vma, VM_IO | VM_PFNMAP, VM_MAYEXEC);
}
