// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: accesses to config space
 *
 * An access of any offset and length is cut into dwords with byte enables. The
 * new value of a dword keeps the read-only bits, takes the writable ones from
 * the bytes that are enabled and clears the write-1-to-clear ones that are
 * enabled and written as 1; no other bit changes. It is stored, then the hook
 * is told the old and the new value.
 *
 * The map of the layout leads from a dword to its value in one step: the first
 * values are those that can change, and an instance holds them; the rest never
 * change, and the layout does. A dword that nobody described shares one zero
 * with all others of its kind.
 *
 * Writers are serialised by the caller, except for the function itself: it may
 * change its own bits, such as status, at any time and in any context.
 *
 * A hook may reset the config space while a longer write is in progress. The
 * rest of that write then meets the registers after the reset.
 *
 * No service of the kernel is called here: the file is compiled as it is in
 * user space as well, for tests.
 */
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/pci_regs.h>
#include <linux/vpci_config.h>

/* A saved state: these words, then the values that can change */
enum {
	VPCI_STATE_MAGIC,
	VPCI_STATE_VERSION,
	VPCI_STATE_FINGERPRINT_LOW,
	VPCI_STATE_FINGERPRINT_HIGH,
	VPCI_STATE_VALUES,
};

#define VPCI_STATE_MAGIC_VALUE		0x49435056 /* "VPCI" */
#define VPCI_STATE_VERSION_VALUE	1

/**
 * vpci_config_init - a config space with every register at its reset value
 * @cfg: filled in
 * @layout: what it looks like; must outlive it
 * @dwords: room for @layout->nr_slots values
 */
void vpci_config_init(struct vpci_config *cfg, const struct vpci_layout *layout,
		      u32 *dwords)
{
	cfg->layout = layout;
	cfg->dwords = dwords;
	memcpy(dwords, layout->reset, layout->nr_slots * sizeof(*dwords));
}

/* vpci_config_set() may change other bits of the same register meanwhile */
static void vpci_config_merge(struct vpci_config *cfg, unsigned int nr, u32 mask,
			      u32 value)
{
	u32 old = READ_ONCE(cfg->dwords[nr]), new;

	do {
		new = (old & ~mask) | (value & mask);
	} while (!try_cmpxchg(&cfg->dwords[nr], &old, new));
}

static void vpci_config_clear(struct vpci_config *cfg, bool renew)
{
	const struct vpci_layout *layout = cfg->layout;
	unsigned int i;

	for (i = 0; i < layout->nr_slots; i++) {
		const struct vpci_slot *slot = &layout->slots[i];
		u32 sticky = slot->sticky & (renew ? slot->device : ~0U);

		vpci_config_merge(cfg, i, ~sticky, layout->reset[i]);
	}
}

/**
 * vpci_config_reset - give every register its reset value
 * @cfg: the config space
 *
 * Only sticky bits stay. Neither hooks nor operations are called: who resets a
 * function takes care of all of it.
 */
void vpci_config_reset(struct vpci_config *cfg)
{
	vpci_config_clear(cfg, false);
}

/**
 * vpci_config_renew - likewise, for another user
 * @cfg: the config space
 *
 * Of sticky bits only those stay that no guest can write, such as a serial number: as
 * if power had been off.
 */
void vpci_config_renew(struct vpci_config *cfg)
{
	vpci_config_clear(cfg, true);
}

/**
 * vpci_config_copy - the values that can change, for vpci_config_restore()
 * @cfg: the config space; the caller excludes writers
 * @dwords: receives as many as the layout has slots
 *
 * The function itself may change its own bits meanwhile.
 */
void vpci_config_copy(const struct vpci_config *cfg, u32 *dwords)
{
	unsigned int i;

	for (i = 0; i < cfg->layout->nr_slots; i++)
		dwords[i] = READ_ONCE(cfg->dwords[i]);
}

/**
 * vpci_config_restore - give back after a reset what the kernel restores of a device
 * @cfg: the config space, just reset; the caller excludes other writers
 * @dwords: its values from before, by vpci_config_copy()
 *
 * Those are the bits that a guest can write in the header and in the capabilities
 * that pci_save_state() knows; status, power management and what the parent driver
 * has described stay reset. The operations decode and interrupt are called, hooks are not.
 */
void vpci_config_restore(struct vpci_config *cfg, const u32 *dwords)
{
	const struct vpci_layout *layout = cfg->layout;
	unsigned int i;

	for (i = 0; i < layout->nr_slots; i++)
		vpci_config_merge(cfg, i, layout->slots[i].saved, dwords[i]);

	layout->ops->decode(cfg);
	if (layout->ops->interrupt)
		layout->ops->interrupt(cfg);
}

static inline u32 vpci_config_get(const struct vpci_config *cfg,
				  unsigned int offset)
{
	const struct vpci_layout *layout = cfg->layout;
	unsigned int nr = layout->map[offset / 4];

	if (nr < layout->nr_slots)
		return READ_ONCE(cfg->dwords[nr]) & layout->slots[nr].readable;
	return layout->reset[nr];
}

/**
 * vpci_config_read_dword - the value of one dword as a guest sees it
 * @cfg: the config space
 * @offset: a multiple of 4 inside it
 *
 * Return: the value, as the processor has it.
 */
u32 vpci_config_read_dword(const struct vpci_config *cfg, unsigned int offset)
{
	return vpci_config_get(cfg, offset);
}

/**
 * vpci_config_read - read any range of bytes
 * @cfg: the config space
 * @offset: of the first byte
 * @buf: receives the bytes as they are on the bus, little endian
 * @len: how many; @offset + @len must not exceed the size of the layout
 */
void vpci_config_read(const struct vpci_config *cfg, unsigned int offset,
		      u8 *buf, unsigned int len)
{
	/* What nearly every access is */
	if (len == 4 && offset % 4 == 0) {
		put_unaligned_le32(vpci_config_get(cfg, offset), buf);
		return;
	}

	while (len) {
		unsigned int first = offset % 4;
		unsigned int count = min(len, 4 - first);
		u32 value = vpci_config_get(cfg, offset - first) >> (8 * first);
		unsigned int i;

		for (i = 0; i < count; i++)
			*buf++ = value >> (8 * i);
		offset += count;
		len -= count;
	}
}

/* The function itself may change some bits of the dword at the same time */
static inline bool vpci_slot_store(const struct vpci_slot *slot, u32 *dword,
				   u32 old, u32 new)
{
	if (slot->w1c | slot->device)
		return try_cmpxchg(dword, &old, new);
	WRITE_ONCE(*dword, new);
	return true;
}

/* Bits of @value outside @enables are zero */
static inline void vpci_config_put(struct vpci_config *cfg, unsigned int offset,
				   u32 value, u32 enables)
{
	const struct vpci_layout *layout = cfg->layout;
	unsigned int nr = layout->map[offset / 4];
	const struct vpci_slot *slot;
	u32 old, new;

	if (nr >= layout->nr_slots)
		return;
	slot = &layout->slots[nr];

	do {
		old = READ_ONCE(cfg->dwords[nr]);
		new = old & ~(slot->wmask & enables);
		new |= value & slot->wmask;
		new &= ~(value & slot->w1c);
		if (slot->adjust)
			new = slot->adjust(cfg, offset, old, new);
	} while (!vpci_slot_store(slot, &cfg->dwords[nr], old, new));

	if (slot->hook)
		slot->hook(cfg, offset, old, new | (value & slot->trigger),
			   enables);
}

/**
 * vpci_config_write - write any range of bytes
 * @cfg: the config space; the caller excludes other writers
 * @offset: of the first byte
 * @buf: the bytes as they are on the bus, little endian
 * @len: how many; @offset + @len must not exceed the size of the layout
 *
 * Calls the hook of each dword that has one, in ascending order.
 */
void vpci_config_write(struct vpci_config *cfg, unsigned int offset,
		       const u8 *buf, unsigned int len)
{
	while (len) {
		unsigned int first = offset % 4;
		unsigned int count = min(len, 4 - first);
		u32 value = 0, enables = 0;
		unsigned int i;

		if (count == 4) {
			value = get_unaligned_le32(buf);
			enables = ~0U;
		} else {
			for (i = first; i < first + count; i++) {
				value |= (u32)buf[i - first] << (8 * i);
				enables |= 0xffU << (8 * i);
			}
		}
		vpci_config_put(cfg, offset - first, value, enables);
		buf += count;
		offset += count;
		len -= count;
	}
}

/**
 * vpci_config_set - change bits on behalf of the function itself
 * @cfg: the config space
 * @offset: of the dword, a multiple of 4 inside it
 * @mask: which bits; of these only the write-1-to-clear ones and those that are
 *	described as the device's change
 * @value: what they become
 *
 * Calls no hook.
 *
 * Context: any; writers need not be excluded.
 */
void vpci_config_set(struct vpci_config *cfg, unsigned int offset, u32 mask,
		     u32 value)
{
	const struct vpci_layout *layout = cfg->layout;
	unsigned int nr = layout->map[offset / 4];

	if (nr >= layout->nr_slots)
		return;

	mask &= layout->slots[nr].w1c | layout->slots[nr].device;
	vpci_config_merge(cfg, nr, mask, value);
}

/**
 * vpci_config_in_d0 - whether the function works at all
 * @cfg: the config space
 *
 * Return: false in D3hot: it answers to nothing but config space, and neither does
 * DMA nor interrupts.
 */
bool vpci_config_in_d0(const struct vpci_config *cfg)
{
	unsigned int pm = cfg->layout->caps[VPCI_CAP_PM];

	return !pm || !(vpci_config_read_dword(cfg, pm + PCI_PM_CTRL) &
			PCI_PM_CTRL_STATE_MASK);
}

/**
 * vpci_config_decode - what the function answers to
 * @cfg: the config space
 *
 * Nothing in another power state than D0; else what COMMAND enables, and the
 * ROM if it is enabled itself, too.
 *
 * Return: bits of enum vpci_decode.
 */
unsigned int vpci_config_decode(const struct vpci_config *cfg)
{
	u32 command = vpci_config_read_dword(cfg, PCI_COMMAND);
	u32 rom = vpci_config_read_dword(cfg, PCI_ROM_ADDRESS);
	unsigned int decode = 0;

	if (!vpci_config_in_d0(cfg))
		return 0;
	if (command & PCI_COMMAND_MEMORY)
		decode |= VPCI_DECODE_MEMORY;
	if (command & PCI_COMMAND_IO)
		decode |= VPCI_DECODE_IO;
	if (command & PCI_COMMAND_MEMORY && rom & PCI_ROM_ADDRESS_ENABLE)
		decode |= VPCI_DECODE_ROM;
	return decode;
}

/**
 * vpci_config_bus_master - whether the function may do DMA and send messages
 * @cfg: the config space
 *
 * Return: true if it may: it is enabled and in D0.
 */
bool vpci_config_bus_master(const struct vpci_config *cfg)
{
	return vpci_config_in_d0(cfg) &&
	       vpci_config_read_dword(cfg, PCI_COMMAND) & PCI_COMMAND_MASTER;
}

/**
 * vpci_config_state_size - how long a saved state is
 * @layout: what the config space looks like
 *
 * Return: bytes.
 */
size_t vpci_config_state_size(const struct vpci_layout *layout)
{
	return (VPCI_STATE_VALUES + layout->nr_slots) * sizeof(u32);
}

/**
 * vpci_config_save - save the state
 * @cfg: the config space; the caller excludes writers
 * @state: receives vpci_config_state_size() bytes
 */
void vpci_config_save(const struct vpci_config *cfg, __le32 *state)
{
	const struct vpci_layout *layout = cfg->layout;
	unsigned int i;

	state[VPCI_STATE_MAGIC] = cpu_to_le32(VPCI_STATE_MAGIC_VALUE);
	state[VPCI_STATE_VERSION] = cpu_to_le32(VPCI_STATE_VERSION_VALUE);
	state[VPCI_STATE_FINGERPRINT_LOW] =
		cpu_to_le32((u32)layout->fingerprint);
	state[VPCI_STATE_FINGERPRINT_HIGH] =
		cpu_to_le32((u32)(layout->fingerprint >> 32));
	for (i = 0; i < layout->nr_slots; i++)
		state[VPCI_STATE_VALUES + i] = cpu_to_le32(READ_ONCE(cfg->dwords[i]));
}

static int vpci_state_refuse(struct vpci_config_error *err, unsigned int index,
			     const char *reason)
{
	err->item = "saved state";
	err->index = index;
	err->reason = reason;
	return -EINVAL;
}

static int vpci_state_check_header(const struct vpci_layout *layout,
				   const u32 *state,
				   struct vpci_config_error *err)
{
	if (state[VPCI_STATE_MAGIC] != VPCI_STATE_MAGIC_VALUE)
		return vpci_state_refuse(err, VPCI_STATE_MAGIC,
					 "is not one of a config space");
	if (state[VPCI_STATE_VERSION] != VPCI_STATE_VERSION_VALUE)
		return vpci_state_refuse(err, VPCI_STATE_VERSION,
					 "is of a version that is not known");
	if (state[VPCI_STATE_FINGERPRINT_LOW] != (u32)layout->fingerprint ||
	    state[VPCI_STATE_FINGERPRINT_HIGH] !=
	    (u32)(layout->fingerprint >> 32))
		return vpci_state_refuse(err, VPCI_STATE_FINGERPRINT_LOW,
					 "is of another kind of function");
	return 0;
}

/* @next: a config space with the values of the saved state */
static int vpci_state_check_values(const struct vpci_config *next,
				   struct vpci_config_error *err)
{
	const struct vpci_layout *layout = next->layout;
	unsigned int offset;

	for (offset = 0; offset < layout->size; offset += 4) {
		unsigned int nr = layout->map[offset / 4];
		const struct vpci_slot *slot;
		u32 value, constant;

		if (nr >= layout->nr_slots)
			continue;

		slot = &layout->slots[nr];
		value = next->dwords[nr];
		constant = ~(slot->wmask | slot->w1c | slot->device);
		if ((value ^ layout->reset[nr]) & constant)
			return vpci_state_refuse(err, offset,
						 "has a read-only bit changed");
		if (slot->adjust &&
		    slot->adjust(next, offset, value, value) != value)
			return vpci_state_refuse(err, offset,
						 "has a value that no guest could have written");
	}
	return 0;
}

/**
 * vpci_config_load - take over a saved state
 * @cfg: the config space; the caller excludes other writers
 * @state: the state, little endian; overwritten
 * @size: its length in bytes
 * @err: says what is wrong with @state after an error; its index is the offset
 *	of a dword
 *
 * A state that is refused changes nothing. One that is accepted takes effect by
 * the operations decode and interrupt; hooks of the parent driver's registers are
 * not called.
 *
 * Return: 0, or -EINVAL.
 */
int vpci_config_load(struct vpci_config *cfg, u32 *state, size_t size,
		     struct vpci_config_error *err)
{
	const struct vpci_layout *layout = cfg->layout;
	struct vpci_config next = {
		.layout = layout,
		.dwords = state + VPCI_STATE_VALUES,
	};
	unsigned int i;
	int ret;

	if (size != vpci_config_state_size(layout))
		return vpci_state_refuse(err, size,
					 "has not the length that it must have");
	for (i = 0; i < size / sizeof(*state); i++)
		le32_to_cpus(&state[i]);

	ret = vpci_state_check_header(layout, state, err);
	if (ret)
		return ret;
	ret = vpci_state_check_values(&next, err);
	if (ret)
		return ret;

	for (i = 0; i < layout->nr_slots; i++)
		WRITE_ONCE(cfg->dwords[i], next.dwords[i]);

	layout->ops->decode(cfg);
	if (layout->ops->interrupt)
		layout->ops->interrupt(cfg);
	return 0;
}
