/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/types.h>
typedef unsigned int vm_fault_t;
typedef unsigned long vm_flags_t;
typedef struct { unsigned long prot; } pgprot_t;
struct vm_area_struct {
	const vm_flags_t vm_flags;
	unsigned int vm_lock_seq;
};
struct vm_fault {
	struct vm_area_struct *vma;
};
#define VM_MAYEXEC	0x01UL
#define VM_IO		0x02UL
#define VM_PFNMAP	0x04UL
#define VM_WIPEONFORK	0x08UL
#define VM_FAULT_FALLBACK	1
#define VM_FAULT_COMPLETED	2
