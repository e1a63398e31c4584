// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl stop: remove an instance.
 *
 * As with start, the kernel decides, and the tool looks around only when the kernel has refused.
 *
 * Of a device in use the kernel asks the user to give it up, and waits. How long is a parameter of
 * the module, for everybody; --timeout is for this call: a shorter one interrupts the kernel's
 * waiting, a longer one asks again.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "action.h"
#include "commands.h"
#include "holder.h"
#include "kmsg.h"
#include "out.h"
#include "sysfs.h"
#include "uuid.h"

/* The kernel writes a line for each refusal. */
#define ASK_AGAIN_MS 1000

struct stop {
	const char *uuid;
	const char *timeout;	/* in seconds, or NULL: as long as the kernel waits */
};

static int report_not_active(const char *uuid)
{
	if (sysfs_is_shell(uuid)) {
		out_error(0, "Device %s cannot be stopped any more: its parent has gone", uuid);
		out_hint("It disappears when it is closed. 'mdev-ctl who %s' shows who has it "
			 "open.", uuid);
		return EXIT_FAILED;
	}
	out_error(0, "No active mediated device %s", uuid);
	out_hint("'mdev-ctl list' shows the active ones.");
	return EXIT_FAILED;
}

static void hint_in_use(const char *uuid)
{
	struct holders users = { 0 };

	if (holder_find(&users, uuid) || !users.count)
		out_hint("The device is in use. Shut down the virtual machine that has it, or "
			 "unplug the device from it, and try again.");
	else if (users.holder->vm)
		out_hint("Virtual machine '%s' has it (%s, process %ld). Shut it down, or unplug "
			 "the device from it, and try again.", users.holder->vm,
			 users.holder->command, users.holder->pid);
	else
		out_hint("Process %ld (%s) has it open. End it, and try again.",
			 users.holder->pid, users.holder->command);
	holder_free(&users);
}

static int report_failure(const struct stop *stop, int err)
{
	const char *uuid = stop->uuid;
	int missing = err == -ENOENT || err == -ENODEV || err == -ENOTDIR;

	if (missing && !sysfs_is_dir(SYSFS_INSTANCE, uuid))
		return report_not_active(uuid);

	if (err == -EINTR)
		out_error(-EBUSY, "Error removing device %s: it is still in use after %s s", uuid,
			  stop->timeout);
	else
		out_error(err, "Error removing device %s", uuid);
	if (err == -EBUSY || err == -EINTR)
		hint_in_use(uuid);
	else if (missing || err == -EAGAIN)
		out_hint("It is being removed already. 'mdev-ctl list' shows when it is gone.");
	else if (err == -EACCES || err == -EPERM)
		out_hint("Removing devices takes the rights of root.");
	else
		out_hint("The kernel log may say why.");
	return EXIT_FAILED;
}

static void time_is_over(int number)
{
	(void)number;
	sysfs_impatient = 1;
}

/* The signal comes again and again, because the first may come just before the call. */
static void set_alarm(const char *seconds)
{
	const struct sigaction action = { .sa_handler = time_is_over };
	struct itimerval timer = {
		.it_value = { .tv_sec = strtol(seconds, NULL, 10), .tv_usec = 1000 },
		.it_interval = { .tv_usec = 100000 },
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void clear_alarm(void)
{
	const struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
	sysfs_impatient = 0;
}

static int remove_instance(const struct stop *stop)
{
	const struct timespec pause = { .tv_nsec = ASK_AGAIN_MS % 1000 * 1000000L,
					.tv_sec = ASK_AGAIN_MS / 1000 };
	int err;

	if (!stop->timeout)
		return sysfs_write_string("1", SYSFS_INSTANCE "/remove", stop->uuid);
	set_alarm(stop->timeout);
	for (;;) {
		err = sysfs_write_string("1", SYSFS_INSTANCE "/remove", stop->uuid);
		if (err != -EBUSY)
			break;
		if (!sysfs_impatient)
			nanosleep(&pause, NULL);
		if (sysfs_impatient) {
			err = -EINTR;
			break;
		}
	}
	clear_alarm();
	return err;
}

/* For action_run() */
static int run_remove(void *data)
{
	const struct stop *stop = data;
	int log = kmsg_open();
	int err = remove_instance(stop);

	kmsg_close(log, stop->uuid);
	if (err)
		return report_failure(stop, err);
	out_reason(NULL);
	return EXIT_OK;
}

static const char *check_timeout(const char *value)
{
	const char *reason = args_check_count(value);

	return reason || strtoul(value, NULL, 10) <= 86400 ? reason : "more than a day";
}

enum { STOP_UUID = ARGS_HELP + 1, STOP_FORCE, STOP_TIMEOUT };
static const struct args_option stop_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .help = "The device to stop",
	  .check = args_check_uuid },
	ARGS_FORCE_ROW,
	{ .name = "timeout", .metavar = "SEC", .check = check_timeout,
	  .help = "How long its user has to give it up (default: the kernel's, 30)" },
};

static int check_stop(const struct args_command *cmd, const struct args *args)
{
	if (!args->value[STOP_UUID])
		return args_error(cmd, "The argument '--uuid <UUID>' is required");
	return 0;
}

static int run_stop(const struct args_command *cmd, const struct args *args)
{
	char text[UUID_TEXT_SIZE];
	struct stop stop = {
		.uuid = args_uuid(args, STOP_UUID, text),
		.timeout = args->value[STOP_TIMEOUT],
	};
	struct sysfs_instance active;
	struct config config;
	int err;

	(void)cmd;
	if (sysfs_require())
		return EXIT_FAILED;
	err = sysfs_read_instance(&active, stop.uuid);
	if (err)
		return sysfs_vanished(err) ? report_not_active(stop.uuid) :
					     report_failure(&stop, err);
	config_init(&config, active.type);
	err = action_run(ACTION_STOP, active.parent, stop.uuid, &config,
			 !!args->value[STOP_FORCE], run_remove, &stop);
	config_free(&config);
	sysfs_free_instance(&active);
	return err;
}

const struct args_command cmd_stop = {
	.name = "stop",
	.usage = "mdev-ctl stop -u <UUID> [--timeout <SEC>] [-f]",
	.summary = "Stop a mediated device",
	ARGS_OPTIONS(stop_options),
	.check = check_stop,
	.run = run_stop,
};
