// SPDX-License-Identifier: GPL-2.0-only
/* Checks 56 to 69 and 95 to 102: capabilities but MSI and MSI-X */
#include "fixture.h"

/* Std capabilities of the sample, in the order of the list */
static const u8 sample_ids[] = { PCI_CAP_ID_PM, PCI_CAP_ID_MSI,
				 PCI_CAP_ID_MSIX, PCI_CAP_ID_EXP,
				 PCI_CAP_ID_VNDR };
static const u8 sample_ext_ids[] = { PCI_EXT_CAP_ID_ERR, PCI_EXT_CAP_ID_DSN,
				     PCI_EXT_CAP_ID_VNDR, PCI_EXT_CAP_ID_REBAR };

/* The sample with those capabilities hidden whose bits are set */
static struct function *make_hidden(unsigned int mask)
{
	struct vpci_desc desc = sample_desc();
	struct vpci_cap_desc caps[16];
	struct vpci_config_error err;
	unsigned int i;

	for (i = 0; i < desc.nr_caps; i++) {
		caps[i] = desc.caps[i];
		caps[i].hidden = mask >> i & 1;
	}
	desc.caps = caps;
	return function_make(&desc, &err);
}

static unsigned int pm_state(struct function *f, int state)
{
	unsigned int at = find_cap(f, PCI_CAP_ID_PM) + PCI_PM_CTRL;

	if (state >= 0)
		put(f, at, 2, state);
	return get(f, at, 2) & PCI_PM_CTRL_STATE_MASK;
}

static void check_056_lists_end(void **state)
{
	unsigned int mask, i;

	(void)state;
	for (mask = 0; mask < 1U << 9; mask++) {
		struct function *f = make_hidden(mask);

		for (i = 0; i < 5; i++)
			assert_int_equal(!find_cap(f, sample_ids[i]),
					 mask >> i & 1);
		for (i = 0; i < 4; i++)
			assert_int_equal(!find_ext_cap(f, sample_ext_ids[i]),
					 mask >> (5 + i) & 1);
		function_free(f);
	}
}

static void check_057_header_of_a_capability_is_read_only(void **state)
{
	struct function *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(sample_ids); i++) {
		unsigned int at = find_cap(f, sample_ids[i]);
		u16 before = get(f, at, 2);

		put(f, at, 2, 0xffff);
		put(f, at, 1, 0);
		put(f, at + 1, 1, 0);
		assert_int_equal(get(f, at, 2), before);
	}
}

static void check_058_hide_first_middle_last_only(void **state)
{
	static const struct { unsigned int mask, first; } cases[] = {
		{ 0x01, PCI_CAP_ID_MSI }, { 0x04, PCI_CAP_ID_PM },
		{ 0x10, PCI_CAP_ID_PM }, { 0x1e, PCI_CAP_ID_PM },
		{ 0x1f, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct function *f = make_hidden(cases[i].mask);
		unsigned int head = get(f, PCI_CAPABILITY_LIST, 1);

		assert_int_equal(head ? get(f, head, 1) : 0, cases[i].first);
		assert_int_equal(get(f, PCI_STATUS, 2),
				 head ? PCI_STATUS_CAP_LIST : 0);
		/* Nothing else has moved */
		if (head)
			assert_int_equal(head, find_cap(*state, cases[i].first));
		function_free(f);
	}
}

static void check_059_hidden_registers_are_dead(void **state)
{
	struct function *f = make_hidden(~0U);
	unsigned int i;

	for (i = 0; i < sizeof(sample_ids); i++) {
		unsigned int at = find_cap(*state, sample_ids[i]);

		put(f, at, 8, ~0ULL);
		assert_int_equal(get(f, at, 8), 0);
	}
	for (i = 0x100; i < 0x200; i += 8) {
		put(f, i, 8, ~0ULL);
		assert_int_equal(get(f, i, 8), 0);
	}
	assert_int_equal(f->resets + f->decode_calls + f->interrupt_calls, 0);
	assert_int_equal(recorded.calls, 0);
	function_free(f);
}

static void check_060_hide_the_head_of_the_extended_list(void **state)
{
	struct function *f = make_hidden(0x20);
	unsigned int second = find_ext_cap(*state, PCI_EXT_CAP_ID_DSN);

	assert_int_equal(get(f, 0x100, 4), second << 20);
	assert_int_equal(find_ext_cap(f, PCI_EXT_CAP_ID_DSN), second);
	put(f, 0x104, 4, ~0ULL);
	assert_int_equal(get(f, 0x104, 4), 0);
	function_free(f);

	f = make_hidden(0x1e0);
	assert_int_equal(get(f, 0x100, 4), 0);
	function_free(f);
}

static void check_061_extended_header_is_read_only(void **state)
{
	struct function *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(sample_ext_ids); i++) {
		unsigned int at = find_ext_cap(f, sample_ext_ids[i]);
		u32 before = get(f, at, 4);

		put(f, at, 4, ~0ULL);
		put(f, at, 4, 0);
		assert_int_equal(get(f, at, 4), before);
	}
	assert_int_equal(PCI_EXT_CAP_VER(get(f, 0x100, 4)), 2);
}

static void refused_caps(const struct vpci_cap_desc *caps, unsigned int nr,
			 const char *item, const char *reason)
{
	struct vpci_desc desc = sample_desc();

	desc.caps = caps;
	desc.nr_caps = nr;
	refused(&desc, item, reason);
}

static void check_062_overlap_is_refused(void **state)
{
	struct vpci_cap_desc caps[] = {
		{ .type = VPCI_CAP_PM, .offset = 0x50 },
		{ .type = VPCI_CAP_EXP, .offset = 0x54 },
	};

	(void)state;
	refused_caps(caps, 2, "PCI Express capability", "overlaps another");
	caps[1].offset = 0x3c;
	refused_caps(caps, 2, "PCI Express capability", "in the header");
	caps[1].offset = 0xc8;
	refused_caps(caps, 2, "PCI Express capability", "ends beyond");
	caps[1].offset = 0x100;
	refused_caps(caps, 2, "PCI Express capability", "ends beyond");
	caps[1].offset = 0x62;
	refused_caps(caps, 2, "PCI Express capability", "multiple of 4");
	caps[0].offset = 0xbc;
	refused_caps(caps, 1, "mixed", "overlaps a capability");
	caps[0] = (struct vpci_cap_desc) { .type = VPCI_EXT_CAP_AER,
					   .offset = 0xc0 };
	refused_caps(caps, 1, "AER capability", "not behind 0x100");
	caps[0].offset = 0xfd8;
	refused_caps(caps, 1, "AER capability", "ends beyond");
}

static void check_063_length_is_bounded(void **state)
{
	struct vpci_cap_desc cap = { .type = VPCI_CAP_VENDOR, .offset = 0x80,
				     .vendor = { .length = 0x81 } };
	struct vpci_config_error err;
	struct vpci_desc desc;
	struct function *f;

	(void)state;
	refused_caps(&cap, 1, "vendor-specific capability", "ends beyond");
	cap.offset = 0;
	cap.vendor.length = 0xc0;
	desc = (struct vpci_desc) { .config_size = 256, .caps = &cap,
				    .nr_caps = 1 };
	f = function_make(&desc, &err);
	assert_int_equal(find_cap(f, PCI_CAP_ID_VNDR), 0x40);
	function_free(f);
	cap.vendor.length = 0xc1;
	refused_caps(&cap, 1, "vendor-specific capability", "no room");
	cap.vendor.length = 2;
	refused_caps(&cap, 1, "vendor-specific capability", "shorter");
	cap = (struct vpci_cap_desc) { .type = VPCI_EXT_CAP_VENDOR,
				       .vendor = { .length = 0xf01 } };
	refused_caps(&cap, 1, "extended vendor-specific capability", "no room");
	cap.vendor.length = 7;
	refused_caps(&cap, 1, "extended vendor-specific capability", "shorter");
}

static void check_065_d3hot(void **state)
{
	struct function *f = *state;

	put(f, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO |
			       PCI_COMMAND_MASTER);
	f->decode_calls = 0;
	assert_int_equal(pm_state(f, 3), 3);
	assert_int_equal(f->decode_calls, 1);
	assert_int_equal(vpci_config_decode(&f->cfg), 0);
	assert_false(vpci_config_bus_master(&f->cfg));
	/* Config space works, and keeps what it had */
	assert_int_equal(get(f, PCI_COMMAND, 2), 7);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_2, 4), 0xfebff000);
	put(f, PCI_INTERRUPT_LINE, 1, 5);
	assert_int_equal(get(f, PCI_INTERRUPT_LINE, 1), 5);
}

static void check_066_unsupported_power_states(void **state)
{
	assert_int_equal(pm_state(*state, 1), 0);
	assert_int_equal(pm_state(*state, 2), 0);
	assert_int_equal(pm_state(*state, 3), 3);
	assert_int_equal(pm_state(*state, 1), 3);
	assert_int_equal(pm_state(*state, 2), 3);
	assert_int_equal(((struct function *)*state)->resets, 0);
}

static void check_067_power_state_by_one_byte(void **state)
{
	struct function *f = *state;
	unsigned int at = find_cap(f, PCI_CAP_ID_PM) + PCI_PM_CTRL;

	put(f, at + 1, 1, 3);
	assert_int_equal(pm_state(f, -1), 0);
	put(f, at, 1, 3);
	assert_int_equal(pm_state(f, -1), 3);
	put(f, at + 1, 1, 0);
	assert_int_equal(pm_state(f, -1), 3);
}

static void test_d3hot_drops_the_line(void **state)
{
	struct function *f = *state;

	vpci_config_set(&f->cfg, PCI_COMMAND, ~0U, PCI_STATUS_INTERRUPT << 16);
	assert_true(vpci_config_intx_asserted(&f->cfg));
	pm_state(f, 3);
	assert_false(vpci_config_intx_asserted(&f->cfg));
	assert_true(f->interrupt_calls > 0);
}

static void check_068_d3hot_to_d0(void **state)
{
	const struct vpci_cap_desc cap = { .type = VPCI_CAP_PM,
					   .pm = { .no_soft_reset = true } };
	struct vpci_desc desc = sample_desc();
	struct vpci_config_error err;
	struct function *f = *state;

	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pm_state(f, 3);
	assert_int_equal(f->resets, 0);
	assert_int_equal(pm_state(f, 0), 0);
	assert_int_equal(f->resets, 1);
	assert_int_equal(get(f, PCI_COMMAND, 2), 0);
	pm_state(f, 0);
	assert_int_equal(f->resets, 1);

	desc.caps = &cap;
	desc.nr_caps = 1;
	f = function_make(&desc, &err);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pm_state(f, 3);
	assert_int_equal(vpci_config_decode(&f->cfg), 0);
	assert_int_equal(pm_state(f, 0), 0);
	assert_int_equal(f->resets, 0);
	assert_int_equal(f->decode_calls, 3);
	assert_int_equal(vpci_config_decode(&f->cfg), VPCI_DECODE_MEMORY);
	assert_int_equal(get(f, 0x44, 2), PCI_PM_CTRL_NO_SOFT_RESET);
	function_free(f);
}

static void check_069_no_pme(void **state)
{
	struct function *f = *state;
	unsigned int at = find_cap(f, PCI_CAP_ID_PM);

	assert_int_equal(get(f, at + PCI_PM_PMC, 2) & PCI_PM_CAP_PME_MASK, 0);
	put(f, at + PCI_PM_CTRL, 2, 0xff00);
	assert_int_equal(get(f, at + PCI_PM_CTRL, 2), 0);
}

static void check_095_flr(void **state)
{
	const struct vpci_cap_desc cap = { .type = VPCI_CAP_EXP };
	struct vpci_desc desc = sample_desc();
	struct vpci_config_error err;
	struct function *f = *state;
	unsigned int at = find_cap(f, PCI_CAP_ID_EXP);

	assert_int_equal(get(f, at + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR,
			 PCI_EXP_DEVCAP_FLR);
	put(f, at + PCI_EXP_DEVCTL, 1, 0x80);
	put(f, at + PCI_EXP_DEVSTA, 2, 0x8000);
	assert_int_equal(f->resets, 0);
	put(f, at + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(f->resets, 1);
	put(f, at + PCI_EXP_DEVCTL + 1, 1, PCI_EXP_DEVCTL_BCR_FLR >> 8);
	assert_int_equal(f->resets, 2);
	assert_int_equal(get(f, at + PCI_EXP_DEVCTL, 2) & PCI_EXP_DEVCTL_BCR_FLR, 0);

	desc.caps = &cap;
	desc.nr_caps = 1;
	f = function_make(&desc, &err);
	put(f, 0x40 + PCI_EXP_DEVCTL, 2, 0xffff);
	assert_int_equal(f->resets, 0);
	assert_int_equal(get(f, 0x40 + PCI_EXP_DEVCTL, 2) & PCI_EXP_DEVCTL_BCR_FLR, 0);
	assert_int_equal(get(f, 0x40 + PCI_EXP_DEVCAP, 4) & PCI_EXP_DEVCAP_FLR, 0);
	function_free(f);
}

static void check_096_after_flr(void **state)
{
	struct function *f = *state;
	unsigned int at = find_cap(f, PCI_CAP_ID_EXP);

	put(f, PCI_COMMAND, 2, 0xffff);
	put(f, PCI_BASE_ADDRESS_0, 8, ~0ULL);
	put(f, PCI_INTERRUPT_LINE, 1, 7);
	put(f, find_cap(f, PCI_CAP_ID_MSI) + PCI_MSI_FLAGS, 2, 0xffff);
	put(f, find_cap(f, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2, 0xffff);
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_MSIX);
	put(f, at + PCI_EXP_DEVCTL, 2, 0xffff);
	assert_int_equal(get(f, PCI_COMMAND, 2), 0);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xc);
	assert_int_equal(get(f, PCI_INTERRUPT_LINE, 1), 0);
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_INTX);
	assert_int_equal(get(f, at + PCI_EXP_DEVCTL, 2), 0x2810);
}

static void check_097_devsta(void **state)
{
	struct function *f = *state;
	unsigned int at = find_cap(f, PCI_CAP_ID_EXP);

	vpci_config_set(&f->cfg, at + PCI_EXP_DEVCTL, ~0U, 0x2f0000);
	put(f, at + PCI_EXP_DEVSTA, 2, PCI_EXP_DEVSTA_CED);
	assert_int_equal(get(f, at + PCI_EXP_DEVSTA, 2), 0x2e);
	put(f, at + PCI_EXP_DEVSTA, 1, 0xff);
	assert_int_equal(get(f, at + PCI_EXP_DEVSTA, 2), PCI_EXP_DEVSTA_TRPND);
}

static void check_102_resizable_bar(void **state)
{
	struct function *f = *state;
	unsigned int at = find_ext_cap(f, PCI_EXT_CAP_ID_REBAR);

	assert_int_equal(get(f, at + PCI_REBAR_CAP, 4), 0x1c0);
	assert_int_equal(get(f, at + PCI_REBAR_CTRL, 4), 0x0420);
	put(f, PCI_BASE_ADDRESS_0, 8, ~0ULL);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xffffffffff00000c);
	/* Refused: a size that is not offered, any while the BAR decodes */
	put(f, at + PCI_REBAR_CTRL, 4, 0x0100);
	put(f, at + PCI_REBAR_CTRL, 4, 0x3f00);
	assert_int_equal(get(f, at + PCI_REBAR_CTRL, 4), 0x0420);
	put(f, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	put(f, at + PCI_REBAR_CTRL, 4, 0x0200);
	assert_int_equal(get(f, at + PCI_REBAR_CTRL, 4), 0x0420);
	put(f, PCI_COMMAND, 2, 0);
	/* Taken: sizing shows it at once */
	put(f, at + PCI_REBAR_CTRL, 4, 0x0200);
	assert_int_equal(get(f, at + PCI_REBAR_CTRL, 4), 0x0220);
	put(f, PCI_BASE_ADDRESS_0, 8, ~0ULL);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xffffffffffc0000c);
	put(f, at + PCI_REBAR_CTRL + 1, 1, 0x03);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xffffffffff80000c);
	vpci_config_reset(&f->cfg);
	assert_int_equal(get(f, at + PCI_REBAR_CTRL, 4), 0x0420);
}

/* Sizes above 4 GiB live in the upper half; two BARs, the second is 32-bit */
static void test_resizable_large(void **state)
{
	const struct vpci_cap_desc cap = {
		.type = VPCI_EXT_CAP_REBAR,
		.rebar = { .sizes = { [0] = 0x4001, [3] = 0x3 } },
	};
	const struct vpci_desc desc = {
		.config_size = 4096,
		.bars = { [0] = { .size = 16ULL << 30, .is_64bit = true },
			  [3] = { .size = 2 << 20 } },
		.caps = &cap, .nr_caps = 1,
	};
	struct vpci_config_error err;
	struct function *f = function_make(&desc, &err);

	(void)state;
	assert_int_equal(get(f, 0x100 + 8, 4), 0xe40);
	assert_int_equal(get(f, 0x100 + 16, 4), 0x143);
	put(f, PCI_BASE_ADDRESS_0, 8, ~0ULL);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xfffffffc00000004);
	put(f, 0x100 + 8, 4, 0);
	put(f, PCI_BASE_ADDRESS_0, 8, ~0ULL);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xfffffffffff00004);
	put(f, 0x100 + 8, 4, 0xe00);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 8), 0xfffffffc00000004);
	put(f, 0x100 + 16, 4, 0);
	put(f, PCI_BASE_ADDRESS_3, 4, ~0ULL);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_3, 4), 0xfff00000);
	function_free(f);
}

static void test_vendor_registers(void **state)
{
	struct function *f = *state;
	unsigned int at = find_cap(f, PCI_CAP_ID_VNDR);

	assert_int_equal(get(f, at + 2, 2), 12);
	put(f, at + 4, 4, 0xabcdef);
	assert_int_equal(recorded.offset, at + 4);
	assert_int_equal(get(f, at + 4, 8), 0x000100020000cdef);
	at = find_ext_cap(f, PCI_EXT_CAP_ID_VNDR);
	assert_int_equal(get(f, at + 4, 4), 0x01051234);
	assert_int_equal(get(f, at + 8, 4), 0x00010002);
}

static void test_aer(void **state)
{
	struct function *f = *state;
	unsigned int at = find_ext_cap(f, PCI_EXT_CAP_ID_ERR);

	assert_int_equal(get(f, at + PCI_ERR_UNCOR_SEVER, 4), 0x62010);
	assert_int_equal(get(f, at + PCI_ERR_COR_MASK, 4), 0x2000);
	put(f, at + PCI_ERR_UNCOR_MASK, 8, ~0ULL);
	assert_int_equal(get(f, at + PCI_ERR_UNCOR_MASK, 8), 0x0017f0100017f010);
	vpci_config_set(&f->cfg, at + PCI_ERR_UNCOR_STATUS, ~0U, ~0U);
	assert_int_equal(get(f, at + PCI_ERR_UNCOR_STATUS, 4), 0x17f010);
	put(f, at + PCI_ERR_UNCOR_STATUS, 4, 0x10);
	assert_int_equal(get(f, at + PCI_ERR_UNCOR_STATUS, 4), 0x17f000);
}

static void test_serial_number(void **state)
{
	struct function *f = *state;
	unsigned int at = find_ext_cap(f, PCI_EXT_CAP_ID_DSN);

	put(f, at + 4, 8, 0);
	assert_int_equal(get(f, at + 4, 8), 0x1122334455667788);
	vpci_config_set(&f->cfg, at + 4, ~0U, 0xcafe);
	vpci_config_reset(&f->cfg);
	assert_int_equal(get(f, at + 4, 8), 0x112233440000cafe);
}

/* Places that are asked for, and a list whose order is not that of the places */
static void test_places(void **state)
{
	const struct vpci_cap_desc caps[] = {
		{ .type = VPCI_CAP_PM, .offset = 0xf0 },
		{ .type = VPCI_CAP_MSI, .msi = { .vectors = 1 } },
		{ .type = VPCI_CAP_VENDOR, .offset = 0x40,
		  .vendor = { .length = 5 } },
		{ .type = VPCI_EXT_CAP_DSN, .offset = 0x200 },
		{ .type = VPCI_EXT_CAP_AER, .offset = 0x100 },
	};
	struct vpci_desc desc = { .config_size = 4096, .caps = caps,
				  .nr_caps = 5 };
	struct vpci_config_error err;
	struct function *f = function_make(&desc, &err);

	(void)state;
	assert_int_equal(get(f, PCI_CAPABILITY_LIST, 1), 0xf0);
	assert_int_equal(find_cap(f, PCI_CAP_ID_MSI), 0x48);
	assert_int_equal(get(f, 0x49, 1), 0x40);
	assert_int_equal(get(f, 0x41, 1), 0);
	assert_int_equal(get(f, 0x100, 4), 0x20020001);
	assert_int_equal(get(f, 0x200, 4), 0x00010003);
	function_free(f);

	/* Nothing at the head, and then a register there */
	desc.nr_caps = 4;
	f = function_make(&desc, &err);
	assert_int_equal(get(f, 0x100, 4), 0x20000000);
	function_free(f);
	desc.regs = &(const struct vpci_reg_desc) { "own", 0x102, 1, 1 };
	desc.nr_regs = 1;
	refused(&desc, "serial number capability", "begin at 0x100");
}

static const struct CMUnitTest tests[] = {
	TEST(check_056_lists_end),
	TEST(check_057_header_of_a_capability_is_read_only),
	TEST(check_058_hide_first_middle_last_only),
	TEST(check_059_hidden_registers_are_dead),
	TEST(check_060_hide_the_head_of_the_extended_list),
	TEST(check_061_extended_header_is_read_only),
	TEST(check_062_overlap_is_refused),
	TEST(check_063_length_is_bounded),
	TEST(check_065_d3hot),
	TEST(check_066_unsupported_power_states),
	TEST(check_067_power_state_by_one_byte),
	TEST(test_d3hot_drops_the_line),
	TEST(check_068_d3hot_to_d0),
	TEST(check_069_no_pme),
	TEST(check_095_flr),
	TEST(check_096_after_flr),
	TEST(check_097_devsta),
	TEST(check_102_resizable_bar),
	TEST(test_resizable_large),
	TEST(test_vendor_registers),
	TEST(test_aer),
	TEST(test_serial_number),
	TEST(test_places),
};

const struct test_list caps_list = TEST_LIST(tests);
