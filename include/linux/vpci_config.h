/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Config space engine of the virtual PCI function library
 *
 * A struct vpci_layout is compiled once for each kind of function and shared
 * by its instances; a struct vpci_config is what one instance holds: the
 * dwords that can change, nothing else.
 *
 * Parent drivers see these structures inside struct vpci_device. They call
 * nothing of this header.
 */
#ifndef _LINUX_VPCI_CONFIG_H
#define _LINUX_VPCI_CONFIG_H

#include <linux/types.h>
#include <linux/vpci_desc.h>

/**
 * struct vpci_slot - a dword that can change
 * @wmask: bits that a guest can write
 * @w1c: bits that a guest clears by writing 1
 * @device: bits that only the function changes
 * @trigger: bits that are not stored but shown to @hook
 * @readable: bits that a guest sees; the others read 0
 * @sticky: bits that a reset by the guest does not change
 * @saved: bits that vpci_config_restore() gives back after one
 * @adjust: has the last word before a write is stored, or NULL
 * @hook: called after a write was stored, or NULL
 */
struct vpci_slot {
	u32 wmask;
	u32 w1c;
	u32 device;
	u32 trigger;
	u32 readable;
	u32 sticky;
	u32 saved;
	vpci_reg_adjust adjust;
	vpci_reg_hook hook;
};

/**
 * struct vpci_config_ops - how config space acts on the rest of the function
 * @decode: vpci_config_decode() may have another result now
 * @interrupt: the vpci_config_irq functions, vpci_config_intx_asserted() or
 *	vpci_config_bus_master() may; optional
 * @reset: the guest asked for a reset: by FLR, or by leaving D3hot. Calls
 *	vpci_config_reset()
 *
 * They are called while a write is in progress, after the value was stored.
 */
struct vpci_config_ops {
	void (*decode)(struct vpci_config *cfg);
	void (*interrupt)(struct vpci_config *cfg);
	void (*reset)(struct vpci_config *cfg);
};

/**
 * struct vpci_layout - a compiled description, immutable
 * @size: of the config space in bytes
 * @nr_slots: number of dwords that can change
 * @nr_values: number of values of @reset
 * @caps: where the first visible capability of each type is, or 0
 * @rebar: for each BAR, where the control register of its size is, or 0
 * @fingerprint: of everything that a saved state depends on
 * @ops: how it acts on the rest of the function
 * @slots: the dwords that can change
 * @reset: reset values, of @slots first, then of dwords that never change; the
 *	one behind those of @slots is zero
 * @map: for each dword, which of the values it has
 */
struct vpci_layout {
	u16 size;
	u16 nr_slots;
	u16 nr_values;
	u16 caps[VPCI_NR_CAP_TYPES];
	u16 rebar[VPCI_NUM_BARS];
	u64 fingerprint;
	const struct vpci_config_ops *ops;
	const struct vpci_slot *slots;
	const u32 *reset;
	u16 map[];
};

/**
 * struct vpci_config_error - why a description or a saved state was refused
 * @item: what is wrong: a field, a BAR, a capability or a register's name
 * @index: which one of several, or the offset of a register
 * @reason: in words
 */
struct vpci_config_error {
	const char *item;
	unsigned int index;
	const char *reason;
};

/**
 * struct vpci_config - the config space of one instance
 * @layout: what it looks like
 * @dwords: current value of each slot of @layout
 *
 * Writers are serialised by the caller, except for vpci_config_set(). Readers
 * need no lock: a dword is read
 * whole, a longer read is not atomic, as on a bus.
 */
struct vpci_config {
	const struct vpci_layout *layout;
	u32 *dwords;
};

/**
 * enum vpci_decode - what the function answers to, see vpci_config_decode()
 * @VPCI_DECODE_MEMORY: its memory BARs
 * @VPCI_DECODE_IO: its I/O BARs
 * @VPCI_DECODE_ROM: its expansion ROM
 */
enum vpci_decode {
	VPCI_DECODE_MEMORY	= 1 << 0,
	VPCI_DECODE_IO		= 1 << 1,
	VPCI_DECODE_ROM		= 1 << 2,
};

/**
 * enum vpci_irq_mode - how the function would interrupt now
 * @VPCI_IRQ_NONE: not at all: it has no pin, and no message is enabled
 * @VPCI_IRQ_INTX: by its pin
 * @VPCI_IRQ_MSI: by messages of the MSI capability
 * @VPCI_IRQ_MSIX: by messages of the MSI-X table, even if MSI is enabled too
 */
enum vpci_irq_mode {
	VPCI_IRQ_NONE,
	VPCI_IRQ_INTX,
	VPCI_IRQ_MSI,
	VPCI_IRQ_MSIX,
};

/* vpci_config.c */
void vpci_config_init(struct vpci_config *cfg, const struct vpci_layout *layout,
		      u32 *dwords);
void vpci_config_reset(struct vpci_config *cfg);
void vpci_config_renew(struct vpci_config *cfg);
void vpci_config_copy(const struct vpci_config *cfg, u32 *dwords);
void vpci_config_restore(struct vpci_config *cfg, const u32 *dwords);
u32 vpci_config_read_dword(const struct vpci_config *cfg, unsigned int offset);
void vpci_config_read(const struct vpci_config *cfg, unsigned int offset,
		      u8 *buf, unsigned int len);
void vpci_config_write(struct vpci_config *cfg, unsigned int offset,
		       const u8 *buf, unsigned int len);
void vpci_config_set(struct vpci_config *cfg, unsigned int offset, u32 mask,
		     u32 value);
unsigned int vpci_config_decode(const struct vpci_config *cfg);
bool vpci_config_in_d0(const struct vpci_config *cfg);
bool vpci_config_bus_master(const struct vpci_config *cfg);

size_t vpci_config_state_size(const struct vpci_layout *layout);
void vpci_config_save(const struct vpci_config *cfg, __le32 *state);
int vpci_config_load(struct vpci_config *cfg, u32 *state, size_t size,
		     struct vpci_config_error *err);

/* vpci_msi.c */
enum vpci_irq_mode vpci_config_irq_mode(const struct vpci_config *cfg);
unsigned int vpci_config_irq_vectors(const struct vpci_config *cfg);
bool vpci_config_irq_masked(const struct vpci_config *cfg, unsigned int vector);
void vpci_config_set_msi_pending(struct vpci_config *cfg, unsigned int vector,
				 bool pending);
bool vpci_config_intx_asserted(const struct vpci_config *cfg);

#endif /* _LINUX_VPCI_CONFIG_H */
