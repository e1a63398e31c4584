/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/mm_types.h>
int __vma_start_write(struct vm_area_struct *vma, int state);
static inline void vma_start_write(struct vm_area_struct *vma) { __vma_start_write(vma, 2); }
