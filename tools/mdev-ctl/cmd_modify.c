// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl modify: change a definition, or an active device.
 *
 * A definition is read, changed and written back. When somebody else has changed it in between,
 * that begins again, scripts included, because what they have agreed to was something else.
 *
 * An active device is changed by a callout script that knows how (--live), and by nobody else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "action.h"
#include "commands.h"
#include "out.h"
#include "store.h"
#include "sysfs.h"
#include "uuid.h"

enum {
	MODIFY_UUID = ARGS_HELP + 1, MODIFY_PARENT, MODIFY_TYPE, MODIFY_ADDATTR, MODIFY_DELATTR,
	MODIFY_INDEX, MODIFY_VALUE, MODIFY_AUTO, MODIFY_MANUAL, MODIFY_LIVE, MODIFY_DEFINED,
	MODIFY_JSONFILE, MODIFY_FORCE
};
static const struct args_option modify_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .help = "The device",
	  .check = args_check_uuid },
	{ .letter = 'p', .name = "parent", .metavar = "PARENT", .help = "Its parent",
	  .check = args_check_name },
	{ .letter = 't', .name = "type", .metavar = "TYPE", .help = "Give it another type, too",
	  .check = args_check_name },
	{ .name = "addattr", .metavar = "NAME", .help = "Add an attribute, to be set at start",
	  .check = args_check_attr },
	{ .name = "delattr", .help = "Remove an attribute, the last one without --index" },
	{ .letter = 'i', .name = "index", .metavar = "N", .help = "Its place, from 0",
	  .check = args_check_count },
	{ .name = "value", .metavar = "V", .help = "What the added attribute is set to",
	  .check = args_check_text },
	{ .letter = 'a', .name = "auto", .help = "Start it whenever its parent appears" },
	{ .letter = 'm', .name = "manual", .help = "Do not start it by itself" },
	{ .letter = 'l', .name = "live", .help = "Change the active device, by a callout script" },
	{ .letter = 'd', .name = "defined", .help = "Change the definition (with --live: too)" },
	{ .name = "jsonfile", .metavar = "FILE", .help = "Replace all but UUID and parent" },
	ARGS_FORCE_ROW,
};

/* Pairs that exclude each other, in the order in which they are named */
static const int excludes[][2] = {
	{ MODIFY_AUTO, MODIFY_MANUAL }, { MODIFY_AUTO, MODIFY_ADDATTR },
	{ MODIFY_AUTO, MODIFY_DELATTR }, { MODIFY_AUTO, MODIFY_JSONFILE },
	{ MODIFY_MANUAL, MODIFY_ADDATTR }, { MODIFY_MANUAL, MODIFY_DELATTR },
	{ MODIFY_MANUAL, MODIFY_JSONFILE }, { MODIFY_ADDATTR, MODIFY_DELATTR },
	{ MODIFY_ADDATTR, MODIFY_JSONFILE }, { MODIFY_DELATTR, MODIFY_JSONFILE },
	{ MODIFY_AUTO, MODIFY_INDEX }, { MODIFY_AUTO, MODIFY_VALUE },
	{ MODIFY_MANUAL, MODIFY_INDEX }, { MODIFY_MANUAL, MODIFY_VALUE },
	{ MODIFY_DELATTR, MODIFY_VALUE }, { MODIFY_JSONFILE, MODIFY_TYPE },
	{ MODIFY_JSONFILE, MODIFY_INDEX }, { MODIFY_JSONFILE, MODIFY_VALUE },
	{ MODIFY_LIVE, MODIFY_TYPE }, { MODIFY_LIVE, MODIFY_INDEX },
	{ MODIFY_LIVE, MODIFY_VALUE },
};

static int check_modify(const struct args_command *cmd, const struct args *args)
{
	const char *const *value = args->value;

	for (size_t i = 0; i < sizeof(excludes) / sizeof(*excludes); i++)
		if (args_exclude(cmd, args, excludes[i][0], excludes[i][1]))
			return EXIT_USAGE;
	if (!value[MODIFY_UUID])
		return args_error(cmd, "The argument '--uuid <UUID>' is required");
	if (!value[MODIFY_AUTO] && !value[MODIFY_MANUAL] && !value[MODIFY_ADDATTR] &&
	    !value[MODIFY_DELATTR] && !value[MODIFY_JSONFILE])
		return args_error(cmd, "One of '--auto', '--manual', '--addattr <NAME>', "
				  "'--delattr' and '--jsonfile <FILE>' is required");
	if (!value[MODIFY_ADDATTR] != !value[MODIFY_VALUE])
		return args_error(cmd, "'--addattr <NAME>' and '--value <V>' go together");
	return 0;
}

static int report_index(const char *uuid, const struct config *config, unsigned long index)
{
	if (!config->attrs) {
		out_error(0, "Attribute index %lu is invalid\nDevice %s has no attributes", index,
			  uuid);
		return EXIT_FAILED;
	}
	out_error(0, "Attribute index %lu is invalid", index);
	out_hint("'mdev-ctl list -dvu %s' shows its %zu attributes, with their indexes.", uuid,
		 config->attrs);
	return EXIT_FAILED;
}

static int add_attr(const char *uuid, struct config *config, const struct args *args)
{
	unsigned long index = config->attrs;

	if (args->value[MODIFY_INDEX])
		index = strtoul(args->value[MODIFY_INDEX], NULL, 10);
	if (index > config->attrs)
		return report_index(uuid, config, index);
	config_insert_attr(config, index, args->value[MODIFY_ADDATTR], args->value[MODIFY_VALUE]);
	return EXIT_OK;
}

static int remove_attr(const char *uuid, struct config *config, const struct args *args)
{
	unsigned long index = config->attrs - 1;

	if (args->value[MODIFY_INDEX])
		index = strtoul(args->value[MODIFY_INDEX], NULL, 10);
	else if (!config->attrs)
		return EXIT_OK;
	if (index >= config->attrs)
		return report_index(uuid, config, index);
	config_remove_attr(config, index);
	return EXIT_OK;
}

static int change(const char *uuid, struct config *config, const struct args *args)
{
	if (args->value[MODIFY_TYPE])
		config_set_type(config, args->value[MODIFY_TYPE]);
	if (args->value[MODIFY_AUTO] || args->value[MODIFY_MANUAL])
		config->autostart = !!args->value[MODIFY_AUTO];
	if (args->value[MODIFY_ADDATTR])
		return add_attr(uuid, config, args);
	if (args->value[MODIFY_DELATTR])
		return remove_attr(uuid, config, args);
	return EXIT_OK;
}

struct replacement {
	const char *parent;
	const char *uuid;
	const struct config *seen;	/* NULL: does not matter */
	struct config config;
};

/* For action_run() */
static int write_replacement(void *data)
{
	const struct replacement *new = data;
	int err = store_replace(new->parent, new->uuid, new->seen, &new->config);

	return err && err != -EAGAIN ? EXIT_FAILED : err;
}

static int replace(struct replacement *new, const struct args *args)
{
	return action_run(ACTION_MODIFY, new->parent, new->uuid, &new->config,
			  !!args->value[MODIFY_FORCE], write_replacement, new);
}

static int report_count(const char *uuid, const char *parent, size_t count)
{
	if (count) {
		out_error(0, "Multiple definitions found for %s, specify a parent", uuid);
		return EXIT_FAILED;
	}
	if (parent)
		out_error(0, "Mediated device %s/%s is not defined", parent, uuid);
	else
		out_error(0, "Mediated device %s is not defined", uuid);
	out_hint("'mdev-ctl list -d' shows what is defined.");
	return EXIT_FAILED;
}

/* One attempt; -EAGAIN: somebody else was faster. */
static int modify_once(const char *uuid, const struct args *args)
{
	struct definition *old;
	struct definitions found;
	int err;

	if (store_find(&found, args->value[MODIFY_PARENT], uuid))
		return EXIT_FAILED;
	old = found.definition;
	if (found.count == 1) {
		struct replacement new = {
			.parent = old->parent, .uuid = uuid, .seen = &old->config,
		};

		config_copy(&new.config, &old->config);
		err = change(uuid, &new.config, args);
		if (!err)
			err = replace(&new, args);
		config_free(&new.config);
	} else {
		err = report_count(uuid, args->value[MODIFY_PARENT], found.count);
	}
	store_free(&found);
	return err;
}

static int modify_definition(const char *uuid, const struct args *args)
{
	int err;

	/* Whoever was faster has got something done, so this comes to an end. */
	do {
		err = modify_once(uuid, args);
	} while (err == -EAGAIN);
	return err;
}

static int modify_by_file(const char *uuid, const struct args *args)
{
	struct replacement new = { .parent = args->value[MODIFY_PARENT], .uuid = uuid };
	int err;

	if (!new.parent) {
		out_error(0, "Parent device required to modify device via json file");
		return EXIT_FAILED;
	}
	if (store_read_jsonfile(&new.config, args->value[MODIFY_JSONFILE]))
		return EXIT_FAILED;
	err = replace(&new, args);
	config_free(&new.config);
	return err;
}

static int check_live_type(const char *uuid, const struct sysfs_instance *active,
			   const struct config *config, int also_defined)
{
	struct config defined;
	int differs;

	if (strcmp(config->type, active->type)) {
		out_error(0, "'type' cannot be changed on active mdev");
		out_hint("It is active with type %s.", active->type);
		return EXIT_FAILED;
	}
	if (!also_defined)
		return EXIT_OK;
	switch (store_read(&defined, active->parent, uuid)) {
	case 0:
		break;
	case -ENOENT:
		return report_count(uuid, active->parent, 0);
	default:
		return EXIT_FAILED;
	}
	differs = strcmp(defined.type, active->type);
	config_free(&defined);
	if (!differs)
		return EXIT_OK;
	out_error(0, "'type' of active and defined mdev does not match");
	return EXIT_FAILED;
}

static int modify_active(const char *uuid, const struct sysfs_instance *active,
			 const struct args *args)
{
	struct replacement new = { .parent = active->parent, .uuid = uuid };
	int also_defined = !!args->value[MODIFY_DEFINED];
	int err;

	if (args->value[MODIFY_AUTO] || args->value[MODIFY_MANUAL])
		return out_error(0, "'%s' cannot be changed on active mdev",
				 args->value[MODIFY_AUTO] ? "auto" : "manual");
	if (!args->value[MODIFY_JSONFILE])
		return out_error(0, "'live' option must be used with 'jsonfile' option");
	if (store_read_jsonfile(&new.config, args->value[MODIFY_JSONFILE]))
		return EXIT_FAILED;
	err = check_live_type(uuid, active, &new.config, also_defined);
	if (!err)
		err = action_run_live(active->parent, uuid, &new.config);
	if (!err && also_defined)
		err = replace(&new, args);
	config_free(&new.config);
	return err;
}

static int modify_live(const char *uuid, const struct args *args)
{
	const char *parent = args->value[MODIFY_PARENT];
	struct sysfs_instance active = { 0 };
	int err;

	if (sysfs_read_instance(&active, uuid) || (parent && strcmp(parent, active.parent))) {
		out_error(0, "Mediated device %s%s%s is not active", parent ? parent : "",
			  parent ? "/" : "", uuid);
		out_hint("'mdev-ctl list' shows what is active.");
		err = EXIT_FAILED;
	} else {
		err = modify_active(uuid, &active, args);
	}
	sysfs_free_instance(&active);
	return err;
}

static int run_modify(const struct args_command *cmd, const struct args *args)
{
	char text[UUID_TEXT_SIZE];
	const char *uuid = args_uuid(args, MODIFY_UUID, text);

	(void)cmd;
	if (args->value[MODIFY_LIVE])
		return modify_live(uuid, args);
	if (args->value[MODIFY_JSONFILE])
		return modify_by_file(uuid, args);
	return modify_definition(uuid, args);
}

const struct args_command cmd_modify = {
	.name = "modify",
	.usage = "mdev-ctl modify -u <UUID> [-p <PARENT>] [OPTIONS]",
	.summary = "Change the definition of a device, or a device",
	ARGS_OPTIONS(modify_options),
	.check = check_modify,
	.run = run_modify,
};
