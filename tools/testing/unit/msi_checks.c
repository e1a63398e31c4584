// SPDX-License-Identifier: GPL-2.0-only
/* Checks 71 to 94: registers of MSI and MSI-X, and who interrupts how */
#include "fixture.h"

static unsigned int msi(struct function *f, unsigned int offset)
{
	return find_cap(f, PCI_CAP_ID_MSI) + offset;
}

static unsigned int msix(struct function *f, unsigned int offset)
{
	return find_cap(f, PCI_CAP_ID_MSIX) + offset;
}

static struct function *make_one(struct vpci_cap_desc cap)
{
	struct vpci_desc desc = { .config_size = 256, .caps = &cap,
				  .nr_caps = 1 };
	struct vpci_config_error err;

	desc.bars[0].size = 0x10000;
	return function_make(&desc, &err);
}

static void check_071_msi_abilities_are_read_only(void **state)
{
	struct function *f = *state;

	put(f, msi(f, PCI_MSI_FLAGS), 2, 0);
	assert_int_equal(get(f, msi(f, PCI_MSI_FLAGS), 2), 0x0184);
	put(f, msi(f, PCI_MSI_FLAGS), 2, 0xffff);
	assert_int_equal(get(f, msi(f, PCI_MSI_FLAGS), 2), 0x01a5);
}

static void check_072_msi_count_is_clamped(void **state)
{
	struct function *f = *state;
	unsigned int count;

	for (count = 0; count < 8; count++) {
		put(f, msi(f, PCI_MSI_FLAGS), 2, count << 4);
		assert_int_equal(get(f, msi(f, PCI_MSI_FLAGS), 2) >> 4 & 7,
				 count < 2 ? count : 2);
	}
	put(f, msi(f, PCI_MSI_FLAGS), 2, PCI_MSI_FLAGS_ENABLE | 0x70);
	assert_int_equal(vpci_config_irq_vectors(&f->cfg), 4);
}

static void check_073_msi_address_is_aligned(void **state)
{
	struct function *f = *state;

	put(f, msi(f, PCI_MSI_ADDRESS_LO), 8, ~0ULL);
	assert_int_equal(get(f, msi(f, PCI_MSI_ADDRESS_LO), 8),
			 0xfffffffffffffffc);
	put(f, msi(f, PCI_MSI_DATA_64), 4, ~0ULL);
	assert_int_equal(get(f, msi(f, PCI_MSI_DATA_64), 4), 0xffff);
}

static void check_077_msi_drops_the_line(void **state)
{
	struct function *f = *state;

	vpci_config_set(&f->cfg, PCI_COMMAND, ~0U, PCI_STATUS_INTERRUPT << 16);
	assert_true(vpci_config_intx_asserted(&f->cfg));
	put(f, msi(f, PCI_MSI_FLAGS), 1, PCI_MSI_FLAGS_ENABLE);
	assert_false(vpci_config_intx_asserted(&f->cfg));
	assert_int_equal(f->interrupt_calls, 1);
	put(f, msi(f, PCI_MSI_FLAGS), 1, 0);
	assert_true(vpci_config_intx_asserted(&f->cfg));
	put(f, msix(f, PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
	assert_false(vpci_config_intx_asserted(&f->cfg));
}

static void check_078_msi_and_msix_together(void **state)
{
	struct function *f = *state;

	put(f, msi(f, PCI_MSI_FLAGS), 2, PCI_MSI_FLAGS_ENABLE);
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_MSI);
	put(f, msix(f, PCI_MSIX_FLAGS), 2, PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_MSIX);
	assert_int_equal(vpci_config_irq_vectors(&f->cfg), 65);
	put(f, msix(f, PCI_MSIX_FLAGS), 2, 0);
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_MSI);
	put(f, msi(f, PCI_MSI_FLAGS), 2, 0);
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_INTX);
	assert_int_equal(vpci_config_irq_vectors(&f->cfg), 1);
}

/* Of the vectors that there are; there is no vector behind the other bits */
static void check_079_msi_masks_above_the_count(void **state)
{
	struct function *f = *state;

	put(f, msi(f, PCI_MSI_FLAGS), 2, PCI_MSI_FLAGS_ENABLE);
	put(f, msi(f, PCI_MSI_MASK_64), 4, ~0ULL);
	assert_int_equal(get(f, msi(f, PCI_MSI_MASK_64), 4), 0xf);
	put(f, msi(f, PCI_MSI_MASK_64), 4, 0x9);
	assert_true(vpci_config_irq_masked(&f->cfg, 0));
	assert_false(vpci_config_irq_masked(&f->cfg, 1));
	assert_true(vpci_config_irq_masked(&f->cfg, 3));
	/* Pending bits are the function's */
	put(f, msi(f, PCI_MSI_MASK_64 + 4), 4, ~0ULL);
	assert_int_equal(get(f, msi(f, PCI_MSI_MASK_64 + 4), 4), 0);
	vpci_config_set(&f->cfg, msi(f, PCI_MSI_MASK_64 + 4), ~0U, ~0U);
	assert_int_equal(get(f, msi(f, PCI_MSI_MASK_64 + 4), 4), 0xf);
}

static void check_080_msix_control(void **state)
{
	struct function *f = *state;

	put(f, msix(f, PCI_MSIX_FLAGS), 2, 0xffff);
	assert_int_equal(get(f, msix(f, PCI_MSIX_FLAGS), 2), 0xc040);
	assert_true(vpci_config_irq_masked(&f->cfg, 64));
	put(f, msix(f, PCI_MSIX_TABLE), 8, ~0ULL);
	assert_int_equal(get(f, msix(f, PCI_MSIX_TABLE), 8), 0x0000080200000002);
}

static void refused_msix(struct vpci_msix_desc msix_desc, const char *reason)
{
	struct vpci_cap_desc cap = { .type = VPCI_CAP_MSIX, .msix = msix_desc };
	struct vpci_desc desc = sample_desc();

	desc.caps = &cap;
	desc.nr_caps = 1;
	refused(&desc, "MSI-X capability", reason);
}

/* 64 bits are one unit of 8 bytes: what lies just behind does not overlap */
static void check_089_pba_length_is_rounded(void **state)
{
	struct function *f = make_one((struct vpci_cap_desc) {
		.type = VPCI_CAP_MSIX,
		.msix = { .vectors = 64, .table_offset = 8 } });

	(void)state;
	assert_non_null(f);
	function_free(f);
	refused_msix((struct vpci_msix_desc) { .vectors = 65, .table_bar = 2,
		.pba_bar = 2, .table_offset = 8 }, "overlap");
	/* The last unit that the BAR has, and one more */
	f = make_one((struct vpci_cap_desc) { .type = VPCI_CAP_MSIX,
		.msix = { .vectors = 64, .pba_offset = 0xfff8 } });
	assert_non_null(f);
	function_free(f);
	refused_msix((struct vpci_msix_desc) { .vectors = 65, .table_bar = 2,
		.pba_bar = 2, .pba_offset = 0xff8 }, "PBA outside");
}

static void check_091_msix_layout(void **state)
{
	(void)state;
	refused_msix((struct vpci_msix_desc) { .vectors = 0, .table_bar = 2 },
		     "1 to 2048");
	refused_msix((struct vpci_msix_desc) { .vectors = 2049 }, "1 to 2048");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 6,
		.pba_bar = 2 }, "table outside");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 2,
		.pba_bar = 255, .pba_offset = 8 }, "PBA outside");
	/* No BAR, an upper half, I/O */
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 1,
		.pba_bar = 2 }, "table outside");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 3,
		.pba_bar = 2 }, "table outside");
	refused_msix((struct vpci_msix_desc) { .vectors = 257, .table_bar = 2,
		.pba_bar = 0 }, "table outside");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 2,
		.table_offset = 0xfffffff8, .pba_bar = 2 }, "table outside");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 2,
		.table_offset = 4, .pba_bar = 2, .pba_offset = 0x800 },
		"aligned");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 2,
		.pba_bar = 2, .pba_offset = 0x804 }, "aligned");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 2,
		.pba_bar = 2, .pba_offset = 8 }, "overlap");
	refused_msix((struct vpci_msix_desc) { .vectors = 1, .table_bar = 2,
		.pba_bar = 2, .table_offset = 0x10, .pba_offset = 0x10 },
		"overlap");
}

static void check_094_msix_control_by_one_byte(void **state)
{
	struct function *f = *state;

	put(f, msix(f, PCI_MSIX_FLAGS + 1), 1, 0x80);
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_MSIX);
	assert_false(vpci_config_irq_masked(&f->cfg, 0));
	assert_int_equal(f->interrupt_calls, 1);
	put(f, msix(f, PCI_MSIX_FLAGS + 1), 1, 0xc0);
	assert_true(vpci_config_irq_masked(&f->cfg, 0));
	assert_int_equal(f->interrupt_calls, 2);
	put(f, msix(f, PCI_MSIX_FLAGS + 1), 1, 0xc0);
	assert_int_equal(f->interrupt_calls, 2);
}

/* All four forms of the capability, each in a function of its own at 0x40 */
static void for_each_msi_form(void (*check)(struct function *f, int is_64bit,
					    int maskable))
{
	int is_64bit, maskable;

	for (is_64bit = 0; is_64bit < 2; is_64bit++) {
		for (maskable = 0; maskable < 2; maskable++) {
			struct function *f = make_one((struct vpci_cap_desc) {
				.type = VPCI_CAP_MSI,
				.msi = { .vectors = 32, .is_64bit = is_64bit,
					 .maskable = maskable } });

			check(f, is_64bit, maskable);
			function_free(f);
		}
	}
}

static void check_form(struct function *f, int is_64bit, int maskable)
{
	unsigned int data = is_64bit ? 0x4c : 0x48;

	put(f, 0x42, 2, 0xffff);
	put(f, 0x44, 8, ~0ULL);
	put(f, 0x4c, 8, ~0ULL);
	put(f, 0x54, 8, ~0ULL);
	assert_int_equal(get(f, 0x42, 2), 0x5b | is_64bit << 7 | maskable << 8);
	assert_int_equal(get(f, data, 4), 0xffff);
	assert_int_equal(get(f, data + 4, 4), maskable ? 0xffffffff : 0);
	assert_int_equal(get(f, data + 8, 8), 0);
	assert_int_equal(vpci_config_irq_vectors(&f->cfg), 32);
	assert_int_equal(vpci_config_irq_masked(&f->cfg, 31), maskable);
}

static void test_msi_forms(void **state)
{
	(void)state;
	for_each_msi_form(check_form);
}

static void check_pending(struct function *f, int is_64bit, int maskable)
{
	unsigned int pending = is_64bit ? 0x54 : 0x50;

	vpci_config_set_msi_pending(&f->cfg, 31, true);
	vpci_config_set_msi_pending(&f->cfg, 0, true);
	assert_int_equal(get(f, pending, 4), maskable ? 0x80000001 : 0);
	vpci_config_set_msi_pending(&f->cfg, 0, true);
	vpci_config_set_msi_pending(&f->cfg, 31, false);
	assert_int_equal(get(f, pending, 4), maskable);
	vpci_config_set_msi_pending(&f->cfg, 0, false);
	assert_int_equal(get(f, 0x40, 8),
			 0x000a0005 | is_64bit << 23 | maskable << 24);
	assert_int_equal(get(f, 0x48, 8), 0);
	assert_int_equal(get(f, 0x50, 8), 0);
}

/* Pending bits are to be seen where there are masks, each by itself */
static void test_msi_pending(void **state)
{
	(void)state;
	for_each_msi_form(check_pending);
}

static void test_msi_pending_without_msi(void **state)
{
	struct function *f = make_one((struct vpci_cap_desc) {
		.type = VPCI_CAP_PM });
	unsigned int at;

	(void)state;
	vpci_config_set_msi_pending(&f->cfg, 0, true);
	for (at = 0x44; at < 0x100; at += 4)
		assert_int_equal(get(f, at, 4), 0);
	function_free(f);
}

static void test_no_interrupt(void **state)
{
	struct function *f = make_one((struct vpci_cap_desc) {
		.type = VPCI_CAP_PM });

	(void)state;
	assert_int_equal(vpci_config_irq_mode(&f->cfg), VPCI_IRQ_NONE);
	assert_int_equal(vpci_config_irq_vectors(&f->cfg), 0);
	assert_true(vpci_config_irq_masked(&f->cfg, 0));
	assert_false(vpci_config_intx_asserted(&f->cfg));
	vpci_config_set(&f->cfg, PCI_COMMAND, ~0U, PCI_STATUS_INTERRUPT << 16);
	assert_int_equal(get(f, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	function_free(f);
}

static void test_refused_msi(void **state)
{
	struct vpci_cap_desc cap = { .type = VPCI_CAP_MSI };
	struct vpci_desc desc = sample_desc();
	unsigned int vectors;

	(void)state;
	desc.caps = &cap;
	desc.nr_caps = 1;
	for (vectors = 0; vectors < 256; vectors++) {
		cap.msi.vectors = vectors;
		if (vectors && vectors <= 32 && !(vectors & (vectors - 1)))
			continue;
		refused(&desc, "MSI capability", "number of vectors");
	}
}

static const struct CMUnitTest tests[] = {
	TEST(check_071_msi_abilities_are_read_only),
	TEST(check_072_msi_count_is_clamped),
	TEST(check_073_msi_address_is_aligned),
	TEST(check_077_msi_drops_the_line),
	TEST(check_078_msi_and_msix_together),
	TEST(check_079_msi_masks_above_the_count),
	TEST(check_080_msix_control),
	TEST(check_089_pba_length_is_rounded),
	TEST(check_091_msix_layout),
	TEST(check_094_msix_control_by_one_byte),
	TEST(test_msi_forms),
	TEST(test_msi_pending),
	TEST(test_msi_pending_without_msi),
	TEST(test_no_interrupt),
	TEST(test_refused_msi),
};

const struct test_list msi_list = TEST_LIST(tests);
