/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/mm_types.h>
void __vma_start_write(struct vm_area_struct *vma, unsigned int mm_lock_seq);
static inline void vma_start_write(struct vm_area_struct *vma) { __vma_start_write(vma, vma->vm_lock_seq); }
