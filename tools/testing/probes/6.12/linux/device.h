/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/types.h>
struct bus_type;
struct device {
	const struct bus_type *bus;
};
struct device_driver {
	const struct bus_type *bus;
};
struct bus_type {
	int (*match)(struct device *dev, const struct device_driver *drv);
};
int bus_register(const struct bus_type *bus);
int device_driver_attach(const struct device_driver *drv, struct device *dev);
