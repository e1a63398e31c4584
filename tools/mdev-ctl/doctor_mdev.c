// SPDX-License-Identifier: GPL-2.0-only
/* The checks of mediated devices: parents, active devices, definitions, autostart. */
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "doctor.h"
#include "doctor_file.h"
#include "store.h"
#include "sysfs.h"

static void check_parent(const char *parent)
{
	unsigned long long available = 0;
	struct names types;
	char driver[256];

	doctor_link(driver, sizeof(driver), "/sys/" SYSFS_PARENT "/driver", parent);
	if (sysfs_list(&types, SYSFS_TYPES, parent))
		return;
	for (size_t i = 0; i < types.count; i++) {
		char *text;

		if (sysfs_read_string(&text, SYSFS_TYPE "/available_instances", parent,
				      types.name[i]))
			continue;
		if (strtoull(text, NULL, 10) > available)
			available = strtoull(text, NULL, 10);
		free(text);
	}
	doctor_tell(types.count ? DOCTOR_OK : DOCTOR_WARN, "parent",
		    types.count ? NULL : "See its driver's documentation.",
		    "%s, driver %s, %zu types, %llu of the smallest can be started", parent,
		    *driver ? driver : "none", types.count, available);
	names_free(&types);
}

void doctor_check_parents(void)
{
	struct names parents;

	if (sysfs_list(&parents, SYSFS_PARENTS) || !parents.count) {
		doctor_tell(DOCTOR_FAIL, "parent",
			    "Load the parent's driver and bind the physical device to it.",
			    "no device that can be split is registered");
		return;
	}
	for (size_t i = 0; i < parents.count; i++)
		check_parent(parents.name[i]);
	names_free(&parents);
}

/* A user who may open no group cannot use the device, root and libvirt can. */
static void check_nodes(const struct device *device)
{
	char number[64], path[128];
	struct stat st;

	doctor_link(number, sizeof(number), "/sys/" SYSFS_INSTANCE "/iommu_group", device->uuid);
	snprintf(path, sizeof(path), "/dev/vfio/%s", number);
	if (!*number)
		doctor_tell(DOCTOR_FAIL, "device", "Its driver did not bind; see the kernel's log.",
			    "%s has no IOMMU group", device->uuid);
	else if (!doctor_stat(&st, path))
		doctor_tell(DOCTOR_WARN, "device",
			    "udev makes it; is /dev a devtmpfs, or of a container?",
			    "%s: %s is not there", device->uuid, path);
	else
		doctor_tell(DOCTOR_OK, "device", NULL, "%s: %s, mode %03o, user %u, group %u",
			    device->uuid, path, st.st_mode & 0777, st.st_uid, st.st_gid);
}

static void check_active(void)
{
	struct devices devices;
	char advice[256];

	if (device_find_active(&devices, NULL, NULL))
		return;
	for (size_t i = 0; i < devices.count; i++) {
		if (!devices.device[i].is_shell) {
			check_nodes(&devices.device[i]);
			continue;
		}
		snprintf(advice, sizeof(advice), "'mdev-ctl who %s' shows the process.",
			 devices.device[i].uuid);
		doctor_tell(DOCTOR_WARN, "device", advice,
			    "%s is open, although its parent has gone", devices.device[i].uuid);
	}
	device_free(&devices);
}

static int has_rule(void)
{
	static const char *const rules[] = {
		"/etc/udev/rules.d/60-mdev-ctl.rules", "/usr/local/lib/udev/rules.d/60-mdev-ctl.rules",
		"/usr/lib/udev/rules.d/60-mdev-ctl.rules", "/lib/udev/rules.d/60-mdev-ctl.rules",
		"/etc/udev/rules.d/60-mdevctl.rules", "/usr/lib/udev/rules.d/60-mdevctl.rules",
		"/lib/udev/rules.d/60-mdevctl.rules",
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (doctor_exists(rules[i]))
			return 1;
	return 0;
}

void doctor_check_devices(void)
{
	struct definitions found;
	size_t automatic = 0;

	check_active();
	if (store_find(&found, NULL, NULL))
		return;
	for (size_t i = 0; i < found.count; i++)
		automatic += found.definition[i].config.autostart;
	if (automatic && !has_rule())
		doctor_tell(DOCTOR_WARN, "definitions",
			    "Install the udev rule: make -C tools/mdev-ctl install.",
			    "%zu, but no udev rule starts the %zu automatic ones", found.count,
			    automatic);
	else
		doctor_tell(DOCTOR_OK, "definitions", NULL, "%zu, %zu of them started by udev",
			    found.count, automatic);
	store_free(&found);
}
