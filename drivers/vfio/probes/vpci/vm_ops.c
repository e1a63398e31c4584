// SPDX-License-Identifier: GPL-2.0-only
/* What a VMA asks of a driver: from 6.6 on */
#include <linux/mm.h>

static void probe_open(struct vm_area_struct *vma)
{
}

static int probe_split(struct vm_area_struct *vma, unsigned long addr)
{
	return 0;
}

static vm_fault_t probe_fault(struct vm_fault *vmf)
{
	return VM_FAULT_COMPLETED;
}

static vm_fault_t probe_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	return VM_FAULT_FALLBACK;
}

const struct vm_operations_struct probe_ops = {
	.open		= probe_open,
	.may_split	= probe_split,
	.fault		= probe_fault,
	.huge_fault	= probe_huge_fault,
};
