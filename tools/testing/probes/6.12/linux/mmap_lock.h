/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/mm_types.h>
static inline void vma_start_write(struct vm_area_struct *vma) { vma->vm_lock_seq++; }
