// SPDX-License-Identifier: GPL-2.0-only
/* What a description can get wrong, and how much memory a good one takes */
#include "fixture.h"

static void test_refused_bars(void **state)
{
	struct vpci_desc desc = sample_desc();

	(void)state;
	desc.bars[2].size = 4097;
	refused(&desc, "BAR", "power of two");
	desc.bars[2].size = 8;
	refused(&desc, "BAR", "smaller than 16");
	desc.bars[2] = (struct vpci_bar_desc) { .mapped = true };
	refused(&desc, "BAR", "no size");
	desc = sample_desc();
	desc.bars[2].size = 4ULL << 30;
	refused(&desc, "BAR", "larger");
	desc = sample_desc();
	desc.bars[1].size = 4096;
	refused(&desc, "BAR", "slot behind it is not absent");
	desc = sample_desc();
	desc.bars[3].size = 2;
	refused(&desc, "BAR", "smaller than 4");
	desc.bars[3].size = 512;
	refused(&desc, "BAR", "larger than 256");
	desc.bars[3].size = 32;
	desc.bars[3].prefetchable = true;
	refused(&desc, "BAR", "I/O");
}

static void refused_reg(struct vpci_reg_desc reg, const char *reason)
{
	struct vpci_reg_desc pair[] = {
		{ "good", 0x40, 4, 0x11223344, .wmask = 1, .hook = record_hook },
		reg,
	};
	struct vpci_desc desc = { .config_size = 256, .regs = pair,
				  .nr_regs = 2 };

	pair[1].name = "bad";
	refused(&desc, "bad", reason);
}

static void test_refused_places(void **state)
{
	(void)state;
	refused_reg((struct vpci_reg_desc) { .offset = 0x40, .width = 4 },
		    "overlaps");
	refused_reg((struct vpci_reg_desc) { .offset = 0x43, .width = 1 },
		    "overlaps");
	refused_reg((struct vpci_reg_desc) { .offset = 0x3c, .width = 4 },
		    "header");
	refused_reg((struct vpci_reg_desc) { .offset = 0x45, .width = 2 },
		    "aligned");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 3 },
		    "wide");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 0 },
		    "wide");
	refused_reg((struct vpci_reg_desc) { .offset = 0x100, .width = 1 },
		    "beyond the config space");
	refused_reg((struct vpci_reg_desc) { .offset = 0xfffc, .width = 4 },
		    "beyond the config space");
}

static void test_refused_masks(void **state)
{
	(void)state;
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 1,
		    .wmask = 0x100 }, "beyond its width");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 2,
		    .w1c = 0x10000 }, "beyond its width");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 1,
		    .reset = 0x100 }, "beyond its width");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 2,
		    .trigger = 0x10000 }, "beyond its width");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .hook = record_hook }, "no bit that can be written");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .wmask = 3, .w1c = 2 }, "two masks");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .w1c = 3, .rsvdp = 2 }, "two masks");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .device = 3, .rsvdz = 2 }, "two masks");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .trigger = 3, .rsvdz = 2 }, "two masks");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .reset = 1, .rsvdz = 1 }, "reads 0");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .reset = 1, .trigger = 1 }, "reads 0");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .wmask = 1, .sticky = 3 }, "sticky");
}

static u32 adjust_nothing(const struct vpci_config *cfg, unsigned int offset,
			  u32 old, u32 new)
{
	(void)cfg;
	(void)offset;
	(void)old;
	return new;
}

static void test_refused_hooks(void **state)
{
	struct vpci_reg_desc pair[] = {
		{ "one", 0x44, 2, 0, 1, 0, record_hook },
		{ "two", 0x46, 2, 0, 1, 0, record_hook },
	};
	struct vpci_desc desc = sample_desc();

	(void)state;
	desc.nr_caps = 0;
	desc.regs = pair;
	desc.nr_regs = 2;
	refused(&desc, "two", "second hook");
	pair[0].adjust = adjust_nothing;
	pair[1].adjust = adjust_nothing;
	pair[1].hook = NULL;
	refused(&desc, "two", "second hook");
	pair[1].wmask = 0;
	refused(&desc, "two", "no writable bit");
}

static void test_refused_fields(void **state)
{
	static const u32 roms[] = { 1024, 3072, 32 << 20, 1, 0x80000000 };
	struct vpci_desc desc = sample_desc();
	unsigned int i;

	(void)state;
	desc.config_size = 255;
	refused(&desc, "config_size", "256 nor 4096");
	desc = sample_desc();
	desc.class = 0x1000000;
	refused(&desc, "class", "24 bits");
	desc = sample_desc();
	desc.vendor = 0xffff;
	refused(&desc, "vendor", "absent");
	desc = sample_desc();
	desc.interrupt_pin = 5;
	refused(&desc, "interrupt_pin", "pins");
	desc = sample_desc();
	desc.command = 0x800;
	refused(&desc, "command", "no guest");
	desc = sample_desc();
	for (i = 0; i < ARRAY_SIZE(roms); i++) {
		desc.rom_size = roms[i];
		refused(&desc, "rom_size", "2 KiB to 16 MiB");
	}
}

static void test_refused_caps(void **state)
{
	const struct vpci_reg_desc regs[] = { { "far", 8, 4 }, { "low", 0, 2 } };
	struct vpci_cap_desc caps[VPCI_MAX_CAPS + 1] = {
		{ .type = VPCI_CAP_PM }, { .type = VPCI_CAP_PM },
	};
	struct vpci_desc desc = sample_desc();

	(void)state;
	desc.caps = caps;
	desc.nr_caps = 2;
	refused(&desc, "PM capability", "already");
	caps[1].type = VPCI_NR_CAP_TYPES;
	refused(&desc, "capability", "known type");
	caps[1].type = -1;
	refused(&desc, "capability", "known type");
	desc.nr_caps = VPCI_MAX_CAPS + 1;
	refused(&desc, "nr_caps", "more than 64");
	desc.nr_caps = 2;
	caps[1] = (struct vpci_cap_desc) { .type = VPCI_CAP_VENDOR,
		.vendor = { .length = 8, .regs = regs, .nr_regs = 1 } };
	refused(&desc, "far", "beyond its capability");
	caps[1].vendor.regs = &regs[1];
	refused(&desc, "low", "overlaps another register");
	caps[1] = (struct vpci_cap_desc) { .type = VPCI_EXT_CAP_VENDOR,
		.vendor = { .length = 8, .revision = 16 } };
	refused(&desc, "extended vendor-specific capability", "4 bits");
	caps[1].vendor.revision = 0;
	caps[1].vendor.regs = &regs[1];
	caps[1].vendor.nr_regs = 1;
	refused(&desc, "low", "overlaps another register");
	desc.config_size = 256;
	desc.nr_regs = 0;
	refused(&desc, "extended vendor-specific capability",
		"config space is not");
}

static void test_refused_resizable(void **state)
{
	static const u32 bad[VPCI_NUM_BARS] = { 0x3c, 0, 1, 1, 1U << 28 };
	struct vpci_cap_desc cap = { .type = VPCI_EXT_CAP_REBAR };
	struct vpci_desc desc = sample_desc();
	unsigned int i;

	(void)state;
	desc.caps = &cap;
	desc.nr_caps = 1;
	refused(&desc, "resizable BAR capability", "has no BAR");
	for (i = 0; i < VPCI_NUM_BARS; i++) {
		memset(&cap.rebar, 0, sizeof(cap.rebar));
		cap.rebar.sizes[i] = bad[i] ?: 1;
		refused(&desc, "resizable BAR capability", "not its largest");
	}
}

/* All of the space can change */
static void test_every_dword(void **state)
{
	enum { NR = (4096 - 0x40) / 4 };
	struct vpci_reg_desc *regs = calloc(NR, sizeof(*regs));
	struct vpci_desc desc = { .config_size = 4096, .regs = regs,
				  .nr_regs = NR };
	struct vpci_config_error err;
	struct function *f;
	unsigned int i;

	(void)state;
	for (i = 0; i < NR; i++)
		regs[i] = (struct vpci_reg_desc) { .name = "one of many",
			.offset = 0x40 + 4 * i, .width = 4, .reset = i,
			.wmask = ~0U };
	f = function_make(&desc, &err);
	for (i = 0; i < NR; i++) {
		assert_int_equal(get(f, 0x40 + 4 * i, 4), i);
		put(f, 0x40 + 4 * i, 4, ~i);
		assert_int_equal(get(f, 0x40 + 4 * i, 4), ~i);
	}
	function_free(f);
	free(regs);
}

/* Two 64-bit BARs, ROM, PM, MSI-X, PCIe, AER: 128 bytes each, 8 KiB for all */
static void test_memory(void **state)
{
	static const struct vpci_cap_desc caps[] = {
		{ .type = VPCI_CAP_PM },
		{ .type = VPCI_CAP_MSIX, .msix = { .vectors = 8, .table_bar = 2,
			.pba_bar = 2, .pba_offset = 0x800 } },
		{ .type = VPCI_CAP_EXP, .exp = { .flr = true } },
		{ .type = VPCI_EXT_CAP_AER },
	};
	const struct vpci_desc desc = {
		.config_size = 4096,
		.rom_size = 65536,
		.interrupt_pin = 1,
		.bars = { [0] = { .size = 1 << 24, .is_64bit = true },
			  [2] = { .size = 4096, .is_64bit = true } },
		.caps = caps, .nr_caps = ARRAY_SIZE(caps),
	};
	struct vpci_config_error err;
	struct function *f = function_make(&desc, &err);
	size_t instance = sizeof(f->cfg) +
			  f->cfg.layout->nr_slots * sizeof(u32);
	size_t shared = vpci_layout_size(f->build);

	(void)state;
	print_message("# %zu bytes for each instance, %zu shared\n", instance,
		      shared);
	assert_in_range(instance, 1, 128);
	assert_in_range(shared, 1, 8192);
	function_free(f);
}

static const struct CMUnitTest tests[] = {
	TEST(test_refused_bars),
	TEST(test_refused_places),
	TEST(test_refused_masks),
	TEST(test_refused_hooks),
	TEST(test_refused_fields),
	TEST(test_refused_caps),
	TEST(test_refused_resizable),
	TEST(test_every_dword),
	TEST(test_memory),
};

const struct test_list layout_list = TEST_LIST(tests);
