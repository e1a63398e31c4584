/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Description of a virtual PCI function's config space
 *
 * A parent driver fills struct vpci_desc once for each kind of function that it
 * offers. The description is checked and compiled into a layout that all
 * functions of the kind share; it can be thrown away afterwards, except for
 * the names, which an error message may show, and the banks of registers.
 *
 *	static const struct vpci_cap_desc caps[] = {
 *		{ .type = VPCI_CAP_PM },
 *		{ .type = VPCI_CAP_MSIX, .msix = { .vectors = 8, .table_bar = 2,
 *			.pba_bar = 2, .pba_offset = 0x800 } },
 *	};
 *	static const struct vpci_desc desc = {
 *		.name = "example", .vendor = 0x1234, .device = 0x5678,
 *		.class = 0x120000, .config_size = 256,
 *		.bars = { [0] = { .size = SZ_16M, .is_64bit = true },
 *			  [2] = { .size = SZ_4K } },
 *		.caps = caps, .nr_caps = ARRAY_SIZE(caps),
 *	};
 *
 * Every bit of config space is of one of these kinds; what nobody describes is
 * read-only and zero:
 *
 *	read-only	keeps its reset value (no mask has the bit)
 *	@wmask		the guest writes it
 *	@w1c		the function sets it, the guest clears it by writing 1
 *	@device		the function changes it, for the guest it is read-only
 *	@rsvdp		the guest reads 0 and preserves what is there
 *	@rsvdz		reads 0, must be written as 0
 *	@trigger	reads 0; that a 1 was written is shown to the hook
 *
 * This header and what it describes need nothing of a running kernel, so that
 * the same code is built and tested in user space.
 */
#ifndef _LINUX_VPCI_DESC_H
#define _LINUX_VPCI_DESC_H

#include <linux/types.h>
#include <linux/vpci_bank.h>

#define VPCI_NUM_BARS 6

struct vpci_config;

/**
 * typedef vpci_reg_hook - a register was written
 * @cfg: the config space; to_vpci_device() leads from there to the function
 * @offset: of the dword, a multiple of 4
 * @old: the whole dword before the write
 * @new: the whole dword now: masks are applied and it is stored already. Only
 *	trigger bits are not stored: they show what this write had there
 * @enables: 0xff for each byte that the write covered
 *
 * Side effects follow from @new, never from what the guest put on the bus.
 *
 * Context: the function's config lock is held; may sleep.
 */
typedef void (*vpci_reg_hook)(struct vpci_config *cfg, unsigned int offset,
			      u32 old, u32 new, u32 enables);

/**
 * typedef vpci_reg_adjust - last word on what a register may hold
 * @cfg: the config space, without the new value
 * @offset: of the dword, a multiple of 4
 * @old: the whole dword before the write
 * @new: the whole dword after it, masks are applied
 *
 * For values that masks cannot express, such as a count with a maximum. A value
 * is legal exactly if it is returned unchanged when it is both @old and @new;
 * by that a saved state is checked.
 *
 * Return: the dword to store. It differs from @new in writable bits only.
 */
typedef u32 (*vpci_reg_adjust)(const struct vpci_config *cfg,
			       unsigned int offset, u32 old, u32 new);

/**
 * struct vpci_reg_desc - a register of the parent driver's own
 * @name: for error messages
 * @offset: bytes from the start of config space, behind the header (0x40), or
 *	from the start of the capability that it belongs to; a multiple of
 *	@width
 * @width: 1, 2 or 4 bytes
 * @reset: value after creation and after each reset
 * @wmask: bits that the guest can write
 * @w1c: bits that the guest clears by writing 1
 * @device: bits that only the function changes, by vpci_device_set_config()
 * @rsvdp: bits that read 0 and keep their value, see there
 * @rsvdz: bits that read 0 for ever
 * @trigger: bits that read 0; the hook sees when 1 was written
 * @sticky: those of @wmask, @w1c and @device that a reset by the guest does not
 *	change. For the next user, those of @device alone are as they were
 * @adjust: optional; at most one register of a dword may have one
 * @hook: optional; likewise
 *
 * No bit may be in two of the masks, but for @sticky, which is part of others. A bit
 * in none is read-only.
 */
struct vpci_reg_desc {
	const char *name;
	u16 offset;
	u8 width;
	u32 reset;
	u32 wmask;
	u32 w1c;
	vpci_reg_hook hook;
	u32 device;
	u32 rsvdp;
	u32 rsvdz;
	u32 trigger;
	u32 sticky;
	vpci_reg_adjust adjust;
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
 * @size: bytes, a power of two, from 16 for memory and 4 to 256 for I/O; 0
 *	means that there is no such BAR
 * @is_64bit: it takes the next slot as well, which must be absent
 * @prefetchable: reads have no side effects
 * @is_io: it is in I/O space
 * @mapped: accesses go to the frames recorded with vpci_bar_back(), by CPU
 *	mappings where the VMM makes them; otherwise every access traps
 * @areas: for a BAR of both kinds, instead of @mapped: the parts that are
 *	mapped, ascending; the rest traps
 * @nr_areas: how many
 * @banks: registers in what traps, ascending; what traps and is in no bank reads
 *	as ones. Without banks vpci_ops.bar_read and vpci_ops.bar_write are
 *	asked. The table must stay as long as instances do
 * @nr_banks: how many
 * @cache: what most of its frames will be; leaves of 2 MiB and 1 GiB are made
 *	for such. On x86 with PAT other frames can have leaves of 2 MiB, too
 */
struct vpci_bar_desc {
	u64 size;
	bool is_64bit;
	bool prefetchable;
	bool is_io;
	bool mapped;
	const struct vpci_area_desc *areas;
	unsigned int nr_areas;
	const struct vpci_bank *banks;
	unsigned int nr_banks;
	enum vpci_cache cache;
};

/**
 * enum vpci_cap_type - which capability a struct vpci_cap_desc describes
 * @VPCI_CAP_PM: power management, see struct vpci_pm_desc
 * @VPCI_CAP_MSI: see struct vpci_msi_desc
 * @VPCI_CAP_MSIX: see struct vpci_msix_desc
 * @VPCI_CAP_EXP: PCI Express endpoint, see struct vpci_exp_desc
 * @VPCI_CAP_VENDOR: vendor-specific, see struct vpci_vendor_desc
 * @VPCI_EXT_CAP_AER: extended: advanced error reporting. No error is ever
 *	reported unless the parent driver sets one
 * @VPCI_EXT_CAP_DSN: extended: device serial number, see struct vpci_dsn_desc
 * @VPCI_EXT_CAP_VENDOR: extended, vendor-specific, see struct vpci_vendor_desc
 * @VPCI_EXT_CAP_REBAR: extended: resizable BARs, see struct vpci_rebar_desc
 * @VPCI_NR_CAP_TYPES: how many there are
 */
enum vpci_cap_type {
	VPCI_CAP_PM,
	VPCI_CAP_MSI,
	VPCI_CAP_MSIX,
	VPCI_CAP_EXP,
	VPCI_CAP_VENDOR,
	VPCI_EXT_CAP_AER,
	VPCI_EXT_CAP_DSN,
	VPCI_EXT_CAP_VENDOR,
	VPCI_EXT_CAP_REBAR,
	VPCI_NR_CAP_TYPES,
};

/**
 * struct vpci_pm_desc - power management: D0 and D3hot, no PME
 * @no_soft_reset: the function keeps its state from D3hot to D0. Otherwise
 *	that transition is a reset
 */
struct vpci_pm_desc {
	bool no_soft_reset;
};

/**
 * struct vpci_msi_desc - MSI
 * @vectors: 1, 2, 4, 8, 16 or 32
 * @is_64bit: the address has 64 bits
 * @maskable: each vector has a mask and a pending bit
 */
struct vpci_msi_desc {
	u8 vectors;
	bool is_64bit;
	bool maskable;
};

/**
 * struct vpci_msix_desc - MSI-X
 * @vectors: 1 to 2048
 * @table_bar: slot of the memory BAR that holds the table
 * @pba_bar: slot of the memory BAR that holds the pending bits
 * @table_offset: bytes from the start of that BAR, a multiple of 8. The table
 *	has 16 bytes for each vector
 * @pba_offset: likewise. The pending bits are a multiple of 8 bytes
 */
struct vpci_msix_desc {
	u16 vectors;
	u8 table_bar;
	u8 pba_bar;
	u32 table_offset;
	u32 pba_offset;
};

/**
 * struct vpci_exp_desc - PCI Express endpoint
 * @flr: the guest can reset the function through this capability
 */
struct vpci_exp_desc {
	bool flr;
};

/**
 * struct vpci_vendor_desc - a capability of the vendor's own
 * @length: bytes, the header included, which has 3, or 8 in the extended one
 * @id: of the extended one: what it is, in the vendor's numbering
 * @revision: of the extended one, 4 bits
 * @regs: its registers; their offsets count from the capability's start
 * @nr_regs: how many
 */
struct vpci_vendor_desc {
	u16 length;
	u16 id;
	u8 revision;
	const struct vpci_reg_desc *regs;
	unsigned int nr_regs;
};

/**
 * struct vpci_dsn_desc - device serial number
 * @serial: of instances to which vpci_device_set_serial() gives no other
 */
struct vpci_dsn_desc {
	u64 serial;
};

/**
 * struct vpci_rebar_desc - BARs whose size the guest chooses
 * @sizes: for each BAR, bit n is set if 2^n MiB can be chosen; 0 if the BAR is
 *	not resizable
 *
 * The size in struct vpci_bar_desc is the largest, and the one after a reset.
 */
struct vpci_rebar_desc {
	u32 sizes[VPCI_NUM_BARS];
};

/**
 * struct vpci_cap_desc - a capability
 * @type: which
 * @offset: where, a multiple of 4; 0 for wherever there is room
 * @hidden: it keeps its room, but is not in the list and its registers are not
 *	there. For a variant of a function in which nothing else moves
 * @pm: of VPCI_CAP_PM
 * @msi: of VPCI_CAP_MSI
 * @msix: of VPCI_CAP_MSIX
 * @exp: of VPCI_CAP_EXP
 * @vendor: of VPCI_CAP_VENDOR and VPCI_EXT_CAP_VENDOR
 * @dsn: of VPCI_EXT_CAP_DSN
 * @rebar: of VPCI_EXT_CAP_REBAR
 */
struct vpci_cap_desc {
	enum vpci_cap_type type;
	u16 offset;
	bool hidden;
	union {
		struct vpci_pm_desc pm;
		struct vpci_msi_desc msi;
		struct vpci_msix_desc msix;
		struct vpci_exp_desc exp;
		struct vpci_vendor_desc vendor;
		struct vpci_dsn_desc dsn;
		struct vpci_rebar_desc rebar;
	};
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
 * @interrupt_pin: 1 to 4 for INTA to INTD, 0 for none
 * @reports_errors: the parent driver may call vpci_irq_error()
 * @dma: the parent driver may call vpci_dma_rw() and vpci_dma_pin(). It costs whoever
 *	opens the function a thread
 * @command: bits of COMMAND that the guest can write beside those that follow
 *	from the rest: IO with an I/O BAR, MEMORY with a memory BAR or a ROM,
 *	INTX_DISABLE with a pin, and MASTER
 * @config_size: 256 or 4096 bytes
 * @rom_size: bytes of the expansion ROM, a power of two from 2 KiB to 16 MiB,
 *	or 0 for none
 * @bars: by slot
 * @caps: in the order of the list; may be NULL. Those from 0x100 on are in a
 *	list of their own
 * @nr_caps: how many
 * @regs: registers behind the header that belong to no capability; may be NULL
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
	u8 interrupt_pin;
	bool reports_errors;
	bool dma;
	u16 command;
	u16 config_size;
	u32 rom_size;
	struct vpci_bar_desc bars[VPCI_NUM_BARS];
	const struct vpci_cap_desc *caps;
	unsigned int nr_caps;
	const struct vpci_reg_desc *regs;
	unsigned int nr_regs;
};

#endif /* _LINUX_VPCI_DESC_H */
