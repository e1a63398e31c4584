// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl doctor: whether mediated devices can work here, and what to do if not.
 *
 * All checks are made, whatever the first ones find. A failed one means that no device can be
 * started, or given to a virtual machine; the exit code is 1 then.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "commands.h"
#include "doctor.h"
#include "json.h"
#include "out.h"

static const char *const status_names[] = { "ok", "warning", "failed" };
static struct json_object *results;
static enum doctor_status worst;

void doctor_tell(enum doctor_status status, const char *check, const char *advice,
		 const char *fmt, ...)
{
	struct json_object *result;
	char *message;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
	if (status > worst)
		worst = status;
	if (results) {
		result = json_new_object();
		json_put_string(result, "check", check);
		json_put_string(result, "status", status_names[status]);
		json_put_string(result, "message", message);
		json_put_string(result, "advice", advice);
		json_add(results, result);
	} else {
		out_printf("%-8s %s: %s\n", status_names[status], check, message);
		if (advice)
			out_printf("         -> %s\n", advice);
	}
	free(message);
}

enum { DOCTOR_JSON = ARGS_HELP + 1 };
static const struct args_option doctor_options[] = {
	ARGS_HELP_ROW,
	{ .name = "json", .help = "Print JSON" },
};

static int run_doctor(const struct args_command *cmd, const struct args *args)
{
	int err;

	(void)cmd;
	if (args->value[DOCTOR_JSON])
		results = json_array();
	doctor_check_kernel();
	doctor_check_modules();
	doctor_check_vfio();
	doctor_check_limits();
	doctor_check_parents();
	doctor_check_devices();
	if (results) {
		out_json(results);
		out_printf("\n");
	}
	err = out_flush();
	return err ? err : worst == DOCTOR_FAIL ? EXIT_FAILED : EXIT_OK;
}

const struct args_command cmd_doctor = {
	.name = "doctor",
	.usage = "mdev-ctl doctor [--json]",
	.summary = "Check whether mediated devices can work here, and say what to do",
	ARGS_OPTIONS(doctor_options),
	.run = run_doctor,
};
