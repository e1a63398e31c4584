// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices, active and defined.
 *
 * Of an active device, the kernel has parent and type, callout scripts have the attributes, and
 * when it starts is in its definition, if there is one on that parent. A defined device is active
 * if an instance of its UUID has the parent and the type of the definition.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "callout.h"
#include "device.h"
#include "names.h"
#include "out.h"
#include "root.h"
#include "store.h"
#include "sysfs.h"

static struct device *add(struct devices *found, const char *uuid, const char *parent)
{
	struct device *device;

	if (!(found->count & (found->count - 1))) {
		size_t size = found->count ? found->count * 2 : 1;

		found->device = reallocarray(found->device, size, sizeof(*device));
		if (!found->device)
			out_of_memory();
	}
	device = &found->device[found->count++];
	*device = (struct device){ .parent = names_copy(parent) };
	strcpy(device->uuid, uuid);
	return device;
}

static void add_shell(struct devices *found, const char *uuid, const char *parent)
{
	struct device *device;

	/* Whoever means mdevctl does not expect it in a listing. */
	if (parent || root_is_mdevctl() || !sysfs_is_shell(uuid))
		return;
	device = add(found, uuid, "-");
	config_init(&device->config, "-");
	device->is_active = device->is_shell = 1;
}

static void take_definition(struct device *device)
{
	struct config defined;
	int err = store_peek(&defined, device->parent, device->uuid);

	device->is_defined = err != -ENOENT;
	if (err)
		return;
	device->config.autostart = defined.autostart;
	config_free(&defined);
}

static int add_active(struct devices *found, int instances, const char *uuid, const char *parent)
{
	struct sysfs_instance instance;
	struct device *device;
	int err = sysfs_read_instance_at(&instance, instances, uuid);

	if (sysfs_vanished(err)) {
		add_shell(found, uuid, parent);
		return 0;
	}
	if (err) {
		out_error(err, "Unable to read mediated device %s", uuid);
		return err;
	}
	if (!parent || !strcmp(parent, instance.parent)) {
		device = add(found, uuid, instance.parent);
		config_init(&device->config, instance.type);
		device->is_active = 1;
		take_definition(device);
	}
	sysfs_free_instance(&instance);
	return 0;
}

static int add_all(struct devices *found, int instances, const struct names *names,
		   const char *parent)
{
	int err = 0;

	for (size_t i = 0; i < names->count && !err; i++) {
		char text[UUID_TEXT_SIZE];
		struct uuid uuid;

		if (uuid_parse(&uuid, names->name[i]))
			continue;
		uuid_format(&uuid, text);
		err = add_active(found, instances, text, parent);
	}
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct device *one = a, *other = b;
	int order = one->is_shell - other->is_shell;

	if (!order)
		order = strcmp(one->parent, other->parent);
	return order ? order : strcmp(one->uuid, other->uuid);
}

static int find_all_active(struct devices *found, int instances, const char *parent)
{
	struct names names;
	int err = sysfs_list(&names, SYSFS_INSTANCES);

	if (sysfs_vanished(err))
		return 0;
	if (err) {
		out_error(err, "Unable to list the mediated devices");
		return err;
	}
	err = add_all(found, instances, &names, parent);
	names_free(&names);
	if (found->count)
		qsort(found->device, found->count, sizeof(*found->device), compare);
	return err;
}

int device_find_active(struct devices *found, const char *parent, const char *uuid)
{
	int instances = sysfs_open_instances();
	int err;

	*found = (struct devices){ 0 };
	if (sysfs_vanished(instances))
		return 0;
	if (instances < 0) {
		out_error(instances, "Unable to list the mediated devices");
		return instances;
	}
	err = uuid ? add_active(found, instances, uuid, parent) :
		     find_all_active(found, instances, parent);
	close(instances);
	if (err)
		device_free(found);
	return err;
}

void device_ask_attrs(struct device *device)
{
	const struct callout_device callout = {
		.parent = device->parent,
		.type = device->config.type,
		.uuid = device->uuid,
	};
	char reason[CALLOUT_REASON_SIZE];

	if (!device->is_shell)
		callout_get_attrs(&callout, &device->config, reason);
}

static int is_active(int instances, const struct definition *definition)
{
	struct sysfs_instance instance;
	int active;

	if (sysfs_read_instance_at(&instance, instances, definition->uuid))
		return 0;
	active = !strcmp(instance.parent, definition->parent) &&
		 !strcmp(instance.type, definition->config.type);
	sysfs_free_instance(&instance);
	return active;
}

static int compare_name(const void *name, const void *other)
{
	return strcmp(name, *(char *const *)other);
}

/* names: those of all instances, which saves looking at each that is not there; or NULL */
static int can_be_active(const struct names *names, const char *uuid)
{
	return !names || (names->count && bsearch(uuid, names->name, names->count,
						  sizeof(*names->name), compare_name));
}

int device_find_defined(struct devices *found, const char *parent, const char *uuid)
{
	struct definitions definitions;
	struct names names = { 0 };
	int err = store_find(&definitions, parent, uuid);
	int instances, is_listed;

	*found = (struct devices){ 0 };
	if (err)
		return err;
	instances = sysfs_open_instances();
	if (!uuid)
		err = sysfs_list(&names, SYSFS_INSTANCES);
	is_listed = !uuid && (!err || sysfs_vanished(err));
	for (size_t i = 0; i < definitions.count; i++) {
		struct definition *definition = &definitions.definition[i];
		struct device *device = add(found, definition->uuid, definition->parent);

		device->is_active = can_be_active(is_listed ? &names : NULL, definition->uuid) &&
				    is_active(instances, definition);
		device->is_defined = 1;
		device->is_misnamed = definition->misnamed;
		device->config = definition->config;
		definition->config = (struct config){ 0 };
	}
	if (instances >= 0)
		close(instances);
	names_free(&names);
	store_free(&definitions);
	return 0;
}

void device_free(struct devices *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->device[i].parent);
		config_free(&found->device[i].config);
	}
	free(found->device);
	*found = (struct devices){ 0 };
}
