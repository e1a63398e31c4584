// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: who goes to the VMM's memory
 *
 * A VMM can make any access to its memory take as long as it likes, by userfaultfd,
 * and VFIO holds locks meanwhile that the VMM's other accesses need. So nobody in the
 * kernel goes there himself. The carrier does, a thread of the process that opened
 * the function, as vhost's are. SIGKILL ends it like any other of that process, in
 * the middle of an access, so what it holds is given back before the process closes
 * its files.
 *
 * Others give it errands, which it runs one by one in their order, and wait. Such a
 * wait ends early when the waiter is killed, when the process of the carrier is, and
 * when the function is shut: it is about to be closed, or its parent goes. What an
 * errand touches is therefore its own, and counts its users.
 *
 * Closing alone has to wait for the thread to end, for VFIO takes away afterwards what
 * errands use; and an unmapping of iommufd for what was pinned to be given back. Both
 * have locks that nobody but other users of the function needs. Killing the carrier's
 * process ends these two; after a while the log says that they wait for it.
 *
 * vpci_carrier.lock is innermost and protects the fields of the carrier. Errands have no
 * number of their own: as @finished of all those that were @posted are through, and in
 * order, whoever knows how many there were when his was posted knows when it is done.
 */
#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/sched/vhost_task.h>
#include <linux/slab.h>

#include "vpci_private.h"

/* Until the log says what is waited for */
#define VPCI_CARRIER_PATIENCE	(10 * HZ)

static void vpci_errand_free(struct kref *refs)
{
	kvfree(container_of(refs, struct vpci_errand, refs));
}

void vpci_errand_put(struct vpci_errand *errand)
{
	kref_put(&errand->refs, vpci_errand_free);
}

static struct vpci_errand *vpci_carrier_next(struct vpci_carrier *carrier)
{
	struct vpci_errand *errand;

	spin_lock(&carrier->lock);
	errand = list_first_entry_or_null(&carrier->queue, struct vpci_errand, node);
	if (errand)
		list_del(&errand->node);
	spin_unlock(&carrier->lock);
	return errand;
}

/* Whatever the errand has, a failed one gives back when it runs */
static bool vpci_carrier_run_one(struct vpci_device *vpci)
{
	struct vpci_carrier *carrier = &vpci->carrier;
	struct vpci_errand *errand = vpci_carrier_next(carrier);

	if (!errand)
		return false;

	errand->result = errand->run(vpci, errand);
	spin_lock(&carrier->lock);
	/* Pairs with vpci_carrier_passed() */
	smp_store_release(&carrier->finished, carrier->finished + 1);
	spin_unlock(&carrier->lock);
	wake_up_all(&carrier->wait);
	vpci_errand_put(errand);
	return true;
}

/* The thread's loop; one at a time, so that it sees signals in between */
static bool vpci_carrier_work(void *data)
{
	struct vpci_device *vpci = data;

	/* It was set to sleep, lest a wake-up is missed; whoever adds to the queue wakes it then */
	if (list_empty(&vpci->carrier.queue))
		return false;
	__set_current_state(TASK_RUNNING);
	return vpci_carrier_run_one(vpci);
}

/* Its process was killed: what is left is run by whoever needs it to be over */
static void vpci_carrier_killed(void *data)
{
	struct vpci_carrier *carrier = &((struct vpci_device *)data)->carrier;

	WRITE_ONCE(carrier->dead, true);
	wake_up_all(&carrier->wait);
}

void vpci_carrier_init(struct vpci_device *vpci)
{
	struct vpci_carrier *carrier = &vpci->carrier;

	spin_lock_init(&carrier->lock);
	mutex_init(&carrier->drain_lock);
	INIT_LIST_HEAD(&carrier->queue);
	init_waitqueue_head(&carrier->wait);
	carrier->shut = true;
}

/* The calling process is the one whose memory errands go to from now on */
int vpci_carrier_open(struct vpci_device *vpci)
{
	struct vpci_carrier *carrier = &vpci->carrier;
	struct vhost_task *task;

	if (!vpci->function->dma)
		return 0;

	task = vhost_task_create(vpci_carrier_work, vpci_carrier_killed, vpci, "vpci-dma");
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* All that older kernels say */
	if (!task)
		return signal_pending(current) ? -ERESTARTNOINTR : -ENOMEM;

	spin_lock(&carrier->lock);
	carrier->task = task;
	WRITE_ONCE(carrier->dead, false);
	WRITE_ONCE(carrier->shut, false);
	spin_unlock(&carrier->lock);
	vhost_task_start(task);
	return 0;
}

/* Nobody waits for an errand any more, nor is it begun, unless it gives something back */
void vpci_carrier_shut(struct vpci_device *vpci)
{
	struct vpci_carrier *carrier = &vpci->carrier;

	spin_lock(&carrier->lock);
	WRITE_ONCE(carrier->shut, true);
	spin_unlock(&carrier->lock);
	wake_up_all(&carrier->wait);
}

/* Whether the first @count errands are through */
static bool vpci_carrier_passed(struct vpci_carrier *carrier, unsigned long count)
{
	/* Pairs with vpci_carrier_run_one(); for the result of the errand */
	return (long)(smp_load_acquire(&carrier->finished) - count) >= 0;
}

/* Whether there is nothing to wait for any more, be it done or not */
static bool vpci_carrier_over(struct vpci_carrier *carrier, unsigned long count)
{
	return vpci_carrier_passed(carrier, count) || READ_ONCE(carrier->dead);
}

static unsigned long vpci_carrier_posted(struct vpci_carrier *carrier)
{
	unsigned long posted;

	spin_lock(&carrier->lock);
	posted = carrier->posted;
	spin_unlock(&carrier->lock);
	return posted;
}

/* 0, or why it is not known that the first @count errands are through */
static int vpci_carrier_wait(struct vpci_carrier *carrier, unsigned long count)
{
	int ret;

	/* The carrier may be frozen already, and a suspend is not to fail for that */
	ret = wait_event_state(carrier->wait, READ_ONCE(carrier->shut) ||
			       vpci_carrier_over(carrier, count),
			       (TASK_KILLABLE | TASK_FREEZABLE_UNSAFE));
	if (vpci_carrier_passed(carrier, count))
		return 0;
	return ret ? -EINTR : -ENODEV;
}

/* Returns how many there are with this one */
static unsigned long vpci_carrier_post(struct vpci_carrier *carrier, struct vpci_errand *errand)
{
	unsigned long count;

	kref_get(&errand->refs);
	spin_lock(&carrier->lock);
	list_add_tail(&errand->node, &carrier->queue);
	count = ++carrier->posted;
	if (carrier->task)
		vhost_task_wake(carrier->task);
	spin_unlock(&carrier->lock);
	return count;
}

/*
 * Have @errand run, and wait for that unless the wait ends early. Returns its result, or
 * -EINTR or -ENODEV and it may run later or never. The caller keeps his reference to it,
 * the carrier has one of its own.
 */
int vpci_carrier_send(struct vpci_device *vpci, struct vpci_errand *errand)
{
	struct vpci_carrier *carrier = &vpci->carrier;

	return vpci_carrier_wait(carrier, vpci_carrier_post(carrier, errand)) ?: errand->result;
}

/*
 * Wait until no errand is under way that was begun before; unless the wait ends early,
 * and then the function is about to go, or the VMM.
 */
void vpci_carrier_quiesce(struct vpci_device *vpci)
{
	struct vpci_carrier *carrier = &vpci->carrier;

	vpci_carrier_wait(carrier, vpci_carrier_posted(carrier));
}

static void vpci_carrier_wait_for_vmm(struct vpci_device *vpci, const char *who,
				      unsigned long count)
{
	struct vpci_carrier *carrier = &vpci->carrier;

	if (wait_event_timeout(carrier->wait, vpci_carrier_over(carrier, count),
			       VPCI_CARRIER_PATIENCE))
		return;
	dev_notice_ratelimited(vpci->vdev.dev, "%s waits for the memory of %s (pid %d)\n",
			       who, vpci->holder_comm, vpci->holder_pid);
	wait_event(carrier->wait, vpci_carrier_over(carrier, count));
}

/* What a carrier that was killed has left */
static void vpci_carrier_drain(struct vpci_device *vpci)
{
	mutex_lock(&vpci->carrier.drain_lock);
	while (vpci_carrier_run_one(vpci))
		;
	mutex_unlock(&vpci->carrier.drain_lock);
}

/* All errands so far are through when this returns */
void vpci_carrier_flush(struct vpci_device *vpci)
{
	struct vpci_carrier *carrier = &vpci->carrier;
	unsigned long count = vpci_carrier_posted(carrier);

	vpci_carrier_wait_for_vmm(vpci, "unmapping", count);
	if (READ_ONCE(carrier->dead))
		vpci_carrier_drain(vpci);
}

/* It was shut before. Nothing of the VFIO device is used any more when this returns */
void vpci_carrier_close(struct vpci_device *vpci)
{
	struct vpci_carrier *carrier = &vpci->carrier;
	struct vhost_task *task = carrier->task;

	if (!task)
		return;

	vpci_carrier_wait_for_vmm(vpci, "closing", vpci_carrier_posted(carrier));
	spin_lock(&carrier->lock);
	carrier->task = NULL;
	spin_unlock(&carrier->lock);
	vhost_task_stop(task);
	vpci_carrier_drain(vpci);
}
