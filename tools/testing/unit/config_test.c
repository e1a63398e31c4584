// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the config space engine (drivers/vfio/vpci/vpci_config.c)
 *
 * The numbers in comments are those of a list of checks by which several
 * implementations of virtual config space were compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <linux/pci_regs.h>
#include <linux/vpci_config.h>
#include <cmocka.h>

struct recorded {
	unsigned int calls;
	unsigned int offset;
	u32 old;
	u32 new;
	u32 enables;
};

static struct recorded recorded;

static void record(struct vpci_config *cfg, unsigned int offset, u32 old,
		   u32 new, u32 enables)
{
	/* A hook sees what is stored already */
	assert_int_equal(vpci_config_read_dword(cfg, offset), new);
	recorded.calls++;
	recorded.offset = offset;
	recorded.old = old;
	recorded.new = new;
	recorded.enables = enables;
}

static const struct vpci_reg_desc regs[] = {
	{ "mixed", 0x40, 4, 0x11223344, 0x0000ffff, 0x00ff0000, record },
	{ "byte 0", 0x44, 1, 0x12, 0x0f },
	{ "byte 1", 0x45, 1, 0x34, 0xff },
	{ "word 2", 0x46, 2, 0x8000, 0, 0x8000 },
	{ "read-only", 0x48, 2, 0xbeef },
	{ "last", 0xfc, 4, 0xa5a5a5a5, 0xffffffff },
};

static struct vpci_desc sample_desc(void)
{
	return (struct vpci_desc) {
		.name = "sample",
		.vendor = 0x1234,
		.device = 0x1111,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class = 0x038000,
		.revision = 2,
		.config_size = 256,
		.bars = {
			[0] = { .size = 16 << 20, .is_64bit = true,
				.prefetchable = true, .mapped = true },
			[2] = { .size = 4096 },
			[3] = { .size = 0x80000000, .prefetchable = true },
			[4] = { .size = 8ULL << 30, .is_64bit = true },
		},
		.regs = regs,
		.nr_regs = sizeof(regs) / sizeof(regs[0]),
	};
}

struct sample {
	struct vpci_layout layout;
	struct vpci_config cfg;
};

static int setup(void **state)
{
	struct sample *s = calloc(1, sizeof(*s));
	struct vpci_desc desc = sample_desc();
	struct vpci_layout_error err;

	if (!s || vpci_layout_compile(&s->layout, &desc, record, &err))
		return -1;
	s->cfg.layout = &s->layout;
	s->cfg.dwords = calloc(s->layout.nr_slots, sizeof(u32));
	vpci_config_reset(&s->cfg);
	memset(&recorded, 0, sizeof(recorded));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct sample *s = *state;

	free(s->cfg.dwords);
	free(s);
	return 0;
}

static u64 get(struct vpci_config *cfg, unsigned int offset, unsigned int len)
{
	u8 buf[8] = {};
	u64 value = 0;

	vpci_config_read(cfg, offset, buf, len);
	while (len--)
		value = value << 8 | buf[len];
	return value;
}

static void put(struct vpci_config *cfg, unsigned int offset, unsigned int len,
		u64 value)
{
	u8 buf[8];
	unsigned int i;

	for (i = 0; i < len; i++)
		buf[i] = value >> (8 * i);
	vpci_config_write(cfg, offset, buf, len);
}

/* 1: every read is the concatenation of byte reads */
static void test_read_is_bytes(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;
	u8 bytes[256], buf[256];
	unsigned int offset, len;

	for (offset = 0; offset < 256; offset++)
		bytes[offset] = get(cfg, offset, 1);
	for (offset = 0; offset < 256; offset++) {
		for (len = 1; offset + len <= 256; len++) {
			vpci_config_read(cfg, offset, buf, len);
			assert_memory_equal(buf, bytes + offset, len);
		}
	}
}

/* 2, 4: a write is its byte writes, over registers and gaps alike */
static void test_write_is_bytes(void **state)
{
	struct sample *s = *state;
	u32 *dwords = calloc(s->layout.nr_slots, sizeof(u32));
	struct vpci_config twin = { .layout = &s->layout, .dwords = dwords };
	u8 data[64];
	unsigned int offset, len, i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = 0x35 * i + 0x93;
	for (offset = 0; offset < 256; offset++) {
		for (len = 1; len <= sizeof(data) && offset + len <= 256; len++) {
			vpci_config_reset(&s->cfg);
			vpci_config_reset(&twin);
			vpci_config_write(&s->cfg, offset, data, len);
			for (i = 0; i < len; i++)
				vpci_config_write(&twin, offset + i, data + i, 1);
			assert_memory_equal(dwords, s->cfg.dwords,
					    s->layout.nr_slots * sizeof(u32));
		}
	}
	free(dwords);
}

/* 3, 64: what nobody described reads zero and ignores writes */
static void test_gaps_read_zero(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;

	put(cfg, 0x60, 8, ~0ULL);
	assert_int_equal(get(cfg, 0x60, 8), 0);
	assert_int_equal(get(cfg, 0x46, 4), 0xbeef8000);
	assert_int_equal(get(cfg, 0x4a, 2), 0);
}

/* 5, 6: write-1-to-clear bits react to enabled bytes only */
static void test_w1c(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;

	put(cfg, 0x40, 2, 0xffff);
	assert_int_equal(get(cfg, 0x40, 4), 0x1122ffff);
	put(cfg, 0x42, 1, 0x02);
	assert_int_equal(get(cfg, 0x40, 4), 0x1120ffff);
	put(cfg, 0x42, 1, 0x00);
	assert_int_equal(get(cfg, 0x40, 4), 0x1120ffff);
	put(cfg, 0x40, 4, 0xffffffff);
	assert_int_equal(get(cfg, 0x40, 4), 0x1100ffff);
	put(cfg, 0x47, 1, 0x80);
	assert_int_equal(get(cfg, 0x46, 2), 0);
}

/*
 * 8, 21, 44: every bit of the space is writable, write-1-to-clear or neither, as
 * the sample describes it, and nothing else is
 */
static void test_every_bit(void **state)
{
	static const u32 writable[64] = {
		[PCI_COMMAND / 4] = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
		[PCI_CACHE_LINE_SIZE / 4] = 0xff,
		[PCI_BASE_ADDRESS_0 / 4] = 0xff000000,
		[PCI_BASE_ADDRESS_1 / 4] = 0xffffffff,
		[PCI_BASE_ADDRESS_2 / 4] = 0xfffff000,
		[PCI_BASE_ADDRESS_3 / 4] = 0x80000000,
		[PCI_BASE_ADDRESS_5 / 4] = 0xfffffffe,
		[PCI_INTERRUPT_LINE / 4] = 0xff,
		[0x40 / 4] = 0x0000ffff,
		[0x44 / 4] = 0x0000ff0f,
		[0xfc / 4] = 0xffffffff,
	};
	static const u32 cleared[64] = { [0x40 / 4] = 0x00ff0000,
					 [0x44 / 4] = 0x80000000 };
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;
	unsigned int dword;

	for (dword = 0; dword < 64; dword++) {
		u32 reset = get(cfg, 4 * dword, 4);

		put(cfg, 4 * dword, 4, 0);
		assert_int_equal(get(cfg, 4 * dword, 4), reset & ~writable[dword]);
		put(cfg, 4 * dword, 4, 0xffffffff);
		assert_int_equal(get(cfg, 4 * dword, 4),
				 (reset | writable[dword]) & ~cleared[dword]);
	}
}

/* 35: error bits of STATUS, once a device sets them, can be cleared */
static void test_status_errors_clear(void **state)
{
	struct sample *s = *state;
	u8 slot = s->layout.map[PCI_COMMAND / 4] - 1;

	s->cfg.dwords[slot] |= 0xffffU << 16;
	put(&s->cfg, PCI_STATUS, 2, 0xffff);
	assert_int_equal(get(&s->cfg, PCI_STATUS, 2), 0xffff & ~0xf900);
}

/* 8, 21: read-only fields survive all writes in all sizes */
static void test_read_only(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;
	static const u8 fields[] = { PCI_VENDOR_ID, PCI_DEVICE_ID,
		PCI_CLASS_REVISION, PCI_CLASS_DEVICE, PCI_HEADER_TYPE,
		PCI_SUBSYSTEM_VENDOR_ID, PCI_SUBSYSTEM_ID, PCI_CAPABILITY_LIST,
		PCI_INTERRUPT_PIN, PCI_ROM_ADDRESS, 0x48 };
	unsigned int i, len;

	for (i = 0; i < sizeof(fields); i++) {
		u64 before = get(cfg, fields[i], 2);

		for (len = 1; len <= 8; len++) {
			put(cfg, fields[i], len, ~0ULL);
			assert_int_equal(get(cfg, fields[i], 1), (u8)before);
			put(cfg, fields[i], len, 0);
			assert_int_equal(get(cfg, fields[i], 1), (u8)before);
		}
	}
	assert_int_equal(get(cfg, PCI_VENDOR_ID, 4), 0x11111234);
	assert_int_equal(get(cfg, PCI_CLASS_REVISION, 4), 0x03800002);
	assert_int_equal(get(cfg, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
}

/* 9: reads have no side effect; 12: neither has a length of zero */
static void test_reads_change_nothing(void **state)
{
	struct sample *s = *state;
	u8 once[256], twice[256], none = 0x5a;

	vpci_config_read(&s->cfg, 0, once, 256);
	vpci_config_read(&s->cfg, 0, twice, 256);
	assert_memory_equal(once, twice, 256);
	vpci_config_read(&s->cfg, 0x40, &none, 0);
	vpci_config_write(&s->cfg, 0x40, &none, 0);
	assert_int_equal(none, 0x5a);
	assert_int_equal(recorded.calls, 0);
}

/* 11: a write reads no byte of its source beyond its length (ASan looks) */
static void test_exact_source(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;
	unsigned int len;

	for (len = 1; len <= 9; len++) {
		u8 *exact = calloc(1, len);

		vpci_config_write(cfg, 0x3f, exact, len);
		vpci_config_read(cfg, 0x3f, exact, len);
		free(exact);
	}
}

/* 15: the last byte and the last dword can be reached */
static void test_last_byte(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;

	assert_int_equal(get(cfg, 0xff, 1), 0xa5);
	put(cfg, 0xff, 1, 0x77);
	assert_int_equal(get(cfg, 0xfc, 4), 0x77a5a5a5);
}

/* 22: INTERRUPT_LINE is eight bits without effect */
static void test_interrupt_line(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;

	put(cfg, PCI_INTERRUPT_LINE, 4, ~0ULL);
	assert_int_equal(get(cfg, PCI_INTERRUPT_LINE, 4), 0xff);
}

/* 24, 25, 34: COMMAND keeps its writable bits; CapList says that there is none */
static void test_command(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;

	put(cfg, PCI_COMMAND, 4, 0xffffffff);
	assert_int_equal(get(cfg, PCI_COMMAND, 4),
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(recorded.calls, 1);
	put(cfg, PCI_COMMAND + 1, 1, 0xff);
	assert_int_equal(get(cfg, PCI_COMMAND, 2), 6);
}

/* 99: the hook gets the resulting value, the old one and the byte enables */
static void test_hook_values(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;

	put(cfg, 0x41, 2, 0xffee);
	assert_int_equal(recorded.calls, 1);
	assert_int_equal(recorded.offset, 0x40);
	assert_int_equal(recorded.old, 0x11223344);
	assert_int_equal(recorded.new, 0x1100ee44);
	assert_int_equal(recorded.enables, 0x00ffff00);
	/* Bytes beside it do not call it */
	put(cfg, 0x44, 8, 0);
	assert_int_equal(recorded.calls, 1);
}

static u64 size_bar(struct vpci_config *cfg, unsigned int bar,
		    unsigned int width, u64 ones)
{
	unsigned int offset = PCI_BASE_ADDRESS_0 + 4 * bar, i;

	for (i = 0; i < 8; i += width)
		put(cfg, offset + i, width, ones);
	return get(cfg, offset, 8);
}

/* 36 to 38, 40, 41: sizes show at every width of access, type bits stay */
static void test_bar_sizing(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;
	unsigned int width;

	for (width = 1; width <= 8; width *= 2) {
		vpci_config_reset(cfg);
		assert_int_equal(size_bar(cfg, 0, width, ~0ULL),
				 0xffffffffff00000cULL);
		assert_int_equal(size_bar(cfg, 2, width, ~0ULL),
				 0x80000008fffff000ULL);
	}
	put(cfg, PCI_BASE_ADDRESS_2, 4, 0xfffffff0);
	assert_int_equal(get(cfg, PCI_BASE_ADDRESS_2, 4), 0xfffff000);
	put(cfg, PCI_BASE_ADDRESS_2, 4, 0xfebff00f);
	assert_int_equal(get(cfg, PCI_BASE_ADDRESS_2, 4), 0xfebff000);
	put(cfg, PCI_BASE_ADDRESS_2 + 2, 1, 0x12);
	assert_int_equal(get(cfg, PCI_BASE_ADDRESS_2, 4), 0xfe12f000);
}

/* 39, 47: of a BAR of 4 GiB or more the low half is type bits only */
static void test_bar_huge(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;

	assert_int_equal(size_bar(cfg, 4, 4, ~0ULL), 0xfffffffe00000004ULL);
	put(cfg, PCI_BASE_ADDRESS_4, 8, 0x123456789abcdef0ULL);
	assert_int_equal(get(cfg, PCI_BASE_ADDRESS_4, 8),
			 0x1234567800000004ULL);
}

/* 43: a BAR that is not there reads zero after ones */
static void test_bar_absent(void **state)
{
	struct sample *s = *state;
	struct vpci_desc desc = sample_desc();
	struct vpci_layout_error err;

	memset(desc.bars, 0, sizeof(desc.bars));
	assert_int_equal(vpci_layout_compile(&s->layout, &desc, NULL, &err), 0);
	put(&s->cfg, PCI_BASE_ADDRESS_0, 8, ~0ULL);
	put(&s->cfg, PCI_BASE_ADDRESS_2, 8, ~0ULL);
	put(&s->cfg, PCI_BASE_ADDRESS_4, 8, ~0ULL);
	assert_int_equal(get(&s->cfg, PCI_BASE_ADDRESS_0, 8), 0);
	assert_int_equal(get(&s->cfg, PCI_BASE_ADDRESS_2, 8), 0);
	assert_int_equal(get(&s->cfg, PCI_BASE_ADDRESS_4, 8), 0);
}

/* 55, 104: after a reset everything is as after creation */
static void test_reset(void **state)
{
	struct vpci_config *cfg = &((struct sample *)*state)->cfg;
	u8 fresh[256], ones[256], now[256];

	vpci_config_read(cfg, 0, fresh, 256);
	memset(ones, 0xff, sizeof(ones));
	vpci_config_write(cfg, 0, ones, 256);
	vpci_config_read(cfg, 0, now, 256);
	assert_memory_not_equal(now, fresh, 256);
	vpci_config_reset(cfg);
	vpci_config_read(cfg, 0, now, 256);
	assert_memory_equal(now, fresh, 256);
}

/* 17: an extended space without capabilities reads zero at 0x100 */
static void test_extended(void **state)
{
	struct sample *s = *state;
	struct vpci_desc desc = sample_desc();
	struct vpci_layout_error err;

	desc.config_size = 4096;
	assert_int_equal(vpci_layout_compile(&s->layout, &desc, NULL, &err), 0);
	assert_int_equal(s->layout.size, 4096);
	put(&s->cfg, 0xffc, 4, ~0ULL);
	assert_int_equal(get(&s->cfg, 0x100, 4), 0);
	assert_int_equal(get(&s->cfg, 0xffc, 4), 0);
}

static void refused(const struct vpci_desc *desc, const char *item,
		    const char *reason)
{
	struct vpci_layout *layout = calloc(1, sizeof(*layout));
	struct vpci_layout_error err = {};

	assert_int_equal(vpci_layout_compile(layout, desc, NULL, &err), -EINVAL);
	assert_string_equal(err.item, item);
	assert_non_null(strstr(err.reason, reason));
	free(layout);
}

/* 54, 62 and the rest that a description can get wrong */
static void test_refused_bars(void **state)
{
	struct vpci_desc desc = sample_desc();

	(void)state;
	desc.bars[2].size = 4097;
	refused(&desc, "BAR", "power of two");
	desc.bars[2].size = 8;
	refused(&desc, "BAR", "power of two");
	desc.bars[2] = (struct vpci_bar_desc) { .mapped = true };
	refused(&desc, "BAR", "no size");
	desc = sample_desc();
	desc.bars[2].size = 4ULL << 30;
	refused(&desc, "BAR", "larger");
	desc = sample_desc();
	desc.bars[1].size = 4096;
	refused(&desc, "BAR", "upper half");
	desc = sample_desc();
	desc.bars[4].size = 0;
	desc.bars[5] = (struct vpci_bar_desc) { .size = 4096, .is_64bit = true };
	refused(&desc, "BAR", "no slot");
}

static void refused_reg(struct vpci_reg_desc reg, const char *reason)
{
	struct vpci_reg_desc pair[] = { regs[0], reg };
	struct vpci_desc desc = sample_desc();

	pair[1].name = "bad";
	desc.regs = pair;
	desc.nr_regs = 2;
	refused(&desc, "bad", reason);
}

static void test_refused_regs(void **state)
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
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 1,
		    .wmask = 0x100 }, "beyond its width");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 2,
		    .w1c = 0x10000 }, "beyond its width");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 1,
		    .reset = 0x100 }, "beyond its width");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .hook = record }, "no bit that can be written");
	refused_reg((struct vpci_reg_desc) { .offset = 0x44, .width = 4,
		    .wmask = 3, .w1c = 2 }, "both writable");
}

static void test_refused_two_hooks(void **state)
{
	const struct vpci_reg_desc pair[] = {
		{ "one", 0x44, 2, 0, 1, 0, record },
		{ "two", 0x46, 2, 0, 1, 0, record },
	};
	struct vpci_desc desc = sample_desc();

	(void)state;
	desc.regs = pair;
	desc.nr_regs = 2;
	refused(&desc, "two", "second hook");
}

static void test_refused_ids(void **state)
{
	struct vpci_desc desc = sample_desc();

	(void)state;
	desc.config_size = 255;
	refused(&desc, "config_size", "256 nor 4096");
	desc = sample_desc();
	desc.class = 0x1000000;
	refused(&desc, "class", "24 bits");
	desc = sample_desc();
	desc.vendor = 0xffff;
	refused(&desc, "vendor", "absent");
}

/* A layout holds so many dwords that change, not one more */
static void test_refused_too_many(void **state)
{
	/* Of the header: COMMAND, cache line size, interrupt line */
	enum { ROOM = VPCI_MAX_SLOTS - 3 };
	struct vpci_layout *layout = calloc(1, sizeof(*layout));
	struct vpci_reg_desc many[ROOM + 1];
	struct vpci_desc desc = sample_desc();
	struct vpci_layout_error err;
	unsigned int i;

	(void)state;
	for (i = 0; i <= ROOM; i++)
		many[i] = (struct vpci_reg_desc) { .name = "one of many",
			.offset = 0x40 + 4 * i, .width = 4, .wmask = 1 };
	memset(desc.bars, 0, sizeof(desc.bars));
	desc.config_size = 4096;
	desc.regs = many;
	desc.nr_regs = ROOM;
	assert_int_equal(vpci_layout_compile(layout, &desc, NULL, &err), 0);
	assert_int_equal(layout->nr_slots, VPCI_MAX_SLOTS);
	desc.nr_regs = ROOM + 1;
	refused(&desc, "one of many", "too many");
	free(layout);
}

/* The smallest BAR that PCI knows */
static void test_smallest_bar(void **state)
{
	struct sample *s = *state;
	struct vpci_desc desc = sample_desc();
	struct vpci_layout_error err;

	desc.bars[2].size = 16;
	assert_int_equal(vpci_layout_compile(&s->layout, &desc, NULL, &err), 0);
	put(&s->cfg, PCI_BASE_ADDRESS_2, 4, ~0ULL);
	assert_int_equal(get(&s->cfg, PCI_BASE_ADDRESS_2, 4), 0xfffffff0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_read_is_bytes),
		T(test_write_is_bytes),
		T(test_gaps_read_zero),
		T(test_w1c),
		T(test_every_bit),
		T(test_status_errors_clear),
		T(test_read_only),
		T(test_reads_change_nothing),
		T(test_exact_source),
		T(test_last_byte),
		T(test_interrupt_line),
		T(test_command),
		T(test_hook_values),
		T(test_bar_sizing),
		T(test_bar_huge),
		T(test_bar_absent),
		T(test_reset),
		T(test_extended),
		T(test_refused_bars),
		T(test_refused_regs),
		T(test_refused_two_hooks),
		T(test_refused_ids),
		T(test_refused_too_many),
		T(test_smallest_bar),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vpci_config", tests, NULL, NULL);
}
