// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl: lists, starts and stops mediated devices.
 *
 * The tool holds no state. The kernel knows what there is and decides what can be done; a
 * command asks it through sysfs and puts the answer in words. Command line and output are those
 * of mdevctl, for people and programs who know that.
 *
 * Exit codes: 0 done, 1 the command failed, 2 the command line is wrong.
 */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "out.h"
#include "sysfs.h"

static const char *check_root(const char *value)
{
	/* Otherwise --root "$DIR" with an unset DIR would mean the real system. */
	return *value ? NULL : "the directory is empty";
}

enum { MAIN_VERSION = ARGS_HELP + 1, MAIN_ROOT };
static const struct args_option main_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'V', .name = "version", .help = "Print the version", .ends = 1 },
	{ .name = "root", .metavar = "DIR", .check = check_root,
	  .help = "Use DIR/sys instead of /sys (default: $MDEV_CTL_ROOT)" },
};

static const struct args_command program = {
	.usage = "mdev-ctl [--root <DIR>] <COMMAND> [OPTIONS]",
	.summary = "Lists, starts and stops mediated devices.",
	ARGS_OPTIONS(main_options),
};

static int run_help(const struct args_command *cmd, const struct args *args);

static const struct args_option help_options[] = { ARGS_HELP_ROW };
static const struct args_command cmd_help = {
	.name = "help",
	.usage = "mdev-ctl help [COMMAND]",
	.summary = "Print help, also on one command",
	.operand = "COMMAND",
	ARGS_OPTIONS(help_options),
	.run = run_help,
};

static const struct args_command *const commands[] = {
	&cmd_list, &cmd_start, &cmd_stop, &cmd_types, &cmd_help,
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct args_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void print_help(const struct args_command *cmd)
{
	out_printf("%s\n\nUsage: %s\n\n", cmd->summary, cmd->usage);
	if (!cmd->name) {
		out_printf("Commands:\n");
		for (size_t i = 0; i < COMMANDS; i++)
			out_printf("  %-7s %s\n", commands[i]->name, commands[i]->summary);
		out_printf("\n");
	}
	args_print_options(cmd);
}

static int unknown_command(const char *name)
{
	return args_error(&program, "The subcommand '%s' wasn't recognized", name);
}

static int run_help(const struct args_command *cmd, const struct args *args)
{
	cmd = args->operand ? find_command(args->operand) : &program;
	if (!cmd)
		return unknown_command(args->operand);
	print_help(cmd);
	return out_flush();
}

static int run_command(int argc, char **argv)
{
	const struct args_command *cmd = find_command(argv[0]);
	struct args args;

	if (!cmd)
		return unknown_command(argv[0]);
	if (args_parse(cmd, argc - 1, argv + 1, &args) < 0)
		return EXIT_USAGE;
	if (args.value[ARGS_HELP]) {
		print_help(cmd);
		return out_flush();
	}
	return cmd->run(cmd, &args);
}

static void set_root(const char *option)
{
	const char *root = option ? option : getenv("MDEV_CTL_ROOT");

	if (root)
		sysfs_set_root(root);
}

int main(int argc, char **argv)
{
	struct args args;
	int used;

	signal(SIGPIPE, SIG_IGN);

	used = args_parse(&program, argc - 1, argv + 1, &args);
	if (used < 0)
		return EXIT_USAGE;
	if (args.value[ARGS_HELP]) {
		print_help(&program);
		return out_flush();
	}
	if (args.value[MAIN_VERSION]) {
		out_printf("mdev-ctl %s\n", MDEV_CTL_VERSION);
		return out_flush();
	}
	if (used >= argc - 1) {
		print_help(&program);
		out_flush_to(STDERR_FILENO);
		return EXIT_USAGE;
	}

	set_root(args.value[MAIN_ROOT]);
	return run_command(argc - 1 - used, argv + 1 + used);
}
