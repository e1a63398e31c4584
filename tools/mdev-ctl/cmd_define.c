// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl define: write down a device, so that it can be started later and at boot.
 *
 * Parent and type come from the command line, from a JSON file, or from an active device of that
 * UUID, whose attributes are then asked of callout scripts. Whether the parent is there, or
 * knows the type, does not matter before the device is started.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "action.h"
#include "commands.h"
#include "out.h"
#include "store.h"
#include "sysfs.h"
#include "uuid.h"

struct define {
	const char *uuid;
	char *parent;
	struct config config;
	int is_active;		/* on this parent, with this type */
};

enum {
	DEFINE_UUID = ARGS_HELP + 1, DEFINE_AUTO, DEFINE_PARENT, DEFINE_TYPE, DEFINE_JSONFILE,
	DEFINE_FORCE
};
static const struct args_option define_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .check = args_check_uuid,
	  .help = "The device; if left out, a random UUID is taken and printed" },
	{ .letter = 'a', .name = "auto", .help = "Start it whenever its parent appears" },
	{ .letter = 'p', .name = "parent", .metavar = "PARENT",
	  .help = "The parent that is to make it", .check = args_check_name },
	{ .letter = 't', .name = "type", .metavar = "TYPE",
	  .help = "What to make", .check = args_check_name },
	{ .name = "jsonfile", .metavar = "FILE", .help = "Take all but UUID and parent from FILE" },
	ARGS_FORCE_ROW,
};

static int check_define(const struct args_command *cmd, const struct args *args)
{
	return args_require(cmd, args, DEFINE_UUID, DEFINE_PARENT) ? :
	       args_exclude(cmd, args, DEFINE_JSONFILE, DEFINE_TYPE) ? :
	       args_exclude(cmd, args, DEFINE_JSONFILE, DEFINE_AUTO);
}

/* The file is looked at first, as mdevctl does it, and read when nothing else is in the way. */
static int specify_by_file(struct define *define, const char *parent, const char *file)
{
	if (access(file, R_OK))
		return out_error(errno, "Unable to read file \"%s\"", file);
	if (!parent) {
		out_error(0, "Parent device required to define device via \"%s\"", file);
		return EXIT_FAILED;
	}
	define->parent = names_copy(parent);
	if (store_has(parent, define->uuid)) {
		out_error(0, "Cowardly refusing to overwrite existing config for %s/%s", parent,
			  define->uuid);
		out_hint("'mdev-ctl modify --jsonfile' replaces it.");
		return EXIT_FAILED;
	}
	return store_read_jsonfile(&define->config, file) ? EXIT_FAILED : EXIT_OK;
}

static int specify_by_arguments(struct define *define, const char *parent, const char *type,
				int is_known)
{
	struct sysfs_instance active = { 0 };

	/* A type alone does not say enough, even of a device that is active. */
	if (is_known && (parent || !type) && !sysfs_read_instance(&active, define->uuid)) {
		define->is_active = (!parent || !strcmp(parent, active.parent)) &&
				    (!type || !strcmp(type, active.type));
		parent = parent ? parent : active.parent;
		type = type ? type : active.type;
	}
	if (parent && type) {
		define->parent = names_copy(parent);
		config_init(&define->config, type);
	}
	sysfs_free_instance(&active);
	if (define->parent)
		return EXIT_OK;
	out_error(0, parent ? "No type specified" : "No parent specified");
	out_hint("Add %s; only of a device that is active they are known. 'mdev-ctl types' shows "
		 "what there is.", parent ? "--type" : type ? "--parent" : "--parent and --type");
	return EXIT_FAILED;
}

static int report_defined(const struct define *define)
{
	out_error(0, "Device %s on %s already defined", define->uuid, define->parent);
	out_hint("'mdev-ctl modify' changes it, 'mdev-ctl undefine' removes it.");
	return EXIT_FAILED;
}

/* For action_run() */
static int write_definition(void *data)
{
	struct define *define = data;
	int err;

	if (define->is_active) {
		const struct callout_device device = {
			.parent = define->parent,
			.type = define->config.type,
			.uuid = define->uuid,
		};
		char reason[CALLOUT_REASON_SIZE];

		if (callout_get_attrs(&device, &define->config, reason))
			return out_error(0, "%s", reason);
	}
	err = store_create(define->parent, define->uuid, &define->config);
	if (err == -EEXIST)
		report_defined(define);
	return err ? EXIT_FAILED : EXIT_OK;
}

static int define_device(struct define *define, const struct args *args)
{
	const char *file = args->value[DEFINE_JSONFILE], *parent = args->value[DEFINE_PARENT];
	int err;

	if (file)
		err = specify_by_file(define, parent, file);
	else
		err = specify_by_arguments(define, parent, args->value[DEFINE_TYPE],
					   !!args->value[DEFINE_UUID]);
	if (err)
		return err;
	if (store_has(define->parent, define->uuid))
		return report_defined(define);
	if (!file)
		define->config.autostart = !!args->value[DEFINE_AUTO];
	return action_run(ACTION_DEFINE, define->parent, define->uuid, &define->config,
			  !!args->value[DEFINE_FORCE], write_definition, define);
}

static int run_define(const struct args_command *cmd, const struct args *args)
{
	char text[UUID_TEXT_SIZE];
	struct define define = { .uuid = text };
	int given = !!args_uuid(args, DEFINE_UUID, text);
	struct uuid uuid;
	int err;

	(void)cmd;
	if (!given) {
		err = uuid_random(&uuid);
		if (err)
			return out_error(err, "Unable to choose a UUID");
		uuid_format(&uuid, text);
	}
	err = define_device(&define, args);
	free(define.parent);
	config_free(&define.config);
	if (err || given)
		return err;
	out_printf("%s\n", text);
	err = out_flush();
	if (err)
		out_hint("The device was defined all the same: %s", text);
	return err;
}

const struct args_command cmd_define = {
	.name = "define",
	.usage = "mdev-ctl define [-u <UUID>] [-p <PARENT>] [-t <TYPE>] [-a] "
		 "[--jsonfile <FILE>] [-f]",
	.summary = "Write down a device that can be started later",
	ARGS_OPTIONS(define_options),
	.check = check_define,
	.run = run_define,
};
