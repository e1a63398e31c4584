// SPDX-License-Identifier: GPL-2.0-only
/* The compiler works, and these are headers of a kernel: no feature is asked for here */
#include <linux/types.h>

int probe(u32 value)
{
	return value ? 1 : 0;
}
