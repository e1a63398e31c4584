/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel-free files use of the kernel, in user space
 *
 * All of it stands here; the other headers beside this one only have the names
 * that the kernel gives to its parts.
 */
#ifndef SHIM_LINUX_TYPES_H
#define SHIM_LINUX_TYPES_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile __typeof__(x) *)&(x) = (val))

#define min(a, b) ({				\
	__typeof__(a) min_a = (a);		\
	__typeof__(b) min_b = (b);		\
	min_a < min_b ? min_a : min_b; })

#define max(a, b) ({				\
	__typeof__(a) max_a = (a);		\
	__typeof__(b) max_b = (b);		\
	max_a > max_b ? max_a : max_b; })

static inline bool is_power_of_2(u64 n)
{
	return n && !(n & (n - 1));
}

#endif /* SHIM_LINUX_TYPES_H */
