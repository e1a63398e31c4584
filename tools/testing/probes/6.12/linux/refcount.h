/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/types.h>
typedef struct { int refs; } refcount_t;
static inline unsigned int refcount_read(const refcount_t *r) { return r->refs; }
