/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO user of an instance of the module dma_lab, which reaches the user's memory when
 * its registers say so, see dma_lab.h
 *
 * There is one at a time. What cannot fail is asserted.
 */
#ifndef DMA_CLIENT_H
#define DMA_CLIENT_H

#include <stdint.h>

#include "../modules/dma_lab.h"
#include "vfio_client.h"

#define DMA_TYPES "/sys/class/mdev_bus/dma_lab/mdev_supported_types/dma_lab-"

/**
 * struct dma_client - the open instance
 * @vfio: the VFIO side
 * @regs: where the registers lie in the device's file
 */
struct dma_client {
	struct vfio_client vfio;
	uint64_t regs;
};

extern struct dma_client dma;

/* Find the registers, with decode and bus mastering on */
void dma_open(const char *uuid);
void dma_enable(void);

void dma_put(unsigned int reg, uint64_t value);
uint64_t dma_get(unsigned int reg);
/* DMA_LAB_... with the pin of that number. 0 or a negative errno */
int dma_command(unsigned int what, unsigned int pin);

/* KiB that the kernel has accounted to this process as pinned, by either way */
long dma_pinned_kib(void);

#endif /* DMA_CLIENT_H */
