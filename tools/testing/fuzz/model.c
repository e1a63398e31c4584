// SPDX-License-Identifier: GPL-2.0-only
/* How the model behaves; how it is built stands in model_make.c */
#include "model.h"

u8 model_read(const struct model *m, unsigned int offset)
{
	return m->raw[offset] & ~m->hidden[offset];
}

u32 model_raw(const struct model *m, unsigned int offset)
{
	return m->raw[offset] | m->raw[offset + 1] << 8 |
	       m->raw[offset + 2] << 16 | (u32)m->raw[offset + 3] << 24;
}

void model_reset(struct model *m)
{
	unsigned int i;

	for (i = 0; i < m->size; i++)
		m->raw[i] = (m->reset[i] & ~m->sticky[i]) |
			    (m->raw[i] & m->sticky[i]);
}

unsigned int model_decode(const struct model *m)
{
	unsigned int decode = 0;

	if (m->pm && m->raw[m->pm + 4] & 3)
		return 0;
	if (m->raw[4] & 1)
		decode |= VPCI_DECODE_IO;
	if (m->raw[4] & 2) {
		decode |= VPCI_DECODE_MEMORY;
		if (m->raw[0x30] & 1)
			decode |= VPCI_DECODE_ROM;
	}
	return decode;
}

bool model_bus_master(const struct model *m)
{
	return m->raw[4] & 4 && !(m->pm && m->raw[m->pm + 4] & 3);
}

enum vpci_irq_mode model_irq_mode(const struct model *m)
{
	if (m->msix && m->raw[m->msix + 3] & 0x80)
		return VPCI_IRQ_MSIX;
	if (m->msi && m->raw[m->msi + 2] & 1)
		return VPCI_IRQ_MSI;
	return m->raw[0x3d] ? VPCI_IRQ_INTX : VPCI_IRQ_NONE;
}

unsigned int model_irq_vectors(const struct model *m)
{
	switch (model_irq_mode(m)) {
	case VPCI_IRQ_MSIX:
		return ((m->raw[m->msix + 3] & 7) << 8 | m->raw[m->msix + 2]) + 1;
	case VPCI_IRQ_MSI:
		return 1 << (m->raw[m->msi + 2] >> 4 & 7);
	default:
		return m->raw[0x3d] ? 1 : 0;
	}
}

bool model_irq_masked(const struct model *m, unsigned int vector)
{
	unsigned int mask;

	switch (model_irq_mode(m)) {
	case VPCI_IRQ_MSIX:
		return m->raw[m->msix + 3] & 0x40;
	case VPCI_IRQ_MSI:
		if (!(m->raw[m->msi + 3] & 1))
			return false;
		mask = m->msi + (m->raw[m->msi + 2] & 0x80 ? 16 : 12);
		return m->raw[mask + vector / 8] & 1 << vector % 8;
	case VPCI_IRQ_INTX:
		return m->raw[5] & 4 || (m->pm && m->raw[m->pm + 4] & 3);
	default:
		return true;
	}
}

static u64 rebar_size(const struct model *m, unsigned int bar)
{
	return 0x100000ULL << (m->raw[m->rebar[bar]] & 0x3f);
}

static bool rebar_size_offered(const struct model *m, unsigned int bar, u8 size)
{
	return size < 28 && m->rebar_sizes[bar] & 1U << size;
}

/* Address bits that the size of a resizable BAR forbids */
static void rebar_trim(struct model *m, unsigned int bar)
{
	unsigned int at = 0x10 + 4 * bar, i;

	for (i = 0; i < (m->is_64bit[bar] ? 8 : 4); i++)
		m->raw[at + i] &= ~((rebar_size(m, bar) - 1) >> 8 * i) |
				  (i ? 0 : 0xf);
}

/* What one field of the byte does beside being stored */
static void model_effects(struct model *m, unsigned int offset, u8 old, u8 value)
{
	unsigned int bar;
	u8 most;

	if (m->pm && offset == m->pm + 4) {
		u8 state = m->raw[offset] & 3;

		if (state == 1 || state == 2)
			m->raw[offset] = (m->raw[offset] & ~3) | (old & 3);
		else if (state == 0 && (old & 3) == 3 && !(old & 8))
			goto reset;
	}
	if (m->msi && offset == m->msi + 2) {
		most = m->raw[offset] >> 1 & 7;
		if ((m->raw[offset] >> 4 & 7) > most)
			m->raw[offset] = (m->raw[offset] & 0x8f) | most << 4;
	}
	for (bar = 0; bar < 6; bar++) {
		if (!m->rebar[bar])
			continue;
		if (offset == m->rebar[bar] &&
		    (model_decode(m) & VPCI_DECODE_MEMORY ||
		     !rebar_size_offered(m, bar, m->raw[offset])))
			m->raw[offset] = old;
		rebar_trim(m, bar);
	}
	if (m->flr && offset == m->exp + 9 && value & 0x80)
		goto reset;
	return;

reset:
	m->resets++;
	model_reset(m);
}

void model_write(struct model *m, unsigned int offset, u8 value)
{
	u8 old = m->raw[offset];

	m->raw[offset] = (old & ~m->w[offset]) | (value & m->w[offset]);
	m->raw[offset] &= ~(value & m->c[offset]);
	model_effects(m, offset, old, value);
}

void model_set(struct model *m, unsigned int offset, u32 mask, u32 value)
{
	unsigned int i;

	for (i = offset; i < offset + 4; i++, mask >>= 8, value >>= 8) {
		u8 bits = mask & (m->c[i] | m->device[i]);

		m->raw[i] = (m->raw[i] & ~bits) | (value & bits);
	}
}

bool model_changes(const struct model *m, unsigned int offset)
{
	unsigned int i;

	for (i = offset; i < offset + 4; i++) {
		if (m->w[i] | m->c[i] | m->device[i] | m->trigger[i])
			return true;
	}
	return false;
}

bool model_possible(const struct model *m)
{
	unsigned int i;

	for (i = 0; i < m->size; i++) {
		if ((m->raw[i] ^ m->reset[i]) &
		    ~(m->w[i] | m->c[i] | m->device[i]))
			return false;
	}
	if (m->pm && ((m->raw[m->pm + 4] & 3) == 1 ||
		      (m->raw[m->pm + 4] & 3) == 2))
		return false;
	if (m->msi && (m->raw[m->msi + 2] >> 4 & 7) > (m->raw[m->msi + 2] >> 1 & 7))
		return false;
	for (i = 0; i < 6; i++) {
		struct model trimmed = *m;

		if (!m->rebar[i])
			continue;
		if (!rebar_size_offered(m, i, m->raw[m->rebar[i]] & 0x3f))
			return false;
		rebar_trim(&trimmed, i);
		if (memcmp(trimmed.raw, m->raw, sizeof(m->raw)))
			return false;
	}
	return true;
}
