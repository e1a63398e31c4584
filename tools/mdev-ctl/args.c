// SPDX-License-Identifier: GPL-2.0-only
/*
 * The grammar of the command line.
 *
 * It is mdevctl's: --opt V, --opt=V, -oV, -o=V, -o V and bundled flags (-vp P). Long options
 * are not abbreviated, no option may be repeated, and a value that begins with a hyphen has to
 * be attached. getopt_long() abbreviates, counts nothing and takes any next word for a value,
 * so it cannot be used here.
 *
 * A word that is no option at all is refused where it stands. What concerns the options as a
 * whole (repeated ones, values that cannot be right) is looked at in the end, so that --help
 * wins over it.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "config.h"
#include "out.h"
#include "utf8.h"

static const char *option_text(const struct args_option *option)
{
	static char text[64];

	snprintf(text, sizeof(text), option->metavar ? "--%s <%s>" : "--%s", option->name,
		 option->metavar);
	return text;
}

int args_error(const struct args_command *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("error: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n\nUsage: %s\n\nFor more information try 'mdev-ctl%s%s --help'\n",
		cmd->usage, cmd->name ? " " : "", cmd->name ? cmd->name : "");
	return EXIT_USAGE;
}

static int unexpected(const struct args_command *cmd, const char *prefix, int len, const char *word)
{
	args_error(cmd, "Found argument '%s%.*s' which wasn't expected, "
		   "or isn't valid in this context", prefix, len, word);
	return -1;
}

static int missing_value(const struct args_command *cmd, const struct args_option *option)
{
	args_error(cmd, "The argument '%s' requires a value but none was supplied",
		   option_text(option));
	return -1;
}

static void set(const struct args_command *cmd, struct args *args,
		const struct args_option *option, const char *value)
{
	args->value[option - cmd->option] = value;
	args->seen[option - cmd->option]++;
}

static int is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* The parsers of one word return the number of words used, or -1. */
static int parse_long(const struct args_command *cmd, const char *word, const char *next,
		      struct args *args)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	const char *attached = name[len] ? name + len + 1 : NULL;
	const struct args_option *option;

	for (option = cmd->option; option < cmd->option + cmd->options; option++)
		if (strlen(option->name) == len && !memcmp(option->name, name, len))
			break;
	if (option == cmd->option + cmd->options)
		return unexpected(cmd, "--", len, name);

	if (!option->metavar) {
		if (attached) {
			args_error(cmd, "The argument '--%s' takes no value", option->name);
			return -1;
		}
		set(cmd, args, option, "");
		return 1;
	}
	if (!attached && (!next || is_option(next)))
		return missing_value(cmd, option);
	set(cmd, args, option, attached ? attached : next);
	return attached ? 1 : 2;
}

static int parse_short(const struct args_command *cmd, const char *word, const char *next,
		       struct args *args)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct args_option *option;

		for (option = cmd->option; option < cmd->option + cmd->options; option++)
			if (option->letter == *letter)
				break;
		if (option == cmd->option + cmd->options)
			return unexpected(cmd, "-", 1, letter);

		if (option->metavar) {
			if (letter[1]) {
				set(cmd, args, option, letter + 1 + (letter[1] == '='));
				return 1;
			}
			if (!next || is_option(next))
				return missing_value(cmd, option);
			set(cmd, args, option, next);
			return 2;
		}
		set(cmd, args, option, "");
		if (option->ends)
			break;
	}
	return 1;
}

static int has_ended(const struct args_command *cmd, const struct args *args)
{
	for (unsigned int i = 0; i < cmd->options; i++)
		if (cmd->option[i].ends && args->seen[i])
			return 1;
	return 0;
}

static int check_options(const struct args_command *cmd, const struct args *args)
{
	for (unsigned int i = 0; i < cmd->options; i++) {
		const struct args_option *option = &cmd->option[i];
		const char *reason = NULL;

		if (args->seen[i] > 1) {
			args_error(cmd, "The argument '%s' was provided more than once, "
				   "but cannot be used multiple times", option_text(option));
			return -1;
		}
		if (args->value[i] && option->check)
			reason = option->check(args->value[i]);
		if (reason) {
			args_error(cmd, "Invalid value '%s' for '%s': %s", args->value[i],
				   option_text(option), reason);
			return -1;
		}
	}
	return 0;
}

int args_parse(const struct args_command *cmd, int argc, char **argv, struct args *args)
{
	int i = 0, operands_only = 0;

	*args = (struct args){ 0 };
	while (i < argc) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		int used;

		if (operands_only || !is_option(argv[i])) {
			/* The program's operand is a command, to which the rest belongs. */
			if (!cmd->name)
				break;
			if (!cmd->operand || args->operand)
				return unexpected(cmd, "", INT_MAX, argv[i]);
			args->operand = argv[i++];
			continue;
		}
		if (!strcmp(argv[i], "--")) {
			operands_only = 1;
			i++;
			continue;
		}
		if (argv[i][1] == '-')
			used = parse_long(cmd, argv[i], next, args);
		else
			used = parse_short(cmd, argv[i], next, args);
		if (used < 0)
			return -1;
		i += used;
		if (has_ended(cmd, args))
			return i;
	}
	if (check_options(cmd, args) || (cmd->check && cmd->check(cmd, args)))
		return -1;
	return i;
}

int args_exclude(const struct args_command *cmd, const struct args *args, int one, int other)
{
	char text[64];

	if (!args->value[one] || !args->value[other])
		return 0;
	snprintf(text, sizeof(text), "%s", option_text(&cmd->option[one]));
	return args_error(cmd, "The argument '%s' cannot be used with '%s'", text,
			  option_text(&cmd->option[other]));
}

int args_require(const struct args_command *cmd, const struct args *args, int one, int other)
{
	char text[64];

	if (args->value[one] || args->value[other])
		return 0;
	snprintf(text, sizeof(text), "%s", option_text(&cmd->option[one]));
	return args_error(cmd, "At least one of '%s' and '%s' is required", text,
			  option_text(&cmd->option[other]));
}

void args_print_options(const struct args_command *cmd)
{
	out_printf("Options:\n");
	for (unsigned int i = 0; i < cmd->options; i++) {
		const struct args_option *option = &cmd->option[i];

		if (option->letter)
			out_printf("  -%c, %-20s %s\n", option->letter, option_text(option),
				   option->help);
		else
			out_printf("      %-20s %s\n", option_text(option), option->help);
	}
}

const char *args_check_uuid(const char *value)
{
	struct uuid uuid;

	if (!uuid_parse(&uuid, value))
		return NULL;
	return "a UUID has 32 hexadecimal digits, as in 00112233-4455-6677-8899-aabbccddeeff";
}

const char *args_uuid(const struct args *args, int row, char text[static UUID_TEXT_SIZE])
{
	struct uuid uuid;

	if (!args->value[row] || uuid_parse(&uuid, args->value[row]))
		return NULL;
	uuid_format(&uuid, text);
	return text;
}

const char *args_check_count(const char *value)
{
	unsigned long count;
	char *end;

	errno = 0;
	count = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || count > UINT32_MAX)
		return "not a number from 0 to 4294967295";
	return NULL;
}

const char *args_check_text(const char *value)
{
	return utf8_is_valid(value) ? NULL : "not UTF-8";
}

const char *args_check_attr(const char *value)
{
	const char *reason = args_check_text(value);

	return reason ? reason : config_check_attr_name(value);
}

const char *args_check_name(const char *value)
{
	if (!*value)
		return "the name is empty";
	if (strchr(value, '/'))
		return "a name, not a path: it cannot contain '/'";
	if (!strcmp(value, ".") || !strcmp(value, ".."))
		return "not the name of a device or type";
	if (strlen(value) > NAME_MAX)
		return "the name is too long";
	return args_check_text(value);
}
