/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A description of a function out of random bytes
 *
 * Most of what comes out is sensible; now and then a field is whatever the bytes
 * say. Bytes that are missing are zero.
 */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include <stdlib.h>
#include <linux/vpci_config.h>

struct bytes {
	const u8 *data;
	size_t len;
};

struct described {
	struct vpci_desc desc;
	struct vpci_cap_desc caps[10];
	struct vpci_reg_desc regs[12];
	struct vpci_reg_desc vendor_regs[4];
};

u8 take_u8(struct bytes *in);
u32 take_u32(struct bytes *in);

/* @hook is that of registers which have one */
void describe(struct described *d, struct bytes *in, vpci_reg_hook hook);

#endif /* DESCRIBE_H */
