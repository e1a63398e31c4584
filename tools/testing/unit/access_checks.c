// SPDX-License-Identifier: GPL-2.0-only
/* Checks 1 to 20: accesses */
#include "fixture.h"

static void check_001_read_is_its_bytes(void **state)
{
	static u8 bytes[4096], buf[4096];
	struct function *f = *state;
	unsigned int offset, len;

	for (offset = 0; offset < 4096; offset++)
		bytes[offset] = get(f, offset, 1);
	for (offset = 0; offset < 4096; offset++) {
		for (len = 1; len <= 17 && offset + len <= 4096; len++) {
			vpci_config_read(&f->cfg, offset, buf, len);
			assert_memory_equal(buf, bytes + offset, len);
		}
	}
	for (offset = 0; offset < 9; offset++) {
		for (len = 1; offset + len <= 4096; len++) {
			vpci_config_read(&f->cfg, offset, buf, len);
			assert_memory_equal(buf, bytes + offset, len);
		}
	}
}

/* Registers with effects included: each of them follows from a byte */
static void check_002_write_is_its_bytes(void **state)
{
	struct function *f = *state;
	size_t size = f->cfg.layout->nr_slots * sizeof(u32);
	struct vpci_desc desc = sample_desc();
	struct vpci_config_error err;
	struct function *twin = function_make(&desc, &err);
	unsigned int offset, len, i;
	u8 data[64];

	for (i = 0; i < sizeof(data); i++)
		data[i] = 0x35 * i + 0x93;
	for (offset = 0; offset < 0x200; offset++) {
		for (len = 1; len <= sizeof(data); len++) {
			vpci_config_write(&f->cfg, offset, data, len);
			for (i = 0; i < len; i++)
				vpci_config_write(&twin->cfg, offset + i,
						  data + i, 1);
			assert_memory_equal(twin->cfg.dwords, f->cfg.dwords, size);
		}
	}
	function_free(twin);
}

static void check_003_read_over_two_registers(void **state)
{
	struct function *f = *state;

	assert_int_equal(get(f, 0xc3, 4), 0x00341211);
	assert_int_equal(get(f, 0xc6, 4), 0xbeef8000);
	assert_int_equal(get(f, 0xca, 4), 0);
}

static void check_004_write_over_two_registers(void **state)
{
	struct function *f = *state;

	put(f, 0xc1, 5, 0x5555555555);
	assert_int_equal(get(f, 0xc0, 4), 0x11225544 & ~0x00550000);
	assert_int_equal(get(f, 0xc4, 4), 0x80005515);
	/* Over a gap of three dwords to the next register */
	put(f, 0xc8, 8, ~0ULL);
	put(f, 0xd0, 8, ~0ULL);
	assert_int_equal(get(f, 0xc8, 8), 0xbeef);
	assert_int_equal(get(f, 0xd0, 4), 0xff0000);
	assert_int_equal(get(f, 0xd4, 4), 0xffff);
}

static void check_005_no_w1c_bit_outside_the_enabled_bytes(void **state)
{
	struct function *f = *state;
	unsigned int exp = find_cap(f, PCI_CAP_ID_EXP);

	put(f, 0xc0, 2, 0xffff);
	assert_int_equal(get(f, 0xc0, 4), 0x1122ffff);
	vpci_config_set(&f->cfg, PCI_COMMAND, ~0U, 0xf9000000);
	put(f, PCI_COMMAND, 2, 0xffff);
	put(f, PCI_COMMAND, 3, 0xffffff);
	assert_int_equal(get(f, PCI_STATUS + 1, 1), 0xf9);
	vpci_config_set(&f->cfg, exp + PCI_EXP_DEVCTL, ~0U, 0xf0000);
	put(f, exp + PCI_EXP_DEVCTL, 2, 0);
	assert_int_equal(get(f, exp + PCI_EXP_DEVSTA, 2), 0xf);
}

static void check_006_w1c(void **state)
{
	struct function *f = *state;

	put(f, 0xc2, 1, 0x02);
	assert_int_equal(get(f, 0xc0, 4), 0x11203344);
	put(f, 0xc2, 1, 0x00);
	assert_int_equal(get(f, 0xc0, 4), 0x11203344);
	put(f, 0xc2, 1, 0xff);
	put(f, 0xc2, 1, 0xff);
	assert_int_equal(get(f, 0xc0, 4), 0x11003344);
	put(f, 0xc7, 1, 0x80);
	assert_int_equal(get(f, 0xc6, 2), 0);
}

static void check_007_reserved_bits(void **state)
{
	struct function *f = *state;
	unsigned int slot = f->cfg.layout->map[0xd0 / 4];

	assert_int_equal(get(f, 0xd0, 4), 0);
	put(f, 0xd0, 4, 0xffffffff);
	assert_int_equal(get(f, 0xd0, 4), 0xff0000);
	/* What stands behind: preserved, and written as zero */
	assert_int_equal(f->cfg.dwords[slot], 0xff5a00);
	vpci_config_set(&f->cfg, 0xd0, ~0U, 0x12345678);
	assert_int_equal(f->cfg.dwords[slot], 0xff5600);
}

/* Every bit is writable, write-1-to-clear or neither, as the masks say */
static void check_008_read_only_bits(void **state)
{
	struct function *f = *state;
	const struct vpci_layout *layout = f->cfg.layout;
	unsigned int offset, len;

	for (offset = 0; offset < 4096; offset++) {
		unsigned int nr = layout->map[offset / 4];
		u32 mask = nr < layout->nr_slots ?
			   layout->slots[nr].wmask | layout->slots[nr].w1c : 0;
		u8 constant = ~(mask >> (8 * (offset % 4)));
		u8 before = get(f, offset, 1);

		for (len = 1; len <= 8 && offset + len <= 4096; len++) {
			put(f, offset, len, ~0ULL);
			assert_int_equal((get(f, offset, 1) ^ before) & constant, 0);
			put(f, offset, len, 0);
			assert_int_equal((get(f, offset, 1) ^ before) & constant, 0);
		}
	}
}

static void check_009_reads_change_nothing(void **state)
{
	static u8 once[4096], twice[4096];
	struct function *f = *state;
	size_t size = f->cfg.layout->nr_slots * sizeof(u32);
	u32 *before = malloc(size);

	memcpy(before, f->cfg.dwords, size);
	vpci_config_read(&f->cfg, 0, once, 4096);
	vpci_config_read(&f->cfg, 0, twice, 4096);
	assert_memory_equal(once, twice, 4096);
	assert_memory_equal(before, f->cfg.dwords, size);
	assert_int_equal(recorded.calls, 0);
	assert_int_equal(f->decode_calls + f->interrupt_calls + f->resets, 0);
	free(before);
}

static void check_010_short_reply_has_no_more_bits(void **state)
{
	struct function *f = *state;
	u8 buf[8];
	unsigned int len;

	for (len = 1; len < 8; len++) {
		memset(buf, 0x5c, sizeof(buf));
		vpci_config_read(&f->cfg, 0xfc - len, buf, len);
		assert_int_equal(buf[len], 0x5c);
	}
}

/* The address sanitizer looks */
static void check_011_exact_source(void **state)
{
	struct function *f = *state;
	unsigned int len;

	for (len = 1; len <= 9; len++) {
		u8 *exact = calloc(1, len);

		vpci_config_write(&f->cfg, 0x3f, exact, len);
		vpci_config_read(&f->cfg, 0x3f, exact, len);
		free(exact);
	}
}

static void check_012_length_of_zero(void **state)
{
	struct function *f = *state;
	u8 none = 0x5a;

	vpci_config_read(&f->cfg, 0xc0, &none, 0);
	vpci_config_write(&f->cfg, 0xc0, &none, 0);
	vpci_config_write(&f->cfg, 4096, NULL, 0);
	assert_int_equal(none, 0x5a);
	assert_int_equal(recorded.calls, 0);
}

static void check_013_unaligned_is_split(void **state)
{
	struct function *f = *state;

	put(f, 0xfb, 5, 0x0123456789);
	assert_int_equal(get(f, 0xfc, 4), 0x01234567);
	assert_int_equal(get(f, 0xfb, 5), 0x0123456700);
}

/* Both halves have a hook: the recorded one is the last */
static void check_014_low_dword_first(void **state)
{
	const struct vpci_reg_desc pair[] = {
		{ "low", 0x40, 4, .wmask = ~0U, .hook = record_hook },
		{ "high", 0x44, 4, .wmask = ~0U, .hook = record_hook },
	};
	struct vpci_desc desc = { .config_size = 256, .regs = pair,
				  .nr_regs = 2 };
	struct vpci_config_error err;
	struct function *f = function_make(&desc, &err);

	(void)state;
	put(f, 0x40, 8, 0x2222222211111111);
	assert_int_equal(recorded.calls, 2);
	assert_int_equal(recorded.offset, 0x44);
	assert_int_equal(recorded.new, 0x22222222);
	assert_int_equal(get(f, 0x40, 4), 0x11111111);
	function_free(f);
}

/* Beyond it the address sanitizer looks; who calls does not go there */
static void check_015_last_byte_and_dword(void **state)
{
	struct vpci_desc desc = sample_desc();
	struct vpci_config_error err;
	struct function *f = *state;

	assert_int_equal(get(f, 0xfff, 1), 0x5a);
	put(f, 0xfff, 1, 0x77);
	assert_int_equal(get(f, 0xffc, 4), 0x775a5a5a);

	desc.config_size = 256;
	desc.nr_caps = 5;
	desc.nr_regs--;
	f = function_make(&desc, &err);
	assert_int_equal(f->cfg.layout->size, 256);
	assert_int_equal(get(f, 0xff, 1), 0xa5);
	put(f, 0xff, 1, 0x77);
	assert_int_equal(get(f, 0xfc, 4), 0x77a5a5a5);
	function_free(f);
}

static void check_017_extended_space_without_capabilities(void **state)
{
	struct vpci_desc desc = sample_desc();
	struct vpci_config_error err;
	struct function *f;

	(void)state;
	desc.nr_caps = 5;
	f = function_make(&desc, &err);
	put(f, 0x100, 8, ~0ULL);
	assert_int_equal(get(f, 0x100, 8), 0);
	function_free(f);
}

static void check_064_between_capabilities_zero(void **state)
{
	struct function *f = *state;
	unsigned int end = find_cap(f, PCI_CAP_ID_VNDR) + 12;

	put(f, end, 4, ~0ULL);
	assert_int_equal(get(f, end, 4), 0);
	put(f, 0x800, 8, ~0ULL);
	assert_int_equal(get(f, 0x800, 8), 0);
}

/* Hooks get the resulting value, the old one and the byte enables */
static void check_099_effects_follow_from_the_result(void **state)
{
	struct function *f = *state;

	put(f, 0xc1, 2, 0xffee);
	assert_int_equal(recorded.calls, 1);
	assert_int_equal(recorded.offset, 0xc0);
	assert_int_equal(recorded.old, 0x11223344);
	assert_int_equal(recorded.new, 0x1100ee44);
	assert_int_equal(recorded.enables, 0x00ffff00);
	/* Bytes beside it do not call it */
	put(f, 0xc4, 4, 0);
	assert_int_equal(recorded.calls, 1);
}

static void test_trigger_is_shown_and_not_stored(void **state)
{
	struct function *f = *state;

	put(f, 0xd4, 4, 0xffff1234);
	assert_int_equal(recorded.new, 0x00011234);
	assert_int_equal(get(f, 0xd4, 4), 0x1234);
	put(f, 0xd6, 1, 0);
	assert_int_equal(recorded.old, 0x1234);
	assert_int_equal(recorded.new, 0x1234);
}

static void test_device_bits(void **state)
{
	struct function *f = *state;

	put(f, 0xd8, 4, 0);
	assert_int_equal(get(f, 0xd8, 4), 0x77);
	vpci_config_set(&f->cfg, 0xd8, 0x0f, 0xff);
	assert_int_equal(get(f, 0xd8, 4), 0x7f);
	/* Neither read-only bits nor what is not there */
	vpci_config_set(&f->cfg, 0xd8, ~0U, 0xffffffff);
	assert_int_equal(get(f, 0xd8, 4), 0xff);
	vpci_config_set(&f->cfg, 0xc8, ~0U, 0);
	assert_int_equal(get(f, 0xc8, 4), 0xbeef);
}

/* While a write is in progress the function changes a bit of its own, once */
static u32 interfere(const struct vpci_config *cfg, unsigned int offset,
		     u32 old, u32 new)
{
	if (!(old & 0x80000000))
		vpci_config_set((struct vpci_config *)cfg, offset, 0x80000000,
				0x80000000);
	return new;
}

static void test_function_interferes_with_a_write(void **state)
{
	const struct vpci_reg_desc reg = { "contended", 0x40, 4, .wmask = 0xffff,
		.device = 0x80000000, .hook = record_hook, .adjust = interfere };
	struct vpci_desc desc = { .config_size = 256, .regs = &reg,
				  .nr_regs = 1 };
	struct vpci_config_error err;
	struct function *f = function_make(&desc, &err);

	(void)state;
	put(f, 0x40, 2, 0x1234);
	assert_int_equal(get(f, 0x40, 4), 0x80001234);
	assert_int_equal(recorded.calls, 1);
	assert_int_equal(recorded.old, 0x80000000);
	assert_int_equal(recorded.new, 0x80001234);
	function_free(f);
}

static const struct CMUnitTest tests[] = {
	TEST(check_001_read_is_its_bytes),
	TEST(check_002_write_is_its_bytes),
	TEST(check_003_read_over_two_registers),
	TEST(check_004_write_over_two_registers),
	TEST(check_005_no_w1c_bit_outside_the_enabled_bytes),
	TEST(check_006_w1c),
	TEST(check_007_reserved_bits),
	TEST(check_008_read_only_bits),
	TEST(check_009_reads_change_nothing),
	TEST(check_010_short_reply_has_no_more_bits),
	TEST(check_011_exact_source),
	TEST(check_012_length_of_zero),
	TEST(check_013_unaligned_is_split),
	TEST(check_014_low_dword_first),
	TEST(check_015_last_byte_and_dword),
	TEST(check_017_extended_space_without_capabilities),
	TEST(check_064_between_capabilities_zero),
	TEST(check_099_effects_follow_from_the_result),
	TEST(test_trigger_is_shown_and_not_stored),
	TEST(test_device_bits),
	TEST(test_function_interferes_with_a_write),
};

const struct test_list access_list = TEST_LIST(tests);
