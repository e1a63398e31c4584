// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl list: the active instances.
 *
 * An instance that goes away while it is being read is left out, as is one so new that its type
 * cannot be seen yet. Programs take the listing for the whole truth, so anything else that
 * keeps an instance from being read is a failure.
 */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "commands.h"
#include "out.h"
#include "sysfs.h"
#include "uuid.h"

struct active {
	char uuid[UUID_TEXT_SIZE];
	struct sysfs_instance instance;
};

struct actives {
	struct active *active;
	size_t count;
};

/* Returns 0 or -errno, which has been reported. actives has room for one more. */
static int add_instance(struct actives *actives, const char *uuid, const char *parent)
{
	struct active *active = &actives->active[actives->count];
	int err = sysfs_read_instance(&active->instance, uuid);

	if (sysfs_vanished(err))
		return 0;
	if (err) {
		out_error(err, "Unable to read mediated device %s", uuid);
		return err;
	}
	if (parent && strcmp(parent, active->instance.parent)) {
		sysfs_free_instance(&active->instance);
		return 0;
	}
	strcpy(active->uuid, uuid);
	actives->count++;
	return 0;
}

static int add_all(struct actives *actives, const struct sysfs_names *names, const char *parent)
{
	for (size_t i = 0; i < names->count; i++) {
		char text[UUID_TEXT_SIZE];
		struct uuid uuid;
		int err;

		if (uuid_parse(&uuid, names->name[i]))
			continue;
		uuid_format(&uuid, text);
		err = add_instance(actives, text, parent);
		if (err)
			return err;
	}
	return 0;
}

static void make_room(struct actives *actives, size_t count)
{
	actives->active = calloc(count, sizeof(*actives->active));
	if (!actives->active)
		out_of_memory();
}

static int find_all(struct actives *actives, const char *parent)
{
	struct sysfs_names names;
	int err = sysfs_list(&names, SYSFS_INSTANCES);

	if (sysfs_vanished(err))
		return 0;
	if (err) {
		out_error(err, "Unable to list the mediated devices");
		return err;
	}
	make_room(actives, names.count + 1);
	err = add_all(actives, &names, parent);
	sysfs_free_names(&names);
	return err;
}

static int find_one(struct actives *actives, const char *uuid, const char *parent)
{
	make_room(actives, 1);
	return add_instance(actives, uuid, parent);
}

static int compare_actives(const void *a, const void *b)
{
	const struct active *one = a, *other = b;
	int order = strcmp(one->instance.parent, other->instance.parent);

	return order ? order : strcmp(one->uuid, other->uuid);
}

static void free_actives(struct actives *actives)
{
	for (size_t i = 0; i < actives->count; i++)
		sysfs_free_instance(&actives->active[i].instance);
	free(actives->active);
}

static void print_text(const struct actives *actives)
{
	for (size_t i = 0; i < actives->count; i++) {
		const struct active *active = &actives->active[i];

		out_printf("%s %s %s manual\n", active->uuid, active->instance.parent,
			   active->instance.type);
	}
}

static struct json_object *active_to_json(const struct active *active)
{
	struct json_object *object = json_object_new_object();

	json_put(object, "mdev_type", json_object_new_string(active->instance.type));
	json_put(object, "start", json_object_new_string("manual"));
	json_put(object, "attrs", json_array());
	return object;
}

static struct json_object *actives_to_json(const struct actives *actives)
{
	struct json_object *parents = json_object_new_object();
	struct json_object *children = NULL;

	if (!parents)
		out_of_memory();
	for (size_t i = 0; i < actives->count; i++) {
		const struct active *active = &actives->active[i];

		if (!i || strcmp(active->instance.parent, active[-1].instance.parent)) {
			children = json_array();
			json_put(parents, active->instance.parent, children);
		}
		json_append(children, active->uuid, active_to_json(active));
	}
	return json_listing(parents);
}

enum { LIST_VERSION = ARGS_HELP + 1, LIST_UUID, LIST_PARENT, LIST_VERBOSE, LIST_DUMPJSON };
static const struct args_option list_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'V', .name = "version", .help = "Print the version", .ends = 1 },
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .help = "Only this mediated device",
	  .check = args_check_uuid },
	{ .letter = 'p', .name = "parent", .metavar = "PARENT",
	  .help = "Only children of this parent", .check = args_check_name },
	{ .letter = 'v', .name = "verbose",
	  .help = "Print attributes too (active devices have none to show)" },
	{ .name = "dumpjson", .help = "Print JSON" },
};

static int run_list(const struct args_command *cmd, const struct args *args)
{
	const char *parent = args->value[LIST_PARENT];
	struct actives actives = { 0 };
	char text[UUID_TEXT_SIZE];
	struct uuid uuid;
	int by_uuid, err;

	(void)cmd;
	if (args->value[LIST_VERSION]) {
		out_printf("mdev-ctl-list %s\n", MDEV_CTL_VERSION);
		return out_flush();
	}
	if (sysfs_require())
		return EXIT_FAILED;

	by_uuid = args->value[LIST_UUID] && !uuid_parse(&uuid, args->value[LIST_UUID]);
	if (by_uuid) {
		uuid_format(&uuid, text);
		err = find_one(&actives, text, parent);
	} else {
		err = find_all(&actives, parent);
	}
	if (err) {
		free_actives(&actives);
		return EXIT_FAILED;
	}

	if (actives.count)
		qsort(actives.active, actives.count, sizeof(*actives.active), compare_actives);
	if (!args->value[LIST_DUMPJSON])
		print_text(&actives);
	else if (by_uuid && actives.count)
		out_json(active_to_json(&actives.active[0]));
	else
		out_json(actives_to_json(&actives));
	free_actives(&actives);
	return out_flush();
}

const struct args_command cmd_list = {
	.name = "list",
	.usage = "mdev-ctl list [-u <UUID>] [-p <PARENT>] [-v] [--dumpjson]",
	.summary = "List the active mediated devices",
	ARGS_OPTIONS(list_options),
	.run = run_list,
};
