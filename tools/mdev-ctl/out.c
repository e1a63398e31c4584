// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output.
 *
 * Results are collected in memory and written at the end, in one place that checks the result:
 * a command that fails half way prints nothing to stdout, and a full disk or a closed pipe is a
 * failure of the command, not a truncated listing with exit code 0.
 *
 * A report on stderr has up to three parts. The first two have the form that mdevctl gives
 * them, so that whoever reads mdevctl's messages can read ours; the hint is ours.
 *
 *	Error: what failed, with the object's name
 *
 *	Caused by:
 *	    the kernel's reason (os error N)
 *
 *	Hint: what to do next
 *
 * JSON is what serde_json's pretty printer makes of the same value: two spaces, `": "`, `[]`
 * for an empty array.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>
#include <json-c/printbuf.h>

#include "out.h"

static char *text;
static size_t text_size;
static FILE *stream;

static FILE *out_stream(void)
{
	if (!stream)
		stream = open_memstream(&text, &text_size);
	if (!stream)
		out_of_memory();
	return stream;
}

void out_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vfprintf(out_stream(), fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
}

void out_json(struct json_object *value)
{
	const int format = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			   JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *json = json_object_to_json_string_ext(value, format);

	if (!json || fputs(json, out_stream()) == EOF)
		out_of_memory();
	json_object_put(value);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= n;
	}
	return 0;
}

int out_flush_to(int fd)
{
	int err;

	if (!stream)
		return EXIT_OK;
	if (fclose(stream))
		out_of_memory();
	stream = NULL;
	err = write_all(fd, text, text_size);
	free(text);
	if (err)
		return out_error(err, "Unable to write the output");
	return EXIT_OK;
}

int out_flush(void)
{
	return out_flush_to(STDOUT_FILENO);
}

int out_error(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("Error: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	if (err)
		fprintf(stderr, "\nCaused by:\n    %s (os error %d)\n", strerror(abs(err)),
			abs(err));
	return EXIT_FAILED;
}

void out_hint(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("\nHint: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

void out_of_memory(void)
{
	exit(out_error(ENOMEM, "Out of memory"));
}

/* json-c breaks the line inside an empty array, which the format that we must match does not. */
static int print_empty_array(struct json_object *array, struct printbuf *pb, int level, int flags)
{
	(void)array;
	(void)level;
	(void)flags;
	return printbuf_strappend(pb, "[]");
}

struct json_object *json_array(void)
{
	struct json_object *array = json_object_new_array();

	if (!array)
		out_of_memory();
	json_object_set_serializer(array, print_empty_array, NULL, NULL);
	return array;
}

static void append(struct json_object *array, struct json_object *value)
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

void json_append(struct json_object *array, const char *name, struct json_object *value)
{
	struct json_object *element = json_object_new_object();

	json_put(element, name, value);
	append(array, element);
}

struct json_object *json_listing(struct json_object *parents)
{
	struct json_object *listing = json_array();

	if (json_object_object_length(parents))
		append(listing, parents);
	else
		json_object_put(parents);
	return listing;
}
