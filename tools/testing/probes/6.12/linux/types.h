/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#define NULL ((void *)0)
#define __user
typedef _Bool bool;
#define true 1
#define false 0
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long size_t;
typedef long ssize_t;
typedef long long loff_t;
typedef unsigned long dma_addr_t;
typedef unsigned int __poll_t;

/* Whether an option is defined as 1 */
#define FAKE_IS_1 0,
#define FAKE_SECOND(first, second, ...) second
#define FAKE_PICK(one) FAKE_SECOND(one 1, 0, 0)
#define FAKE_PASTE(value) FAKE_PICK(FAKE_IS_##value)
#define IS_ENABLED(option) FAKE_PASTE(option)
