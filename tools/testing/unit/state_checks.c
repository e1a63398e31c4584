// SPDX-License-Identifier: GPL-2.0-only
/* Checks 104 and 105: reset, and the saved state */
#include "fixture.h"

/* A state that many registers have changed in */
static void disturb(struct function *f, unsigned int seed)
{
	unsigned int i;
	u8 data[64];

	for (i = 0; i < 4096; i += sizeof(data)) {
		unsigned int k;

		for (k = 0; k < sizeof(data); k++)
			data[k] = (seed = seed * 1103515245 + 12345) >> 16;
		vpci_config_write(&f->cfg, i, data, sizeof(data));
	}
}

static u32 *save(struct function *f, size_t *size)
{
	u32 *saved;

	*size = vpci_config_state_size(f->cfg.layout);
	saved = malloc(*size);
	vpci_config_save(&f->cfg, saved);
	return saved;
}

static void check_104_reset_is_as_after_creation(void **state)
{
	static u8 fresh[4096], now[4096];
	struct function *f = *state;
	unsigned int seed;

	vpci_config_read(&f->cfg, 0, fresh, 4096);
	for (seed = 0; seed < 100; seed++) {
		disturb(f, seed);
		vpci_config_read(&f->cfg, 0, now, 4096);
		assert_memory_not_equal(now, fresh, 4096);
		vpci_config_renew(&f->cfg);
		vpci_config_read(&f->cfg, 0, now, 4096);
		assert_memory_equal(now, fresh, 4096);
	}
}

/* By the guest: why it was reset, and what is the link's, is there after it */
static void test_sticky(void **state)
{
	struct function *f = *state;
	unsigned int aer = find_ext_cap(f, PCI_EXT_CAP_ID_ERR);
	unsigned int dsn = find_ext_cap(f, PCI_EXT_CAP_ID_DSN);
	unsigned int exp = find_cap(f, PCI_CAP_ID_EXP);
	u64 severity = get(f, aer + PCI_ERR_UNCOR_SEVER, 4);

	put(f, aer + PCI_ERR_UNCOR_MASK, 4, PCI_ERR_UNC_UNSUP);
	put(f, aer + PCI_ERR_UNCOR_SEVER, 4, severity ^ PCI_ERR_UNC_DLP);
	put(f, aer + PCI_ERR_COR_MASK, 4, PCI_ERR_COR_RCVR);
	vpci_config_set(&f->cfg, aer + PCI_ERR_UNCOR_STATUS, ~0U, PCI_ERR_UNC_MALF_TLP);
	vpci_config_set(&f->cfg, aer + PCI_ERR_COR_STATUS, ~0U, PCI_ERR_COR_BAD_TLP);
	vpci_config_set(&f->cfg, dsn + 4, ~0U, 0x12345678);
	put(f, exp + PCI_EXP_LNKCTL, 2, PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_ES);
	put(f, exp + PCI_EXP_DEVCTL2, 2, PCI_EXP_DEVCTL2_COMP_TMOUT_DIS);

	put(f, exp + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(f->resets, 1);
	assert_int_equal(get(f, aer + PCI_ERR_UNCOR_MASK, 4), PCI_ERR_UNC_UNSUP);
	assert_int_equal(get(f, aer + PCI_ERR_UNCOR_SEVER, 4), severity ^ PCI_ERR_UNC_DLP);
	assert_int_equal(get(f, aer + PCI_ERR_COR_MASK, 4), PCI_ERR_COR_RCVR);
	assert_int_equal(get(f, aer + PCI_ERR_UNCOR_STATUS, 4), PCI_ERR_UNC_MALF_TLP);
	assert_int_equal(get(f, aer + PCI_ERR_COR_STATUS, 4), PCI_ERR_COR_BAD_TLP);
	assert_int_equal(get(f, exp + PCI_EXP_LNKCTL, 2), PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_ES);
	assert_int_equal(get(f, exp + PCI_EXP_DEVCTL2, 2), 0);
	put(f, aer + PCI_ERR_UNCOR_STATUS, 4, ~0U);
	assert_int_equal(get(f, aer + PCI_ERR_UNCOR_STATUS, 4), 0);

	/* For another user only what no guest has written */
	vpci_config_renew(&f->cfg);
	assert_int_equal(get(f, aer + PCI_ERR_UNCOR_MASK, 4), 0);
	assert_int_equal(get(f, aer + PCI_ERR_UNCOR_SEVER, 4), severity);
	assert_int_equal(get(f, aer + PCI_ERR_COR_STATUS, 4), 0);
	assert_int_equal(get(f, exp + PCI_EXP_LNKCTL, 2), 0);
	assert_int_equal(get(f, dsn + 4, 4), 0x12345678);
}

/* What the kernel restores of a device, and nothing else, outlasts a user's reset */
static void test_restore(void **state)
{
	static u8 fresh[4096], was[4096], now[4096];
	struct function *f = *state;
	size_t size = f->cfg.layout->nr_slots * sizeof(u32);
	unsigned int aer = find_ext_cap(f, PCI_EXT_CAP_ID_ERR);
	unsigned int exp = find_cap(f, PCI_CAP_ID_EXP);
	u32 *saved = malloc(size);
	unsigned int i, seed;
	struct kept {
		unsigned int at, len;
	} kept[] = {
		{ PCI_COMMAND, 2 }, { PCI_CACHE_LINE_SIZE, 2 },
		{ PCI_BASE_ADDRESS_0, 24 }, { PCI_ROM_ADDRESS, 4 },
		{ PCI_INTERRUPT_LINE, 1 },
		{ find_cap(f, PCI_CAP_ID_MSI), PCI_MSI_PENDING_64 },
		{ find_cap(f, PCI_CAP_ID_MSIX), 4 },
		{ exp + PCI_EXP_DEVCTL, 2 }, { exp + PCI_EXP_LNKCTL, 2 },
		{ exp + PCI_EXP_DEVCTL2, 2 },
		{ aer + PCI_ERR_UNCOR_MASK, 8 }, { aer + PCI_ERR_COR_MASK, 4 },
		{ find_ext_cap(f, PCI_EXT_CAP_ID_REBAR), 12 },
	};

	vpci_config_read(&f->cfg, 0, fresh, 4096);
	for (seed = 0; seed < 100; seed++) {
		disturb(f, seed);
		put(f, find_cap(f, PCI_CAP_ID_PM) + PCI_PM_CTRL, 2, 0);
		disturb(f, seed + 1000);
		/* Errors, which a restored register would clear by writing them */
		vpci_config_set(&f->cfg, PCI_COMMAND, 0xf9000000, ~0U);
		vpci_config_read(&f->cfg, 0, was, 4096);
		vpci_config_copy(&f->cfg, saved);
		vpci_config_reset(&f->cfg);
		f->decode_calls = f->interrupt_calls = 0;
		vpci_config_restore(&f->cfg, saved);
		assert_int_equal(f->decode_calls, 1);
		assert_int_equal(f->interrupt_calls, 1);
		vpci_config_read(&f->cfg, 0, now, 4096);
		for (i = 0; i < ARRAY_SIZE(kept); i++) {
			assert_memory_equal(now + kept[i].at, was + kept[i].at,
					    kept[i].len);
			memcpy(was + kept[i].at, fresh + kept[i].at, kept[i].len);
			memcpy(now + kept[i].at, fresh + kept[i].at, kept[i].len);
		}
		assert_memory_equal(now, fresh, 4096);
		vpci_config_reset(&f->cfg);
	}
	free(saved);
}

static void refused_state(struct function *f, const u32 *saved, size_t size,
			  const char *reason)
{
	size_t values = f->cfg.layout->nr_slots * sizeof(u32);
	struct vpci_config_error err = {};
	u32 *copy = malloc(size + 1);
	u32 *before = malloc(values);

	memcpy(copy, saved, size);
	memcpy(before, f->cfg.dwords, values);
	f->decode_calls = 0;
	assert_int_equal(vpci_config_load(&f->cfg, copy, size, &err), -EINVAL);
	assert_string_equal(err.item, "saved state");
	if (!strstr(err.reason, reason))
		fail_msg("refused as \"%s\", not \"%s\"", err.reason, reason);
	assert_memory_equal(before, f->cfg.dwords, values);
	assert_int_equal(f->decode_calls, 0);
	free(before);
	free(copy);
}

/* Each bit in turn: it is refused exactly if no guest and no device can set it */
static void check_105_other_read_only_bit_is_refused(void **state)
{
	struct function *f = *state;
	const struct vpci_layout *layout = f->cfg.layout;
	unsigned int nr, bit;
	size_t size;
	u32 *saved = save(f, &size);

	for (nr = 0; nr < layout->nr_slots; nr++) {
		const struct vpci_slot *slot = &layout->slots[nr];

		for (bit = 0; bit < 32; bit++) {
			u32 mask = 1U << bit;

			if ((slot->wmask | slot->w1c | slot->device) & mask)
				continue;
			saved[4 + nr] ^= htole32(mask);
			refused_state(f, saved, size, "read-only bit");
			saved[4 + nr] ^= htole32(mask);
		}
	}
	free(saved);
}

static void test_state_round_trip(void **state)
{
	static u8 was[4096], now[4096];
	struct vpci_config_error err;
	struct function *f = *state;
	unsigned int seed;
	u32 *saved;
	size_t size;

	for (seed = 0; seed < 200; seed++) {
		disturb(f, seed);
		if (seed % 2)
			put(f, PCI_COMMAND, 2, 7);
		vpci_config_set(&f->cfg, 0xd8, ~0U, seed);
		vpci_config_set(&f->cfg, 0xd0, ~0U, seed * 0x1111);
		vpci_config_read(&f->cfg, 0, was, 4096);
		saved = save(f, &size);
		vpci_config_reset(&f->cfg);
		f->decode_calls = f->interrupt_calls = 0;
		assert_int_equal(vpci_config_load(&f->cfg, saved, size, &err), 0);
		assert_int_equal(f->decode_calls, 1);
		assert_int_equal(f->interrupt_calls, 1);
		vpci_config_read(&f->cfg, 0, now, 4096);
		assert_memory_equal(was, now, 4096);
		free(saved);
	}
}

static void test_state_of_another_layout(void **state)
{
	struct vpci_desc desc = sample_desc();
	struct vpci_config_error err;
	struct function *f = *state, *other;
	u32 *saved;
	size_t size;

	saved = save(f, &size);
	desc.revision++;
	other = function_make(&desc, &err);
	refused_state(other, saved, size, "another kind of function");
	function_free(other);
	desc = sample_desc();
	desc.bars[2].size *= 2;
	other = function_make(&desc, &err);
	refused_state(other, saved, size, "another kind of function");
	function_free(other);
	/* The same description gives the same layout */
	desc = sample_desc();
	other = function_make(&desc, &err);
	assert_int_equal(vpci_config_load(&other->cfg, saved, size, &err), 0);
	function_free(other);
	free(saved);
}

static void test_state_cut_short(void **state)
{
	struct function *f = *state;
	size_t size, len;
	u32 *saved = save(f, &size);
	u32 *longer = calloc(1, size + 4);

	for (len = 0; len < size; len++)
		refused_state(f, saved, len, "length");
	memcpy(longer, saved, size);
	refused_state(f, longer, size + 4, "length");
	free(longer);
	free(saved);
}

static void test_state_header(void **state)
{
	static const char *const reasons[] = { "not one of a config space",
		"version", "another kind", "another kind" };
	struct function *f = *state;
	unsigned int i;
	size_t size;
	u32 *saved = save(f, &size);

	for (i = 0; i < 4; i++) {
		saved[i] ^= htole32(2);
		refused_state(f, saved, size, reasons[i]);
		saved[i] ^= htole32(2);
	}
	free(saved);
}

static void patch(struct function *f, u32 *saved, unsigned int offset, u32 mask,
		  u32 value)
{
	u32 *word = &saved[4 + f->cfg.layout->map[offset / 4]];

	*word = htole32((le32toh(*word) & ~mask) | value);
}

/* Values that masks allow and registers do not */
static void test_state_impossible_value(void **state)
{
	struct function *f = *state;
	unsigned int rebar = find_ext_cap(f, PCI_EXT_CAP_ID_REBAR);
	struct vpci_config_error err;
	size_t size;
	u32 *saved = save(f, &size);

	patch(f, saved, find_cap(f, PCI_CAP_ID_PM) + PCI_PM_CTRL, 3, 1);
	refused_state(f, saved, size, "no guest could have written");
	patch(f, saved, find_cap(f, PCI_CAP_ID_PM) + PCI_PM_CTRL, 3, 0);
	patch(f, saved, find_cap(f, PCI_CAP_ID_MSI), 0x700000, 0x300000);
	refused_state(f, saved, size, "no guest could have written");
	patch(f, saved, find_cap(f, PCI_CAP_ID_MSI), 0x700000, 0);
	patch(f, saved, rebar + PCI_REBAR_CTRL, 0x3f00, 0x500);
	refused_state(f, saved, size, "no guest could have written");
	patch(f, saved, rebar + PCI_REBAR_CTRL, 0x3f00, 0x3f00);
	refused_state(f, saved, size, "no guest could have written");
	/* An address that the size of the BAR forbids, then allows */
	patch(f, saved, rebar + PCI_REBAR_CTRL, 0x3f00, 0x400);
	patch(f, saved, PCI_BASE_ADDRESS_0, 0xfff00000, 0x400000);
	refused_state(f, saved, size, "no guest could have written");
	patch(f, saved, rebar + PCI_REBAR_CTRL, 0x3f00, 0x200);
	patch(f, saved, PCI_COMMAND, 2, 2);
	assert_int_equal(vpci_config_load(&f->cfg, saved, size, &err), 0);
	assert_int_equal(vpci_config_decode(&f->cfg), VPCI_DECODE_MEMORY);
	assert_int_equal(get(f, PCI_BASE_ADDRESS_0, 4), 0x40000c);
	free(saved);
}

static const struct CMUnitTest tests[] = {
	TEST(check_104_reset_is_as_after_creation),
	TEST(test_sticky),
	TEST(test_restore),
	TEST(check_105_other_read_only_bit_is_refused),
	TEST(test_state_round_trip),
	TEST(test_state_of_another_layout),
	TEST(test_state_cut_short),
	TEST(test_state_header),
	TEST(test_state_impossible_value),
};

const struct test_list state_list = TEST_LIST(tests);
