// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl list: the active devices, or the defined ones.
 *
 * A program that reads JSON takes it for the whole truth, so anything but a race that keeps a
 * device from being read is a failure. A shell is in the text only: it has neither parent nor
 * type, and nothing can be done with it. Called as mdevctl, the tool does not show it at all.
 */
#include <string.h>

#include "commands.h"
#include "device.h"
#include "out.h"
#include "root.h"
#include "sysfs.h"

static void print_attrs(const struct config *config)
{
	if (!config->attrs)
		return;
	out_printf("  Attrs:\n");
	for (size_t i = 0; i < config->attrs; i++)
		out_printf("    @{%zu}: {\"%s\":\"%s\"}\n", i, config->attr[i].name,
			   config->attr[i].value);
}

static const char *remark(const struct device *device, int list_defined)
{
	if (device->is_shell)
		return " (shell)";
	if (list_defined)
		return device->is_active ? " (active)" : "";
	return device->is_defined ? " (defined)" : "";
}

static void print_text(const struct devices *devices, int list_defined, int verbose)
{
	for (size_t i = 0; i < devices->count; i++) {
		const struct device *device = &devices->device[i];

		if (device->is_misnamed)
			continue;
		out_printf("%s %s %s %s%s\n", device->uuid, device->parent, device->config.type,
			   device->config.autostart ? "auto" : "manual",
			   remark(device, list_defined));
		if (verbose)
			print_attrs(&device->config);
	}
}

/* [{"PARENT": [{"UUID": {..}}, ..], ..}], or [] */
static void print_json(const struct devices *devices)
{
	struct json_writer writer = { .stream = out_stream(), .format = JSON_PRETTY };
	const char *parent = NULL;

	json_write_open(&writer, '[');
	for (size_t i = 0; i < devices->count && !devices->device[i].is_shell; i++) {
		const struct device *device = &devices->device[i];

		if (!parent)
			json_write_open(&writer, '{');
		if (!parent || strcmp(device->parent, parent)) {
			if (parent)
				json_write_close(&writer, ']');
			parent = device->parent;
			json_write_key(&writer, parent);
			json_write_open(&writer, '[');
		}
		json_write_open(&writer, '{');
		json_write_key(&writer, device->uuid);
		config_write(&writer, &device->config);
		json_write_close(&writer, '}');
	}
	if (parent) {
		json_write_close(&writer, ']');
		json_write_close(&writer, '}');
	}
	json_write_close(&writer, ']');
}

static void print_one(const struct config *config)
{
	struct json_writer writer = { .stream = out_stream(), .format = JSON_PRETTY };

	config_write(&writer, config);
}

enum {
	LIST_VERSION = ARGS_HELP + 1, LIST_DEFINED, LIST_DUMPJSON, LIST_VERBOSE, LIST_UUID,
	LIST_PARENT
};
static const struct args_option list_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'V', .name = "version", .help = "Print the version", .ends = 1 },
	{ .letter = 'd', .name = "defined", .help = "The defined devices, not the active ones" },
	{ .name = "dumpjson", .help = "Print JSON" },
	{ .letter = 'v', .name = "verbose", .help = "Print attributes too" },
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .help = "Only this mediated device",
	  .check = args_check_uuid },
	{ .letter = 'p', .name = "parent", .metavar = "PARENT",
	  .help = "Only children of this parent", .check = args_check_name },
};

static int find(struct devices *devices, const char *parent, const char *uuid, int list_defined)
{
	if (list_defined)
		return device_find_defined(devices, parent, uuid) ? EXIT_FAILED : EXIT_OK;
	if (sysfs_require() || device_find_active(devices, parent, uuid))
		return EXIT_FAILED;
	for (size_t i = 0; i < devices->count; i++)
		device_ask_attrs(&devices->device[i]);
	return EXIT_OK;
}

static int run_list(const struct args_command *cmd, const struct args *args)
{
	int list_defined = !!args->value[LIST_DEFINED];
	char text[UUID_TEXT_SIZE];
	const char *uuid = args_uuid(args, LIST_UUID, text);
	struct devices devices;

	(void)cmd;
	if (args->value[LIST_VERSION]) {
		out_printf("%s-list %s\n", version_name(), version_number());
		return out_flush();
	}
	if (find(&devices, args->value[LIST_PARENT], uuid, list_defined))
		return EXIT_FAILED;
	if (!args->value[LIST_DUMPJSON])
		print_text(&devices, list_defined, !!args->value[LIST_VERBOSE]);
	else if (uuid && devices.count == 1 && !devices.device->is_shell)
		print_one(&devices.device->config);
	else
		print_json(&devices);
	device_free(&devices);
	return out_flush();
}

const struct args_command cmd_list = {
	.name = "list",
	.usage = "mdev-ctl list [-d] [-u <UUID>] [-p <PARENT>] [-v] [--dumpjson]",
	.summary = "List the mediated devices that are active, or defined",
	ARGS_OPTIONS(list_options),
	.run = run_list,
};
