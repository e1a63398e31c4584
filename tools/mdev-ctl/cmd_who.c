// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl who: the processes that have a device open.
 *
 * One line each: process, command, and the name of the virtual machine if it is QEMU's and has
 * one. Nothing is printed of a device that nobody has open.
 */
#include <errno.h>

#include <json-c/json.h>

#include "commands.h"
#include "holder.h"
#include "json.h"
#include "out.h"
#include "sysfs.h"

enum { WHO_JSON = ARGS_HELP + 1 };
static const struct args_option who_options[] = {
	ARGS_HELP_ROW,
	{ .name = "json", .help = "Print JSON" },
};

static int check_who(const struct args_command *cmd, const struct args *args)
{
	const char *reason;

	if (!args->operand)
		return args_error(cmd, "The argument '<UUID>' is required");
	reason = args_check_uuid(args->operand);
	if (!reason)
		return 0;
	return args_error(cmd, "Invalid value '%s' for '<UUID>': %s", args->operand, reason);
}

static void print_text(const struct holders *found)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct holder *holder = &found->holder[i];

		out_printf("%ld %s %s\n", holder->pid, holder->command,
			   holder->vm ? holder->vm : "-");
	}
}

static void print_json(const struct holders *found, const char *uuid)
{
	struct json_object *array = json_array();

	for (size_t i = 0; i < found->count; i++) {
		const struct holder *holder = &found->holder[i];
		struct json_object *object = json_new_object();

		json_put_string(object, "uuid", uuid);
		json_put(object, "pid", json_object_new_int64(holder->pid));
		json_put_string(object, "command", holder->command);
		json_put_string(object, "vm", holder->vm);
		json_add(array, object);
	}
	out_json(array);
	out_printf("\n");
}

static int run_who(const struct args_command *cmd, const struct args *args)
{
	char text[UUID_TEXT_SIZE];
	struct holders found;
	struct uuid uuid;
	int err;

	(void)cmd;
	if (uuid_parse(&uuid, args->operand) || sysfs_require())
		return EXIT_FAILED;
	uuid_format(&uuid, text);
	err = holder_find(&found, text);
	if (err == -ENOENT) {
		out_error(0, "No active mediated device %s", text);
		out_hint("'mdev-ctl list' shows the active ones.");
		return EXIT_FAILED;
	}
	if (err)
		return out_error(err, "Unable to look at the processes");
	if (found.is_partial)
		out_warning("not all processes can be looked into; that takes the rights of root");
	if (args->value[WHO_JSON])
		print_json(&found, text);
	else
		print_text(&found);
	holder_free(&found);
	return out_flush();
}

const struct args_command cmd_who = {
	.name = "who",
	.usage = "mdev-ctl who [--json] <UUID>",
	.summary = "Show which process, and virtual machine, has a device open",
	.operand = "UUID",
	ARGS_OPTIONS(who_options),
	.check = check_who,
	.run = run_who,
};
