// SPDX-License-Identifier: GPL-2.0-only
/*
 * All tests of the config space engine as one suite
 *
 *	config_test [TEST]	a name, or a pattern
 *
 * A test check_N_... is number N of a list of 109 checks by which several
 * implementations of virtual config space were compared. elsewhere[] has those
 * that are not tested here, and why; together they must be complete.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"

#define NR_CHECKS 109

struct elsewhere {
	unsigned int first;
	unsigned int last;
	const char *why;
};

#define BUS	"there is no bus here: the VMM has it"
#define VMM	"addresses in the guest are the VMM's affair: a region has none"
#define VF	"not a virtual function of SR-IOV, and none are offered"
#define TABLE	"the table and the PBA are in a BAR: suite irq, test_msix_table"
#define MASKS	"delivery: suite irq, test_msix_masks"
#define MESSAGE	"VFIO signals an eventfd, and the VMM makes the message"

static const struct elsewhere elsewhere[] = {
	{ 16, 16, "VFIO: -EFAULT for all of it, in suite vpci, test_config_end" },
	{ 18, 18, BUS }, { 20, 20, BUS },
	{ 23, 23, VF },
	{ 29, 29, "suite vpci, test_decode_off; suite mapping, test_decode_and_mapping" },
	{ 48, 48, VMM }, { 51, 51, VMM },
	{ 52, 52, "each BAR is a region of its own; one that is mapped has at least a page" },
	{ 53, 53, VMM },
	{ 70, 70, "a mapped page shows the sink page, whatever turned decode off: suite mapping, test_decode_and_mapping" },
	{ 74, 74, MESSAGE },
	{ 75, 75, "delivery: suite irq, test_msi" },
	{ 76, 76, MESSAGE },
	{ 81, 83, TABLE }, { 84, 87, MASKS },
	{ 88, 88, "nobody looks at address and data: suite reset, test_reset_leaves_nothing" },
	{ 90, 90, TABLE }, { 92, 92, TABLE },
	{ 93, 93, "suite irq, test_msix_masks: a BAR that is not decoded is not there" },
	{ 98, 98, VF }, { 100, 101, VF },
	{ 103, 103, "vital product data is not offered" },
	{ 106, 106, "suite mapping, test_decode_race" },
	{ 107, 107, "all is done under config_lock: suite irq-race, test_hammer" },
	{ 108, 108, "nothing is deferred: a write is over when its effects are" },
	{ 109, 109, "config space logs nothing" },
};

static const struct test_list *const lists[] = {
	&access_list, &header_list, &caps_list, &msi_list, &state_list,
	&layout_list,
};

/* Number of the check that a test is, or 0 */
static unsigned int check_number(const char *name)
{
	unsigned int number = 0;

	sscanf(name, "check_%u_", &number);
	return number;
}

static unsigned int count_here(unsigned int number)
{
	unsigned int i, count = 0;
	size_t k;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		for (k = 0; k < lists[i]->nr; k++)
			count += check_number(lists[i]->tests[k].name) == number;
	}
	return count;
}

static unsigned int count_elsewhere(unsigned int number)
{
	unsigned int i, count = 0;

	for (i = 0; i < ARRAY_SIZE(elsewhere); i++)
		count += elsewhere[i].first <= number &&
			 number <= elsewhere[i].last;
	return count;
}

static void test_every_check_is_accounted_for(void **state)
{
	unsigned int number, here = 0, i;

	(void)state;
	for (number = 1; number <= NR_CHECKS; number++) {
		unsigned int count = count_here(number);

		if (count + count_elsewhere(number) != 1)
			fail_msg("check %u: %u tests, %u reasons for none",
				 number, count, count_elsewhere(number));
		here += count;
	}
	print_message("# %u of %u checks are tests here; not here:\n", here,
		      NR_CHECKS);
	for (i = 0; i < ARRAY_SIZE(elsewhere); i++)
		print_message("#  %3u-%-3u %s\n", elsewhere[i].first,
			      elsewhere[i].last, elsewhere[i].why);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[256] = {
		cmocka_unit_test(test_every_check_is_accounted_for),
	};
	size_t nr = 1;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		if (nr + lists[i]->nr > ARRAY_SIZE(tests))
			abort();
		memcpy(&tests[nr], lists[i]->tests,
		       lists[i]->nr * sizeof(tests[0]));
		nr += lists[i]->nr;
	}

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("vpci_config", tests, nr, NULL, NULL);
}
