// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configurations.
 *
 *	{"mdev_type": "TYPE", "start": "auto" or "manual", "attrs": [{"NAME": "VALUE"}, ..]}
 *
 * The keys stand in this order in all that is written, and attrs is always there. A reader has
 * to take more, because mdevctl does: attrs may be missing or null, start is manual unless it is
 * the string "auto", and keys that nobody knows are dropped. Names of attributes may repeat.
 *
 * A name is a path below the device in sysfs. One that leads out of it is refused here, at the
 * only door through which attributes come.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "args.h"
#include "config.h"
#include "names.h"
#include "out.h"

const char *config_check_attr_name(const char *name)
{
	if (!*name)
		return "the name is empty";
	if (*name == '/')
		return "the name is a path from the root, not from the device";
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/'))
			return "the name leads out of the device";
	}
	return NULL;
}

void config_init(struct config *config, const char *type)
{
	*config = (struct config){ .type = names_copy(type) };
}

void config_set_type(struct config *config, const char *type)
{
	free(config->type);
	config->type = names_copy(type);
}

void config_insert_attr(struct config *config, size_t index, const char *name, const char *value)
{
	struct config_attr *attr;

	attr = reallocarray(config->attr, config->attrs + 1, sizeof(*attr));
	if (!attr)
		out_of_memory();
	memmove(&attr[index + 1], &attr[index], (config->attrs - index) * sizeof(*attr));
	attr[index].name = names_copy(name);
	attr[index].value = names_copy(value);
	config->attr = attr;
	config->attrs++;
}

void config_remove_attr(struct config *config, size_t index)
{
	struct config_attr *attr = &config->attr[index];

	free(attr->name);
	free(attr->value);
	config->attrs--;
	memmove(attr, attr + 1, (config->attrs - index) * sizeof(*attr));
}

void config_copy(struct config *to, const struct config *from)
{
	config_init(to, from->type);
	to->autostart = from->autostart;
	for (size_t i = 0; i < from->attrs; i++)
		config_insert_attr(to, i, from->attr[i].name, from->attr[i].value);
}

int config_equal(const struct config *a, const struct config *b)
{
	if (strcmp(a->type, b->type) || a->autostart != b->autostart || a->attrs != b->attrs)
		return 0;
	for (size_t i = 0; i < a->attrs; i++)
		if (strcmp(a->attr[i].name, b->attr[i].name) ||
		    strcmp(a->attr[i].value, b->attr[i].value))
			return 0;
	return 1;
}

void config_free(struct config *config)
{
	while (config->attrs)
		config_remove_attr(config, config->attrs - 1);
	free(config->attr);
	free(config->type);
	*config = (struct config){ 0 };
}

#define bad(reason, ...) (snprintf(reason, CONFIG_REASON_SIZE, __VA_ARGS__), -EBADMSG)

static int parse_attr(struct config *config, struct json_object *object,
		      char reason[static CONFIG_REASON_SIZE])
{
	static const char format[] = "invalid JSON format for attribute";
	struct json_object_iterator at;
	const char *name, *value, *why;

	if (!json_object_is_type(object, json_type_object))
		return bad(reason, "%s: not an object", format);
	if (json_object_object_length(object) != 1)
		return bad(reason, "%s: too %s fields", format,
			   json_object_object_length(object) ? "many" : "few");

	at = json_object_iter_begin(object);
	name = json_object_iter_peek_name(&at);
	value = json_string(json_object_iter_peek_value(&at));
	if (!value)
		return bad(reason, "%s {\"%s\", ..}: value must be of type str", format, name);
	why = config_check_attr_name(name);
	if (why)
		return bad(reason, "attribute \"%s\": %s", name, why);
	config_insert_attr(config, config->attrs, name, value);
	return 0;
}

int config_parse_attrs(struct config *config, struct json_object *array,
		       char reason[static CONFIG_REASON_SIZE])
{
	int err = 0;

	if (!array)
		return 0;
	if (!json_object_is_type(array, json_type_array))
		return bad(reason, "attributes field is not an array");
	for (size_t i = 0; i < json_object_array_length(array) && !err; i++)
		err = parse_attr(config, json_object_array_get_idx(array, i), reason);
	return err;
}

static int parse_object(struct config *config, struct json_object *object,
			char reason[static CONFIG_REASON_SIZE])
{
	struct json_object *type, *start, *attrs;
	const char *word, *why;

	if (!json_object_is_type(object, json_type_object))
		return bad(reason, "invalid json: not an object");
	type = json_object_object_get(object, "mdev_type");
	start = json_object_object_get(object, "start");
	attrs = json_object_object_get(object, "attrs");
	if (!type || !start)
		return bad(reason, "invalid json: %s is missing", type ? "start" : "mdev_type");
	if (!json_string(type))
		return bad(reason, "invalid json: mdev_type is not a string");
	why = args_check_name(json_string(type));
	if (why)
		return bad(reason, "mdev_type \"%s\": %s", json_string(type), why);

	config_init(config, json_string(type));
	word = json_string(start);
	config->autostart = word && !strcmp(word, "auto");
	return config_parse_attrs(config, attrs, reason);
}

static int skip(const char **at, const char *expected)
{
	size_t len = strlen(expected);

	if (strncmp(*at, expected, len))
		return 0;
	*at += len;
	return 1;
}

/*
 * The form in which this tool and mdevctl write a device without attributes, when its type has
 * nothing but letters, digits and the like. Most definitions are so, and a thousand of them take
 * less time like this. Fails if it is anything else.
 */
static int parse_as_written(struct config *config, const char *text, size_t len)
{
	const char *at = text, *type;
	size_t type_len;
	int autostart;

	if (!skip(&at, "{\n  \"mdev_type\": \""))
		return 0;
	type = at;
	while (isalnum((unsigned char)*at) || *at == '-' || *at == '_')
		at++;
	type_len = at - type;
	if (!type_len || type_len > NAME_MAX || !skip(&at, "\",\n  \"start\": \""))
		return 0;
	autostart = skip(&at, "auto");
	if ((!autostart && !skip(&at, "manual")) || !skip(&at, "\",\n  \"attrs\": []\n}") ||
	    at != text + len)
		return 0;
	*config = (struct config){ .type = strndup(type, type_len), .autostart = autostart };
	if (!config->type)
		out_of_memory();
	return 1;
}

int config_parse(struct config *config, const char *text, size_t len,
		 char reason[static CONFIG_REASON_SIZE])
{
	const char *why = NULL;
	struct json_object *object;
	int err;

	if (parse_as_written(config, text, len))
		return 0;
	*config = (struct config){ 0 };
	object = json_parse(text, len, &why);
	if (why)
		return bad(reason, "invalid json: %s", why);
	err = parse_object(config, object, reason);
	json_object_put(object);
	if (err)
		config_free(config);
	return err;
}

void config_write(struct json_writer *writer, const struct config *config)
{
	json_write_open(writer, '{');
	json_write_key(writer, "mdev_type");
	json_write_string(writer, config->type);
	json_write_key(writer, "start");
	json_write_string(writer, config->autostart ? "auto" : "manual");
	json_write_key(writer, "attrs");
	json_write_open(writer, '[');
	for (size_t i = 0; i < config->attrs; i++) {
		json_write_open(writer, '{');
		json_write_key(writer, config->attr[i].name);
		json_write_string(writer, config->attr[i].value);
		json_write_close(writer, '}');
	}
	json_write_close(writer, ']');
	json_write_close(writer, '}');
}

char *config_to_text(const struct config *config, enum json_format format)
{
	char *text;
	size_t len;
	struct json_writer writer = { .stream = open_memstream(&text, &len), .format = format };

	if (!writer.stream)
		out_of_memory();
	config_write(&writer, config);
	if (ferror(writer.stream) | fclose(writer.stream))
		out_of_memory();
	return text;
}
