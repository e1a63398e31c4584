// SPDX-License-Identifier: GPL-2.0-only
/* This is wrong. Where it compiles, types do not count, and no answer would be worth anything */
#include <linux/types.h>

struct probe_ops {
	int (*op)(u32 *value);
};

static int probe_op(u64 value, u32 *other)
{
	return value && other;
}

const struct probe_ops probe_ops = {
	.op = probe_op,
};
