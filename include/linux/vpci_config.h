/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Config space engine of the virtual PCI function library
 *
 * A struct vpci_layout is compiled once for each kind of function and shared
 * by its instances; a struct vpci_config is what one instance holds.
 *
 * Parent drivers see these structures inside struct vpci_device. They call
 * nothing of this header.
 */
#ifndef _LINUX_VPCI_CONFIG_H
#define _LINUX_VPCI_CONFIG_H

#include <linux/types.h>
#include <linux/vpci_desc.h>

#define VPCI_CONFIG_DWORDS	(4096 / 4)
#define VPCI_MAX_SLOTS		255

/**
 * struct vpci_slot - a dword that can change
 * @offset: of the dword in config space
 * @wmask: bits that a guest can write
 * @w1c: bits that a guest clears by writing 1; disjoint from @wmask
 * @hook: called after a write was stored, or NULL
 */
struct vpci_slot {
	u16 offset;
	u32 wmask;
	u32 w1c;
	vpci_reg_hook hook;
};

/**
 * struct vpci_layout - a compiled description, immutable
 * @size: of the config space in bytes
 * @nr_slots: number of @slots in use
 * @map: for each dword, 1 + its slot, or 0 for one that never changes
 * @image: reset value of every dword
 * @slots: the dwords that can change
 */
struct vpci_layout {
	u16 size;
	u16 nr_slots;
	u8 map[VPCI_CONFIG_DWORDS];
	u32 image[VPCI_CONFIG_DWORDS];
	struct vpci_slot slots[VPCI_MAX_SLOTS];
};

/**
 * struct vpci_layout_error - why a description was refused
 * @item: what is wrong: a field, a BAR or a register's name
 * @index: which one of several, or the offset of a register
 * @reason: in words
 */
struct vpci_layout_error {
	const char *item;
	unsigned int index;
	const char *reason;
};

/**
 * struct vpci_config - the config space of one instance
 * @layout: what it looks like
 * @dwords: current value of each slot of @layout
 *
 * Writers are serialised by the caller. Readers need no lock: a dword is read
 * whole, a longer read is not atomic, as on a bus.
 */
struct vpci_config {
	const struct vpci_layout *layout;
	u32 *dwords;
};

int vpci_layout_compile(struct vpci_layout *layout,
			const struct vpci_desc *desc, vpci_reg_hook command,
			struct vpci_layout_error *err);

void vpci_config_reset(struct vpci_config *cfg);
u32 vpci_config_read_dword(const struct vpci_config *cfg, unsigned int offset);
void vpci_config_read(const struct vpci_config *cfg, unsigned int offset,
		      u8 *buf, unsigned int len);
void vpci_config_write(struct vpci_config *cfg, unsigned int offset,
		       const u8 *buf, unsigned int len);

#endif /* _LINUX_VPCI_CONFIG_H */
