// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: banks of registers in a trapped BAR
 *
 * An access is cut into pieces of at most the width of a register, from where it
 * begins. Registers of the devices that QEMU emulates behave like that, and so
 * do ours, to the letter. Between the banks there is nothing: it reads as ones.
 */
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/vpci_bank.h>

/* Widest piece where there is no register */
#define VPCI_NO_BANK_WIDTH	4U

static const struct vpci_bank *vpci_bank_find(const struct vpci_bank *banks,
					      unsigned int nr_banks, u64 offset)
{
	unsigned int i;

	for (i = 0; i < nr_banks; i++)
		if (offset >= banks[i].start && offset < banks[i].end)
			return &banks[i];
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

/**
 * vpci_bank_read - the guest reads registers
 * @vpci: the function
 * @banks: the registers of the BAR
 * @nr_banks: how many
 * @offset: as vpci_ops.bar_read has it
 * @width: likewise
 *
 * Return: the value.
 */
u64 vpci_bank_read(struct vpci_device *vpci, const struct vpci_bank *banks,
		   unsigned int nr_banks, u64 offset, unsigned int width)
{
	const struct vpci_bank *bank = vpci_bank_find(banks, nr_banks, offset);
	unsigned int done, step;
	u64 value = 0;

	/* What a driver of the guest does all the time */
	if (bank && width == bank->width)
		return bank->read(vpci, vpci_bank_reg(bank, offset));

	for (done = 0; done < width; done += step) {
		u64 at = offset + done;
		u64 piece = U64_MAX;

		bank = vpci_bank_find(banks, nr_banks, at);
		step = vpci_bank_width(bank, width - done);
		if (bank)
			piece = vpci_bank_accepts(bank, step) ?
				bank->read(vpci, vpci_bank_reg(bank, at)) : 0;
		value |= (piece & vpci_bank_mask(step)) << (8 * done);
	}
	return value;
}
EXPORT_SYMBOL_GPL(vpci_bank_read);

/**
 * vpci_bank_write - the guest writes registers
 * @vpci: the function
 * @banks: the registers of the BAR
 * @nr_banks: how many
 * @offset: as vpci_ops.bar_write has it
 * @width: likewise
 * @value: likewise
 */
void vpci_bank_write(struct vpci_device *vpci, const struct vpci_bank *banks,
		     unsigned int nr_banks, u64 offset, unsigned int width,
		     u64 value)
{
	unsigned int done, step;

	for (done = 0; done < width; done += step) {
		u64 at = offset + done;
		const struct vpci_bank *bank = vpci_bank_find(banks, nr_banks, at);

		step = vpci_bank_width(bank, width - done);
		if (bank && bank->write && vpci_bank_accepts(bank, step))
			bank->write(vpci, vpci_bank_reg(bank, at),
				    value >> (8 * done) & vpci_bank_mask(step));
	}
}
EXPORT_SYMBOL_GPL(vpci_bank_write);
