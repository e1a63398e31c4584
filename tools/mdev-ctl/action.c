// SPDX-License-Identifier: GPL-2.0-only
/* Actions: pre, the action itself, post, notify. */
#include <errno.h>
#include <stdlib.h>

#include "action.h"
#include "out.h"

int action_run(enum callout_action action, const char *parent, const char *uuid,
	       const struct config *config, int force, int (*run)(void *data), void *data)
{
	char *input = config_to_text(config, JSON_COMPACT);
	struct callout callout = {
		.device = { .parent = parent, .type = config->type, .uuid = uuid },
		.action = action,
		.input = input,
	};
	enum callout_state state = STATE_NONE;
	int refused, err = EXIT_FAILED;

	refused = callout_event(&callout, EVENT_PRE, STATE_NONE);
	if (refused && force)
		out_warning("%s; forced to go on", callout.reason);
	else if (refused)
		out_error(0, "%s", callout.reason);
	if (!refused || force) {
		err = run(data);
		state = err ? STATE_FAILURE : STATE_SUCCESS;
		callout_event(&callout, EVENT_POST, state);
	}
	if (err != -EAGAIN)
		callout_notify(&callout, state);
	free(input);
	return err;
}

int action_run_live(const char *parent, const char *uuid, const struct config *config)
{
	char *input = config_to_text(config, JSON_COMPACT);
	struct callout callout = {
		.device = { .parent = parent, .type = config->type, .uuid = uuid },
		.action = ACTION_MODIFY,
		.input = input,
	};
	int err = callout_live(&callout);

	if (err)
		out_error(0, "%s", callout.reason);
	callout_notify(&callout, STATE_NONE);
	free(input);
	return err ? EXIT_FAILED : EXIT_OK;
}
