// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callouts and notifiers.
 *
 * A callout script may refuse an action before it is done (pre), learns how it ended (post),
 * carries out a change of an active device (live), and knows its attributes (get). With version
 * support it is asked for nothing but what it has listed, and each exit code but 0 is a refusal.
 * Scripts without are asked in turn, and exit code 2 passes the question on. The first that
 * says anything else is the device's script for this action, too.
 *
 * Notifiers hear of everything afterwards and cannot change it.
 *
 * Death by a signal is no refusal, because it is none to mdevctl. Running out of time is.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "callout.h"
#include "names.h"
#include "provider.h"

enum verdict { YES, NOT_MINE, REFUSED };

static int __attribute__((format(printf, 2, 3))) because(char reason[static CALLOUT_REASON_SIZE],
							 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, CALLOUT_REASON_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

/* Mdevctl's names of the events, in its messages */
static const char *event_name(enum callout_event event)
{
	static const char *const names[] = { "Pre", "Post", "Live", "Get", "Notify" };

	return names[event];
}

static int supports(const struct provider *provider, enum callout_event event,
		    enum callout_action action, char reason[static CALLOUT_REASON_SIZE])
{
	static const char *const actions[] = {
		"Start", "Stop", "Define", "Undefine", "Modify", "Attributes", "Capabilities",
	};

	if (!(provider->events & 1U << event))
		return because(reason, "Script \"%s\" does not support event '%s'", provider->path,
			       event_name(event));
	if (!(provider->actions & 1U << action))
		return because(reason, "Script \"%s\" does not support action '%s'",
			       provider->path, actions[action]);
	return 0;
}

static enum verdict judge(const struct script_result *result, const char *path, int versioned,
			  char reason[static CALLOUT_REASON_SIZE])
{
	if (result->err) {
		if (!versioned)
			return NOT_MINE;
		because(reason, "Script \"%s\" cannot be run: %s", path, strerror(-result->err));
		return REFUSED;
	}
	if (result->timed_out) {
		because(reason, "Script \"%s\" did not finish in %u s and was killed", path,
			script_time_limit());
		return REFUSED;
	}
	if (result->code < 0)
		return versioned ? YES : NOT_MINE;
	if (result->code == 2 && !versioned)
		return NOT_MINE;
	if (!result->code)
		return YES;
	because(reason, "Script '\"%s\"' failed with status '%d'", path, result->code);
	return REFUSED;
}

static enum verdict run(struct callout *callout, const char *path, int versioned,
			enum callout_event event, enum callout_state state)
{
	struct script_result result;
	enum verdict verdict;

	provider_run(&result, path, &callout->device, event, callout->action, state,
		     callout->input);
	verdict = judge(&result, path, versioned, callout->reason);
	script_free(&result);
	return verdict;
}

static int run_all(struct callout *callout, enum callout_event event, enum callout_state state)
{
	for (int dir = DIR_CALLOUTS; dir <= DIR_OLD_CALLOUTS; dir++) {
		const struct names *scripts = provider_scripts(dir);

		for (size_t i = 0; i < scripts->count; i++) {
			enum verdict verdict = run(callout, scripts->name[i], 0, event, state);

			if (verdict == REFUSED)
				return -1;
			if (verdict == NOT_MINE)
				continue;
			callout->chosen = scripts->name[i];
			return 0;
		}
	}
	return 0;
}

int callout_event(struct callout *callout, enum callout_event event, enum callout_state state)
{
	const struct provider *provider = provider_find(&callout->device);

	if (provider->path) {
		if (supports(provider, event, callout->action, callout->reason))
			return -1;
		return run(callout, provider->path, 1, event, state) == YES ? 0 : -1;
	}
	if (callout->chosen)
		return run(callout, callout->chosen, 0, event, state) == REFUSED ? -1 : 0;
	return run_all(callout, event, state);
}

int callout_live(struct callout *callout)
{
	if (!provider_find(&callout->device)->path)
		return because(callout->reason, "No callout script with version support found "
			       "that supports live modify");
	return callout_event(callout, EVENT_LIVE, STATE_NONE);
}

void callout_notify(const struct callout *callout, enum callout_state state)
{
	struct script_result result;

	for (int dir = DIR_NOTIFIERS; dir <= DIR_OLD_NOTIFIERS; dir++) {
		const struct names *scripts = provider_scripts(dir);

		for (size_t i = 0; i < scripts->count; i++) {
			provider_run(&result, scripts->name[i], &callout->device, EVENT_NOTIFY,
				     callout->action, state, "");
			script_free(&result);
		}
	}
}

int callout_parse_attrs(struct config *config, const char *text, size_t len,
			char reason[static CALLOUT_REASON_SIZE])
{
	char why_not[CONFIG_REASON_SIZE];
	const char *why = NULL;
	struct json_object *array;
	int err;

	/* How the scripts of mdevctl's first versions say that there are none */
	if (!len || (len == 4 && !memcmp(text, "[{}]", 4)))
		return 0;
	array = json_parse(text, len, &why);
	if (why)
		return because(reason, "invalid JSON: %s", why);
	err = config_parse_attrs(config, array, why_not);
	json_object_put(array);
	return err ? because(reason, "%s", why_not) : 0;
}

static int take_attrs(struct config *config, struct script_output *out, const char *path,
		      char reason[static CALLOUT_REASON_SIZE])
{
	char why[CALLOUT_REASON_SIZE];

	if (!out->len)
		return 0;
	provider_trim(out);
	out->text[out->len] = '\0';
	if (!callout_parse_attrs(config, out->text, out->len, why))
		return 0;
	return because(reason, "Script \"%.*s\" answers with bad attributes: %.*s", PATH_MAX / 2,
		       path, CONFIG_REASON_SIZE, why);
}

/*
 * To run a script for each of a thousand devices takes a second, and most scripts have nothing
 * to say of any. One that says nothing at all for so many devices of a type and a parent, not
 * even that there are no attributes, "[]", is taken not to know them for the others either. One
 * that says "not mine" says it of the type.
 */
#define SILENT_ENOUGH 8

static enum verdict get(const char *path, unsigned char *silent,
			const struct callout_device *device, struct config *config, int *err,
			char reason[static CALLOUT_REASON_SIZE])
{
	struct script_result result;
	enum verdict verdict;

	if (*silent == SILENT_ENOUGH)
		return YES;
	if (*silent > SILENT_ENOUGH)
		return NOT_MINE;
	provider_run(&result, path, device, EVENT_GET, ACTION_ATTRIBUTES, STATE_NONE, "");
	verdict = judge(&result, path, 0, reason);
	if (result.err || result.code == 2)
		*silent = SILENT_ENOUGH + 1;
	else if (verdict == YES && !result.out.len && !result.errors.len)
		++*silent;
	else
		*silent = 0;
	if (verdict == YES)
		*err = take_attrs(config, &result.out, path, reason);
	script_free(&result);
	return verdict;
}

static int get_from_provider(const struct provider *provider,
			     const struct callout_device *device, struct config *config,
			     char reason[static CALLOUT_REASON_SIZE])
{
	struct script_result result;
	int err = supports(provider, EVENT_GET, ACTION_ATTRIBUTES, reason);

	if (err)
		return err;
	provider_run(&result, provider->path, device, EVENT_GET, ACTION_ATTRIBUTES, STATE_NONE,
		     "");
	err = judge(&result, provider->path, 1, reason) == YES ?
	      take_attrs(config, &result.out, provider->path, reason) : -1;
	script_free(&result);
	return err;
}

int callout_get_attrs(const struct callout_device *device, struct config *config,
		      char reason[static CALLOUT_REASON_SIZE])
{
	struct provider *provider = provider_find(device);
	int err = 0;

	if (provider->path)
		return get_from_provider(provider, device, config, reason);
	for (int dir = DIR_CALLOUTS; dir <= DIR_OLD_CALLOUTS; dir++) {
		const struct names *scripts = provider_scripts(dir);

		for (size_t i = 0; i < scripts->count; i++) {
			enum verdict verdict = get(scripts->name[i], &provider->silent[dir][i],
						   device, config, &err, reason);

			if (verdict == REFUSED)
				return -1;
			if (verdict == YES)
				return err;
		}
	}
	return 0;
}
