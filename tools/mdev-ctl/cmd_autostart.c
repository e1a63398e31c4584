// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl start-parent-mdevs: start what a new parent should have.
 *
 * The udev rule runs it whenever a parent is registered, and a person may run it at any time:
 * what is active already is left alone. It goes on after a failure, and tells for each device
 * what has become of it. The exit code is 0 nevertheless, as udev could do nothing about it.
 */
#include "action.h"
#include "commands.h"
#include "out.h"
#include "start.h"
#include "store.h"

static void autostart_one(const struct definition *definition)
{
	struct start start = {
		.uuid = definition->uuid,
		.parent = definition->parent,
		.config = &definition->config,
	};

	if (start_is_done(&start)) {
		out_note("%s: is active already", start.uuid);
		return;
	}
	out_subject(start.uuid);
	if (!start_check(&start) &&
	    !action_run(ACTION_START, start.parent, start.uuid, start.config, 0, start_run,
			&start))
		out_note("%s: started", start.uuid);
	out_subject(NULL);
}

enum { AUTOSTART_SYSLOG = ARGS_HELP + 1 };
static const struct args_option autostart_options[] = {
	ARGS_HELP_ROW,
	{ .name = "syslog", .help = "Tell the results to the system's log, too" },
};

static int check_autostart(const struct args_command *cmd, const struct args *args)
{
	const char *reason;

	if (!args->operand)
		return args_error(cmd, "The argument '<PARENT>' is required");
	reason = args_check_name(args->operand);
	if (!reason)
		return 0;
	return args_error(cmd, "Invalid value '%s' for '<PARENT>': %s", args->operand, reason);
}

static int run_autostart(const struct args_command *cmd, const struct args *args)
{
	struct definitions found;

	(void)cmd;
	if (args->value[AUTOSTART_SYSLOG])
		out_use_syslog();
	if (store_find(&found, args->operand, NULL))
		return EXIT_FAILED;
	for (size_t i = 0; i < found.count; i++)
		if (found.definition[i].config.autostart)
			autostart_one(&found.definition[i]);
	store_free(&found);
	return EXIT_OK;
}

const struct args_command cmd_autostart = {
	.name = "start-parent-mdevs",
	.usage = "mdev-ctl start-parent-mdevs [--syslog] <PARENT>",
	.summary = "Start the devices that a parent is to have (the udev rule does this)",
	.operand = "PARENT",
	ARGS_OPTIONS(autostart_options),
	.check = check_autostart,
	.hidden = 1,
	.run = run_autostart,
};
