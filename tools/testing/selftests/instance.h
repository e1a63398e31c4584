/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of one instance of mgpu begin and end with: it is "a", of 8 MiB,
 * and open. Some tests make a second one
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stddef.h>
#include <stdint.h>

#include "vfio_client.h"

#define UUID_A "aaaaaaaa-1111-4111-8111-0123456789ab"
#define UUID_B "bbbbbbbb-2222-4222-8222-0123456789ab"

#define MIB		(1UL << 20)
#define PAGE		4096UL
#define VRAM_SIZE	(8 * MIB)
#define REGS_SIZE	4096UL
#define ONES		0xffffffffU

/**
 * struct instance - an open instance
 * @client: the VFIO side
 * @vram: where BAR 0 lies in the device's file
 * @regs: likewise, BAR 2
 * @map: a mapping of BAR 0, here so that teardown removes what a failed test left
 * @map_size: bytes
 */
struct instance {
	struct vfio_client client;
	uint64_t vram;
	uint64_t regs;
	void *map;
	size_t map_size;
};

/* For cmocka_unit_test_setup_teardown(): *@state is the instance */
int instance_setup(void **state);
int instance_teardown(void **state);

/* They assert success */
void instance_reopen(struct instance *f);
volatile uint32_t *instance_map(struct instance *f, size_t size);

void instance_close(struct instance *f);
void instance_unmap(struct instance *f);

#endif /* INSTANCE_H */
