// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random functions, random accesses: the engine against a naive model
 *
 * The first bytes of an input describe a function, the rest says what happens to
 * it. Engine and model must agree on whether there can be such a function, then
 * on every byte that is read, on every call of a hook, after each step on what
 * follows from config space, and again and again on all of it. What the operations
 * were told last must be what is true at the end of a step.
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/pci_regs.h>

#include "describe.h"
#include "model.h"
#include "vpci_layout.h"

/* What who is told by the operations knows */
struct known {
	unsigned int decode;
	bool bus_master;
	enum vpci_irq_mode mode;
	unsigned int vectors;
	u64 masked;
};

struct function {
	struct vpci_config cfg;
	struct known known;
	unsigned int resets;
};

/* The calls of hooks that the model expects, in order, and how many came */
struct hook_call {
	unsigned int offset;
	u32 old;
	u32 new;
	u32 enables;
};

static struct model model;
static struct hook_call expected[1024];
static unsigned int nr_expected, nr_came;

#define must(what) ((what) ? (void)0 : broken(#what, __LINE__))

static void broken(const char *what, int line)
{
	fprintf(stderr, "config_fuzz.c:%d: engine and model differ: %s\n", line,
		what);
	abort();
}

static void hook_called(struct vpci_config *cfg, unsigned int offset, u32 old,
			u32 new, u32 enables)
{
	const struct hook_call *call = &expected[nr_came];

	(void)cfg;
	must(nr_came < nr_expected);
	must(call->offset == offset && call->old == old && call->new == new &&
	     call->enables == enables);
	nr_came++;
}

static struct known engine_known(const struct vpci_config *cfg)
{
	struct known known = {
		.decode = vpci_config_decode(cfg),
		.bus_master = vpci_config_bus_master(cfg),
		.mode = vpci_config_irq_mode(cfg),
		.vectors = vpci_config_irq_vectors(cfg),
	};
	unsigned int i;

	for (i = 0; i < known.vectors && i < 64; i++)
		known.masked |= (u64)vpci_config_irq_masked(cfg, i) << i;
	return known;
}

static struct known model_known(void)
{
	struct known known = {
		.decode = model_decode(&model),
		.bus_master = model_bus_master(&model),
		.mode = model_irq_mode(&model),
		.vectors = model_irq_vectors(&model),
	};
	unsigned int i;

	for (i = 0; i < known.vectors && i < 64; i++)
		known.masked |= (u64)model_irq_masked(&model, i) << i;
	return known;
}

static bool same(const struct known *a, const struct known *b)
{
	return a->decode == b->decode && a->bus_master == b->bus_master &&
	       a->mode == b->mode && a->vectors == b->vectors &&
	       a->masked == b->masked;
}

static void decode_called(struct vpci_config *cfg)
{
	((struct function *)cfg)->known.decode = vpci_config_decode(cfg);
}

static void interrupt_called(struct vpci_config *cfg)
{
	struct function *f = (struct function *)cfg;
	unsigned int decode = f->known.decode;

	f->known = engine_known(cfg);
	f->known.decode = decode;
}

static void reset_called(struct vpci_config *cfg)
{
	struct function *f = (struct function *)cfg;

	vpci_config_reset(cfg);
	f->known = engine_known(cfg);
	f->known.decode = 0;
	f->resets++;
}

static const struct vpci_config_ops ops = {
	.decode = decode_called,
	.interrupt = interrupt_called,
	.reset = reset_called,
};

static bool function_make(struct function *f, const struct vpci_desc *desc)
{
	static struct vpci_build build;
	struct vpci_config_error err = {};
	struct vpci_layout *layout;
	int ret = vpci_layout_compile(&build, desc, &ops, &err);

	must(model_make(&model, desc) == !ret);
	if (ret) {
		must(err.item && err.reason);
		return false;
	}
	layout = malloc(vpci_layout_size(&build));
	vpci_layout_emit(&build, layout);
	vpci_config_init(&f->cfg, layout, malloc(layout->nr_slots * 4));
	f->known = engine_known(&f->cfg);
	f->resets = 0;
	return true;
}

static void function_free(struct function *f)
{
	free((void *)f->cfg.layout);
	free(f->cfg.dwords);
}

/* Where something happens; 0 if the function has no such register */
static unsigned int special(unsigned int which)
{
	const unsigned int offsets[] = {
		PCI_COMMAND, PCI_COMMAND, PCI_ROM_ADDRESS,
		model.pm ? model.pm + PCI_PM_CTRL : 0,
		model.msi ? model.msi + PCI_MSI_FLAGS : 0,
		model.msix ? model.msix + PCI_MSIX_FLAGS + 1 : 0,
		model.exp ? model.exp + PCI_EXP_DEVCTL + 1 : 0,
		model.rebar[which % 6],
	};

	return offsets[which % 8];
}

/* An offset and a length inside the space, short ones preferred */
static unsigned int take_range(struct bytes *in, unsigned int *len)
{
	unsigned int offset = take_u8(in), most;
	u8 how = take_u8(in);

	if (how & 0x80)
		offset = (offset * 16 + (how >> 3 & 15)) % model.size;
	else if (how & 0x40)
		offset = special(offset);
	most = model.size - offset;
	*len = 1 + how % 8;
	if (how % 64 == 0x3f)
		*len = 1 + take_u32(in) % 4096;
	if (*len > most)
		*len = most;
	return offset;
}

/* The exact length on the heap, for the address sanitizer */
static void step_read(struct function *f, struct bytes *in)
{
	unsigned int len, offset = take_range(in, &len), i;
	u8 *buf = malloc(len);

	vpci_config_read(&f->cfg, offset, buf, len);
	for (i = 0; i < len; i++)
		must(buf[i] == model_read(&model, offset + i));
	free(buf);
}

static void expect_hook(unsigned int offset, u32 old, u32 written, u32 enables)
{
	u32 trigger = 0;
	unsigned int i;

	for (i = 0; i < 4; i++)
		trigger |= (u32)model.trigger[offset + i] << 8 * i;
	expected[nr_expected++] = (struct hook_call) {
		offset, old, model_raw(&model, offset) | (written & trigger),
		enables };
}

static void step_write(struct function *f, struct bytes *in)
{
	unsigned int len, offset = take_range(in, &len), i;
	u8 *buf = malloc(len);
	u8 fill = take_u8(in);

	for (i = 0; i < len; i++)
		buf[i] = in->len && i < 16 ? take_u8(in) : fill;

	nr_expected = nr_came = 0;
	for (i = 0; i < len;) {
		unsigned int dword = (offset + i) & ~3U;
		u32 old = model_raw(&model, dword), enables = 0, written = 0;

		for (; i < len && ((offset + i) & ~3U) == dword; i++) {
			unsigned int shift = 8 * ((offset + i) % 4);

			enables |= 0xffU << shift;
			written |= (u32)buf[i] << shift;
			model_write(&model, offset + i, buf[i]);
		}
		if (model.hooked[dword / 4])
			expect_hook(dword, old, written, enables);
	}
	vpci_config_write(&f->cfg, offset, buf, len);
	must(nr_came == nr_expected);
	free(buf);
}

static void step_set(struct function *f, struct bytes *in)
{
	unsigned int offset = (take_u8(in) | take_u8(in) << 8) % model.size & ~3U;
	u32 mask = take_u32(in), value = take_u32(in);

	vpci_config_set(&f->cfg, offset, mask, value);
	model_set(&model, offset, mask, value);
	/* Who sets something on the function's behalf knows it */
	f->known = engine_known(&f->cfg);
}

/* Save, change one bit, load */
static void step_state(struct function *f, struct bytes *in)
{
	size_t size = vpci_config_state_size(f->cfg.layout);
	unsigned int word = take_u8(in) | take_u8(in) << 8;
	u32 bit = 1U << take_u8(in) % 32;
	struct vpci_config_error err;
	static struct model next;
	unsigned int offset, nr = 4;
	u32 *state = malloc(size);
	bool possible;

	vpci_config_save(&f->cfg, state);
	word %= size / 4 + 1;
	if (word < size / 4)
		state[word] ^= htole32(bit);

	/* The dwords that can change follow each other behind the header */
	next = model;
	for (offset = 0; offset < model.size; offset += 4) {
		unsigned int i;

		if (!model_changes(&model, offset))
			continue;
		for (i = 0; i < 4; i++)
			next.raw[offset + i] = le32toh(state[nr]) >> 8 * i;
		nr++;
	}
	must(nr == size / 4);
	possible = word >= 4 && model_possible(&next);
	must(!vpci_config_load(&f->cfg, state, size, &err) == possible);
	if (possible)
		model = next;
	free(state);
}

static void compare_all(const struct function *f)
{
	static u8 all[4096];
	unsigned int i;

	vpci_config_read(&f->cfg, 0, all, model.size);
	for (i = 0; i < model.size; i++)
		must(all[i] == model_read(&model, i));
}

static void compare_known(const struct function *f)
{
	struct known engine = engine_known(&f->cfg), naive = model_known();

	must(same(&engine, &naive));
	must(same(&engine, &f->known));
	must(f->resets == model.resets);
}

static void step(struct function *f, struct bytes *in)
{
	u8 what = take_u8(in);

	if (what < 0xb0) {
		step_write(f, in);
	} else if (what < 0xd8) {
		step_read(f, in);
	} else if (what < 0xf0) {
		step_set(f, in);
	} else if (what < 0xfc) {
		step_state(f, in);
	} else {
		reset_called(&f->cfg);
		model_reset(&model);
		model.resets++;
	}
	compare_known(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct described described;
	struct bytes in = { data, len };
	struct function f;
	unsigned int i;

	describe(&described, &in, hook_called);
	if (!function_make(&f, &described.desc))
		return 0;
	compare_all(&f);
	for (i = 1; in.len; i++) {
		step(&f, &in);
		if (i % 16 == 0)
			compare_all(&f);
	}
	compare_all(&f);
	function_free(&f);
	return 0;
}
