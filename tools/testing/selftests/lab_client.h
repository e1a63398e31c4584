/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO user of an instance of the module vpci_lab, whose BARs it can fill and
 * empty by registers, see vpci_lab.h
 */
#ifndef LAB_CLIENT_H
#define LAB_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../modules/vpci_lab.h"
#include "vfio_client.h"

#define MIB		(1UL << 20)
#define GIB		(1UL << 30)
#define PAGE		4096UL
#define LEAF		(2 * MIB)
#define ONES		(~0ULL)

#define LAB_UUID_A "aaaaaaaa-ba11-4111-8111-0123456789ab"
#define LAB_UUID_B "bbbbbbbb-ba11-4222-8222-0123456789ab"

/**
 * struct lab_client - an open instance
 * @vfio: the VFIO side
 * @uuid: its name
 * @start: where each BAR lies in the device's file
 * @id: number of the instance, which is in its tags
 * @maps: mappings, so that closing removes what a failed test left
 */
struct lab_client {
	struct vfio_client vfio;
	const char *uuid;
	uint64_t start[6];
	unsigned int id;
	struct {
		volatile uint64_t *at;
		size_t size;
	} maps[8];
};

/* Create, open and switch decode on; they assert success */
void lab_open(struct lab_client *lab, const char *uuid);
void lab_close(struct lab_client *lab);
/* After a reset, too */
void lab_enable(struct lab_client *lab);

uint64_t lab_get(struct lab_client *lab, unsigned int reg);
void lab_put(struct lab_client *lab, unsigned int reg, uint64_t value);

/* 0 or the negative errno of the command */
int lab_back(struct lab_client *lab, unsigned int bar, uint64_t offset,
	     uint64_t size, uint64_t frame);
int lab_revoke(struct lab_client *lab, unsigned int bar, uint64_t offset,
	       uint64_t size);
int lab_command(struct lab_client *lab, unsigned int command);
/* Of the giant that LAB_GIANT has put behind BAR 4's second half */
int lab_revoke_giant(struct lab_client *lab, uint64_t offset, uint64_t size);

/* At an address that is congruent with @shift modulo 1 GiB; asserts success. By
 * one thread at a time */
volatile uint64_t *lab_map(struct lab_client *lab, unsigned int bar,
			   uint64_t offset, size_t size, uint64_t shift);
void lab_unmap(struct lab_client *lab, volatile uint64_t *map, size_t size);

/* The first word of page @page of the mapping */
static inline uint64_t lab_word(volatile uint64_t *map, size_t page)
{
	return map[page * PAGE / sizeof(*map)];
}

static inline uint64_t lab_tag(const struct lab_client *lab, unsigned int bar,
			       uint64_t page)
{
	return LAB_TAG(lab->id, bar, page);
}

/* For cmocka_unit_test_setup_teardown(): *@state is an open instance LAB_UUID_A */
int lab_setup(void **state);
int lab_teardown(void **state);

/* One of the counters in the instance's "vpci" directory */
long lab_stat(struct lab_client *lab, const char *name);

/* Pages @first.. of BAR 0 from the start of @map show what stands behind them, or ones */
void lab_expect_pages(struct lab_client *lab, volatile uint64_t *map,
		      size_t first, size_t nr, bool backed);

#endif /* LAB_CLIENT_H */
