// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done to parents and instances fails, one allocation after the other, and leaves
 * nothing behind; see nth.c
 *
 * Each sequence is a test. By device node, only those that have to do with how an instance
 * was opened. With "--can" as the only argument: whether this kernel can have an
 * allocation fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "nth.h"
#include "sysfs.h"

#define MAX_TESTS 64

static int setup(void **state)
{
	const struct nth_sequence *sequence = *state;

	sequence->prepare();
	return 0;
}

static void test_sequence(void **state)
{
	nth_sweep(*state);
}

static int teardown(void **state)
{
	const struct nth_sequence *sequence = *state;

	nth_stop();
	sequence->finish();
	return 0;
}

static bool by_node(void)
{
	const char *way = getenv("VFIO_PATH");

	return way && !strcmp(way, "cdev");
}

static bool is_ours(const struct nth_sequence *sequence)
{
	return by_node() ? sequence->opens || sequence->pins : !sequence->pins;
}

static size_t add(struct CMUnitTest *tests, size_t nr, const struct nth_sequence *sequence)
{
	for (; sequence->name; sequence++) {
		if (!is_ours(sequence))
			continue;
		assert_true(nr < MAX_TESTS);
		tests[nr++] = (struct CMUnitTest) {
			.name = sequence->name,
			.test_func = test_sequence,
			.setup_func = setup,
			.teardown_func = teardown,
			.initial_state = (void *)sequence,
		};
	}
	return nr;
}

static bool can(void)
{
	return sysfs_exists("/proc/self/fail-nth") &&
	       sysfs_exists("/sys/kernel/debug/failslab") &&
	       sysfs_exists("/sys/kernel/debug/fail_page_alloc");
}

int main(int argc, char **argv)
{
	static const struct nth_sequence * const tables[] = {
		nth_irqs, nth_memory, nth_backing, nth_dma, nth_open, nth_life,
	};
	struct CMUnitTest tests[MAX_TESTS];
	size_t i, nr = 0;

	if (argc > 1 && !strcmp(argv[1], "--can"))
		return can() ? 0 : 1;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		nr = add(tests, nr, tables[i]);
	setlinebuf(stdout);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("fail-nth", tests, nr, nth_setup, nth_teardown);
}
