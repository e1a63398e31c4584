/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of a virtual PCI function
 *
 * Parent drivers see this structure inside struct vpci_device. What they call is
 * in vfio_vpci.h.
 */
#ifndef _LINUX_VPCI_IRQ_H
#define _LINUX_VPCI_IRQ_H

#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct eventfd_ctx;
struct virqfd;

/**
 * struct vpci_trigger - an eventfd that a user gave for an interrupt
 * @ctx: the eventfd
 * @rcu: whoever signals may still look at it
 */
struct vpci_trigger {
	struct eventfd_ctx *ctx;
	struct rcu_head rcu;
};

/**
 * struct vpci_irqs - the interrupts of one function
 * @lock: protects what whoever signals looks at: all that is not said otherwise.
 *	The innermost lock; taken in any context
 * @index: VFIO index that is enabled, or VFIO_PCI_NUM_IRQS; changes under
 *	config_lock and @lock
 * @nr_users: number of @triggers that are not NULL; under config_lock
 * @nr_triggers: length of @triggers; immutable
 * @triggers: eventfds of the vectors of @index; INTx has one
 * @req: asks the user to give the device up
 * @err: tells it of an error that cannot be recovered from
 * @level: the function drives its INTx line, or would if no message were enabled
 * @masked: INTx is masked, by the user or since it was signalled
 * @unmasks: watch the eventfd that unmasks INTx, and for a moment the one before;
 *	under config_lock
 * @unmask: which of @unmasks has it; ditto
 * @unmask_jiffies: when one of them did so last
 * @nr_unmasked: how often at that time
 * @msi_pending: messages of MSI that wait for their mask
 * @msix_pending: messages of MSI-X that wait: the pending bit array
 * @msix_ruled: entries of @msix_table whose mask counts: the user has written it
 * @msix_table: four dwords for each vector
 */
struct vpci_irqs {
	raw_spinlock_t lock;
	unsigned int index;
	unsigned int nr_users;
	unsigned int nr_triggers;
	struct vpci_trigger __rcu **triggers;
	struct vpci_trigger __rcu *req;
	struct vpci_trigger __rcu *err;
	bool level;
	bool masked;
	struct virqfd *unmasks[2];
	unsigned int unmask;
	unsigned long unmask_jiffies;
	unsigned int nr_unmasked;
	unsigned long msi_pending;
	unsigned long *msix_pending;
	unsigned long *msix_ruled;
	u32 *msix_table;
};

#endif /* _LINUX_VPCI_IRQ_H */
