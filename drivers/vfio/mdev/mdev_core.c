// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: parents and instances
 *
 * An instance is MDEV_CREATING until everything that can fail has succeeded, then
 * MDEV_ACTIVE. Its driver comes last, because that is when it can be opened: what
 * failed after that would have to wait for a user.
 *
 * Whoever moves it from there to MDEV_ASKING, by cmpxchg(), asks the driver whether
 * it may go, and either moves it back or on to MDEV_REMOVING. A removal that has got
 * there does not fail. Unregistering the parent excludes all others by holding
 * unreg_sem for writing; it disconnects all instances first, and then removes
 * them or makes shells of those that are in use, see mdev_shell.c.
 *
 * mdev_uuids holds every instance from before it is visible in sysfs until
 * after it has left, so a UUID can be taken once only. It is a tree because that
 * needs no memory but the node in the instance, cannot fail, and is as deep as
 * it is whatever UUIDs somebody chooses.
 *
 * What a new instance takes (its UUID and its share of the parent's
 * available_instances) is taken in mdev_device_alloc() and, once that has
 * succeeded, given back in mdev_device_free() only.
 */
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "mdev_private.h"

#define CREATE_TRACE_POINTS
#include "mdev_trace.h"

static struct class_compat *mdev_bus_compat_class;

/* Protects mdev_uuids; nothing is taken inside it */
static DEFINE_SPINLOCK(mdev_uuids_lock);
static struct rb_root mdev_uuids = RB_ROOT;

static int mdev_uuid_cmp(struct rb_node *a, const struct rb_node *b)
{
	return memcmp(&rb_entry(a, struct mdev_device, node)->uuid,
		      &rb_entry(b, struct mdev_device, node)->uuid,
		      sizeof(guid_t));
}

/* Whether the instance's UUID was free; it is the instance's then */
static bool mdev_uuid_take(struct mdev_device *mdev)
{
	struct rb_node *taken;

	spin_lock(&mdev_uuids_lock);
	taken = rb_find_add(&mdev->node, &mdev_uuids, mdev_uuid_cmp);
	spin_unlock(&mdev_uuids_lock);
	return !taken;
}

static void mdev_uuid_give_back(struct mdev_device *mdev)
{
	spin_lock(&mdev_uuids_lock);
	rb_erase(&mdev->node, &mdev_uuids);
	spin_unlock(&mdev_uuids_lock);
}

static void mdev_device_release(struct device *dev)
{
	struct mdev_device *mdev = to_mdev_device(dev);

	/* Balances kobject_get() in mdev_device_alloc() */
	if (mdev->type)
		kobject_put(&mdev->type->kobj);
	kfree(mdev);
}

static bool mdev_parent_is_counted(struct mdev_parent *parent)
{
	return !parent->mdev_driver->get_available;
}

static struct mdev_device *mdev_device_alloc(struct mdev_type *type,
					     const guid_t *uuid)
{
	struct mdev_parent *parent = type->parent;
	struct mdev_device *mdev;
	int ret;

	mdev = kzalloc(sizeof(*mdev), GFP_KERNEL);
	if (!mdev)
		return ERR_PTR(-ENOMEM);

	device_initialize(&mdev->dev);
	mdev->dev.parent = parent->dev;
	mdev->dev.bus = &mdev_bus_type;
	mdev->dev.release = mdev_device_release;
	mdev->dev.groups = mdev_device_groups;
	mdev->type = type;
	kobject_get(&type->kobj);
	guid_copy(&mdev->uuid, uuid);
	mdev->state = MDEV_CREATING;

	ret = dev_set_name(&mdev->dev, "%pUl", uuid);
	if (ret)
		goto err_put_device;

	if (!mdev_uuid_take(mdev)) {
		ret = -EEXIST;
		goto err_put_device;
	}

	if (mdev_parent_is_counted(parent) &&
	    atomic_dec_if_positive(&parent->available_instances) < 0) {
		ret = -EUSERS;
		goto err_uuid;
	}

	return mdev;

err_uuid:
	mdev_uuid_give_back(mdev);
err_put_device:
	put_device(&mdev->dev);
	return ERR_PTR(ret);
}

static void mdev_device_free(struct mdev_device *mdev)
{
	/* A shell's parent is gone */
	if (!mdev->type)
		trace_mdev_shell_gone(&mdev->uuid);
	else if (mdev_parent_is_counted(mdev->type->parent))
		atomic_inc(&mdev->type->parent->available_instances);
	mdev_uuid_give_back(mdev);
	/* Balances device_initialize() in mdev_device_alloc() */
	put_device(&mdev->dev);
}

/*
 * What a driver's callback returned, as a write(2) may fail with it: not as if so many
 * bytes had been written, nor with a number that only the kernel knows.
 */
static int mdev_driver_error(int ret)
{
	if (ret == -EPROBE_DEFER)
		return -EAGAIN;
	/* Who is interrupted never sees that one */
	if (ret == -ERESTARTSYS && signal_pending(current))
		return ret;
	return ret > 0 || ret <= -ERESTARTSYS ? -EIO : ret;
}

static int mdev_device_attach(struct mdev_device *mdev)
{
	struct mdev_driver *drv = mdev->type->parent->mdev_driver;
	int ret;

	ret = device_driver_attach(&drv->driver, &mdev->dev);
	return mdev_driver_error(mdev->probe_error) ?: ret;
}

static int mdev_device_make(struct mdev_type *type, const guid_t *uuid)
{
	struct mdev_parent *parent = type->parent;
	struct mdev_device *mdev;
	int ret;

	if (!down_read_trylock(&parent->unreg_sem))
		return -ENODEV;

	mdev = mdev_device_alloc(type, uuid);
	if (IS_ERR(mdev)) {
		ret = PTR_ERR(mdev);
		goto out_unlock;
	}

	ret = device_add(&mdev->dev);
	if (ret)
		goto err_free;

	ret = mdev_device_add_links(mdev);
	if (ret)
		goto err_del;

	ret = mdev_device_attach(mdev);
	if (ret)
		goto err_links;

	/* Pairs with the cmpxchg() of whoever removes it */
	smp_store_release(&mdev->state, MDEV_ACTIVE);
	goto out_unlock;

err_links:
	mdev_device_remove_links(mdev);
err_del:
	device_del(&mdev->dev);
err_free:
	mdev_device_free(mdev);
out_unlock:
	up_read(&parent->unreg_sem);
	return ret;
}

/*
 * Make an instance of @type. -EEXIST: the UUID is taken; -EUSERS: the parent's
 * max_instances is reached; -ENODEV: the parent is coming or going; or what
 * the driver's probe returned.
 */
int mdev_device_create(struct mdev_type *type, const guid_t *uuid)
{
	int ret;

	trace_mdev_create(type, uuid);
	ret = mdev_device_make(type, uuid);
	trace_mdev_create_result(uuid, ret);
	return ret;
}

/* For all but a shell the caller holds the parent's unreg_sem */
void mdev_device_destroy(struct mdev_device *mdev)
{
	if (mdev->type)
		mdev_device_remove_links(mdev);
	device_del(&mdev->dev);
	mdev_device_free(mdev);
}

/* Ask the driver, if there is one to ask, whether the instance may go */
int mdev_device_ask_locked(struct mdev_device *mdev, unsigned int attempt)
{
	struct mdev_driver *drv = mdev_device_driver(mdev);

	device_lock_assert(&mdev->dev);

	if (!drv || !drv->prepare_remove)
		return 0;
	return mdev_driver_error(drv->prepare_remove(mdev, attempt));
}

/* Somebody who unbinds the instance by hand has the lock for as long as its user likes */
static int mdev_device_try_ask(struct mdev_device *mdev, unsigned int *attempt)
{
	int ret;

	if (!device_trylock(&mdev->dev))
		return -EAGAIN;
	ret = mdev_device_ask_locked(mdev, (*attempt)++);
	device_unlock(&mdev->dev);
	return ret;
}

/* From then on it stays so until it is removed */
bool mdev_device_is_created(struct mdev_device *mdev)
{
	return READ_ONCE(mdev->state) != MDEV_CREATING;
}

/*
 * Decide whether the caller may remove the instance, which is created. @attempt
 * counts how often the driver was asked. On 0 the caller owns the removal and must
 * call mdev_device_finish_remove(). Otherwise nothing has changed: -ENODEV, the
 * instance or its parent is going; -EAGAIN, somebody else asks or has it locked; or
 * what the driver's prepare_remove returned.
 */
int mdev_device_begin_remove(struct mdev_device *mdev, unsigned int *attempt)
{
	struct mdev_parent *parent = mdev->type->parent;
	int state, ret;

	if (!down_read_trylock(&parent->unreg_sem))
		return -ENODEV;

	state = cmpxchg(&mdev->state, MDEV_ACTIVE, MDEV_ASKING);
	if (state != MDEV_ACTIVE) {
		ret = state == MDEV_REMOVING ? -ENODEV : -EAGAIN;
		goto err_unlock;
	}

	ret = mdev_device_try_ask(mdev, attempt);
	if (ret)
		goto err_active;

	WRITE_ONCE(mdev->state, MDEV_REMOVING);
	return 0;

err_active:
	/* Pairs with the cmpxchg() above of the next one who tries */
	smp_store_release(&mdev->state, MDEV_ACTIVE);
err_unlock:
	up_read(&parent->unreg_sem);
	return ret;
}

/* Balances mdev_device_begin_remove() */
void mdev_device_finish_remove(struct mdev_device *mdev)
{
	struct mdev_parent *parent = mdev->type->parent;

	mdev_device_destroy(mdev);
	up_read(&parent->unreg_sem);
}

static int mdev_parent_disconnect_child(struct device *dev, void *data)
{
	struct mdev_driver *drv;

	if (dev->bus != &mdev_bus_type)
		return 0;

	device_lock(dev);
	drv = mdev_device_driver(to_mdev_device(dev));
	if (drv && drv->disconnect)
		drv->disconnect(to_mdev_device(dev));
	device_unlock(dev);
	return 0;
}

static int mdev_device_ask(struct mdev_device *mdev, unsigned int attempt)
{
	int ret;

	device_lock(&mdev->dev);
	ret = mdev_device_ask_locked(mdev, attempt);
	device_unlock(&mdev->dev);
	return ret;
}

static int mdev_parent_find_child(struct device *dev, void *data)
{
	struct mdev_device **found = data;

	if (dev->bus != &mdev_bus_type)
		return 0;
	*found = to_mdev_device(dev);
	get_device(dev);
	return 1;
}

/*
 * Remove an instance for good, or leave it as a shell. Without disconnect, or
 * without the memory to make a shell, this takes as long as the instance's
 * user likes.
 */
static void mdev_parent_remove_child(struct mdev_parent *parent,
				     struct mdev_device *mdev)
{
	if (parent->mdev_driver->disconnect && mdev_device_ask(mdev, 1) &&
	    !mdev_shell_make(mdev))
		return;
	mdev_device_destroy(mdev);
}

/* One by one from the start: a child that becomes a shell leaves the list */
static void mdev_parent_remove_children(struct mdev_parent *parent)
{
	struct mdev_device *mdev;

	lockdep_assert_held_write(&parent->unreg_sem);

	device_for_each_child(parent->dev, NULL, mdev_parent_disconnect_child);
	while (device_for_each_child(parent->dev, &mdev,
				     mdev_parent_find_child)) {
		mdev_parent_remove_child(parent, mdev);
		put_device(&mdev->dev);
	}
}

static void mdev_parent_uevent(struct mdev_parent *parent, char *state)
{
	char *envp[2] = { state };

	kobject_uevent_env(&parent->dev->kobj, KOBJ_CHANGE, envp);
}

/**
 * mdev_register_parent - let a device be split into instances
 * @parent: the parent to initialise; the memory is the caller's
 * @dev: the physical device, bound to the calling driver
 * @mdev_driver: a registered driver for the instances
 * @types: the types offered, at least until mdev_unregister_parent() returns
 * @nr_types: how many
 *
 * Creates mdev_supported_types below @dev and the link in /sys/class/mdev_bus,
 * then tells user space by a change uevent with MDEV_STATE=registered. From
 * that moment, and not before, instances can be created.
 *
 * Context: may sleep.
 * Return: 0, or a negative errno with nothing left behind.
 */
int mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			 struct mdev_driver *mdev_driver,
			 struct mdev_type **types, unsigned int nr_types)
{
	int ret;

	memset(parent, 0, sizeof(*parent));
	init_rwsem(&parent->unreg_sem);
	init_completion(&parent->released);
	refcount_set(&parent->live_types, 1);
	parent->dev = dev;
	parent->mdev_driver = mdev_driver;
	parent->types = types;
	parent->nr_types = nr_types;
	atomic_set(&parent->available_instances, mdev_driver->max_instances);

	down_write(&parent->unreg_sem);
	ret = mdev_parent_add_types(parent);
	if (ret)
		goto out_unlock;

	ret = class_compat_create_link(mdev_bus_compat_class, dev);
	if (ret)
		mdev_parent_remove_types(parent);

out_unlock:
	up_write(&parent->unreg_sem);
	trace_mdev_parent_register(dev, ret);
	if (ret)
		return ret;

	dev_info(dev, "MDEV: Registered\n");
	mdev_parent_uevent(parent, "MDEV_STATE=registered");
	return 0;
}
EXPORT_SYMBOL(mdev_register_parent);

/**
 * mdev_unregister_parent - undo mdev_register_parent()
 * @parent: the parent
 *
 * Removes every instance. Those in use of a driver with a disconnect callback
 * live on as shells, which know nothing of @parent; without it, the driver's
 * remove callback decides how long it takes. When it returns, nothing refers
 * to @parent and its types any more.
 *
 * Context: may sleep. Must not be called from an instance's callbacks.
 */
void mdev_unregister_parent(struct mdev_parent *parent)
{
	dev_info(parent->dev, "MDEV: Unregistering\n");
	trace_mdev_parent_unregister(parent->dev);

	down_write(&parent->unreg_sem);
	class_compat_remove_link(mdev_bus_compat_class, parent->dev);
	mdev_parent_remove_children(parent);
	mdev_parent_remove_types(parent);
	up_write(&parent->unreg_sem);

	trace_mdev_parent_unregistered(parent->dev);
	mdev_parent_uevent(parent, "MDEV_STATE=unregistered");
}
EXPORT_SYMBOL(mdev_unregister_parent);

static int __init mdev_init(void)
{
	int ret;

	ret = mdev_rival_init();
	if (ret)
		return ret;

	ret = bus_register(&mdev_bus_type);
	if (ret)
		goto err_rival;

	mdev_bus_compat_class = class_compat_register("mdev_bus");
	if (!mdev_bus_compat_class) {
		ret = -ENOMEM;
		goto err_bus;
	}

	ret = mdev_shell_init();
	if (ret)
		goto err_class;

	return 0;

err_class:
	class_compat_unregister(mdev_bus_compat_class);
err_bus:
	bus_unregister(&mdev_bus_type);
err_rival:
	mdev_rival_exit();
	return ret;
}

static void __exit mdev_exit(void)
{
	mdev_shell_exit();
	class_compat_unregister(mdev_bus_compat_class);
	bus_unregister(&mdev_bus_type);
	mdev_rival_exit();
}

module_init(mdev_init)
module_exit(mdev_exit)

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated device lifecycle core");
MODULE_VERSION(MDEV_VERSION);
