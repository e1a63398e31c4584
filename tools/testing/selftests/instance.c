// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "instance.h"
#include "sysfs.h"

int instance_setup(void **state)
{
	struct instance *f = calloc(1, sizeof(*f));
	struct vfio_region_info info;

	if (!f || mdev_create("8M", UUID_A)) {
		free(f);
		return -1;
	}
	if (vfio_client_open(&f->client, UUID_A)) {
		mdev_remove(UUID_A);
		free(f);
		return -1;
	}
	vfio_client_region(&f->client, VFIO_PCI_BAR0_REGION_INDEX, &info);
	f->vram = info.offset;
	vfio_client_region(&f->client, VFIO_PCI_BAR2_REGION_INDEX, &info);
	f->regs = info.offset;
	*state = f;
	return 0;
}

int instance_teardown(void **state)
{
	struct instance *f = *state;

	instance_unmap(f);
	instance_close(f);
	free(f);
	mdev_remove(UUID_B);
	return mdev_remove(UUID_A);
}

/* A closed client stays closed when a test ends here: never close a number twice */
void instance_close(struct instance *f)
{
	vfio_client_close(&f->client);
	f->client.device = f->client.group = f->client.iommu = -1;
}

void instance_reopen(struct instance *f)
{
	instance_close(f);
	assert_int_equal(vfio_client_open(&f->client, UUID_A), 0);
}

volatile uint32_t *instance_map(struct instance *f, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 f->client.device, f->vram);

	assert_ptr_not_equal(map, MAP_FAILED);
	f->map = map;
	f->map_size = size;
	return map;
}

void instance_unmap(struct instance *f)
{
	if (f->map)
		munmap(f->map, f->map_size);
	f->map = NULL;
}
