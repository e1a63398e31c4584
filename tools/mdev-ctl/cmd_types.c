// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl types: what each parent can make, and how many more of each.
 *
 * A parent or type that goes away while it is being read is left out, as if the command had
 * come later. A value that cannot be understood is a failure: it says that the parent's driver
 * is broken, and a listing without the type would hide it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "commands.h"
#include "json.h"
#include "out.h"
#include "sysfs.h"

struct type {
	long long available;
	char *device_api;
	char *name;		/* both may be "" */
	char *description;
};

static int read_optional(char **value, const char *parent, const char *type, const char *attribute)
{
	int err = sysfs_read_string(value, SYSFS_TYPE "/%s", parent, type, attribute);

	if (err == -ENOENT) {
		*value = strdup("");
		if (!*value)
			out_of_memory();
		err = 0;
	}
	return err;
}

static int read_available(long long *available, const char *parent, const char *type)
{
	char *value, *end;
	int err;

	err = sysfs_read_string(&value, SYSFS_TYPE "/available_instances", parent, type);
	if (err)
		return err;

	errno = 0;
	*available = strtoll(value, &end, 10);
	if (errno || end == value || *end)
		err = -EBADMSG;
	free(value);
	return err;
}

/* One description may have several lines; a listing has one for it. */
static char *join_lines(char *value)
{
	size_t extra = 0;
	char *joined, *to;

	for (char *c = value; *c; c++)
		extra += *c == '\n';
	joined = malloc(strlen(value) + extra + 1);
	if (!joined)
		out_of_memory();
	to = joined;
	for (char *c = value; *c; c++) {
		if (*c == '\n') {
			*to++ = ',';
			*to++ = ' ';
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	free(value);
	return joined;
}

static void free_type(struct type *type)
{
	free(type->device_api);
	free(type->name);
	free(type->description);
}

static int read_type(struct type *type, const char *parent, const char *name)
{
	int err;

	*type = (struct type){ 0 };
	err = read_available(&type->available, parent, name);
	if (!err)
		err = sysfs_read_string(&type->device_api, SYSFS_TYPE "/device_api", parent, name);
	if (!err)
		err = read_optional(&type->name, parent, name, "name");
	if (!err)
		err = read_optional(&type->description, parent, name, "description");
	if (err)
		free_type(type);
	else
		type->description = join_lines(type->description);
	return err;
}

static void print_type(const char *name, const struct type *type)
{
	out_printf("  %s\n    Available instances: %lld\n    Device API: %s\n", name,
		   type->available, type->device_api);
	if (*type->name)
		out_printf("    Name: %s\n", type->name);
	if (*type->description)
		out_printf("    Description: %s\n", type->description);
}

static struct json_object *type_to_json(const struct type *type)
{
	struct json_object *object = json_new_object();

	json_put(object, "available_instances", json_object_new_int64(type->available));
	json_put_string(object, "device_api", type->device_api);
	if (*type->name)
		json_put_string(object, "name", type->name);
	if (*type->description)
		json_put_string(object, "description", type->description);
	return object;
}

/* With json NULL, prints. Returns 0 or -errno, of which only the serious ones are reported. */
static int show_type(const char *parent, const char *name, struct json_object *json)
{
	struct type type;
	int err = read_type(&type, parent, name);

	if (err) {
		if (err == -EBADMSG)
			out_error(0, "available_instances of type %s on %s is not a number", name,
				  parent);
		else if (!sysfs_vanished(err))
			out_error(err, "Unable to read type %s of parent %s", name, parent);
		return err;
	}
	if (json)
		json_append(json, name, type_to_json(&type));
	else
		print_type(name, &type);
	free_type(&type);
	return 0;
}

static int show_parent(const char *parent, struct json_object *json)
{
	struct json_object *types_json = NULL;
	struct names types;
	int err = sysfs_list(&types, SYSFS_TYPES, parent);

	if (err) {
		if (!sysfs_vanished(err))
			out_error(err, "Unable to read the types of parent %s", parent);
		return err;
	}

	if (json) {
		types_json = json_array();
		json_put(json, parent, types_json);
	} else {
		out_printf("%s\n", parent);
	}
	for (size_t i = 0; i < types.count; i++) {
		err = show_type(parent, types.name[i], types_json);
		if (err && !sysfs_vanished(err))
			break;
		err = 0;
	}
	names_free(&types);
	return err;
}

static int show_all(struct json_object *json)
{
	struct names parents;
	int err = sysfs_list(&parents, SYSFS_PARENTS);

	if (err) {
		if (!sysfs_vanished(err))
			out_error(err, "Unable to list the parents");
		return err;
	}
	for (size_t i = 0; i < parents.count; i++) {
		err = show_parent(parents.name[i], json);
		if (err && !sysfs_vanished(err))
			break;
		err = 0;
	}
	names_free(&parents);
	return err;
}

enum { TYPES_PARENT = ARGS_HELP + 1, TYPES_DUMPJSON };
static const struct args_option types_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'p', .name = "parent", .metavar = "PARENT", .help = "Only this parent",
	  .check = args_check_name },
	{ .name = "dumpjson", .help = "Print JSON" },
};

static int run_types(const struct args_command *cmd, const struct args *args)
{
	const char *parent = args->value[TYPES_PARENT];
	struct json_object *json = NULL;
	int err;

	(void)cmd;
	if (sysfs_require())
		return EXIT_FAILED;
	if (args->value[TYPES_DUMPJSON])
		json = json_new_object();


	err = parent ? show_parent(parent, json) : show_all(json);
	if (err && !sysfs_vanished(err)) {
		json_object_put(json);
		return EXIT_FAILED;
	}
	if (json)
		out_json(json_listing(json));
	return out_flush();
}

const struct args_command cmd_types = {
	.name = "types",
	.usage = "mdev-ctl types [-p <PARENT>] [--dumpjson]",
	.summary = "List the types of mediated devices that parents can make",
	ARGS_OPTIONS(types_options),
	.run = run_types,
};
