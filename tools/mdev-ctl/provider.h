/* SPDX-License-Identifier: GPL-2.0-only */
/* Which script answers for the devices of a type on a parent. */
#ifndef MDEV_CTL_PROVIDER_H
#define MDEV_CTL_PROVIDER_H

#include "callout.h"
#include "script.h"

enum provider_dir { DIR_CALLOUTS, DIR_OLD_CALLOUTS, DIR_NOTIFIERS, DIR_OLD_NOTIFIERS, DIRS };

/* Paths of scripts, in byte order; each directory is read once. */
const struct names *provider_scripts(enum provider_dir dir);

struct provider {
	char *parent;
	char *type;
	const char *path;	/* of a script with version support, or NULL */
	unsigned int actions;	/* bit sets of what it supports */
	unsigned int events;
	unsigned char *silent[2];	/* per callout script without: see callout_get_attrs() */
};

/* Asks the scripts for their capabilities, the first time. */
struct provider *provider_find(const struct callout_device *device);

/* An answer to that question. 0, or -1: it is none. */
int provider_parse(struct provider *provider, const char *text, size_t len);

/* Runs a script as the protocol has it, and passes on what it says on stderr. */
void provider_run(struct script_result *result, const char *path,
		  const struct callout_device *device, enum callout_event event,
		  enum callout_action action, enum callout_state state, const char *input);

/* What a script prints ends with zeroes sometimes. Returns text. */
char *provider_trim(struct script_output *output);

#endif
