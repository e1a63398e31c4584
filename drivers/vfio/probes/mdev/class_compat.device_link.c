// SPDX-License-Identifier: GPL-2.0-only
/* The link in /sys/class/mdev_bus: with a second one, to a device */
#include <linux/device.h>
#include <linux/device/class.h>

int probe(struct class_compat *cls, struct device *dev)
{
	class_compat_remove_link(cls, dev, NULL);
	return class_compat_create_link(cls, dev, NULL);
}
