// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: the eventfds of interrupts, VFIO_DEVICE_SET_IRQS
 *
 * One of INTx, MSI and MSI-X can be enabled, by giving eventfds for its vectors;
 * -1 leaves a vector without one. Vectors can be changed one by one, in whatever
 * order. REQ and ERR belong to VFIO and not to the function: each has one
 * eventfd, whatever else is enabled.
 *
 * All is done under config_lock, so it cannot overlap with what a guest does in
 * config space, nor with a reset. A call does all that it was asked for, or
 * nothing.
 */
#include <linux/eventfd.h>
#include <linux/jiffies.h>
#include <linux/pci_regs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "vpci_private.h"

/* More than any device has interrupts, and less than keeps a processor busy */
#define VPCI_UNMASKS_PER_JIFFY	64

static unsigned int vpci_irq_count(const struct vpci_device *vpci,
				   unsigned int index)
{
	const struct vpci_function *function = vpci->function;

	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return function->interrupt_pin ? 1 : 0;
	case VFIO_PCI_MSI_IRQ_INDEX:
		return function->msi_vectors;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return function->msix_vectors;
	case VFIO_PCI_ERR_IRQ_INDEX:
		return function->reports_errors ? 1 : 0;
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

int vpci_irq_get_info(struct vpci_device *vpci, struct vfio_irq_info *info)
{
	/* QEMU warns of an index that is there, but without interrupts */
	if (info->index >= VFIO_PCI_NUM_IRQS ||
	    (info->index == VFIO_PCI_ERR_IRQ_INDEX &&
	     !vpci->function->reports_errors))
		return -EINVAL;

	info->count = vpci_irq_count(vpci, info->index);
	info->flags = VFIO_IRQ_INFO_EVENTFD;
	if (info->index == VFIO_PCI_INTX_IRQ_INDEX)
		info->flags |= VFIO_IRQ_INFO_MASKABLE |
			       VFIO_IRQ_INFO_AUTOMASKED;
	else if (info->index != VFIO_PCI_MSIX_IRQ_INDEX)
		info->flags |= VFIO_IRQ_INFO_NORESIZE;
	return 0;
}

static void vpci_trigger_free(struct vpci_trigger *trigger)
{
	if (!trigger)
		return;
	eventfd_ctx_put(trigger->ctx);
	kfree(trigger);
}

static void vpci_trigger_free_rcu(struct rcu_head *rcu)
{
	vpci_trigger_free(container_of(rcu, struct vpci_trigger, rcu));
}

/* NULL for -1, which stands for no eventfd */
static struct vpci_trigger *vpci_trigger_alloc(s32 fd)
{
	struct vpci_trigger *trigger;
	struct eventfd_ctx *ctx;

	if (fd == -1)
		return NULL;
	if (fd < 0)
		return ERR_PTR(-EINVAL);

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return ERR_CAST(ctx);
	trigger = kmalloc(sizeof(*trigger), GFP_KERNEL_ACCOUNT);
	if (!trigger) {
		eventfd_ctx_put(ctx);
		return ERR_PTR(-ENOMEM);
	}
	trigger->ctx = ctx;
	return trigger;
}

/* Put a trigger, which may be NULL, in the place of the one that is there */
static void vpci_trigger_replace(struct vpci_device *vpci,
				 struct vpci_trigger __rcu **slot,
				 struct vpci_trigger *trigger)
{
	lockdep_assert_held(&vpci->config_lock);

	raw_spin_lock_irq(&vpci->irqs.lock);
	trigger = rcu_replace_pointer(*slot, trigger, true);
	raw_spin_unlock_irq(&vpci->irqs.lock);
	if (trigger)
		call_rcu(&trigger->rcu, vpci_trigger_free_rcu);
}

static int vpci_triggers_alloc(struct vpci_trigger **triggers, const s32 *fds,
			       unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		triggers[i] = vpci_trigger_alloc(fds[i]);
		if (IS_ERR(triggers[i])) {
			int ret = PTR_ERR(triggers[i]);

			while (i--)
				vpci_trigger_free(triggers[i]);
			return ret;
		}
	}
	return 0;
}

/* A user that only uses VFIO's interface need not write config space as well */
static void vpci_irq_show_enabled(struct vpci_device *vpci, unsigned int index,
				  bool enabled)
{
	const u16 *caps = vpci->function->layout->caps;
	unsigned int at;
	u16 bit, flags;
	u8 bytes[2];

	if (index == VFIO_PCI_MSI_IRQ_INDEX) {
		at = caps[VPCI_CAP_MSI] + PCI_MSI_FLAGS;
		bit = PCI_MSI_FLAGS_ENABLE;
	} else if (index == VFIO_PCI_MSIX_IRQ_INDEX) {
		at = caps[VPCI_CAP_MSIX] + PCI_MSIX_FLAGS;
		bit = PCI_MSIX_FLAGS_ENABLE;
	} else {
		return;
	}

	vpci_config_read(&vpci->config, at, bytes, sizeof(bytes));
	flags = get_unaligned_le16(bytes);
	put_unaligned_le16(enabled ? flags | bit : flags & ~bit, bytes);
	vpci_config_write(&vpci->config, at, bytes, sizeof(bytes));
}

static void vpci_irq_set_index(struct vpci_device *vpci, unsigned int index)
{
	raw_spin_lock_irq(&vpci->irqs.lock);
	vpci->irqs.index = index;
	raw_spin_unlock_irq(&vpci->irqs.lock);
}

/* Tell the parent driver when the first one listens, or the last one not */
static void vpci_irq_count_users(struct vpci_device *vpci)
{
	struct vpci_irqs *irqs = &vpci->irqs;
	unsigned int i, before = irqs->nr_users;

	irqs->nr_users = 0;
	for (i = 0; i < irqs->nr_triggers; i++)
		irqs->nr_users += !!rcu_access_pointer(irqs->triggers[i]);

	if (!before != !irqs->nr_users && vpci->ops->irq_listen && !vpci->dead)
		vpci->ops->irq_listen(vpci, irqs->nr_users);
}

/* The parent driver goes. The user's side stays as it has set it up, and can be changed */
void vpci_irq_leave(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->config_lock);

	if (vpci->irqs.nr_users && vpci->ops->irq_listen)
		vpci->ops->irq_listen(vpci, false);
}

/* The user's eventfds for the function's own interrupts are dropped */
static void vpci_irq_disable(struct vpci_device *vpci)
{
	struct vpci_irqs *irqs = &vpci->irqs;
	unsigned int i, index = irqs->index;

	lockdep_assert_held(&vpci->config_lock);

	if (index == VFIO_PCI_NUM_IRQS)
		return;
	vpci_irq_set_index(vpci, VFIO_PCI_NUM_IRQS);
	vpci_irq_show_enabled(vpci, index, false);
	for (i = 0; i < irqs->nr_triggers; i++)
		vpci_trigger_replace(vpci, &irqs->triggers[i], NULL);
	vpci_irq_count_users(vpci);

	vpci_intx_mask(vpci, false);
	vfio_virqfd_disable(&irqs->unmasks[irqs->unmask]);
}

static int vpci_irq_set_eventfds(struct vpci_device *vpci,
				 const struct vfio_irq_set *set, const s32 *fds)
{
	struct vpci_irqs *irqs = &vpci->irqs;
	struct vpci_trigger **triggers;
	unsigned int i;
	int ret;

	if (irqs->index != VFIO_PCI_NUM_IRQS && irqs->index != set->index)
		return -EINVAL;

	triggers = kvmalloc_array(set->count, sizeof(*triggers), GFP_KERNEL);
	if (!triggers)
		return -ENOMEM;
	ret = vpci_triggers_alloc(triggers, fds, set->count);
	if (ret)
		goto out_free;

	vpci_irq_set_index(vpci, set->index);
	vpci_irq_show_enabled(vpci, set->index, true);
	for (i = 0; i < set->count; i++)
		vpci_trigger_replace(vpci, &irqs->triggers[set->start + i],
				     triggers[i]);
	vpci_irq_count_users(vpci);
	vpci_intx_update(vpci);
	vpci_irq_update_messages(vpci, set->start, set->count);

out_free:
	kvfree(triggers);
	return ret;
}

/* The user plays the device, for tests: @which has a byte for each, or is NULL */
static int vpci_irq_loop_back(struct vpci_device *vpci,
			      const struct vfio_irq_set *set, const u8 *which)
{
	unsigned int i;

	if (vpci->irqs.index != set->index)
		return -EINVAL;

	for (i = 0; i < set->count; i++) {
		if (!which || which[i])
			vpci_irq_send_single(vpci,
					     &vpci->irqs.triggers[set->start + i]);
	}
	return 0;
}

/* To change no message is no error for one that is enabled; the pin is always one */
static int vpci_irq_trigger_none(struct vpci_device *vpci,
				 const struct vfio_irq_set *set)
{
	bool disable = (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) ==
		       VFIO_IRQ_SET_DATA_NONE;

	if (vpci->irqs.index != set->index)
		return -EINVAL;
	if (disable)
		vpci_irq_disable(vpci);
	else if (set->index == VFIO_PCI_INTX_IRQ_INDEX)
		return -EINVAL;
	return 0;
}

static int vpci_irq_trigger_vectors(struct vpci_device *vpci,
				    const struct vfio_irq_set *set,
				    const void *data)
{
	if (!set->count)
		return vpci_irq_trigger_none(vpci, set);

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return vpci_irq_set_eventfds(vpci, set, data);
	case VFIO_IRQ_SET_DATA_NONE:
		return vpci_irq_loop_back(vpci, set, NULL);
	default:
		return vpci_irq_loop_back(vpci, set, data);
	}
}

/* REQ and ERR: there is nothing to enable, and -1 disables as well */
static int vpci_irq_trigger_single(struct vpci_device *vpci,
				   const struct vfio_irq_set *set,
				   const void *data)
{
	struct vpci_trigger __rcu **single = &vpci->irqs.err;
	struct vpci_trigger *trigger;

	if (set->index == VFIO_PCI_REQ_IRQ_INDEX)
		single = &vpci->irqs.req;

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		if (!set->count)
			return -EINVAL;
		trigger = vpci_trigger_alloc(*(const s32 *)data);
		if (IS_ERR(trigger))
			return PTR_ERR(trigger);
		vpci_trigger_replace(vpci, single, trigger);
		return 0;
	case VFIO_IRQ_SET_DATA_NONE:
		if (!rcu_access_pointer(*single))
			return -EINVAL;
		if (set->count)
			vpci_irq_send_single(vpci, single);
		else
			vpci_trigger_replace(vpci, single, NULL);
		return 0;
	default:
		if (!set->count)
			return -EINVAL;
		if (*(const u8 *)data)
			vpci_irq_send_single(vpci, single);
		return 0;
	}
}

/* Called in any context, also from where vpci_irq_send() signals */
static int vpci_intx_unmask_handler(void *opaque, void *unused)
{
	vpci_intx_mask(opaque, false);
	/* Go on in process context: an eventfd must not signal itself */
	return 1;
}

/*
 * A user that gives one eventfd to signal and to unmask makes a loop of VFIO's
 * work item, which ends when the line is lowered. It may have some of the machine's
 * time, not all of it. There can be two of these for a moment, see below.
 */
static void vpci_intx_unmask_thread(void *opaque, void *unused)
{
	struct vpci_device *vpci = opaque;
	struct vpci_irqs *irqs = &vpci->irqs;
	unsigned long now = jiffies;
	bool busy;

	raw_spin_lock_irq(&irqs->lock);
	if (now != irqs->unmask_jiffies) {
		irqs->unmask_jiffies = now;
		irqs->nr_unmasked = 0;
	}
	busy = irqs->nr_unmasked++ == VPCI_UNMASKS_PER_JIFFY;
	raw_spin_unlock_irq(&irqs->lock);

	if (busy)
		schedule_timeout_uninterruptible(1);
	vpci_intx_update(vpci);
}

/* What cannot be had must not cost what is there: the new one first, in the other slot */
static int vpci_intx_set_unmask_fd(struct vpci_device *vpci, s32 fd)
{
	struct vpci_irqs *irqs = &vpci->irqs;
	unsigned int next = !irqs->unmask;
	int ret;

	if (fd < -1)
		return -EINVAL;
	if (fd >= 0) {
		ret = vfio_virqfd_enable(vpci, vpci_intx_unmask_handler, vpci_intx_unmask_thread,
					 NULL, &irqs->unmasks[next], fd);
		if (ret)
			return ret;
	}
	/* Waits for the handlers of the one before */
	vfio_virqfd_disable(&irqs->unmasks[irqs->unmask]);
	irqs->unmask = next;
	return 0;
}

static int vpci_intx_set_mask(struct vpci_device *vpci,
			      const struct vfio_irq_set *set, const void *data)
{
	bool mask = set->flags & VFIO_IRQ_SET_ACTION_MASK;

	if (set->index != VFIO_PCI_INTX_IRQ_INDEX)
		return -ENOTTY;
	if (!set->count || vpci->irqs.index != VFIO_PCI_INTX_IRQ_INDEX)
		return -EINVAL;

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return mask ? -ENOTTY :
			      vpci_intx_set_unmask_fd(vpci, *(const s32 *)data);
	case VFIO_IRQ_SET_DATA_BOOL:
		if (!*(const u8 *)data)
			return 0;
		break;
	}
	vpci_intx_mask(vpci, mask);
	if (!mask)
		vpci_intx_update(vpci);
	return 0;
}

static int vpci_irq_set_action(struct vpci_device *vpci,
			       const struct vfio_irq_set *set, const void *data)
{
	switch (set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) {
	case VFIO_IRQ_SET_ACTION_MASK:
	case VFIO_IRQ_SET_ACTION_UNMASK:
		return vpci_intx_set_mask(vpci, set, data);
	case VFIO_IRQ_SET_ACTION_TRIGGER:
		if (set->index <= VFIO_PCI_MSIX_IRQ_INDEX)
			return vpci_irq_trigger_vectors(vpci, set, data);
		return vpci_irq_trigger_single(vpci, set, data);
	default:
		return -ENOTTY;
	}
}

/* @user follows @set in user space */
int vpci_irq_set(struct vpci_device *vpci, struct vfio_irq_set *set,
		 const void __user *user)
{
	unsigned int count = vpci_irq_count(vpci, set->index);
	void *data = NULL;
	size_t size;
	int ret;

	ret = vfio_set_irqs_validate_and_prepare(set, count, VFIO_PCI_NUM_IRQS,
						 &size);
	if (ret)
		return ret;
	if (size) {
		data = vmemdup_user(user, size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}

	mutex_lock(&vpci->config_lock);
	ret = vpci_irq_set_action(vpci, set, data);
	mutex_unlock(&vpci->config_lock);
	kvfree(data);
	return ret;
}

/* The user is gone, and its eventfds with it */
void vpci_irq_close(struct vpci_device *vpci)
{
	lockdep_assert_held(&vpci->config_lock);

	vpci_irq_disable(vpci);
	vpci_trigger_replace(vpci, &vpci->irqs.req, NULL);
	vpci_trigger_replace(vpci, &vpci->irqs.err, NULL);
}
