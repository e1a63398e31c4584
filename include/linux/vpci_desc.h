/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Description of a virtual PCI function's config space
 *
 * A parent driver fills struct vpci_desc once for each kind of function that it
 * offers. The description is checked and compiled into a layout that all
 * functions of the kind share; it can be thrown away afterwards.
 *
 * This header and what it describes need nothing of a running kernel, so that
 * the same code is built and tested in user space.
 */
#ifndef _LINUX_VPCI_DESC_H
#define _LINUX_VPCI_DESC_H

#include <linux/types.h>

#define VPCI_NUM_BARS 6

struct vpci_config;

/**
 * typedef vpci_reg_hook - a register's value was written
 * @cfg: the config space; to_vpci_device() leads from there to the function
 * @offset: of the dword, a multiple of 4
 * @old: the whole dword before the write
 * @new: the whole dword now: masks are applied and it is stored already
 * @enables: 0xff for each byte that the write covered
 *
 * Side effects follow from @new, never from what the guest put on the bus.
 *
 * Context: the function's config lock is held; may sleep.
 */
typedef void (*vpci_reg_hook)(struct vpci_config *cfg, unsigned int offset,
			      u32 old, u32 new, u32 enables);

/**
 * struct vpci_reg_desc - a register of the parent driver's own
 * @name: for error messages
 * @offset: bytes from the start of config space, a multiple of @width, behind
 *	the header (0x40)
 * @width: 1, 2 or 4 bytes
 * @reset: value after creation and after each reset
 * @wmask: bits that the guest can write
 * @w1c: bits that the guest clears by writing 1; disjoint from @wmask
 * @hook: optional; at most one register of a dword may have one
 *
 * A bit in neither mask is read-only.
 */
struct vpci_reg_desc {
	const char *name;
	u16 offset;
	u8 width;
	u32 reset;
	u32 wmask;
	u32 w1c;
	vpci_reg_hook hook;
};

/**
 * enum vpci_cache - how the processor may cache a backing, see vpci_bar_back()
 * @VPCI_CACHE_UNCACHED: device registers
 * @VPCI_CACHE_WRITE_COMBINE: device memory, such as VRAM
 * @VPCI_CACHE_WRITE_BACK: system memory
 */
enum vpci_cache {
	VPCI_CACHE_UNCACHED,
	VPCI_CACHE_WRITE_COMBINE,
	VPCI_CACHE_WRITE_BACK,
};

/**
 * struct vpci_area_desc - a mapped part of a BAR
 * @offset: bytes from the start of the BAR, a multiple of the page size
 * @size: bytes, likewise
 *
 * To be mapped by leaves of 2 MiB or 1 GiB it must be aligned to that.
 */
struct vpci_area_desc {
	u64 offset;
	u64 size;
};

/**
 * struct vpci_bar_desc - a base address register
 * @size: bytes, a power of two from 16; 0 means that there is no such BAR
 * @is_64bit: it takes the next slot as well, which must be absent
 * @prefetchable: reads have no side effects
 * @mapped: accesses go to the frames recorded with vpci_bar_back(), by CPU
 *	mappings where the VMM makes them; otherwise every access traps
 * @areas: for a BAR of both kinds, instead of @mapped: the parts that are
 *	mapped, ascending; the rest traps
 * @nr_areas: how many
 * @cache: what most of its frames will be; leaves of 2 MiB and 1 GiB are made
 *	for such. On x86 with PAT other frames can have leaves of 2 MiB, too
 */
struct vpci_bar_desc {
	u64 size;
	bool is_64bit;
	bool prefetchable;
	bool mapped;
	const struct vpci_area_desc *areas;
	unsigned int nr_areas;
	enum vpci_cache cache;
};

/**
 * struct vpci_desc - a kind of virtual PCI function
 * @name: for error messages
 * @vendor: vendor ID
 * @device: device ID
 * @subsystem_vendor: subsystem vendor ID
 * @subsystem: subsystem ID
 * @class: class code, 24 bits: base class, sub-class, interface
 * @revision: revision ID
 * @config_size: 256 or 4096 bytes
 * @bars: by slot
 * @regs: registers behind the header; may be NULL
 * @nr_regs: how many
 *
 * Whatever is not described reads zero and ignores writes.
 */
struct vpci_desc {
	const char *name;
	u16 vendor;
	u16 device;
	u16 subsystem_vendor;
	u16 subsystem;
	u32 class;
	u8 revision;
	u16 config_size;
	struct vpci_bar_desc bars[VPCI_NUM_BARS];
	const struct vpci_reg_desc *regs;
	unsigned int nr_regs;
};

#endif /* _LINUX_VPCI_DESC_H */
