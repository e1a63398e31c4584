/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices: what the files of mdev-core.ko share
 *
 * Lock order, outermost first:
 *
 *	mdev_parent.unreg_sem
 *	  device_lock() of the instance, taken by the driver core
 *	    whatever the driver's callbacks take
 *
 * The stores of "create" and "remove" run inside a sysfs active reference,
 * which unregistration waits for while it holds unreg_sem for writing.
 * They therefore only ever try to take unreg_sem, and a writer of "remove" that
 * waits for an instance's user, or for somebody who has device_lock() for as long
 * as that user likes, holds none of these locks. A create that fails waits for the
 * active reference, too, so a writer of "remove" never waits for a create.
 *
 * The list of shells has a spinlock of its own, under which nothing else is taken.
 */
#ifndef MDEV_PRIVATE_H
#define MDEV_PRIVATE_H

#include <linux/mdev.h>

#include "mdev_compat.h"

enum mdev_state {
	MDEV_CREATING,
	MDEV_ACTIVE,
	MDEV_ASKING,
	MDEV_REMOVING,
};

extern const struct bus_type mdev_bus_type;
extern const struct attribute_group *mdev_device_groups[];

struct mdev_driver *mdev_device_driver(struct mdev_device *mdev);

int mdev_device_create(struct mdev_type *type, const guid_t *uuid);
bool mdev_device_is_created(struct mdev_device *mdev);
int mdev_device_begin_remove(struct mdev_device *mdev, unsigned int *attempt);
void mdev_device_finish_remove(struct mdev_device *mdev);
void mdev_device_destroy(struct mdev_device *mdev);
int mdev_device_ask_locked(struct mdev_device *mdev, unsigned int attempt);

int mdev_parent_add_types(struct mdev_parent *parent);
void mdev_parent_remove_types(struct mdev_parent *parent);

int mdev_device_add_links(struct mdev_device *mdev);
void mdev_device_remove_links(struct mdev_device *mdev);
void mdev_device_remove_files(struct mdev_device *mdev);

int mdev_rival_init(void);
void mdev_rival_exit(void);

int mdev_shell_make(struct mdev_device *mdev);
void mdev_shell_reap(void);
int mdev_shell_init(void);
void mdev_shell_exit(void);

#endif /* MDEV_PRIVATE_H */
