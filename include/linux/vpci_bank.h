/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: banks of registers in a trapped BAR
 *
 * For parent drivers whose registers have a width of their own, while the guest
 * may access them with any. The driver describes a table of banks (struct
 * vpci_bar_desc), and sees whole registers only.
 */
#ifndef _LINUX_VPCI_BANK_H
#define _LINUX_VPCI_BANK_H

#include <linux/types.h>

struct vpci_device;

/**
 * struct vpci_bank - registers of one width, side by side
 * @start: offset of the first one in the BAR
 * @end: offset behind the last one; all of it traps
 * @width: of a register: 1, 2 or 4 bytes
 * @whole: a narrower access reads 0 and writes nothing. Without it, it reads the
 *	low bits of the register, at whatever byte of it, and writes the whole
 *	register, the bits that it has not as zero
 * @read: value of a register, by its number; no more bits than @width has
 * @write: likewise, or NULL for registers that cannot be written
 *
 * @read and @write are called as vpci_ops.bar_read and vpci_ops.bar_write are.
 */
struct vpci_bank {
	u32 start;
	u32 end;
	u8 width;
	bool whole;
	u64 (*read)(struct vpci_device *vpci, unsigned int reg);
	void (*write)(struct vpci_device *vpci, unsigned int reg, u32 value);
};

#endif /* _LINUX_VPCI_BANK_H */
