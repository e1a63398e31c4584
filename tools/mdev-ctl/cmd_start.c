// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl start: make a device active.
 *
 * What it is made with comes from its definition, from a JSON file, or from the command line;
 * in the last two cases it is gone for good when it is stopped.
 */
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "commands.h"
#include "out.h"
#include "start.h"
#include "store.h"
#include "sysfs.h"
#include "uuid.h"

enum { START_UUID = ARGS_HELP + 1, START_PARENT, START_TYPE, START_JSONFILE, START_FORCE };
static const struct args_option start_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .check = args_check_uuid,
	  .help = "The device; if left out, a random UUID is taken and printed" },
	{ .letter = 'p', .name = "parent", .metavar = "PARENT",
	  .help = "The parent that makes it", .check = args_check_name },
	{ .letter = 't', .name = "type", .metavar = "TYPE",
	  .help = "What to make, see 'mdev-ctl types'", .check = args_check_name },
	{ .name = "jsonfile", .metavar = "FILE", .help = "Take type and attributes from FILE" },
	ARGS_FORCE_ROW,
};

static int check_start(const struct args_command *cmd, const struct args *args)
{
	return args_require(cmd, args, START_UUID, START_PARENT) ? :
	       args_exclude(cmd, args, START_JSONFILE, START_TYPE);
}

static int take_definition(struct start *start, struct config *config,
			   struct definitions *found, const char *type)
{
	struct definition *definition = found->definition;

	if (found->count > 1) {
		out_error(0, "Multiple definitions found for device %s. Please specify a parent.",
			  start->uuid);
		return EXIT_FAILED;
	}
	if (type && strcmp(type, definition->config.type)) {
		out_error(0, "Device %s already exists on parent %s with type %s", start->uuid,
			  definition->parent, definition->config.type);
		out_hint("Leave --type out to start it as it is defined.");
		return EXIT_FAILED;
	}
	start->parent = names_copy(definition->parent);
	config_copy(config, &definition->config);
	return EXIT_OK;
}

static int take_arguments(struct start *start, struct config *config, const char *parent,
			  const char *type)
{
	if (type && !parent) {
		out_error(0, "can't provide type without parent");
		out_hint("Add --parent; 'mdev-ctl types' shows which parents have type %s.", type);
		return EXIT_FAILED;
	}
	if (!parent || !type) {
		out_error(0, "Device is insufficiently specified");
		out_hint("Add %s; 'mdev-ctl types' shows what can be started.",
			 parent ? "--type" : "--parent and --type");
		return EXIT_FAILED;
	}
	start->parent = names_copy(parent);
	config_init(config, type);
	return EXIT_OK;
}

static int take_jsonfile(struct start *start, struct config *config, const char *parent,
			 const char *file)
{
	if (store_read_jsonfile(config, file))
		return EXIT_FAILED;
	if (!parent) {
		out_error(0, "Parent device required to start device via json file");
		return EXIT_FAILED;
	}
	start->parent = names_copy(parent);
	return EXIT_OK;
}

/* The parent of start, and config, belong to the caller also when this fails. */
static int specify(struct start *start, struct config *config, const struct args *args)
{
	const char *parent = args->value[START_PARENT], *type = args->value[START_TYPE];
	struct definitions found = { 0 };
	int err;

	if (args->value[START_JSONFILE])
		return take_jsonfile(start, config, parent, args->value[START_JSONFILE]);
	if (args->value[START_UUID] && store_find(&found, parent, start->uuid))
		return EXIT_FAILED;
	if (found.count)
		err = take_definition(start, config, &found, type);
	else
		err = take_arguments(start, config, parent, type);
	store_free(&found);
	return err;
}

static int start_one(struct start *start, int print, int force)
{
	int err = start_check(start);

	if (!err)
		err = action_run(ACTION_START, start->parent, start->uuid, start->config, force,
				 start_run, start);
	if (err || !print)
		return err;
	out_printf("%s\n", start->uuid);
	err = out_flush();
	if (err)
		out_hint("The device was started all the same: %s", start->uuid);
	return err;
}

static int run_start(const struct args_command *cmd, const struct args *args)
{
	struct config config = { 0 };
	char text[UUID_TEXT_SIZE];
	struct start start = { .uuid = text, .config = &config };
	int given = !!args_uuid(args, START_UUID, text);
	struct uuid uuid;
	int err;

	(void)cmd;
	if (!given) {
		err = uuid_random(&uuid);
		if (err)
			return out_error(err, "Unable to choose a UUID");
		uuid_format(&uuid, text);
	}
	err = specify(&start, &config, args);
	if (!err)
		err = sysfs_require();
	if (!err)
		err = start_one(&start, !given, !!args->value[START_FORCE]);
	free((char *)start.parent);
	config_free(&config);
	return err;
}

const struct args_command cmd_start = {
	.name = "start",
	.usage = "mdev-ctl start [-u <UUID>] [-p <PARENT>] [-t <TYPE> | --jsonfile <FILE>] [-f]",
	.summary = "Start a mediated device",
	ARGS_OPTIONS(start_options),
	.check = check_start,
	.run = run_start,
};
