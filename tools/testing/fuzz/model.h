/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A naive model of a function's config space
 *
 * Arrays of bytes with masks, and everything done byte by byte, in the order in
 * which one would explain it. It shares the description with the engine and
 * nothing else: the numbers are those of the PCI specifications, not of the
 * engine.
 */
#ifndef MODEL_H
#define MODEL_H

#include <linux/vpci_config.h>

/**
 * struct model - config space, byte by byte
 * @size: of the config space
 * @raw: what is stored
 * @reset: what a reset stores
 * @w: bits that a guest writes
 * @c: bits that a guest clears by writing 1
 * @device: bits that the function changes
 * @hidden: bits that a guest reads as 0
 * @trigger: bits that a hook is shown
 * @sticky: bits that a reset leaves alone
 * @hooked: dwords with a hook of the test's own
 * @owner: who has the byte; 0 is nobody
 * @pm: offset of the capability, or 0; and so on
 * @rebar: for each BAR, the byte of the control register that has its size
 * @rebar_sizes: for each BAR, bit n for 2^n MiB
 * @resets: how often the guest has reset the function
 */
struct model {
	unsigned int size;
	u8 raw[4096], reset[4096];
	u8 w[4096], c[4096], device[4096];
	u8 hidden[4096], trigger[4096], sticky[4096];
	bool hooked[1024];
	u8 owner[4096];
	unsigned int pm, msi, msix, exp;
	bool flr, is_64bit[6];
	unsigned int rebar[6];
	u32 rebar_sizes[6];
	unsigned int resets;
};

/* Whether such a function can be */
bool model_make(struct model *m, const struct vpci_desc *desc);

u8 model_read(const struct model *m, unsigned int offset);
void model_write(struct model *m, unsigned int offset, u8 value);
void model_set(struct model *m, unsigned int offset, u32 mask, u32 value);
void model_reset(struct model *m);

/* Little-endian dword of what is stored */
u32 model_raw(const struct model *m, unsigned int offset);

/* Whether the dword can change, and whether guest or function can have got it there */
bool model_changes(const struct model *m, unsigned int offset);
bool model_possible(const struct model *m);

unsigned int model_decode(const struct model *m);
bool model_bus_master(const struct model *m);
enum vpci_irq_mode model_irq_mode(const struct model *m);
unsigned int model_irq_vectors(const struct model *m);
bool model_irq_masked(const struct model *m, unsigned int vector);

#endif /* MODEL_H */
