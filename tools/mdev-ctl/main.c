// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl: administers mediated devices.
 *
 * The kernel knows what is active and decides what can be done; a command asks it through sysfs
 * and puts the answer in words. What is to be there again after a boot is in the files of
 * mdevctl. Command line and output are those of mdevctl, too, for people and programs who know
 * that, and doctor, stats and who come on top.
 *
 * Exit codes: 0 done, 1 the command failed, 2 the command line is wrong.
 */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "out.h"
#include "root.h"

/* The makefile says it */
#ifndef MDEV_CTL_VERSION
#define MDEV_CTL_VERSION "unknown"
#endif
/* Whose behaviour this is */
#define MDEVCTL_VERSION "1.4.0"

const char *version_name(void)
{
	return root_is_mdevctl() ? "mdevctl" : "mdev-ctl";
}

const char *version_number(void)
{
	return root_is_mdevctl() ? MDEVCTL_VERSION : MDEV_CTL_VERSION;
}

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
	  .help = "Use the system below DIR (default: $MDEV_CTL_ROOT)" },
};

static const struct args_command program = {
	.usage = "mdev-ctl [--root <DIR>] <COMMAND> [OPTIONS]",
	.summary = "Administers mediated devices.",
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
	&cmd_types, &cmd_list, &cmd_start, &cmd_stop, &cmd_define, &cmd_undefine, &cmd_modify,
	&cmd_stats, &cmd_who, &cmd_doctor, &cmd_help, &cmd_autostart,
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
		for (size_t i = 0; i < COMMANDS && !commands[i]->hidden; i++)
			out_printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
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

static int run_parsed(const struct args_command *cmd, int argc, char **argv)
{
	struct args args;

	if (args_parse(cmd, argc, argv, &args) < 0)
		return EXIT_USAGE;
	if (args.value[ARGS_HELP]) {
		print_help(cmd);
		return out_flush();
	}
	return cmd->run(cmd, &args);
}

static int run_command(int argc, char **argv)
{
	const struct args_command *cmd = find_command(argv[0]);

	if (!cmd)
		return unknown_command(argv[0]);
	return run_parsed(cmd, argc - 1, argv + 1);
}

static void set_root(const char *option)
{
	const char *root = option ? option : getenv("MDEV_CTL_ROOT");

	if (!root)
		root = getenv("MDEVCTL_ENV_ROOT");
	if (root)
		root_set(root);
}

static int ends_with(const char *string, const char *end)
{
	size_t len = strlen(string), end_len = strlen(end);

	return len >= end_len && !strcmp(string + len - end_len, end);
}

/* mdevctl does nothing, not even help, where it was not installed as a whole. */
static int check_installation(void)
{
	static const char *const required[] = {
		"/etc/mdevctl.d", "/usr/lib/mdevctl/scripts.d/callouts",
		"/usr/lib/mdevctl/scripts.d/notifiers",
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
		if (!root_path(path, "%s", required[i]) && !access(path, F_OK))
			continue;
		out_error(0, "Required directory \"%s\" doesn't exist. This may indicate a "
			  "packaging or installation error", path);
		out_hint("'make install' makes it. Called as mdev-ctl, this program does without.");
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

/*
 * Where a standard descriptor is closed, a file that is opened later would get its number, and what
 * is printed would go to that file. One that takes no output keeps the place.
 */
static void keep_standard_places(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *name = argc ? argv[0] : "";
	struct args args;
	int used;

	keep_standard_places();
	signal(SIGPIPE, SIG_IGN);
	/* Who ignores it does not learn of the end of a script. */
	signal(SIGCHLD, SIG_DFL);
	set_root(NULL);
	if (ends_with(name, "mdevctl") || ends_with(name, "lsmdev") || getenv("MDEVCTL_ENV_ROOT"))
		root_set_mdevctl();
	if (root_is_mdevctl() && check_installation())
		return EXIT_FAILED;
	if (ends_with(name, "lsmdev"))
		return run_parsed(&cmd_list, argc - 1, argv + 1);

	used = args_parse(&program, argc - 1, argv + 1, &args);
	if (used < 0)
		return EXIT_USAGE;
	if (args.value[ARGS_HELP]) {
		print_help(&program);
		return out_flush();
	}
	if (args.value[MAIN_VERSION]) {
		out_printf("%s %s\n", version_name(), version_number());
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
