// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the areas of BARs (drivers/vfio/vpci/vpci_area.c)
 *
 * A model says for each byte of a small BAR of what kind it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <linux/vpci_area.h>
#include <asm/page.h>
#include <cmocka.h>

#define BAR_PAGES	16
#define BAR_SIZE	(BAR_PAGES * PAGE_SIZE)
#define ARRAY(a)	(a), ARRAY_SIZE(a)

static const struct vpci_area_ops table_ops, pba_ops;

static void expect_refused(const struct vpci_bar_desc *desc, const char *reason)
{
	struct vpci_config_error err = {};
	struct vpci_bar bar;

	assert_int_equal(vpci_areas_compile(&bar, desc, &err), -EINVAL);
	assert_string_equal(err.reason, reason);
}

static struct vpci_bar compile(const struct vpci_area_desc *areas, unsigned int nr)
{
	const struct vpci_bar_desc desc = {
		.size = BAR_SIZE, .areas = areas, .nr_areas = nr,
	};
	struct vpci_config_error err = {};
	struct vpci_bar bar;

	assert_int_equal(vpci_areas_compile(&bar, &desc, &err), 0);
	return bar;
}

/* Ascending, without gaps, and no two neighbours of one kind */
static void expect_sound(const struct vpci_bar *bar)
{
	unsigned int i;
	u64 next = 0;

	assert_in_range(bar->nr_areas, 1, VPCI_MAX_AREAS);
	for (i = 0; i < bar->nr_areas; i++) {
		const struct vpci_area *area = &bar->areas[i];

		assert_int_equal(area->start, next);
		assert_true(area->last >= area->start);
		next = area->last + 1;
		if (area->mapped) {
			assert_int_equal(area->start % PAGE_SIZE, 0);
			assert_int_equal(next % PAGE_SIZE, 0);
			assert_null(area->library);
		}
		if (i)
			assert_true(area->mapped != area[-1].mapped ||
				    area->library != area[-1].library);
	}
	assert_int_equal(next, bar->size);
}

static void test_one_kind(void **state)
{
	const struct vpci_bar_desc mapped = { .size = BAR_SIZE, .mapped = true };
	struct vpci_bar bar = compile(NULL, 0);
	struct vpci_config_error err;

	(void)state;
	expect_sound(&bar);
	assert_int_equal(bar.nr_areas, 1);
	assert_int_equal(vpci_areas_count_mapped(&bar), 0);

	assert_int_equal(vpci_areas_compile(&bar, &mapped, &err), 0);
	expect_sound(&bar);
	assert_int_equal(bar.nr_areas, 1);
	assert_int_equal(vpci_areas_count_mapped(&bar), 1);
}

static void test_no_bar(void **state)
{
	const struct vpci_bar_desc none = {};
	struct vpci_config_error err;
	struct vpci_bar bar;

	(void)state;
	assert_int_equal(vpci_areas_compile(&bar, &none, &err), 0);
	assert_int_equal(bar.size, 0);
	assert_int_equal(bar.nr_areas, 0);
	assert_false(vpci_area_is_mapped(&bar, 0, PAGE_SIZE));
}

static void test_mixed(void **state)
{
	static const struct vpci_area_desc areas[] = {
		{ PAGE_SIZE, PAGE_SIZE }, { 2 * PAGE_SIZE, PAGE_SIZE },
		{ 8 * PAGE_SIZE, 8 * PAGE_SIZE },
	};
	struct vpci_bar bar = compile(ARRAY(areas));

	(void)state;
	expect_sound(&bar);
	/* Neighbours are one */
	assert_int_equal(bar.nr_areas, 4);
	assert_int_equal(vpci_areas_count_mapped(&bar), 2);
	assert_true(vpci_area_is_mapped(&bar, PAGE_SIZE, 2 * PAGE_SIZE));
	assert_true(vpci_area_is_mapped(&bar, 9 * PAGE_SIZE, 7 * PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, 0, PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, 0, 2 * PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, PAGE_SIZE, 3 * PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, 15 * PAGE_SIZE, 2 * PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, PAGE_SIZE, 0));
	assert_false(vpci_area_is_mapped(&bar, PAGE_SIZE + 1, PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, PAGE_SIZE, 1));
	assert_false(vpci_area_is_mapped(&bar, BAR_SIZE, PAGE_SIZE));
	/* Nothing wraps around */
	assert_false(vpci_area_is_mapped(&bar, -PAGE_SIZE, 2 * PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, PAGE_SIZE, -PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, PAGE_SIZE, ~0ULL));
}

static void test_bad_descriptions(void **state)
{
	static const struct vpci_area_desc odd[] = { { PAGE_SIZE / 2, PAGE_SIZE } };
	static const struct vpci_area_desc part[] = { { 0, PAGE_SIZE + 1 } };
	static const struct vpci_area_desc empty[] = { { PAGE_SIZE, 0 } };
	static const struct vpci_area_desc beyond[] = { { BAR_SIZE, PAGE_SIZE } };
	static const struct vpci_area_desc wraps[] = { { PAGE_SIZE, -PAGE_SIZE } };
	static const struct vpci_area_desc overlap[] = {
		{ 0, 2 * PAGE_SIZE }, { PAGE_SIZE, PAGE_SIZE },
	};
	static const struct vpci_area_desc falls[] = {
		{ 2 * PAGE_SIZE, PAGE_SIZE }, { 0, PAGE_SIZE },
	};
	const char *whole = "has a mapped area that is not of whole pages";
	const char *end = "has a mapped area beyond its end";
	const char *order = "has mapped areas not in order";
	struct vpci_area_desc many[VPCI_MAX_AREAS];
	unsigned int i;

	(void)state;
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .areas = odd, .nr_areas = 1 }, whole);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .areas = part, .nr_areas = 1 }, whole);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .areas = empty, .nr_areas = 1 }, whole);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .areas = beyond, .nr_areas = 1 }, end);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .areas = wraps, .nr_areas = 1 }, end);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .areas = overlap, .nr_areas = 2 }, order);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .areas = falls, .nr_areas = 2 }, order);
	expect_refused(&(struct vpci_bar_desc) { .size = 256, .mapped = true }, whole);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .mapped = true, .areas = overlap, .nr_areas = 1 },
		       "is mapped as a whole and in areas");
	expect_refused(&(struct vpci_bar_desc) { .mapped = true }, "has areas or registers but no size");

	for (i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (struct vpci_area_desc) { 2 * i * PAGE_SIZE, PAGE_SIZE };
	expect_refused(&(struct vpci_bar_desc) { .size = 4 * BAR_SIZE, .areas = many, .nr_areas = ARRAY_SIZE(many) },
		       "has too many areas");
}

static u64 any_read(struct vpci_device *vpci, unsigned int reg)
{
	(void)vpci;
	return reg;
}

static void expect_banks_refused(const struct vpci_bank *banks, unsigned int nr, const char *reason)
{
	static const struct vpci_area_desc second[] = { { PAGE_SIZE, PAGE_SIZE } };

	expect_refused(&(struct vpci_bar_desc) { .size = 4 * PAGE_SIZE, .areas = second, .nr_areas = 1,
						 .banks = banks, .nr_banks = nr }, reason);
}

static void test_banks(void **state)
{
	static const struct vpci_bank banks[] = {
		{ 0, PAGE_SIZE, 4, false, any_read, NULL },
		{ 2 * PAGE_SIZE, 2 * PAGE_SIZE + 3, 1, false, any_read, NULL },
		{ 4 * PAGE_SIZE - 2, 4 * PAGE_SIZE, 2, true, any_read, NULL },
	};
	static const struct vpci_area_desc second[] = { { PAGE_SIZE, PAGE_SIZE } };
	const struct vpci_bar_desc desc = {
		.size = 4 * PAGE_SIZE, .areas = ARRAY(second), .banks = ARRAY(banks),
	};
	struct vpci_config_error err = {};
	struct vpci_bar bar;

	(void)state;
	assert_int_equal(vpci_areas_compile(&bar, &desc, &err), 0);
	expect_sound(&bar);
	assert_ptr_equal(bar.banks, banks);
	assert_int_equal(bar.nr_banks, ARRAY_SIZE(banks));
}

static void test_bad_banks(void **state)
{
	static const struct vpci_bank wide[] = { { 0, 8, 8, false, any_read, NULL } };
	static const struct vpci_bank none[] = { { 0, 8, 0, false, any_read, NULL } };
	static const struct vpci_bank unread[] = { { 0, 8, 4, false, NULL, NULL } };
	static const struct vpci_bank empty[] = { { 4, 4, 4, false, any_read, NULL } };
	static const struct vpci_bank turned[] = { { 8, 4, 4, false, any_read, NULL } };
	static const struct vpci_bank part[] = { { 0, 6, 4, false, any_read, NULL } };
	static const struct vpci_bank falls[] = {
		{ 8, 16, 4, false, any_read, NULL }, { 0, 8, 4, false, any_read, NULL },
	};
	static const struct vpci_bank overlap[] = {
		{ 0, 8, 4, false, any_read, NULL }, { 4, 12, 4, false, any_read, NULL },
	};
	static const struct vpci_bank beyond[] = {
		{ 4 * PAGE_SIZE - 4, 4 * PAGE_SIZE + 4, 4, false, any_read, NULL },
	};
	static const struct vpci_bank far[] = { { -8U, -4U, 4, false, any_read, NULL } };
	static const struct vpci_bank mapped[] = {
		{ PAGE_SIZE + 8, PAGE_SIZE + 16, 4, false, any_read, NULL },
	};
	static const struct vpci_bank into[] = { { 0, PAGE_SIZE + 4, 4, false, any_read, NULL } };
	static const struct vpci_bank out_of[] = {
		{ 2 * PAGE_SIZE - 4, 3 * PAGE_SIZE, 4, false, any_read, NULL },
	};
	const char *width = "has registers not of 1, 2 or 4 bytes";
	const char *whole = "has a bank that is not of whole registers";
	const char *order = "has banks of registers not in order";
	const char *end = "has registers beyond its end";
	const char *where = "has registers where it is mapped";

	(void)state;
	expect_banks_refused(ARRAY(wide), width);
	expect_banks_refused(ARRAY(none), width);
	expect_banks_refused(ARRAY(unread), "has registers that nothing can read");
	expect_banks_refused(ARRAY(empty), whole);
	expect_banks_refused(ARRAY(turned), whole);
	expect_banks_refused(ARRAY(part), whole);
	expect_banks_refused(ARRAY(falls), order);
	expect_banks_refused(ARRAY(overlap), order);
	expect_banks_refused(ARRAY(beyond), end);
	expect_banks_refused(ARRAY(far), end);
	expect_banks_refused(ARRAY(mapped), where);
	expect_banks_refused(ARRAY(into), where);
	expect_banks_refused(ARRAY(out_of), where);
	expect_refused(&(struct vpci_bar_desc) { .size = BAR_SIZE, .mapped = true, .banks = into, .nr_banks = 1 }, where);
	expect_refused(&(struct vpci_bar_desc) { .banks = into, .nr_banks = 1 }, "has areas or registers but no size");
}

/* What the library claims is its own to the byte; no page of it is mapped */
static void test_claim_in_a_mapped_area(void **state)
{
	static const struct vpci_area_desc all[] = { { 0, BAR_SIZE } };
	struct vpci_bar bar = compile(ARRAY(all));
	const struct vpci_area *area;

	(void)state;
	assert_int_equal(vpci_area_claim(&bar, 3 * PAGE_SIZE + 64, PAGE_SIZE, &table_ops), 0);
	expect_sound(&bar);
	assert_true(vpci_area_is_mapped(&bar, 0, 3 * PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, 3 * PAGE_SIZE, PAGE_SIZE));
	assert_false(vpci_area_is_mapped(&bar, 4 * PAGE_SIZE, PAGE_SIZE));
	assert_true(vpci_area_is_mapped(&bar, 5 * PAGE_SIZE, 11 * PAGE_SIZE));
	area = vpci_area_find(&bar, 3 * PAGE_SIZE + 63);
	assert_true(!area->mapped && !area->library);
	area = vpci_area_find(&bar, 3 * PAGE_SIZE + 64);
	assert_ptr_equal(area->library, &table_ops);
	assert_int_equal(area->start, 3 * PAGE_SIZE + 64);
	assert_int_equal(area->last, 4 * PAGE_SIZE + 63);
	area = vpci_area_find(&bar, 4 * PAGE_SIZE + 64);
	assert_true(!area->mapped && !area->library);
}

static void test_claims_do_not_overlap(void **state)
{
	struct vpci_bar bar = compile(NULL, 0);

	(void)state;
	assert_int_equal(vpci_area_claim(&bar, 16, 32, &table_ops), 0);
	assert_int_equal(vpci_area_claim(&bar, 47, 1, &pba_ops), -EINVAL);
	assert_int_equal(vpci_area_claim(&bar, 0, 17, &pba_ops), -EINVAL);
	assert_int_equal(vpci_area_claim(&bar, 0, BAR_SIZE, &pba_ops), -EINVAL);
	/* In the same page, side by side */
	assert_int_equal(vpci_area_claim(&bar, 48, 16, &pba_ops), 0);
	assert_int_equal(vpci_area_claim(&bar, 0, 16, &pba_ops), 0);
	expect_sound(&bar);
	assert_int_equal(bar.nr_areas, 4);

	assert_int_equal(vpci_area_claim(&bar, BAR_SIZE, 1, &pba_ops), -EINVAL);
	assert_int_equal(vpci_area_claim(&bar, BAR_SIZE - 1, 2, &pba_ops), -EINVAL);
	assert_int_equal(vpci_area_claim(&bar, 100, 0, &pba_ops), -EINVAL);
	assert_int_equal(vpci_area_claim(&bar, 100, ~0ULL, &pba_ops), -EINVAL);
	expect_sound(&bar);
}

/* One that does not fit changes nothing */
static void test_too_many_claims(void **state)
{
	static const struct vpci_area_desc all[] = { { 0, BAR_SIZE } };
	struct vpci_bar bar = compile(ARRAY(all)), before;
	unsigned int i;
	int ret = 0;

	(void)state;
	for (i = 0; !ret; i++) {
		before = bar;
		ret = vpci_area_claim(&bar, 2 * i * PAGE_SIZE + 64, 8, &table_ops);
		expect_sound(&bar);
		assert_true(i < BAR_PAGES / 2);
	}
	assert_int_equal(ret, -ENOSPC);
	assert_memory_equal(&bar, &before, sizeof(bar));
}

/* Random mapped areas and claims against a map of bytes */
static void random_bar(unsigned int seed)
{
	static unsigned char model[BAR_SIZE];
	struct vpci_area_desc areas[3];
	struct vpci_bar bar;
	unsigned int i, nr = 0;
	u64 at;

	srand(seed);
	memset(model, 't', BAR_SIZE);
	for (i = 0; i < BAR_PAGES && nr < 3; i += 1 + rand() % 4) {
		u64 pages = 1 + rand() % 3;

		if (i + pages > BAR_PAGES)
			break;
		areas[nr++] = (struct vpci_area_desc) { i * PAGE_SIZE, pages * PAGE_SIZE };
		memset(model + i * PAGE_SIZE, 'm', pages * PAGE_SIZE);
		i += pages;
	}
	bar = compile(areas, nr);
	for (i = 0; i < 3; i++) {
		u64 size = 1 + rand() % (2 * PAGE_SIZE);
		u64 start = rand() % BAR_SIZE, page;
		bool taken = start + size > BAR_SIZE;

		for (at = start; at < start + size && !taken; at++)
			taken = model[at] == 'l';
		if (vpci_area_claim(&bar, start, size, &table_ops) == -ENOSPC)
			return;
		if (taken)
			continue;
		for (page = start / PAGE_SIZE; page <= (start + size - 1) / PAGE_SIZE; page++)
			for (at = page * PAGE_SIZE; at < (page + 1) * PAGE_SIZE; at++)
				if (model[at] == 'm')
					model[at] = 't';
		memset(model + start, 'l', size);
	}
	expect_sound(&bar);
	for (at = 0; at < BAR_SIZE; at++) {
		const struct vpci_area *area = vpci_area_find(&bar, at);

		if (model[at] != (area->mapped ? 'm' : area->library ? 'l' : 't'))
			fail_msg("seed %u: byte %#lx is not of kind %c", seed,
				 (unsigned long)at, model[at]);
	}
}

static void test_against_a_model(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 300; seed++)
		random_bar(seed);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_kind),
		cmocka_unit_test(test_no_bar),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_bad_descriptions),
		cmocka_unit_test(test_banks),
		cmocka_unit_test(test_bad_banks),
		cmocka_unit_test(test_claim_in_a_mapped_area),
		cmocka_unit_test(test_claims_do_not_overlap),
		cmocka_unit_test(test_too_many_claims),
		cmocka_unit_test(test_against_a_model),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("area", tests, NULL, NULL);
}
