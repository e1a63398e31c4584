/* SPDX-License-Identifier: GPL-2.0-only */
/* Starting a device: the part that the kernel does. */
#ifndef MDEV_CTL_START_H
#define MDEV_CTL_START_H

#include "config.h"

struct start {
	const char *uuid;
	const char *parent;
	const struct config *config;
};

/* EXIT_OK, or why it cannot be started now has been reported. */
int start_check(const struct start *start);
/* Starts it; for action_run(), with a struct start. Reports a failure. */
int start_run(void *data);
/* It is active already, just as wanted. */
int start_is_done(const struct start *start);

#endif
