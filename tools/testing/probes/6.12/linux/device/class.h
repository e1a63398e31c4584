/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
struct class_compat;
struct device;
int class_compat_create_link(struct class_compat *cls, struct device *dev, struct device *device_link);
void class_compat_remove_link(struct class_compat *cls, struct device *dev, struct device *device_link);
