/* SPDX-License-Identifier: GPL-2.0-only */
/* The scripts that have a say in what is done to devices, or are told of it. */
#ifndef MDEV_CTL_CALLOUT_H
#define MDEV_CTL_CALLOUT_H

#include <limits.h>

#include "config.h"

enum callout_event { EVENT_PRE, EVENT_POST, EVENT_LIVE, EVENT_GET, EVENT_NOTIFY, EVENTS };
enum callout_action {
	ACTION_START, ACTION_STOP, ACTION_DEFINE, ACTION_UNDEFINE, ACTION_MODIFY,
	ACTION_ATTRIBUTES, ACTION_CAPABILITIES, ACTIONS
};
enum callout_state { STATE_NONE, STATE_SUCCESS, STATE_FAILURE };

struct callout_device {
	const char *parent;
	const char *type;
	const char *uuid;
};

#define CALLOUT_REASON_SIZE (PATH_MAX + 128)

struct callout {
	struct callout_device device;
	enum callout_action action;
	const char *input;		/* the config, as compact JSON */
	const char *chosen;		/* the script of the first event that one answered to */
	char reason[CALLOUT_REASON_SIZE];	/* why the last event failed */
};

/* One event. 0, or -1 with a reason: a script refuses. */
int callout_event(struct callout *callout, enum callout_event event, enum callout_state state);
/* A change of an active device: there has to be a script that can do it. */
int callout_live(struct callout *callout);
/* Tells everybody who wants to know. */
void callout_notify(const struct callout *callout, enum callout_state state);

/*
 * Appends what scripts know of an active device's attributes. 0, or -1 with a reason; those
 * before a bad one are there then.
 */
int callout_get_attrs(const struct callout_device *device, struct config *config,
		      char reason[static CALLOUT_REASON_SIZE]);

/* Such an answer. 0, or -1 with a reason. text[len] is 0. */
int callout_parse_attrs(struct config *config, const char *text, size_t len,
			char reason[static CALLOUT_REASON_SIZE]);

#endif
