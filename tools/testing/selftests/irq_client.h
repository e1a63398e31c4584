/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO user of an instance of the module irq_lab, which signals interrupts when its
 * registers say so, see irq_lab.h
 *
 * There is one at a time. What cannot fail is asserted.
 */
#ifndef IRQ_CLIENT_H
#define IRQ_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/vfio.h>

#include "../modules/irq_lab.h"
#include "vfio_client.h"

#define IRQ_UUID "44444444-dddd-4ddd-8ddd-0123456789ab"
#define INTX VFIO_PCI_INTX_IRQ_INDEX
#define MSI VFIO_PCI_MSI_IRQ_INDEX
#define MSIX VFIO_PCI_MSIX_IRQ_INDEX
#define NONE VFIO_IRQ_SET_DATA_NONE
#define BOOL VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD VFIO_IRQ_SET_DATA_EVENTFD
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK VFIO_IRQ_SET_ACTION_MASK
#define UNMASK VFIO_IRQ_SET_ACTION_UNMASK
#define NR_FDS 8

/**
 * struct irq_client - the open instance
 * @vfio: the VFIO side
 * @bar0: where the registers lie in the device's file
 * @bar4: ditto, the BAR with the table of MSI-X and its pending bits
 * @fds: eventfds to give it
 */
struct irq_client {
	struct vfio_client vfio;
	uint64_t bar0;
	uint64_t bar4;
	int fds[NR_FDS];
};

extern struct irq_client irq;

/* For cmocka: an instance, open and with decode on, and its end */
int irq_setup(void **state);
int irq_teardown(void **state);
void irq_open(void);

/* 0 or a negative errno. @data: an int or a byte for each, as @flags says */
int irq_set(uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
	    const void *data);
int irq_give(uint32_t index, uint32_t start, uint32_t count, const int *what);
int irq_disable(uint32_t index);

/* How often it was signalled since this was asked last; irq_wait() waits for the first */
uint64_t irq_count(int fd);
uint64_t irq_wait(int fd);

void irq_put32(uint64_t at, uint32_t value);
uint32_t irq_get32(uint64_t at);

/* The function's side, and what the guest sees of it */
void irq_signal(uint32_t vector);
void irq_lower(void);
void irq_set_command(uint16_t extra);
bool irq_status(void);
void irq_mask_entry(unsigned int vector, bool mask);
bool irq_is_pending(unsigned int vector);
void irq_msix_control(uint16_t flags);

#endif
