/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual function of config space alone, for tests
 *
 * What the rest of the library would do is recorded here instead, and a reset
 * resets config space.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <linux/pci_regs.h>
#include <linux/vpci_config.h>
#include <cmocka.h>

#include "vpci_layout.h"

/**
 * struct function - a function under test
 * @cfg: its config space; first, so that operations find the rest
 * @build: what its layout was made from
 * @decode_calls: how often the operation decode was called
 * @interrupt_calls: ditto, interrupt
 * @resets: ditto, reset
 */
struct function {
	struct vpci_config cfg;
	struct vpci_build *build;
	unsigned int decode_calls;
	unsigned int interrupt_calls;
	unsigned int resets;
};

/* What record_hook() saw */
struct recorded {
	unsigned int calls;
	unsigned int offset;
	u32 old;
	u32 new;
	u32 enables;
};

extern struct recorded recorded;

void record_hook(struct vpci_config *cfg, unsigned int offset, u32 old,
		 u32 new, u32 enables);

/* Nearly everything that can be described, see fixture.c */
struct vpci_desc sample_desc(void);

/* NULL, and what is wrong in @err, if the description is refused */
struct function *function_make(const struct vpci_desc *desc,
			       struct vpci_config_error *err);
void function_free(struct function *f);

/* Of the sample, as setup and teardown of a test */
int sample_setup(void **state);
int sample_teardown(void **state);

/* Bytes of config space as a little-endian number */
u64 get(struct function *f, unsigned int offset, unsigned int len);
void put(struct function *f, unsigned int offset, unsigned int len, u64 value);

/* Where a capability of the list is by its ID, or 0; asserts that the list ends */
unsigned int find_cap(struct function *f, unsigned int id);
unsigned int find_ext_cap(struct function *f, unsigned int id);

/* The description must be refused with these words */
void refused(const struct vpci_desc *desc, const char *item,
	     const char *reason);

struct test_list {
	const struct CMUnitTest *tests;
	size_t nr;
};

#define TEST(name) cmocka_unit_test_setup_teardown(name, sample_setup, \
						   sample_teardown)
#define TEST_LIST(list) { list, sizeof(list) / sizeof((list)[0]) }

extern const struct test_list access_list;
extern const struct test_list header_list;
extern const struct test_list caps_list;
extern const struct test_list msi_list;
extern const struct test_list state_list;
extern const struct test_list layout_list;

#endif /* FIXTURE_H */
