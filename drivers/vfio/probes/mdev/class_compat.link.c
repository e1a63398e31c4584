// SPDX-License-Identifier: GPL-2.0-only
/* The link in /sys/class/mdev_bus: that one only, from 6.14 on */
#include <linux/device.h>
#include <linux/device/class.h>

int probe(struct class_compat *cls, struct device *dev)
{
	class_compat_remove_link(cls, dev);
	return class_compat_create_link(cls, dev);
}
