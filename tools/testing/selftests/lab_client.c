// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "lab_client.h"
#include "sysfs.h"

/* The module's device has no driver, whose name would stand before the dash */
#define CREATE "/sys/devices/vpci_lab/mdev_supported_types/-bars/create"

void lab_enable(struct lab_client *lab)
{
	vfio_client_decode(&lab->vfio, 1);
}

void lab_open(struct lab_client *lab, const char *uuid)
{
	struct vfio_region_info info;
	unsigned int bar;

	memset(lab, 0, sizeof(*lab));
	lab->uuid = uuid;
	assert_int_equal(sysfs_write(uuid, CREATE), 0);
	assert_int_equal(vfio_client_open(&lab->vfio, uuid), 0);
	for (bar = 0; bar < 6; bar++) {
		assert_int_equal(vfio_client_region(&lab->vfio, bar, &info), 0);
		lab->start[bar] = info.offset;
	}
	lab_enable(lab);
	lab->id = lab_get(lab, LAB_ID);
}

void lab_close(struct lab_client *lab)
{
	size_t i;

	for (i = 0; i < sizeof(lab->maps) / sizeof(lab->maps[0]); i++)
		if (lab->maps[i].at)
			munmap((void *)lab->maps[i].at, lab->maps[i].size);
	vfio_client_close(&lab->vfio);
	assert_int_equal(mdev_remove(lab->uuid), 0);
}

uint64_t lab_get(struct lab_client *lab, unsigned int reg)
{
	uint64_t value;

	assert_int_equal(vfio_client_read(&lab->vfio,
					  lab->start[LAB_MIXED_BAR] + reg,
					  &value, 8), 8);
	return value;
}

void lab_put(struct lab_client *lab, unsigned int reg, uint64_t value)
{
	assert_int_equal(vfio_client_write(&lab->vfio,
					   lab->start[LAB_MIXED_BAR] + reg,
					   &value, 8), 8);
}

int lab_command(struct lab_client *lab, unsigned int command)
{
	lab_put(lab, LAB_COMMAND, command);
	return (int64_t)lab_get(lab, LAB_RESULT);
}

int lab_back(struct lab_client *lab, unsigned int bar, uint64_t offset,
	     uint64_t size, uint64_t frame)
{
	lab_put(lab, LAB_ARG_BAR, bar);
	lab_put(lab, LAB_ARG_OFFSET, offset);
	lab_put(lab, LAB_ARG_SIZE, size);
	lab_put(lab, LAB_ARG_FRAME, frame);
	return lab_command(lab, LAB_BACK);
}

int lab_revoke(struct lab_client *lab, unsigned int bar, uint64_t offset,
	       uint64_t size)
{
	lab_put(lab, LAB_ARG_BAR, bar);
	lab_put(lab, LAB_ARG_OFFSET, offset);
	lab_put(lab, LAB_ARG_SIZE, size);
	return lab_command(lab, LAB_REVOKE);
}

int lab_revoke_giant(struct lab_client *lab, uint64_t offset, uint64_t size)
{
	lab_put(lab, LAB_ARG_OFFSET, offset);
	lab_put(lab, LAB_ARG_SIZE, size);
	return lab_command(lab, LAB_NO_GIANT);
}

volatile uint64_t *lab_map(struct lab_client *lab, unsigned int bar,
			   uint64_t offset, size_t size, uint64_t shift)
{
	size_t room = size + GIB;
	char *start = mmap(NULL, room, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at;
	size_t i = 0;
	void *map;

	while (lab->maps[i].at)
		i++;
	assert_true(i < sizeof(lab->maps) / sizeof(lab->maps[0]));
	assert_ptr_not_equal(start, MAP_FAILED);
	at = start + (shift - (uintptr_t)start) % GIB;
	munmap(start, room);
	map = mmap(at, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE, lab->vfio.device,
		   lab->start[bar] + offset);
	assert_ptr_equal(map, at);
	lab->maps[i].at = map;
	lab->maps[i].size = size;
	return map;
}

void lab_unmap(struct lab_client *lab, volatile uint64_t *map, size_t size)
{
	size_t i = 0;

	while (lab->maps[i].at != map)
		i++;
	lab->maps[i].at = NULL;
	munmap((void *)map, size);
}

int lab_setup(void **state)
{
	struct lab_client *lab = calloc(1, sizeof(*lab));

	if (!lab)
		return -1;
	lab_open(lab, LAB_UUID_A);
	*state = lab;
	return 0;
}

int lab_teardown(void **state)
{
	struct lab_client *lab = *state;

	lab_enable(lab);
	assert_int_equal(lab_get(lab, LAB_CORRUPT), 0);
	lab_close(lab);
	free(lab);
	return 0;
}

long lab_stat(struct lab_client *lab, const char *name)
{
	return mdev_stat(lab->uuid, name);
}

void lab_expect_pages(struct lab_client *lab, volatile uint64_t *map,
		      size_t first, size_t nr, bool backed)
{
	size_t i, wrong = 0;

	for (i = 0; i < nr; i++)
		wrong += lab_word(map, i) !=
			 (backed ? lab_tag(lab, LAB_BAR, first + i) : ONES);
	assert_int_equal(wrong, 0);
}
