// SPDX-License-Identifier: GPL-2.0-only
/* Checks 19 to 55: the header, COMMAND and its effects, BARs */
#include "fixture.h"

#define COMMAND_ALL (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | \
		     PCI_COMMAND_PARITY | PCI_COMMAND_SERR | \
		     PCI_COMMAND_INTX_DISABLE)

static unsigned int decode(struct function *f)
{
	return vpci_config_decode(&f->cfg);
}

/* Which function of a device it is, is the VMM's affair, and so is bit 7 */
static void check_019_header_type(void **state)
{
	put(*state, PCI_HEADER_TYPE, 1, 0xff);
	assert_int_equal(get(*state, PCI_HEADER_TYPE, 1), PCI_HEADER_TYPE_NORMAL);
}

static void check_021_identity_is_read_only(void **state)
{
	static const u8 fields[] = { PCI_VENDOR_ID, PCI_DEVICE_ID,
		PCI_CLASS_REVISION, PCI_CLASS_DEVICE, PCI_HEADER_TYPE,
		PCI_SUBSYSTEM_VENDOR_ID, PCI_SUBSYSTEM_ID, PCI_CAPABILITY_LIST,
		PCI_INTERRUPT_PIN };
	struct function *f = *state;
	unsigned int i, len;

	for (i = 0; i < sizeof(fields); i++) {
		u8 before = get(f, fields[i], 1);

		for (len = 1; len <= 8; len++) {
			put(f, fields[i], len, ~0ULL);
			assert_int_equal(get(f, fields[i], 1), before);
			put(f, fields[i], len, 0);
			assert_int_equal(get(f, fields[i], 1), before);
		}
	}
	assert_int_equal(get(f, PCI_VENDOR_ID, 4), 0x11111234);
	assert_int_equal(get(f, PCI_CLASS_REVISION, 4), 0x03800002);
	assert_int_equal(get(f, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
	assert_int_equal(get(f, PCI_CAPABILITY_LIST, 1), 0x40);
	assert_int_equal(get(f, PCI_INTERRUPT_PIN, 1), 1);
}

static void check_022_interrupt_line(void **state)
{
	struct function *f = *state;

	put(f, PCI_INTERRUPT_LINE, 4, ~0ULL);
	assert_int_equal(get(f, PCI_INTERRUPT_LINE, 4), 0x1ff);
	assert_int_equal(f->decode_calls + f->interrupt_calls + f->resets, 0);
}

static void check_024_command_keeps_its_writable_bits(void **state)
{
	struct vpci_desc desc = { .config_size = 256 };
	struct vpci_config_error err;
	struct function *f = *state;

	put(f, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(get(f, PCI_COMMAND, 2), COMMAND_ALL);

	/* Without BARs, ROM and pin, none of their bits */
	f = function_make(&desc, &err);
	put(f, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(get(f, PCI_COMMAND, 2), PCI_COMMAND_MASTER);
	function_free(f);
	desc.rom_size = 2048;
	f = function_make(&desc, &err);
	put(f, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(get(f, PCI_COMMAND, 2),
			 PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	function_free(f);
}

static void check_025_four_bytes_at_command(void **state)
{
	struct function *f = *state;

	put(f, PCI_COMMAND, 4, 0xffffffff);
	assert_int_equal(get(f, PCI_COMMAND, 4),
			 COMMAND_ALL | PCI_STATUS_CAP_LIST << 16);
}

static void check_026_bits_written_with_mem_take_effect(void **state)
{
	struct function *f = *state;

	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			       PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY);
	assert_true(vpci_config_bus_master(&f->cfg));
	assert_true(vpci_config_irq_masked(&f->cfg, 0));
}

static void check_027_same_mem_again(void **state)
{
	struct function *f = *state;

	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(f->decode_calls, 1);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(f->decode_calls, 1);
}

static void check_028_decode_before_the_write_ends(void **state)
{
	struct function *f = *state;

	put(f, PCI_COMMAND, 1, PCI_COMMAND_MEMORY);
	assert_int_equal(f->decode_calls, 1);
	put(f, PCI_COMMAND, 1, 0);
	assert_int_equal(f->decode_calls, 2);
	assert_int_equal(decode(f), 0);
}

static void check_030_mem_off_and_on(void **state)
{
	struct function *f = *state;

	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebf0000);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY | VPCI_DECODE_IO);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(f->decode_calls, 2);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_IO);
	assert_int_equal(decode(f), VPCI_DECODE_IO);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfebf0000);
}

static void check_031_no_dma_without_master(void **state)
{
	struct function *f = *state;

	assert_false(vpci_config_bus_master(&f->cfg));
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_true(vpci_config_bus_master(&f->cfg));
	assert_int_equal(f->interrupt_calls, 1);
	put(f, PCI_COMMAND, 2, 0);
	assert_false(vpci_config_bus_master(&f->cfg));
	assert_int_equal(f->interrupt_calls, 2);
}

static void check_032_intx_disable_drops_the_line(void **state)
{
	struct function *f = *state;

	assert_false(vpci_config_intx_asserted(&f->cfg));
	vpci_config_set(&f->cfg, PCI_COMMAND, ~0U, PCI_STATUS_INTERRUPT << 16);
	assert_true(vpci_config_intx_asserted(&f->cfg));
	put(f, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
	assert_false(vpci_config_intx_asserted(&f->cfg));
	assert_int_equal(f->interrupt_calls, 1);
	assert_int_equal(get(f, PCI_STATUS, 2),
			 PCI_STATUS_INTERRUPT | PCI_STATUS_CAP_LIST);
	/* It is the function that withdraws the request */
	put(f, PCI_STATUS, 2, PCI_STATUS_INTERRUPT);
	put(f, PCI_COMMAND, 2, 0);
	assert_true(vpci_config_intx_asserted(&f->cfg));
	assert_int_equal(f->interrupt_calls, 2);
}

static void check_033_intx_disable_by_one_byte(void **state)
{
	struct function *f = *state;

	put(f, PCI_COMMAND + 1, 1, PCI_COMMAND_INTX_DISABLE >> 8);
	assert_int_equal(f->interrupt_calls, 1);
	assert_true(vpci_config_irq_masked(&f->cfg, 0));
}

static void check_034_caplist_bit(void **state)
{
	struct vpci_cap_desc cap = { .type = VPCI_CAP_PM };
	struct vpci_desc desc = { .config_size = 256 };
	struct vpci_config_error err;
	struct function *f;
	int i;

	(void)state;
	desc.caps = &cap;
	for (i = 0; i < 3; i++) {
		/* None, a visible one, a hidden one */
		desc.nr_caps = i ? 1 : 0;
		cap.hidden = i == 2;
		f = function_make(&desc, &err);
		assert_int_equal(get(f, PCI_STATUS, 2),
				 i == 1 ? PCI_STATUS_CAP_LIST : 0);
		assert_int_equal(get(f, PCI_CAPABILITY_LIST, 4),
				 i == 1 ? 0x40 : 0);
		function_free(f);
	}
}

static void check_035_status_errors_clear(void **state)
{
	struct function *f = *state;

	vpci_config_set(&f->cfg, PCI_COMMAND, ~0U, 0xffff0000);
	assert_int_equal(get(f, PCI_STATUS, 2), 0xf918);
	put(f, PCI_STATUS, 2, 0x8000);
	assert_int_equal(get(f, PCI_STATUS, 2), 0x7918);
	put(f, PCI_STATUS, 2, 0xffff);
	assert_int_equal(get(f, PCI_STATUS, 2), 0x18);
}

/* Ones in pieces of @width, from the low end or from the high one */
static u64 size_bar(struct function *f, unsigned int bar, unsigned int width,
		    int from_high)
{
	unsigned int offset = PCI_BASE_ADDRESS_0 + 4 * bar;
	unsigned int i, n = 8 / width;

	for (i = 0; i < n; i++)
		put(f, offset + width * (from_high ? n - 1 - i : i), width, ~0ULL);
	return get(f, offset, 8);
}

static void check_036_32_bit_bar(void **state)
{
	struct function *f = *state;

	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
	put(f, PCI_BASE_ADDRESS_2, 4, 0xffffffff);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfffff000);
	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfebff000);
}

static void check_037_64_bit_bar(void **state)
{
	int from_high;

	for (from_high = 0; from_high < 2; from_high++) {
		vpci_config_reset(&((struct function *)*state)->cfg);
		assert_int_equal(size_bar(*state, 0, 4, from_high),
				 0xffffffffff00000cULL);
	}
}

static void check_038_other_sizing_values(void **state)
{
	struct function *f = *state;

	put(f, PCI_BASE_ADDRESS_2, 4, 0xfffffff0);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfffff000);
	put(f, PCI_BASE_ADDRESS_2, 4, 0xfffff800);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfffff000);
}

static void check_039_low_half_of_a_huge_bar(void **state)
{
	assert_int_equal(size_bar(*state, 4, 4, 0), 0xfffffffe00000004ULL);
	put(*state, PCI_BASE_ADDRESS_4, 8, 0x123456789abcdef0ULL);
	assert_int_equal(get(*state, PCI_BASE_ADDRESS_4, 8),
			 0x1234567800000004ULL);
}

static void check_040_short_writes(void **state)
{
	struct function *f = *state;
	unsigned int width;

	for (width = 1; width <= 8; width *= 2) {
		vpci_config_reset(&f->cfg);
		assert_int_equal(size_bar(f, 0, width, 0),
				 0xffffffffff00000cULL);
	}
	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
	put(f, PCI_BASE_ADDRESS_2 + 2, 1, 0x12);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfe12f000);
}

static void check_041_type_bits(void **state)
{
	put(*state, PCI_BASE_ADDRESS_0, 4, 0xff000000);
	assert_int_equal(get(*state, PCI_BASE_ADDRESS_0, 4), 0xff00000c);
	put(*state, PCI_BASE_ADDRESS_2, 4, 0xfebff00f);
	assert_int_equal(get(*state, PCI_BASE_ADDRESS_2, 4), 0xfebff000);
}

static void check_042_io_bar(void **state)
{
	put(*state, PCI_BASE_ADDRESS_3, 4, 0xffffffff);
	assert_int_equal(get(*state, PCI_BASE_ADDRESS_3, 4), 0xffffffe1);
	put(*state, PCI_BASE_ADDRESS_3, 4, 0);
	assert_int_equal(get(*state, PCI_BASE_ADDRESS_3, 4), 1);
}

static void check_043_absent_bar(void **state)
{
	struct vpci_desc desc = { .config_size = 256 };
	struct vpci_config_error err;
	struct function *f = function_make(&desc, &err);
	unsigned int bar;

	(void)state;
	for (bar = 0; bar < 6; bar += 2)
		assert_int_equal(size_bar(f, bar, 4, 0), 0);
	put(f, PCI_ROM_ADDRESS, 4, ~0ULL);
	assert_int_equal(get(f, PCI_ROM_ADDRESS, 4), 0);
	function_free(f);
}

static void check_044_rom(void **state)
{
	put(*state, PCI_ROM_ADDRESS, 4, 0xffffffff);
	assert_int_equal(get(*state, PCI_ROM_ADDRESS, 4), 0xffff0001);
	put(*state, PCI_ROM_ADDRESS, 4, 0xfffffffe);
	assert_int_equal(get(*state, PCI_ROM_ADDRESS, 4), 0xffff0000);
}

static void check_045_rom_needs_enable_and_mem(void **state)
{
	struct function *f = *state;

	put(f, PCI_ROM_ADDRESS, 4, PCI_ROM_ADDRESS_ENABLE);
	assert_int_equal(decode(f), 0);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY | VPCI_DECODE_ROM);
	assert_int_equal(f->decode_calls, 2);
	put(f, PCI_ROM_ADDRESS, 1, 0);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY);
	assert_int_equal(f->decode_calls, 3);
}

/* Where it is, is the VMM's affair, so a new address is always taken */
static void check_046_rom_written_while_enabled(void **state)
{
	struct function *f = *state;

	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	put(f, PCI_ROM_ADDRESS, 4, 0xfeb00001);
	put(f, PCI_ROM_ADDRESS, 4, 0xfec00001);
	assert_int_equal(get(f, PCI_ROM_ADDRESS, 4), 0xfec00001);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY | VPCI_DECODE_ROM);
	put(f, PCI_ROM_ADDRESS, 4, 0xfec00000);
	assert_int_equal(get(f, PCI_ROM_ADDRESS, 4), 0xfec00000);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY);
}

static void check_047_bar_above_4_gib(void **state)
{
	put(*state, PCI_BASE_ADDRESS_0, 8, 0x0000380012000000ULL);
	assert_int_equal(get(*state, PCI_BASE_ADDRESS_0, 8),
			 0x000038001200000cULL);
}

/* A region of VFIO has no address in the guest: nothing old can stay mapped */
static void check_049_bar_written_while_mem(void **state)
{
	struct function *f = *state;

	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfebff000);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY);
	assert_int_equal(f->decode_calls, 1);
}

static void check_050_sizing_while_mem(void **state)
{
	struct function *f = *state;

	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	put(f, PCI_BASE_ADDRESS_2, 4, ~0ULL);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfffff000);
	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfebff000);
	assert_int_equal(decode(f), VPCI_DECODE_MEMORY);
}

static void check_054_64_bit_bar_in_the_last_slot(void **state)
{
	struct vpci_desc desc = sample_desc();

	(void)state;
	desc.bars[4].size = 0;
	desc.bars[5] = (struct vpci_bar_desc) { .size = 4096, .is_64bit = true };
	refused(&desc, "BAR", "no slot");
}

static void check_055_reset_leaves_type_bits(void **state)
{
	struct function *f = *state;

	size_bar(f, 0, 8, 0);
	size_bar(f, 2, 8, 0);
	size_bar(f, 4, 8, 0);
	vpci_config_reset(&f->cfg);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xc);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 8), 0x100000000);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_4, 8), 4);
}

static void test_smallest_bars(void **state)
{
	struct vpci_desc desc = {
		.config_size = 256,
		.bars = { { .size = 16 }, { .size = 4, .is_io = true },
			  { .size = 1ULL << 63, .is_64bit = true },
			  { }, { .size = 0x80000000 } },
	};
	struct vpci_config_error err;
	struct function *f = function_make(&desc, &err);

	(void)state;
	assert_int_equal(size_bar(f, 0, 4, 0), 0xfffffffdfffffff0);
	assert_int_equal(size_bar(f, 2, 4, 0), 0x8000000000000004);
	assert_int_equal(size_bar(f, 4, 4, 0), 0x80000000);
	function_free(f);
}

static const struct CMUnitTest tests[] = {
	TEST(check_019_header_type),
	TEST(check_021_identity_is_read_only),
	TEST(check_022_interrupt_line),
	TEST(check_024_command_keeps_its_writable_bits),
	TEST(check_025_four_bytes_at_command),
	TEST(check_026_bits_written_with_mem_take_effect),
	TEST(check_027_same_mem_again),
	TEST(check_028_decode_before_the_write_ends),
	TEST(check_030_mem_off_and_on),
	TEST(check_031_no_dma_without_master),
	TEST(check_032_intx_disable_drops_the_line),
	TEST(check_033_intx_disable_by_one_byte),
	TEST(check_034_caplist_bit),
	TEST(check_035_status_errors_clear),
	TEST(check_036_32_bit_bar),
	TEST(check_037_64_bit_bar),
	TEST(check_038_other_sizing_values),
	TEST(check_039_low_half_of_a_huge_bar),
	TEST(check_040_short_writes),
	TEST(check_041_type_bits),
	TEST(check_042_io_bar),
	TEST(check_043_absent_bar),
	TEST(check_044_rom),
	TEST(check_045_rom_needs_enable_and_mem),
	TEST(check_046_rom_written_while_enabled),
	TEST(check_047_bar_above_4_gib),
	TEST(check_049_bar_written_while_mem),
	TEST(check_050_sizing_while_mem),
	TEST(check_054_64_bit_bar_in_the_last_slot),
	TEST(check_055_reset_leaves_type_bits),
	TEST(test_smallest_bars),
};

const struct test_list header_list = TEST_LIST(tests);
