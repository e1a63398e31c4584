// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl undefine: remove definitions.
 *
 * All that a device has, on however many parents. One that cannot be removed does not keep the
 * others. An active device stays active.
 */
#include "action.h"
#include "commands.h"
#include "out.h"
#include "store.h"
#include "uuid.h"

enum { UNDEFINE_UUID = ARGS_HELP + 1, UNDEFINE_PARENT, UNDEFINE_FORCE };
static const struct args_option undefine_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .help = "The device",
	  .check = args_check_uuid },
	{ .letter = 'p', .name = "parent", .metavar = "PARENT",
	  .help = "Only its definition on this parent", .check = args_check_name },
	ARGS_FORCE_ROW,
};

static int check_undefine(const struct args_command *cmd, const struct args *args)
{
	if (!args->value[UNDEFINE_UUID])
		return args_error(cmd, "The argument '--uuid <UUID>' is required");
	return 0;
}

/* For action_run() */
static int remove_definition(void *data)
{
	const struct definition *definition = data;

	return store_remove(definition->parent, definition->uuid) ? EXIT_FAILED : EXIT_OK;
}

static int undefine_all(struct definitions *found, int force)
{
	int failed = 0;

	for (size_t i = 0; i < found->count; i++) {
		struct definition *definition = &found->definition[i];

		if (found->count > 1)
			out_subject(definition->parent);
		if (action_run(ACTION_UNDEFINE, definition->parent, definition->uuid,
			       &definition->config, force, remove_definition, definition))
			failed = 1;
		out_subject(NULL);
	}
	if (failed && found->count > 1)
		out_error(0, "Undefine failed");
	return failed ? EXIT_FAILED : EXIT_OK;
}

static int run_undefine(const struct args_command *cmd, const struct args *args)
{
	struct definitions found;
	char text[UUID_TEXT_SIZE];
	int err;

	(void)cmd;
	if (store_find(&found, args->value[UNDEFINE_PARENT], args_uuid(args, UNDEFINE_UUID, text)))
		return EXIT_FAILED;
	if (!found.count) {
		out_error(0, "No devices match the specified uuid");
		out_hint("'mdev-ctl list -d' shows what is defined.");
		return EXIT_FAILED;
	}
	err = undefine_all(&found, !!args->value[UNDEFINE_FORCE]);
	store_free(&found);
	return err;
}

const struct args_command cmd_undefine = {
	.name = "undefine",
	.usage = "mdev-ctl undefine -u <UUID> [-p <PARENT>] [-f]",
	.summary = "Remove the definition of a device",
	ARGS_OPTIONS(undefine_options),
	.check = check_undefine,
	.run = run_undefine,
};
