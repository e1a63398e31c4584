// SPDX-License-Identifier: GPL-2.0-only
/*
 * The protocol with scripts: the call itself, and capabilities.
 *
 *	SCRIPT -t TYPE -e EVENT -a ACTION -s STATE -u UUID -p PARENT	< JSON
 *
 * Before a (parent, type) has its first event, all scripts are asked what they support. The
 * first that answers in JSON, in the order of directories and names, has version support and
 * does everything for that (parent, type) from then on. The others know exit code 2 only, which
 * says "not mine", and are asked one by one at each event: see callout.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "names.h"
#include "out.h"
#include "provider.h"
#include "root.h"

static const char *const event_names[] = { "pre", "post", "live", "get", "notify" };
static const char *const action_names[] = {
	"start", "stop", "define", "undefine", "modify", "attributes", "capabilities",
};
static const char *const state_names[] = { "none", "success", "failure" };

static const char provides[] =
	"{\"provides\":{\"version\":2,\"actions\":[\"start\",\"stop\",\"define\",\"undefine\","
	"\"modify\",\"attributes\",\"capabilities\"],\"events\":[\"pre\",\"post\",\"notify\","
	"\"get\",\"live\"]}}";

const struct names *provider_scripts(enum provider_dir dir)
{
	static const char *const dirs[] = {
		"/usr/lib/mdevctl/scripts.d/callouts", "/etc/mdevctl.d/scripts.d/callouts",
		"/usr/lib/mdevctl/scripts.d/notifiers", "/etc/mdevctl.d/scripts.d/notifiers",
	};
	static struct names scripts[DIRS];
	static int was_read[DIRS];
	struct names *names = &scripts[dir];
	char path[PATH_MAX];

	if (was_read[dir])
		return names;
	was_read[dir] = 1;
	if (root_path(path, "%s", dirs[dir]) || names_read(names, path, NAMES_ALL))
		return names;
	for (size_t i = 0; i < names->count; i++) {
		char *name = names->name[i];

		if (asprintf(&names->name[i], "%s/%s", path, name) < 0)
			out_of_memory();
		free(name);
	}
	return names;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

void provider_run(struct script_result *result, const char *path,
		  const struct callout_device *device, enum callout_event event,
		  enum callout_action action, enum callout_state state, const char *input)
{
	char *argv[] = {
		(char *)path, "-t", (char *)device->type, "-e", (char *)event_names[event],
		"-a", (char *)action_names[action], "-s", (char *)state_names[state],
		"-u", (char *)device->uuid, "-p", (char *)device->parent, NULL
	};

	script_run(result, argv, input);
	if (!result->err && result->errors.len && event != EVENT_NOTIFY) {
		fprintf(stderr, "%s: ", base_name(path));
		fwrite(result->errors.text, 1, result->errors.len, stderr);
	}
}

char *provider_trim(struct script_output *output)
{
	while (output->len && !output->text[output->len - 1])
		output->len--;
	return output->text;
}

static int parse_words(unsigned int *set, struct json_object *array, const char *const *names,
		       unsigned int count)
{
	*set = 0;
	if (!json_object_is_type(array, json_type_array))
		return -1;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const char *word = json_string(json_object_array_get_idx(array, i));

		if (!word)
			return -1;
		for (unsigned int n = 0; n < count; n++)
			if (!strcmp(word, names[n]))
				*set |= 1U << n;
	}
	return 0;
}

/* {"supports": {"version": N, "actions": [..], "events": [..]}} */
static int parse_supports(struct provider *provider, struct json_object *answer)
{
	struct json_object *supports;

	if (!json_object_is_type(answer, json_type_object))
		return -1;
	supports = json_object_object_get(answer, "supports");
	if (!json_object_is_type(supports, json_type_object) ||
	    !json_object_is_type(json_object_object_get(supports, "version"), json_type_int))
		return -1;
	if (parse_words(&provider->actions, json_object_object_get(supports, "actions"),
			action_names, ACTIONS))
		return -1;
	return parse_words(&provider->events, json_object_object_get(supports, "events"),
			   event_names, EVENTS);
}

int provider_parse(struct provider *provider, const char *text, size_t len)
{
	const char *why = NULL;
	struct json_object *answer = json_parse(text, len, &why);
	int err = why ? -1 : parse_supports(provider, answer);

	json_object_put(answer);
	return err;
}

static int ask(struct provider *provider, const char *path, const struct callout_device *device)
{
	struct script_result result;
	int found = 0;

	provider_run(&result, path, device, EVENT_GET, ACTION_CAPABILITIES, STATE_NONE, provides);
	if (result.err)
		return 0;
	if (!result.timed_out && result.code >= 0 && result.code != 2 && result.out.len) {
		provider_trim(&result.out);
		result.out.text[result.out.len] = '\0';
		found = !provider_parse(provider, result.out.text, result.out.len);
	}
	script_free(&result);
	if (found)
		provider->path = path;
	return found;
}

static void ask_all(struct provider *provider, const struct callout_device *device)
{
	for (int dir = DIR_CALLOUTS; dir <= DIR_OLD_CALLOUTS; dir++) {
		const struct names *scripts = provider_scripts(dir);

		for (size_t i = 0; i < scripts->count; i++)
			if (ask(provider, scripts->name[i], device))
				return;
	}
}

static unsigned char *new_counters(enum provider_dir dir)
{
	unsigned char *counters = calloc(provider_scripts(dir)->count + 1, 1);

	if (!counters)
		out_of_memory();
	return counters;
}

struct provider *provider_find(const struct callout_device *device)
{
	static struct provider *providers;
	static size_t count;
	struct provider *provider;

	for (provider = providers; provider < providers + count; provider++)
		if (!strcmp(provider->parent, device->parent) &&
		    !strcmp(provider->type, device->type))
			return provider;

	providers = reallocarray(providers, count + 1, sizeof(*providers));
	if (!providers)
		out_of_memory();
	provider = &providers[count++];
	*provider = (struct provider){
		.parent = names_copy(device->parent),
		.type = names_copy(device->type),
		.silent = { new_counters(DIR_CALLOUTS), new_counters(DIR_OLD_CALLOUTS) },
	};
	ask_all(provider, device);
	return provider;
}
