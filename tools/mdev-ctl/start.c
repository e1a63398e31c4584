// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making an instance, and setting its attributes.
 *
 * The kernel decides. That a device exists is looked up beforehand, because scripts need not be
 * bothered then; all else could be wrong a moment later. The UUID is written to the type's
 * `create`, and only when the kernel refuses are the parent, the type and the instances looked
 * at, to say what was in the way, and the kernel's log, to say it in the driver's words.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "kmsg.h"
#include "out.h"
#include "start.h"
#include "sysfs.h"

static int report_no_parent(const char *parent)
{
	struct names names;
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
	names_free(&names);
	return EXIT_FAILED;
}

static int report_create(const struct start *start, int err, const char *hint)
{
	out_error(err, "Failed to create mdev %s, type %s on %s", start->uuid, start->config->type,
		  start->parent);
	if (hint)
		out_hint("%s", hint);
	return EXIT_FAILED;
}

static int report_missing(const struct start *start, int err)
{
	if (!sysfs_is_dir(SYSFS_PARENT, start->parent))
		return report_no_parent(start->parent);
	if (!sysfs_is_dir(SYSFS_TYPES, start->parent)) {
		out_error(0, "Parent %s is not currently registered for mdev support", start->parent);
		out_hint("Its driver may be starting or being unbound; 'mdev-ctl types' shows what "
			 "is registered.");
		return EXIT_FAILED;
	}
	if (!sysfs_is_dir(SYSFS_TYPE, start->parent, start->config->type)) {
		out_error(0, "Parent %s does not support mdev type %s", start->parent, start->config->type);
		out_hint("'mdev-ctl types -p %s' shows the types that it has.", start->parent);
		return EXIT_FAILED;
	}
	return report_create(start, err, "The parent came or went while the device was being "
			     "created. Try again.");
}

static int report_shell(const struct start *start, int err)
{
	out_error(err, "Device %s is still open, although its parent has gone", start->uuid);
	out_hint("The parent's driver was unbound while a process had the device open, "
		 "'mdev-ctl who %s' shows which. When it has closed it, the UUID is free again.",
		 start->uuid);
	return EXIT_FAILED;
}

static int report_taken(const struct start *start, int err)
{
	struct sysfs_instance holder;

	if (sysfs_is_shell(start->uuid))
		return report_shell(start, err);
	if (sysfs_read_instance(&holder, start->uuid)) {
		out_error(err, "Device already exists");
		out_hint("%s is being created or removed right now. Try again.", start->uuid);
		return EXIT_FAILED;
	}
	if (strcmp(holder.parent, start->parent))
		out_error(err, "Device exists under different parent");
	else if (strcmp(holder.type, start->config->type))
		out_error(err, "Device exists with different type");
	else
		out_error(err, "Device already exists");
	out_hint("%s is active on %s with type %s. Use it, stop it, or choose another UUID.",
		 start->uuid, holder.parent, holder.type);
	sysfs_free_instance(&holder);
	return EXIT_FAILED;
}

static int report_exhausted(const struct start *start, int err)
{
	char *available = NULL;

	out_error(err, "No available instances of %s on %s", start->config->type, start->parent);
	if (!sysfs_read_string(&available, SYSFS_TYPE "/available_instances", start->parent,
			       start->config->type) && atol(available) > 0)
		out_hint("Something was freed meanwhile: %s can be created now. Try again.",
			 available);
	else
		out_hint("Stop a device on %s that is not needed ('mdev-ctl list -p %s'), "
			 "or choose a type of which some are left ('mdev-ctl types -p %s').",
			 start->parent, start->parent, start->parent);
	free(available);
	return EXIT_FAILED;
}

static int report_failure(const struct start *start, int err)
{
	switch (-err) {
	case ENOENT:
	case ENOTDIR:
		return report_missing(start, err);
	case EEXIST:
		return report_taken(start, err);
	case ENOSPC:
	case EUSERS:
		return report_exhausted(start, err);
	case ENODEV:
		return report_create(start, err, "The parent is going away: its driver is being "
				     "unbound or unloaded. 'mdev-ctl types' shows what is still "
				     "registered.");
	case EBUSY:
		return report_create(start, err, "The physical device is busy. Stop what else uses "
				     "it, or try again; the kernel log may name it.");
	case EINVAL:
		return report_create(start, err, "The parent's driver does not make this type as the "
				     "physical device is set up now. The kernel log may say why.");
	case EACCES:
	case EPERM:
		return report_create(start, err, "Creating devices takes the rights of root.");
	default:
		return report_create(start, err, "The kernel log may say why.");
	}
}

static int remove_again(const struct start *start)
{
	int err = sysfs_write_string("1", SYSFS_INSTANCE "/remove", start->uuid);

	if (!err)
		return EXIT_FAILED;
	out_error(err, "Error removing device %s", start->uuid);
	out_hint("It is active, and its attributes are not as they should be.");
	return EXIT_FAILED;
}

static int write_attr(const struct start *start, const struct config_attr *attr)
{
	int log = kmsg_open();
	int err = sysfs_write_below(attr->value, start->uuid, attr->name);

	kmsg_close(log, start->uuid);
	if (!err)
		out_reason(NULL);
	else if (err == -ENOENT || err == -ENOTDIR)
		out_error(0, "Invalid attribute '%s'", attr->name);
	else if (err == -ELOOP || err == -EXDEV)
		out_error(0, "Invalid attribute '%s': it leads out of the device", attr->name);
	else
		out_error(err, "Failed to write %s to attribute %s", attr->value, attr->name);
	return err;
}

static int write_attrs(const struct start *start)
{
	for (size_t i = 0; i < start->config->attrs; i++)
		if (write_attr(start, &start->config->attr[i]))
			return remove_again(start);
	return EXIT_OK;
}

static int type_is_empty(const struct start *start)
{
	char *available;
	int empty;

	if (sysfs_read_string(&available, SYSFS_TYPE "/available_instances", start->parent,
			      start->config->type))
		return 0;
	empty = !strcmp(available, "0");
	free(available);
	return empty;
}

static int create(const struct start *start)
{
	int was_empty = type_is_empty(start);
	int log = kmsg_open();
	int err = sysfs_write_string(start->uuid, SYSFS_TYPE "/create", start->parent,
				     start->config->type);

	kmsg_close(log, start->uuid);
	/* Of a type that had none left, a success has to be seen to be believed. */
	if (!err && was_empty && !sysfs_is_dir(SYSFS_INSTANCE, start->uuid))
		err = -ENOSPC;
	if (err)
		return report_failure(start, err);
	out_reason(NULL);
	return EXIT_OK;
}

int start_check(const struct start *start)
{
	if (sysfs_is_dir(SYSFS_INSTANCE, start->uuid))
		return report_taken(start, -EEXIST);
	return EXIT_OK;
}

int start_run(void *data)
{
	const struct start *start = data;

	return create(start) || write_attrs(start) ? EXIT_FAILED : EXIT_OK;
}

int start_is_done(const struct start *start)
{
	struct sysfs_instance instance;
	int done;

	if (sysfs_read_instance(&instance, start->uuid))
		return 0;
	done = !strcmp(instance.parent, start->parent) &&
	       !strcmp(instance.type, start->config->type);
	sysfs_free_instance(&instance);
	return done;
}
