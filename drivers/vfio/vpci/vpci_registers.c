// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: what traps into the parent driver
 *
 * Either into the driver's ops, or into the banks of registers that it has
 * described. In a bank an access is cut into pieces of at most the width of a
 * register, from where it begins. Registers of the devices that QEMU emulates
 * behave like that, and so do ours, to the letter. Between the banks there is
 * nothing: it reads as ones.
 */
#include <linux/minmax.h>

#include "vpci_private.h"

/* Widest piece where there is no register */
#define VPCI_NO_BANK_WIDTH	4U

static const struct vpci_bank *vpci_bank_find(const struct vpci_registers *regs,
					      u64 offset)
{
	unsigned int i;

	for (i = 0; i < regs->nr_banks; i++)
		if (offset >= regs->banks[i].start &&
		    offset < regs->banks[i].end)
			return &regs->banks[i];
	return NULL;
}

static unsigned int vpci_bank_width(const struct vpci_bank *bank,
				    unsigned int width)
{
	return min(width, bank ? bank->width : VPCI_NO_BANK_WIDTH);
}

/* Whether an access of that width meets the registers */
static bool vpci_bank_accepts(const struct vpci_bank *bank, unsigned int width)
{
	return !bank->whole || width == bank->width;
}

/* Without a division: the width is 1, 2 or 4 */
static unsigned int vpci_bank_reg(const struct vpci_bank *bank, u64 offset)
{
	return (u32)(offset - bank->start) >> (bank->width >> 1);
}

static u64 vpci_bank_mask(unsigned int width)
{
	return U32_MAX >> (32 - 8 * width);
}

/* An access of any width, anywhere */
static noinline u64 vpci_banks_read(struct vpci_device *vpci,
				    const struct vpci_registers *regs,
				    u64 offset, unsigned int width)
{
	unsigned int done, step;
	u64 value = 0;

	for (done = 0; done < width; done += step) {
		u64 at = offset + done;
		const struct vpci_bank *bank = vpci_bank_find(regs, at);
		u64 piece = U64_MAX;

		step = vpci_bank_width(bank, width - done);
		if (bank)
			piece = vpci_bank_accepts(bank, step) ?
				bank->read(vpci, vpci_bank_reg(bank, at)) : 0;
		value |= (piece & vpci_bank_mask(step)) << (8 * done);
	}
	return value;
}

static void vpci_banks_write(struct vpci_device *vpci,
			     const struct vpci_registers *regs, u64 offset,
			     unsigned int width, u64 value)
{
	unsigned int done, step;

	for (done = 0; done < width; done += step) {
		u64 at = offset + done;
		const struct vpci_bank *bank = vpci_bank_find(regs, at);

		step = vpci_bank_width(bank, width - done);
		if (bank && bank->write && vpci_bank_accepts(bank, step))
			bank->write(vpci, vpci_bank_reg(bank, at),
				    value >> (8 * done) & vpci_bank_mask(step));
	}
}

/* Arguments as those of vpci_ops.bar_read */
u64 vpci_registers_read(struct vpci_device *vpci, unsigned int bar, u64 offset,
			unsigned int width)
{
	const struct vpci_registers *regs = &vpci->registers[bar];
	const struct vpci_bank *bank;

	if (!regs->banked)
		return vpci->ops->bar_read(vpci, bar, offset, width);

	/* What a driver of the guest does all the time */
	bank = vpci_bank_find(regs, offset);
	if (bank && width == bank->width)
		return bank->read(vpci, vpci_bank_reg(bank, offset));
	return vpci_banks_read(vpci, regs, offset, width);
}

/* Arguments as those of vpci_ops.bar_write */
void vpci_registers_write(struct vpci_device *vpci, unsigned int bar,
			  u64 offset, unsigned int width, u64 value)
{
	const struct vpci_registers *regs = &vpci->registers[bar];

	if (regs->banked)
		vpci_banks_write(vpci, regs, offset, width, value);
	else
		vpci->ops->bar_write(vpci, bar, offset, width, value);
}

void vpci_registers_init(struct vpci_device *vpci)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vpci->registers); i++) {
		const struct vpci_bar *bar = &vpci->function->bars[i];
		const struct vpci_area *area = &bar->areas[0];

		vpci->registers[i] = (struct vpci_registers) {
			.banked = bar->nr_banks || !vpci->ops->bar_read,
			.nr_banks = bar->nr_banks,
			.banks = bar->banks,
		};
		if (bar->size && bar->decode == VPCI_DECODE_MEMORY &&
		    !area->mapped && !area->library)
			vpci->registers[i].end = area->last + 1;
	}
}
