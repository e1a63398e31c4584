/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/mm_types.h>
#include <linux/pfn_t.h>
vm_fault_t vmf_insert_pfn_pmd(struct vm_fault *vmf, pfn_t pfn, bool write);
vm_fault_t vmf_insert_pfn_pud(struct vm_fault *vmf, pfn_t pfn, bool write);
