// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: the core that the kernel brings
 *
 * Both have a bus "mdev" and a class "mdev_bus", so only one of the two can be
 * loaded, and the second is refused, whichever it is, before it has done anything.
 * Their structures differ. So do the names that drivers are linked by, see
 * <linux/mdev.h>, and a driver that was compiled for the one core cannot get hold
 * of the other, whatever the kernel knows of versions of symbols.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device/bus.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/string.h>

#include "mdev_private.h"

static int mdev_rival_notify(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *module = data;

	if (state != MODULE_STATE_COMING || strcmp(module->name, "mdev"))
		return NOTIFY_DONE;

	pr_err("refused the kernel's own mdev.ko: there can be one mdev core only, and this one is loaded; see \"rmmod\"\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block mdev_rival_block = { .notifier_call = mdev_rival_notify };

/* Whether there is a bus of that name; all are in the set that any one of them is in */
static bool mdev_rival_is_there(void)
{
	struct kobject *bus;

	bus = kset_find_obj(bus_get_kset(&platform_bus_type)->kobj.kset, mdev_bus_type.name);
	if (!bus)
		return false;
	kobject_put(bus);
	return true;
}

/* -EBUSY: the kernel's own core is there. Comes before anything of ours is */
int mdev_rival_init(void)
{
	int ret;

	ret = register_module_notifier(&mdev_rival_block);
	if (ret)
		return ret;

	if (mdev_rival_is_there()) {
		pr_err("there can be one mdev core only, and the kernel's own, mdev.ko, is loaded; see \"rmmod\"\n");
		unregister_module_notifier(&mdev_rival_block);
		return -EBUSY;
	}
	return 0;
}

void mdev_rival_exit(void)
{
	unregister_module_notifier(&mdev_rival_block);
}
