/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices: what the files of mdev.ko share
 *
 * Lock order, outermost first:
 *
 *	mdev_parent.unreg_sem
 *	  device_lock() of the instance, taken by the driver core
 *	    whatever the driver's callbacks take
 *
 * The stores of "create" and "remove" run inside a sysfs active reference,
 * which unregistration waits for while it holds unreg_sem for writing.
 * They therefore only ever try to take unreg_sem.
 */
#ifndef MDEV_PRIVATE_H
#define MDEV_PRIVATE_H

#include <linux/mdev.h>

#include "mdev_compat.h"

enum mdev_state {
	MDEV_CREATING,
	MDEV_ACTIVE,
	MDEV_REMOVING,
};

extern const struct bus_type mdev_bus_type;
extern const struct attribute_group *mdev_device_groups[];

int mdev_device_create(struct mdev_type *type, const guid_t *uuid);
int mdev_device_begin_remove(struct mdev_device *mdev);
void mdev_device_finish_remove(struct mdev_device *mdev);

int mdev_parent_add_types(struct mdev_parent *parent);
void mdev_parent_remove_types(struct mdev_parent *parent);

int mdev_device_add_links(struct mdev_device *mdev);
void mdev_device_remove_links(struct mdev_device *mdev);

#endif /* MDEV_PRIVATE_H */
