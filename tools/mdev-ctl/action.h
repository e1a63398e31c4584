/* SPDX-License-Identifier: GPL-2.0-only */
/* Something that is done to a device, with what scripts have to do with it. */
#ifndef MDEV_CTL_ACTION_H
#define MDEV_CTL_ACTION_H

#include "callout.h"

/*
 * Asks the scripts, calls run(data), and tells them. force: their refusal is a warning. config is
 * what scripts are given, and is of the device's type.
 *
 * run returns 0, or nonzero when it has failed and reported why. -EAGAIN means that it has done
 * nothing and wants to begin again; scripts that know of the attempt are told that it failed,
 * and notifiers nothing.
 *
 * Returns what run returns, or EXIT_FAILED with the refusal reported.
 */
int action_run(enum callout_action action, const char *parent, const char *uuid,
	       const struct config *config, int force, int (*run)(void *data), void *data);

/* A change of an active device, which only a script can make. */
int action_run_live(const char *parent, const char *uuid, const struct config *config);

#endif
