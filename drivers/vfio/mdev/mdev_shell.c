// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: instances that have outlived their parent
 *
 * VFIO cannot take a file away from a process, and it wants the device that it
 * was registered with, bound to its driver, for as long as a file is open. The
 * parent needs to stay for neither. So an instance that is in use when its
 * parent is unregistered becomes a shell: disconnected by its driver, without a
 * type, without the files "remove" and "mdev_type", and moved from below the
 * parent to /sys/devices/mdev. It keeps its name and UUID, which therefore
 * cannot be used again before the shell has gone.
 *
 * Shells are in mdev_shells. A work item asks the driver of each once a second
 * whether the last user has gone, and then has it removed. Nothing else removes a
 * shell, so the work item walks the list on its own; mdev_shells_lock protects
 * it against new ones only.
 *
 * Somebody may open the device node between question and removal, and then the
 * removal takes as long as it stays open. So each is a work item of its own, and
 * the one that asks never waits, not for the lock of a shell either: it asks again.
 */
#include <linux/list.h>
#include <linux/mdev.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "mdev_private.h"
#include "mdev_trace.h"

#define MDEV_SHELL_INTERVAL	HZ

static struct device *mdev_shell_root;
static struct workqueue_struct *mdev_shell_wq;

static DEFINE_SPINLOCK(mdev_shells_lock);
static LIST_HEAD(mdev_shells);

static void mdev_shell_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(mdev_shell_work, mdev_shell_work_fn);

static void mdev_shell_keep(struct mdev_device *mdev)
{
	spin_lock(&mdev_shells_lock);
	list_add_tail(&mdev->shell, &mdev_shells);
	spin_unlock(&mdev_shells_lock);
	queue_delayed_work(system_long_wq, &mdev_shell_work,
			   MDEV_SHELL_INTERVAL);
}

static void mdev_shell_remove_fn(struct work_struct *work)
{
	mdev_device_destroy(container_of(work, struct mdev_device, shell_work));
}

/* Remove a shell that nobody uses. False: try again later */
static bool mdev_shell_remove(struct mdev_device *mdev)
{
	bool idle, bound;

	/* Whoever has the lock removes the driver, for as long as that takes */
	if (!device_trylock(&mdev->dev))
		return false;
	idle = !mdev_device_ask_locked(mdev, 1);
	bound = mdev->dev.driver;
	device_unlock(&mdev->dev);
	if (!idle)
		return false;

	if (bound)
		queue_work(mdev_shell_wq, &mdev->shell_work);
	else
		mdev_device_destroy(mdev);
	return true;
}

static void mdev_shell_work_fn(struct work_struct *work)
{
	struct mdev_device *mdev, *next;
	LIST_HEAD(shells);

	spin_lock(&mdev_shells_lock);
	list_splice_init(&mdev_shells, &shells);
	spin_unlock(&mdev_shells_lock);

	list_for_each_entry_safe(mdev, next, &shells, shell) {
		if (!mdev_shell_remove(mdev))
			mdev_shell_keep(mdev);
	}
}

/* Remove the shells that have lost their driver, instead of a moment later */
void mdev_shell_reap(void)
{
	mod_delayed_work(system_long_wq, &mdev_shell_work, 0);
	flush_delayed_work(&mdev_shell_work);
}

/*
 * Make a shell of an instance that its driver has disconnected. The caller
 * holds the parent's unreg_sem for writing. -ENOMEM: it is an instance still.
 */
int mdev_shell_make(struct mdev_device *mdev)
{
	struct mdev_type *type = mdev->type;
	int ret;

	lockdep_assert_held_write(&type->parent->unreg_sem);

	ret = device_move(&mdev->dev, mdev_shell_root, DPM_ORDER_NONE);
	if (ret)
		return ret;

	mdev_device_remove_links(mdev);
	/* A writer of "remove" may be on its way to unreg_sem, by the type */
	mdev_device_remove_files(mdev);
	mdev->type = NULL;
	/* Balances kobject_get() in mdev_device_alloc() */
	kobject_put(&type->kobj);

	trace_mdev_shell_made(&mdev->uuid);
	INIT_WORK(&mdev->shell_work, mdev_shell_remove_fn);
	mdev_shell_keep(mdev);
	return 0;
}

int mdev_shell_init(void)
{
	mdev_shell_wq = alloc_workqueue("mdev", WQ_UNBOUND, 0);
	if (!mdev_shell_wq)
		return -ENOMEM;

	mdev_shell_root = root_device_register("mdev");
	if (IS_ERR(mdev_shell_root)) {
		destroy_workqueue(mdev_shell_wq);
		return PTR_ERR(mdev_shell_root);
	}
	return 0;
}

/*
 * No driver is left, and mdev_unregister_driver() has removed its shells, but for one
 * that somebody had locked in that instant. Here is time to wait for the lock.
 */
void mdev_shell_exit(void)
{
	struct mdev_device *mdev, *next;

	cancel_delayed_work_sync(&mdev_shell_work);
	list_for_each_entry_safe(mdev, next, &mdev_shells, shell)
		mdev_device_destroy(mdev);
	destroy_workqueue(mdev_shell_wq);
	root_device_unregister(mdev_shell_root);
}
