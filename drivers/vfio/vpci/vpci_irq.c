// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: delivery of interrupts
 *
 * Config space says how the function interrupts: by its pin, by MSI or by MSI-X.
 * The VFIO user says where to: it gives an eventfd for each vector, see
 * vpci_irqfd.c. A message that is masked, or in MSI-X has no eventfd, waits as a
 * pending bit, and is sent once when it can be. Without bus mastering messages
 * are lost. The pin is level-triggered: it is signalled again as long as the
 * function drives it, each time that the user unmasks it. The function goes on to
 * drive it while messages take its place, so that a cause that was not acknowledged
 * when they are disabled is there still; STATUS shows it only when the pin counts.
 * What waited as a message of MSI goes with MSI.
 *
 * A VMM such as QEMU has an MSI-X table of its own and never writes the one in
 * the BAR; it takes eventfds away instead. So an entry's mask counts from when
 * it was written first.
 *
 * What can be delivered is decided under vpci_irqs.lock, in any context, and the
 * eventfd is signalled after that, under RCU: it may call back, because users
 * can make one eventfd both the trigger and the unmask of INTx. Whoever lifts a
 * mask does so before it takes the lock and looks for what is pending; whoever
 * leaves something pending has seen the mask under the lock. So nothing stays
 * behind.
 */
#include <linux/bitmap.h>
#include <linux/eventfd.h>
#include <linux/module.h>
#include <linux/pci_regs.h>
#include <linux/slab.h>

#include "vpci_private.h"
#include "vpci_trace.h"

#define VPCI_ALL_VECTORS ~0U

/*
 * How many waiting messages are looked at while the lock is held, with interrupts off:
 * a guest decides how many wait, and how often somebody has to look
 */
#define VPCI_IRQ_PIECE 64U

static unsigned int vpci_irq_mode_index(enum vpci_irq_mode mode)
{
	switch (mode) {
	case VPCI_IRQ_INTX:
		return VFIO_PCI_INTX_IRQ_INDEX;
	case VPCI_IRQ_MSI:
		return VFIO_PCI_MSI_IRQ_INDEX;
	case VPCI_IRQ_MSIX:
		return VFIO_PCI_MSIX_IRQ_INDEX;
	default:
		return VFIO_PCI_NUM_IRQS;
	}
}

/*
 * How many messages there are now. The guest may change the mode in this very
 * moment, so it is never more than @mode can have, and never 0.
 */
static unsigned int vpci_irq_vectors(const struct vpci_device *vpci,
				     enum vpci_irq_mode mode)
{
	unsigned int most = mode == VPCI_IRQ_MSI ? vpci->function->msi_vectors :
						   vpci->function->msix_vectors;

	return clamp(vpci_config_irq_vectors(&vpci->config), 1U, most);
}

/* What is to be signalled; NULL: nobody listens to the vector, or to this way to interrupt */
static struct vpci_trigger *vpci_irq_trigger(struct vpci_device *vpci,
					     enum vpci_irq_mode mode,
					     unsigned int vector)
{
	struct vpci_irqs *irqs = &vpci->irqs;
	struct vpci_trigger *trigger;

	lockdep_assert_held(&irqs->lock);

	if (irqs->index != vpci_irq_mode_index(mode))
		return NULL;
	trigger = rcu_dereference_protected(irqs->triggers[vector], true);
	if (trigger)
		trace_vpci_interrupt(vpci, mode, vector);
	return trigger;
}

static void vpci_intx_show(struct vpci_device *vpci)
{
	bool shown = vpci->irqs.level &&
		     vpci_config_irq_mode(&vpci->config) == VPCI_IRQ_INTX;

	lockdep_assert_held(&vpci->irqs.lock);

	vpci_config_set(&vpci->config, PCI_COMMAND, PCI_STATUS_INTERRUPT << 16,
			shown ? PCI_STATUS_INTERRUPT << 16 : 0);
}

static void vpci_intx_set_level(struct vpci_device *vpci, bool level)
{
	lockdep_assert_held(&vpci->irqs.lock);

	vpci->irqs.level = level;
	vpci_intx_show(vpci);
}

/* The eventfd to signal for the pin now, if it should be; masks it then */
static struct vpci_trigger *vpci_intx_take(struct vpci_device *vpci)
{
	struct vpci_irqs *irqs = &vpci->irqs;
	struct vpci_trigger *trigger;

	if (!irqs->level || irqs->masked ||
	    vpci_config_irq_mode(&vpci->config) != VPCI_IRQ_INTX ||
	    vpci_config_irq_masked(&vpci->config, 0))
		return NULL;

	trigger = vpci_irq_trigger(vpci, VPCI_IRQ_INTX, 0);
	irqs->masked = trigger;
	return trigger;
}

static bool vpci_msix_is_masked(struct vpci_device *vpci, unsigned int vector)
{
	struct vpci_irqs *irqs = &vpci->irqs;

	return vpci_config_irq_masked(&vpci->config, vector) ||
	       (test_bit(vector, irqs->msix_ruled) &&
		irqs->msix_table[vector * 4 + 3] & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

/* The eventfd for a message, or NULL if it is lost or left pending */
static struct vpci_trigger *vpci_msi_take(struct vpci_device *vpci,
					  unsigned int vector)
{
	if (!vpci_config_irq_masked(&vpci->config, vector))
		return vpci_irq_trigger(vpci, VPCI_IRQ_MSI, vector);

	vpci_config_set_msi_pending(&vpci->config, vector, true);
	__set_bit(vector, &vpci->irqs.msi_pending);
	return NULL;
}

static struct vpci_trigger *vpci_msix_take(struct vpci_device *vpci,
					   unsigned int vector)
{
	struct vpci_trigger *trigger = NULL;

	if (!vpci_msix_is_masked(vpci, vector))
		trigger = vpci_irq_trigger(vpci, VPCI_IRQ_MSIX, vector);
	if (!trigger)
		__set_bit(vector, vpci->irqs.msix_pending);
	return trigger;
}

static struct vpci_trigger *vpci_irq_take(struct vpci_device *vpci,
					  unsigned int vector)
{
	const struct vpci_config *cfg = &vpci->config;
	enum vpci_irq_mode mode = vpci_config_irq_mode(cfg);

	if (vpci->function->interrupt_pin)
		vpci_intx_set_level(vpci, true);
	if (mode == VPCI_IRQ_NONE)
		return NULL;
	if (mode == VPCI_IRQ_INTX)
		return vpci_intx_take(vpci);

	if (!vpci_config_bus_master(cfg))
		return NULL;
	/* With fewer messages than the function has, several share one */
	vector %= vpci_irq_vectors(vpci, mode);
	return mode == VPCI_IRQ_MSI ? vpci_msi_take(vpci, vector) :
				      vpci_msix_take(vpci, vector);
}

/* Under rcu_read_lock(), with no other lock of the library's but mutexes */
static void vpci_irq_send(struct vpci_device *vpci, struct vpci_trigger *trigger)
{
	if (!trigger)
		return;
	eventfd_signal(trigger->ctx);
	vpci_stat_inc(vpci, VPCI_STAT_INTERRUPTS);
}

/**
 * vpci_irq_signal - the function interrupts
 * @vpci: the function
 * @vector: which of its interrupts, from 0; of no meaning while it interrupts by
 *	its pin. A function with a pin drives it until vpci_irq_lower(), also while its
 *	guest has enabled messages, and interrupts by it when they are disabled
 *
 * If the guest has enabled fewer messages than the function has, several of its
 * interrupts share one.
 *
 * Context: any.
 */
void vpci_irq_signal(struct vpci_device *vpci, unsigned int vector)
{
	struct vpci_trigger *trigger;
	unsigned long flags;

	rcu_read_lock();
	raw_spin_lock_irqsave(&vpci->irqs.lock, flags);
	trigger = vpci_irq_take(vpci, vector);
	raw_spin_unlock_irqrestore(&vpci->irqs.lock, flags);
	vpci_irq_send(vpci, trigger);
	rcu_read_unlock();
}
EXPORT_SYMBOL_GPL(vpci_irq_signal);

/**
 * vpci_irq_lower - no cause for an interrupt by the pin is left
 * @vpci: the function
 *
 * For a function with a pin, when its guest has acknowledged all interrupts.
 *
 * Context: any.
 */
void vpci_irq_lower(struct vpci_device *vpci)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vpci->irqs.lock, flags);
	vpci_intx_set_level(vpci, false);
	raw_spin_unlock_irqrestore(&vpci->irqs.lock, flags);
}
EXPORT_SYMBOL_GPL(vpci_irq_lower);

/* Signal one of the eventfds that belong to VFIO. False: there is none */
bool vpci_irq_send_single(struct vpci_device *vpci,
			  struct vpci_trigger __rcu **single)
{
	struct vpci_trigger *trigger;

	rcu_read_lock();
	trigger = rcu_dereference(*single);
	vpci_irq_send(vpci, trigger);
	rcu_read_unlock();
	return trigger;
}

/**
 * vpci_irq_error - the function has failed and cannot recover
 * @vpci: the function, described with reports_errors
 *
 * The VMM stops its guest. Without anybody who listens nothing happens.
 *
 * Context: any.
 */
void vpci_irq_error(struct vpci_device *vpci)
{
	vpci_irq_send_single(vpci, &vpci->irqs.err);
}
EXPORT_SYMBOL_GPL(vpci_irq_error);

/* Ask whoever has the instance open to give it up. False: nobody listens */
bool vpci_irq_request(struct vpci_device *vpci)
{
	return vpci_irq_send_single(vpci, &vpci->irqs.req);
}

/*
 * Take the first message of @from up to, but without, @end that need not wait any more.
 * Looks at a limited number of those that wait. Returns where to go on
 */
static unsigned int vpci_irq_take_pending(struct vpci_device *vpci,
					  unsigned int from, unsigned int end,
					  struct vpci_trigger **trigger)
{
	const struct vpci_config *cfg = &vpci->config;
	enum vpci_irq_mode mode = vpci_config_irq_mode(cfg);
	unsigned long *pending = mode == VPCI_IRQ_MSI ?
				 &vpci->irqs.msi_pending :
				 vpci->irqs.msix_pending;
	unsigned int vectors, limit;

	if ((mode != VPCI_IRQ_MSI && mode != VPCI_IRQ_MSIX) ||
	    !vpci_config_bus_master(cfg) ||
	    (mode == VPCI_IRQ_MSIX && vpci_config_irq_masked(cfg, 0)))
		return end;

	vectors = min(vpci_irq_vectors(vpci, mode), end);
	from = find_next_bit(pending, vectors, from);
	limit = min(from + VPCI_IRQ_PIECE, vectors);
	for_each_set_bit_from(from, pending, limit) {
		__clear_bit(from, pending);
		if (mode == VPCI_IRQ_MSI)
			vpci_config_set_msi_pending(&vpci->config, from, false);
		*trigger = mode == VPCI_IRQ_MSI ? vpci_msi_take(vpci, from) :
						  vpci_msix_take(vpci, from);
		if (*trigger)
			return from + 1;
	}
	return limit < vectors ? limit : end;
}

static unsigned int vpci_irq_send_pending(struct vpci_device *vpci,
					  unsigned int from, unsigned int end)
{
	struct vpci_trigger *trigger = NULL;
	unsigned long flags;

	rcu_read_lock();
	raw_spin_lock_irqsave(&vpci->irqs.lock, flags);
	from = vpci_irq_take_pending(vpci, from, end, &trigger);
	raw_spin_unlock_irqrestore(&vpci->irqs.lock, flags);
	vpci_irq_send(vpci, trigger);
	rcu_read_unlock();
	return from;
}

/* Called after what may have lifted the masks of some messages; deliver what has waited */
void vpci_irq_update_messages(struct vpci_device *vpci, unsigned int first,
			      unsigned int nr)
{
	unsigned int end = first + nr;

	while (first < end)
		first = vpci_irq_send_pending(vpci, first, end);
}

static void vpci_msi_forget(struct vpci_device *vpci)
{
	unsigned int i;

	lockdep_assert_held(&vpci->irqs.lock);

	for_each_set_bit(i, &vpci->irqs.msi_pending, 32)
		vpci_config_set_msi_pending(&vpci->config, i, false);
	vpci->irqs.msi_pending = 0;
}

/* Likewise, of all masks, or the way to interrupt has changed */
void vpci_irq_update(struct vpci_device *vpci)
{
	raw_spin_lock_irq(&vpci->irqs.lock);
	vpci_intx_show(vpci);
	if (vpci_config_irq_mode(&vpci->config) != VPCI_IRQ_MSI)
		vpci_msi_forget(vpci);
	raw_spin_unlock_irq(&vpci->irqs.lock);

	vpci_intx_update(vpci);
	vpci_irq_update_messages(vpci, 0, VPCI_ALL_VECTORS);
}

/* Signal the pin if it should be; in any context */
void vpci_intx_update(struct vpci_device *vpci)
{
	struct vpci_trigger *trigger;
	unsigned long flags;

	rcu_read_lock();
	raw_spin_lock_irqsave(&vpci->irqs.lock, flags);
	trigger = vpci_intx_take(vpci);
	raw_spin_unlock_irqrestore(&vpci->irqs.lock, flags);
	vpci_irq_send(vpci, trigger);
	rcu_read_unlock();
}

/* In any context; unmasking wants vpci_intx_update() afterwards */
void vpci_intx_mask(struct vpci_device *vpci, bool masked)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vpci->irqs.lock, flags);
	vpci->irqs.masked = masked;
	raw_spin_unlock_irqrestore(&vpci->irqs.lock, flags);
}

/*
 * Nothing is left of what happened before. What the user has set up stays, the mask
 * of the pin as well: the user lifts it, or has it lifted
 */
void vpci_irq_reset(struct vpci_device *vpci)
{
	const struct vpci_function *function = vpci->function;
	struct vpci_irqs *irqs = &vpci->irqs;
	unsigned int i;

	lockdep_assert_held(&vpci->config_lock);

	raw_spin_lock_irq(&irqs->lock);
	vpci_intx_set_level(vpci, false);
	/* A message may have become pending after config space was reset */
	vpci_msi_forget(vpci);
	if (function->msix_vectors) {
		bitmap_zero(irqs->msix_pending, function->msix_vectors);
		bitmap_zero(irqs->msix_ruled, function->msix_vectors);
	}
	raw_spin_unlock_irq(&irqs->lock);

	/* No entry rules now, and nobody else writes one: nothing decodes */
	for (i = 0; i < function->msix_vectors * 4; i++)
		WRITE_ONCE(irqs->msix_table[i],
			   i % 4 == 3 ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0);
}

static int vpci_msix_init(struct vpci_irqs *irqs, unsigned int vectors)
{
	irqs->msix_pending = bitmap_zalloc(vectors, GFP_KERNEL_ACCOUNT);
	irqs->msix_ruled = bitmap_zalloc(vectors, GFP_KERNEL_ACCOUNT);
	irqs->msix_table = kvcalloc(vectors, PCI_MSIX_ENTRY_SIZE,
				    GFP_KERNEL_ACCOUNT);
	if (!irqs->msix_pending || !irqs->msix_ruled || !irqs->msix_table)
		return -ENOMEM;
	return 0;
}

/* After an error too, vpci_irq_destroy() is called */
int vpci_irq_init(struct vpci_device *vpci)
{
	const struct vpci_function *function = vpci->function;
	struct vpci_irqs *irqs = &vpci->irqs;
	int ret;

	raw_spin_lock_init(&irqs->lock);
	irqs->index = VFIO_PCI_NUM_IRQS;
	irqs->nr_triggers = max3(1, function->msi_vectors,
				 function->msix_vectors);
	irqs->triggers = kvcalloc(irqs->nr_triggers, sizeof(*irqs->triggers),
				  GFP_KERNEL_ACCOUNT);
	if (!irqs->triggers)
		return -ENOMEM;

	if (function->msix_vectors) {
		ret = vpci_msix_init(irqs, function->msix_vectors);
		if (ret)
			return ret;
	}

	mutex_lock(&vpci->config_lock);
	vpci_irq_reset(vpci);
	mutex_unlock(&vpci->config_lock);
	return 0;
}

/* Nobody has the instance open, so no eventfd is left */
void vpci_irq_destroy(struct vpci_device *vpci)
{
	struct vpci_irqs *irqs = &vpci->irqs;

	kvfree(irqs->msix_table);
	bitmap_free(irqs->msix_ruled);
	bitmap_free(irqs->msix_pending);
	kvfree(irqs->triggers);
}
