// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON.
 *
 * Pretty text is what serde_json's pretty printer makes of the same value: two spaces, `": "`,
 * `[]` for an empty array. Compact text has no white space at all.
 *
 * What is read is JSON to the letter: one value in UTF-8 with white space around it, no comments,
 * no other quotes, no commas at an end.
 *
 * json-c sees nothing but ASCII. What it thinks of other characters depends on its version: 0.16
 * takes some that are no UTF-8, 0.18 in its strict mode refuses every one that stands for itself.
 * A definition that was stored with one version has to be readable with any other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "json.h"
#include "out.h"
#include "utf8.h"

/* That of serde_json */
#define DEPTH 128

/*
 * What json-c takes although it is told to be strict: 'names', and line breaks in strings. And a
 * backslash before a character that is then replaced by an escape sequence.
 */
static int is_lax(const char *text, size_t len)
{
	int in_string = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			in_string = !in_string;
		else if (in_string && text[i] == '\\' && (unsigned char)text[i + 1] < 0x80)
			i++;
		else if (in_string && text[i] == '\\')
			return 1;
		else if (in_string ? (unsigned char)text[i] < ' ' : text[i] == '\'')
			return 1;
	}
	return 0;
}

/* The same in ASCII, or NULL if it is that already. It ends at the first zero. */
static char *to_ascii(const char *text, size_t *len)
{
	const char *at = text;
	char *ascii, *end;

	while (*at && (unsigned char)*at < 0x80)
		at++;
	if (!*at)
		return NULL;
	/* Two bytes become six, three become six, and four become twelve. */
	ascii = malloc(3 * *len + 1);
	if (!ascii)
		out_of_memory();
	at = text;
	for (end = ascii; *at;) {
		unsigned int c = utf8_next(&at);

		if (c < 0x80)
			*end++ = c;
		else if (c < 0x10000)
			end += sprintf(end, "\\u%04x", c);
		else
			end += sprintf(end, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
	}
	*end = '\0';
	*len = end - ascii;
	return ascii;
}

static struct json_object *parse(const char *text, size_t len, enum json_tokener_error *error)
{
	static struct json_tokener *tokener;
	struct json_object *value;

	/* A new one for each text costs more than most texts. */
	if (!tokener)
		tokener = json_tokener_new_ex(DEPTH);
	if (!tokener)
		out_of_memory();
	json_tokener_reset(tokener);
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	/* With the terminating zero, which ends a number that is the whole value */
	value = json_tokener_parse_ex(tokener, text, len + 1);
	*error = json_tokener_get_error(tokener);
	if (*error == json_tokener_success && json_tokener_get_parse_end(tokener) < len)
		*error = json_tokener_error_parse_unexpected;
	return value;
}

struct json_object *json_parse(const char *text, size_t len, const char **reason)
{
	struct json_object *value;
	enum json_tokener_error error;
	size_t ascii_len = len;
	char *ascii;

	if (!utf8_is_valid(text)) {
		*reason = "invalid utf-8 string";
		return NULL;
	}
	ascii = strlen(text) == len ? to_ascii(text, &ascii_len) : NULL;
	value = parse(ascii ? ascii : text, ascii_len, &error);
	free(ascii);
	if (error == json_tokener_success && is_lax(text, len))
		error = json_tokener_error_parse_unexpected;
	if (error == json_tokener_success)
		return value;

	*reason = error == json_tokener_continue ? "unexpected end of data" :
		  json_tokener_error_desc(error);
	json_object_put(value);
	return NULL;
}

const char *json_string(struct json_object *value)
{
	const char *string;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	string = json_object_get_string(value);
	return strlen(string) == (size_t)json_object_get_string_len(value) ? string : NULL;
}

const char *json_text(struct json_object *value, enum json_format format)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;

	if (format == JSON_PRETTY)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	text = json_object_to_json_string_ext(value, flags);
	if (!text)
		out_of_memory();
	return text;
}

/* json-c breaks the line inside an empty array, which the format that we must match does not. */
static int print_empty_array(struct json_object *array, struct printbuf *pb, int level, int flags)
{
	(void)array;
	(void)level;
	(void)flags;
	return printbuf_strappend(pb, "[]");
}

struct json_object *json_new_object(void)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		out_of_memory();
	return object;
}

struct json_object *json_array(void)
{
	struct json_object *array = json_object_new_array();

	if (!array)
		out_of_memory();
	json_object_set_serializer(array, print_empty_array, NULL, NULL);
	return array;
}

void json_add(struct json_object *array, struct json_object *value)
{
	if (json_object_array_add(array, value))
		out_of_memory();
	json_object_set_serializer(array, NULL, NULL, NULL);
}

void json_put(struct json_object *object, const char *key, struct json_object *value)
{
	if (!object || !value || json_object_object_add(object, key, value))
		out_of_memory();
}

void json_put_string(struct json_object *object, const char *key, const char *value)
{
	struct json_object *string = value ? json_object_new_string(value) : NULL;

	if ((value && !string) || json_object_object_add(object, key, string))
		out_of_memory();
}

void json_append(struct json_object *array, const char *name, struct json_object *value)
{
	struct json_object *element = json_new_object();

	json_put(element, name, value);
	json_add(array, element);
}

struct json_object *json_listing(struct json_object *parents)
{
	struct json_object *listing = json_array();

	if (json_object_object_length(parents))
		json_add(listing, parents);
	else
		json_object_put(parents);
	return listing;
}
