// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl stop: remove an instance.
 *
 * As with start, the kernel decides, and the tool looks around only when the kernel has refused.
 */
#include <errno.h>

#include "commands.h"
#include "out.h"
#include "sysfs.h"
#include "uuid.h"

static int report_not_active(const char *uuid)
{
	out_error(0, "No active mediated device %s", uuid);
	out_hint("'mdev-ctl list' shows the active ones.");
	return EXIT_FAILED;
}

static int report_failure(const char *uuid, int err)
{
	int missing = err == -ENOENT || err == -ENODEV || err == -ENOTDIR;

	if (missing && !sysfs_is_dir(SYSFS_INSTANCE, uuid))
		return report_not_active(uuid);

	out_error(err, "Error removing device %s", uuid);
	if (err == -EBUSY)
		out_hint("The device is in use. Shut down the virtual machine that has it, or "
			 "unplug the device from it, and try again.");
	else if (missing || err == -EAGAIN)
		out_hint("It is being removed already. 'mdev-ctl list' shows when it is gone.");
	else if (err == -EACCES || err == -EPERM)
		out_hint("Removing devices takes the rights of root.");
	else
		out_hint("The kernel log may say why.");
	return EXIT_FAILED;
}

enum { STOP_UUID = ARGS_HELP + 1 };
static const struct args_option stop_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .help = "The device to stop",
	  .check = args_check_uuid },
};

static int run_stop(const struct args_command *cmd, const struct args *args)
{
	char text[UUID_TEXT_SIZE];
	struct uuid uuid;
	int err;

	if (!args->value[STOP_UUID] || uuid_parse(&uuid, args->value[STOP_UUID]))
		return args_error(cmd, "The argument '--uuid <UUID>' is required");
	if (sysfs_require())
		return EXIT_FAILED;
	uuid_format(&uuid, text);
	err = sysfs_write_string("1", SYSFS_INSTANCE "/remove", text);
	return err ? report_failure(text, err) : EXIT_OK;
}

const struct args_command cmd_stop = {
	.name = "stop",
	.usage = "mdev-ctl stop -u <UUID>",
	.summary = "Stop a mediated device",
	ARGS_OPTIONS(stop_options),
	.run = run_stop,
};
