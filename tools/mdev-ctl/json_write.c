// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing JSON.
 *
 * A listing of a thousand devices is written several times faster than by json-c. The form is the
 * same, see json.c. A stream in memory cannot fail but for want of memory, so who closes it
 * looks at errors.
 */
#include <string.h>

#include "json_write.h"

static void put(struct json_writer *writer, const char *text, size_t len)
{
	fwrite_unlocked(text, 1, len, writer->stream);
}

static void new_line(struct json_writer *writer)
{
	if (writer->format == JSON_COMPACT)
		return;
	putc_unlocked('\n', writer->stream);
	for (unsigned int i = 0; i < writer->level; i++)
		put(writer, "  ", 2);
}

/* Before a value, or a key */
static void begin(struct json_writer *writer)
{
	if (writer->has_key) {
		writer->has_key = 0;
		return;
	}
	if (!writer->level)
		return;
	if (!writer->is_empty)
		putc_unlocked(',', writer->stream);
	writer->is_empty = 0;
	new_line(writer);
}

void json_write_open(struct json_writer *writer, char bracket)
{
	begin(writer);
	putc_unlocked(bracket, writer->stream);
	writer->level++;
	writer->is_empty = 1;
}

void json_write_close(struct json_writer *writer, char bracket)
{
	writer->level--;
	if (!writer->is_empty)
		new_line(writer);
	putc_unlocked(bracket, writer->stream);
	writer->is_empty = 0;
}

static void put_escape(struct json_writer *writer, unsigned char c)
{
	static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (const char *at = letters; *at; at += 2) {
		if (c != (unsigned char)at[0])
			continue;
		putc_unlocked('\\', writer->stream);
		putc_unlocked(at[1], writer->stream);
		return;
	}
	fprintf(writer->stream, "\\u%04x", c);
}

static void put_string(struct json_writer *writer, const char *string)
{
	putc_unlocked('"', writer->stream);
	while (*string) {
		size_t plain = 0;

		while ((unsigned char)string[plain] >= ' ' && string[plain] != '"' &&
		       string[plain] != '\\')
			plain++;
		put(writer, string, plain);
		string += plain;
		if (*string)
			put_escape(writer, *string++);
	}
	putc_unlocked('"', writer->stream);
}

void json_write_key(struct json_writer *writer, const char *key)
{
	begin(writer);
	put_string(writer, key);
	if (writer->format == JSON_COMPACT)
		putc_unlocked(':', writer->stream);
	else
		put(writer, ": ", 2);
	writer->has_key = 1;
}

void json_write_string(struct json_writer *writer, const char *string)
{
	begin(writer);
	put_string(writer, string);
}
