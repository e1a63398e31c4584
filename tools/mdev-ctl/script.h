/* SPDX-License-Identifier: GPL-2.0-only */
/* Running a script of somebody else. */
#ifndef MDEV_CTL_SCRIPT_H
#define MDEV_CTL_SCRIPT_H

#include <stddef.h>

struct script_output {
	char *text;		/* text[len] is 0 */
	size_t len;
};

struct script_result {
	int err;		/* -errno: it could not be run, and nothing else here is set */
	int code;		/* of its exit, or -1: it was killed by a signal */
	int timed_out;		/* and was killed for it */
	struct script_output out;
	struct script_output errors;
};

/*
 * Runs argv[0] with input on its stdin, and waits until it has exited. What it writes is kept,
 * up to a limit, and what is beyond it is thrown away.
 */
void script_run(struct script_result *result, char *const argv[], const char *input);
void script_free(struct script_result *result);

/* The time that a script has, in seconds; 0: no limit */
unsigned int script_time_limit(void);

#endif
