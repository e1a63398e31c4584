/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: access to the guest's memory
 */
#ifndef _LINUX_VPCI_DMA_H
#define _LINUX_VPCI_DMA_H

#include <linux/interval_tree.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <asm/barrier.h>

struct page;
struct vhost_task;
struct vpci_device;
struct vpci_errand;

/**
 * struct vpci_carrier - a thread of the VMM that reaches its memory
 * @task: the thread, while the function is open
 * @lock: protects the other fields
 * @queue: errands that have not begun
 * @posted: how many there have been
 * @finished: how many of them are through
 * @shut: nobody waits for errands any more
 * @dead: the thread was killed
 * @wait: for errands to be through
 * @drain_lock: held by who runs what a killed thread has left
 *
 * See vpci_carrier.c.
 */
struct vpci_carrier {
	struct vhost_task *task;
	spinlock_t lock;
	struct list_head queue;
	unsigned long posted;
	unsigned long finished;
	bool shut;
	bool dead;
	wait_queue_head_t wait;
	struct mutex drain_lock;
};

/* Pages of a pin; what VFIO pins at once */
#define VPCI_PIN_MAX	512

/**
 * struct vpci_pin - pages of the guest's memory that stay where they are
 * @pages: the pages, by number
 * @nr_pages: how many; 0 means that it is not pinned
 * @errand: has brought the pages, and will give them back
 * @node: place in vpci_device.pins, by page of the IOVA
 *
 * Part of a structure of the parent driver, zeroed. The fields are the library's and
 * change under vpci_device.dma_lock.
 */
struct vpci_pin {
	struct page **pages;
	unsigned int nr_pages;
	struct vpci_errand *errand;
	struct interval_tree_node node;
};

/**
 * vpci_pin_page - a page of a pin
 * @pin: the pin
 * @index: which of its pages
 *
 * Context: the caller holds a lock that the driver takes in vpci_ops.dma_revoke;
 * the page can be used until it is released.
 * Return: the page, or NULL: the pin is gone, or has not so many pages.
 */
static inline struct page *vpci_pin_page(const struct vpci_pin *pin,
					 unsigned int index)
{
	/* Pairs with vpci_dma_pin() */
	return index < smp_load_acquire(&pin->nr_pages) ? pin->pages[index] :
							   NULL;
}

int vpci_dma_pin(struct vpci_device *vpci, struct vpci_pin *pin, u64 iova,
		 unsigned int nr_pages, bool write);
void vpci_dma_unpin(struct vpci_device *vpci, struct vpci_pin *pin);
int vpci_dma_rw(struct vpci_device *vpci, u64 iova, void *data, size_t len,
		bool write);

#endif /* _LINUX_VPCI_DMA_H */
