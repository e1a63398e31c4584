/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/types.h>
typedef struct { u64 val; } pfn_t;
#define PFN_DEV (1ULL << 61)
static inline pfn_t __pfn_to_pfn_t(unsigned long pfn, u64 flags) { return (pfn_t) { pfn | flags }; }
