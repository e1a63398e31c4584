/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices: what a parent driver may use of the lifecycle core
 *
 * Source compatible with the header of the same name in the kernel (6.12 and
 * later): a parent driver written for that one compiles against this one. The
 * additions are marked; a driver that must also build against the kernel's own
 * core tests for MDEV_HAVE_PREPARE_REMOVE and MDEV_HAVE_DISCONNECT before it uses
 * them.
 *
 * The structures are not those of the kernel's header, so what is compiled with this
 * one is linked by names of its own, and works with this core only. A build for which
 * the kernel's header comes first gets the kernel's core.
 *
 * A parent (struct mdev_parent) is a physical device. It offers types (struct
 * mdev_type), and each type can be instantiated by writing a UUID to its
 * "create" file, which makes a struct mdev_device on the mdev bus and binds it
 * to the parent's struct mdev_driver.
 *
 * When the parent is unregistered, its instances go. Of a driver that can
 * disconnect an instance from its parent, one that is in use becomes a shell:
 * it moves to /sys/devices/mdev, answers nothing any more, and goes when its
 * last user has closed it. Of any other driver, unregistering waits for that.
 */
#ifndef _LINUX_MDEV_H
#define _LINUX_MDEV_H

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/rbtree_types.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/uuid.h>
#include <linux/workqueue_types.h>

#define mdev_register_parent vfio_mdev_register_parent
#define mdev_unregister_parent vfio_mdev_unregister_parent
#define mdev_register_driver vfio_mdev_register_driver
#define mdev_unregister_driver vfio_mdev_unregister_driver

#define MDEV_HAVE_PREPARE_REMOVE 1
#define MDEV_HAVE_DISCONNECT 1

struct mdev_type;

/**
 * struct mdev_device - one instance, a device on the mdev bus
 * @dev: the device; its name is the UUID in lower case
 * @uuid: the instance's name, unique on this machine
 * @type: what it is an instance of; NULL for a shell, else valid as long as @dev
 * @node: private to the core: the entry in the tree of UUIDs
 * @shell: private to the core: the entry in the list of shells
 * @shell_work: private to the core: removes a shell that nobody uses
 * @state: private to the core: see enum mdev_state
 * @probe_error: private to the core: what the driver's probe returned
 */
struct mdev_device {
	struct device dev;
	guid_t uuid;
	struct mdev_type *type;

	struct rb_node node;
	struct list_head shell;
	struct work_struct shell_work;
	int state;
	int probe_error;
};

/**
 * struct mdev_type - a kind of instance that a parent can make
 * @sysfs_name: set by the driver: directory name, without the driver's prefix
 * @pretty_name: set by the driver: contents of "name"; NULL means @sysfs_name
 * @parent: set by the core, for the driver to read
 * @kobj: private to the core: mdev_supported_types/<driver>-<sysfs_name>
 * @devices_kobj: private to the core: its "devices" directory
 *
 * The memory belongs to the driver and must stay until
 * mdev_unregister_parent() has returned.
 */
struct mdev_type {
	const char *sysfs_name;
	const char *pretty_name;

	struct mdev_parent *parent;

	struct kobject kobj;
	struct kobject *devices_kobj;
};

/**
 * struct mdev_parent - the part of a physical device that makes instances
 * @dev: the physical device
 * @mdev_driver: the driver that instances are bound to
 * @mdev_types_kset: the directory mdev_supported_types
 * @unreg_sem: held for reading by whoever creates or removes an instance, for
 *	writing while the parent is registered or unregistered
 * @types: the types offered
 * @nr_types: how many
 * @available_instances: how many more can be created, for drivers without
 *	&mdev_driver.get_available
 * @live_types: 1 plus the number of @types whose kobject is not released yet
 * @released: completed when @live_types reaches zero
 *
 * Embedded in the driver's own structure; every field is the core's.
 */
struct mdev_parent {
	struct device *dev;
	struct mdev_driver *mdev_driver;
	struct kset *mdev_types_kset;
	struct rw_semaphore unreg_sem;
	struct mdev_type **types;
	unsigned int nr_types;
	atomic_t available_instances;

	refcount_t live_types;
	struct completion released;
};

static inline struct mdev_device *to_mdev_device(struct device *dev)
{
	return container_of(dev, struct mdev_device, dev);
}

/**
 * struct mdev_driver - driver for the instances of a parent
 * @device_api: contents of "device_api": vfio-pci, vfio-ccw or vfio-ap
 * @max_instances: limit of instances per parent; unused with @get_available
 * @probe: an instance was created. May sleep. Its error is what the writer of
 *	"create" gets, -EAGAIN for -EPROBE_DEFER, and -EIO for what is no error that
 *	user space knows: a positive value, or one of the kernel's own
 * @remove: the instance goes away. May sleep; cannot fail
 * @get_available: optional: how many more instances of the type could be
 *	created now. May sleep
 * @show_description: optional: print the contents of "description", newline
 *	included. Without it the file repeats "name"
 * @prepare_remove: optional, an addition to the kernel's interface: may the
 *	instance go? Called before anything is taken apart, with the instance's
 *	device_lock() held; may sleep, but not for as long as a user likes.
 *	The second argument counts from 0 for each writer of "remove"; for a
 *	shell it is never 0. On 0 the driver guarantees that nobody uses the
 *	instance and that nobody can begin to; @remove follows. -EAGAIN: whoever
 *	uses it has been asked to give it up; the core asks again soon, for
 *	some time. Any other error (-EBUSY) is given to the writer at once, as
 *	that of @probe, and leaves everything as it was
 * @disconnect: optional, an addition to the kernel's interface, for drivers with
 *	@prepare_remove: the parent is being unregistered. Called with the
 *	instance's device_lock() held; may sleep, but must not wait for a user.
 *	On return the instance uses nothing of the parent any more, its type
 *	included, and no user of it does. @remove follows, perhaps long after
 *	mdev_unregister_parent() has returned
 * @driver: the driver core's part; set name and owner
 */
struct mdev_driver {
	const char *device_api;
	unsigned int max_instances;
	int (*probe)(struct mdev_device *dev);
	void (*remove)(struct mdev_device *dev);
	unsigned int (*get_available)(struct mdev_type *mtype);
	ssize_t (*show_description)(struct mdev_type *mtype, char *buf);
	int (*prepare_remove)(struct mdev_device *dev, unsigned int attempt);
	void (*disconnect)(struct mdev_device *dev);
	struct device_driver driver;
};

int mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			 struct mdev_driver *mdev_driver,
			 struct mdev_type **types, unsigned int nr_types);
void mdev_unregister_parent(struct mdev_parent *parent);

int mdev_register_driver(struct mdev_driver *drv);
void mdev_unregister_driver(struct mdev_driver *drv);

static inline struct device *mdev_dev(struct mdev_device *mdev)
{
	return &mdev->dev;
}

#endif /* _LINUX_MDEV_H */
