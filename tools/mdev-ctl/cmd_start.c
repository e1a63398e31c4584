// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl start: make an instance.
 *
 * The kernel decides. Nothing is looked up beforehand, since it could be wrong a moment later;
 * the UUID is written to the type's `create`, and only when the kernel refuses are the parent,
 * the type and the instances looked at, to say what was in the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commands.h"
#include "out.h"
#include "sysfs.h"
#include "uuid.h"

struct request {
	char uuid[UUID_TEXT_SIZE];
	const char *parent;
	const char *type;
};

static int report_no_parent(const char *parent)
{
	struct sysfs_names names;
	const char *similar = NULL;

	if (sysfs_list(&names, SYSFS_PARENTS) || !names.count) {
		out_error(0, "Unable to find parent device '%s'", parent);
		out_hint("No parent is registered. Load the parent's driver and bind the physical "
			 "device to it.");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < names.count && !similar; i++)
		if (!strcasecmp(names.name[i], parent))
			similar = names.name[i];
	if (similar) {
		out_error(0, "Unable to find parent device '%s'. Did you mean '%s'?", parent,
			  similar);
	} else {
		out_error(0, "Unable to find parent device '%s'", parent);
		out_hint("'mdev-ctl types' shows the parents that are registered.");
	}
	sysfs_free_names(&names);
	return EXIT_FAILED;
}

static int report_create(const struct request *req, int err, const char *hint)
{
	out_error(err, "Failed to create mdev %s, type %s on %s", req->uuid, req->type,
		  req->parent);
	if (hint)
		out_hint("%s", hint);
	return EXIT_FAILED;
}

static int report_missing(const struct request *req, int err)
{
	if (!sysfs_is_dir(SYSFS_PARENT, req->parent))
		return report_no_parent(req->parent);
	if (!sysfs_is_dir(SYSFS_TYPES, req->parent)) {
		out_error(0, "Parent %s is not currently registered for mdev support", req->parent);
		out_hint("Its driver may be starting or being unbound; 'mdev-ctl types' shows what "
			 "is registered.");
		return EXIT_FAILED;
	}
	if (!sysfs_is_dir(SYSFS_TYPE, req->parent, req->type)) {
		out_error(0, "Parent %s does not support mdev type %s", req->parent, req->type);
		out_hint("'mdev-ctl types -p %s' shows the types that it has.", req->parent);
		return EXIT_FAILED;
	}
	return report_create(req, err, "The parent came or went while the device was being "
			     "created. Try again.");
}

static int report_taken(const struct request *req, int err)
{
	struct sysfs_instance holder;

	if (sysfs_read_instance(&holder, req->uuid)) {
		out_error(err, "Device already exists");
		out_hint("%s is being created or removed right now. Try again.", req->uuid);
		return EXIT_FAILED;
	}
	if (strcmp(holder.parent, req->parent))
		out_error(err, "Device exists under different parent");
	else if (strcmp(holder.type, req->type))
		out_error(err, "Device exists with different type");
	else
		out_error(err, "Device already exists");
	out_hint("%s is active on %s with type %s. Use it, stop it, or choose another UUID.",
		 req->uuid, holder.parent, holder.type);
	sysfs_free_instance(&holder);
	return EXIT_FAILED;
}

static int report_exhausted(const struct request *req, int err)
{
	char *available = NULL;

	out_error(err, "No available instances of %s on %s", req->type, req->parent);
	if (!sysfs_read_string(&available, SYSFS_TYPE "/available_instances", req->parent,
			       req->type) && atol(available) > 0)
		out_hint("Something was freed meanwhile: %s can be created now. Try again.",
			 available);
	else
		out_hint("Stop a device on %s that is not needed ('mdev-ctl list -p %s'), "
			 "or choose a type of which some are left ('mdev-ctl types -p %s').",
			 req->parent, req->parent, req->parent);
	free(available);
	return EXIT_FAILED;
}

static int report_failure(const struct request *req, int err)
{
	switch (-err) {
	case ENOENT:
	case ENOTDIR:
		return report_missing(req, err);
	case EEXIST:
		return report_taken(req, err);
	case ENOSPC:
	case EUSERS:
		return report_exhausted(req, err);
	case ENODEV:
		return report_create(req, err, "The parent is going away: its driver is being "
				     "unbound or unloaded. 'mdev-ctl types' shows what is still "
				     "registered.");
	case EBUSY:
		return report_create(req, err, "The physical device is busy. Stop what else uses "
				     "it, or try again; the kernel log may name it.");
	case EINVAL:
		return report_create(req, err, "The parent's driver does not make this type as the "
				     "physical device is set up now. The kernel log may say why.");
	case EACCES:
	case EPERM:
		return report_create(req, err, "Creating devices takes the rights of root.");
	default:
		return report_create(req, err, "The kernel log may say why.");
	}
}

enum { START_UUID = ARGS_HELP + 1, START_PARENT, START_TYPE };
static const struct args_option start_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .check = args_check_uuid,
	  .help = "The new device's UUID; if left out, a random one is taken and printed" },
	{ .letter = 'p', .name = "parent", .metavar = "PARENT",
	  .help = "The parent that makes it", .check = args_check_name },
	{ .letter = 't', .name = "type", .metavar = "TYPE",
	  .help = "What to make, see 'mdev-ctl types'", .check = args_check_name },
};

static int check_request(const struct args_command *cmd, const struct args *args)
{
	const char *parent = args->value[START_PARENT], *type = args->value[START_TYPE];

	if (!args->value[START_UUID] && !parent)
		return args_error(cmd, "At least one of '--uuid <UUID>' and '--parent <PARENT>' "
				  "is required");
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
	return EXIT_OK;
}

static int run_start(const struct args_command *cmd, const struct args *args)
{
	const char *wanted = args->value[START_UUID];
	struct request req = {
		.parent = args->value[START_PARENT],
		.type = args->value[START_TYPE],
	};
	int err = check_request(cmd, args);
	struct uuid uuid;

	if (err)
		return err;
	if (sysfs_require())
		return EXIT_FAILED;
	err = wanted ? uuid_parse(&uuid, wanted) : uuid_random(&uuid);
	if (err)
		return out_error(err, "Unable to choose a UUID");
	uuid_format(&uuid, req.uuid);

	err = sysfs_write_string(req.uuid, SYSFS_TYPE "/create", req.parent, req.type);
	if (err)
		return report_failure(&req, err);
	if (wanted)
		return EXIT_OK;
	out_printf("%s\n", req.uuid);
	err = out_flush();
	if (err)
		out_hint("The device was started all the same: %s", req.uuid);
	return err;
}

const struct args_command cmd_start = {
	.name = "start",
	.usage = "mdev-ctl start [-u <UUID>] -p <PARENT> -t <TYPE>",
	.summary = "Start a mediated device",
	ARGS_OPTIONS(start_options),
	.run = run_start,
};
