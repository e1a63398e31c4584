/* SPDX-License-Identifier: GPL-2.0-only */
/* The grammar of the command line, and the texts that follow from it. */
#ifndef MDEV_CTL_ARGS_H
#define MDEV_CTL_ARGS_H

#include "uuid.h"

#define ARGS_MAX 16

/* Row 0 of every command's options. */
enum { ARGS_HELP };
#define ARGS_HELP_ROW { .letter = 'h', .name = "help", .help = "Print help", .ends = 1 }
#define ARGS_FORCE_ROW \
	{ .letter = 'f', .name = "force", .help = "Go on when a callout script refuses" }

struct args_option {
	char letter;		/* 0: has no short form */
	const char *name;
	const char *metavar;	/* NULL: takes no value */
	const char *help;
	int ends;		/* nothing after it, and nothing missing, matters */
	/* Why the value cannot be right whatever the system looks like, or NULL. */
	const char *(*check)(const char *value);
};

struct args {
	const char *value[ARGS_MAX];	/* by row; NULL: not given; "": given, takes no value */
	int seen[ARGS_MAX];
	const char *operand;
};

struct args_command {
	const char *name;	/* NULL: the program itself */
	const char *usage;
	const char *summary;
	const char *operand;	/* NULL: takes none */
	const struct args_option *option;
	unsigned int options;
	/* What has to go together or cannot, after all options have been read: 0 or EXIT_USAGE. */
	int (*check)(const struct args_command *cmd, const struct args *args);
	int hidden;		/* from the list of commands */
	int (*run)(const struct args_command *cmd, const struct args *args);
};

#define ARGS_OPTIONS(table) .option = table, .options = sizeof(table) / sizeof(*(table))

/*
 * Reads options, of the program up to the first operand. Returns the number of arguments read, or
 * -1 when an error has been reported.
 */
int args_parse(const struct args_command *cmd, int argc, char **argv, struct args *args);

/* Reports a wrong use of cmd. Returns EXIT_USAGE. */
int args_error(const struct args_command *cmd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Reports that one of two options is missing, if neither is given. Returns EXIT_USAGE or 0. */
int args_require(const struct args_command *cmd, const struct args *args, int one, int other);

/* Reports that two options exclude each other, if both are given. Returns EXIT_USAGE or 0. */
int args_exclude(const struct args_command *cmd, const struct args *args, int one, int other);

/* Prints the option table. */
void args_print_options(const struct args_command *cmd);

const char *args_check_uuid(const char *value);
const char *args_check_count(const char *value);
/* Anything that can be in a definition */
const char *args_check_text(const char *value);
const char *args_check_attr(const char *value);
/* A name of one directory in sysfs, and nothing that leads elsewhere. */
const char *args_check_name(const char *value);

/* The UUID of a row in the form that the kernel has. Returns text, or NULL: not given. */
const char *args_uuid(const struct args *args, int row, char text[static UUID_TEXT_SIZE]);

#endif
