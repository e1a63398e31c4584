// SPDX-License-Identifier: GPL-2.0-only
/* See dma_client.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include <linux/pci_regs.h>

#include "dma_client.h"

struct dma_client dma = { .vfio = { .device = -1, .iommu = -1, .group = -1 } };

void dma_put(unsigned int reg, uint64_t value)
{
	assert_int_equal(vfio_client_write(&dma.vfio, dma.regs + reg, &value, 8), 8);
}

uint64_t dma_get(unsigned int reg)
{
	uint64_t value;

	assert_int_equal(vfio_client_read(&dma.vfio, dma.regs + reg, &value, 8), 8);
	return value;
}

int dma_command(unsigned int what, unsigned int pin)
{
	dma_put(DMA_LAB_COMMAND, DMA_LAB_DO(what, pin));
	return (int64_t)dma_get(DMA_LAB_RESULT);
}

void dma_enable(void)
{
	vfio_client_put(&dma.vfio, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void dma_open(const char *uuid)
{
	struct vfio_region_info info;

	assert_int_equal(vfio_client_open(&dma.vfio, uuid), 0);
	assert_int_equal(vfio_client_region(&dma.vfio, 0, &info), 0);
	dma.regs = info.offset;
	dma_enable();
}

long dma_pinned_kib(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	long kib, sum = 0;
	char line[256];

	assert_non_null(status);
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmLck: %ld", &kib) == 1 ||
		    sscanf(line, "VmPin: %ld", &kib) == 1)
			sum += kib;
	fclose(status);
	return sum;
}
