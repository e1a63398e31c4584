/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing JSON as it comes, without making objects of it first. */
#ifndef MDEV_CTL_JSON_WRITE_H
#define MDEV_CTL_JSON_WRITE_H

#include <stdio.h>

#include "json.h"

struct json_writer {
	FILE *stream;
	enum json_format format;
	unsigned int level;
	int is_empty;		/* the innermost object or array, so far */
	int has_key;		/* the next value belongs to a key that was just written */
};

/* bracket: '{' or '[', and the one that belongs to it */
void json_write_open(struct json_writer *writer, char bracket);
void json_write_close(struct json_writer *writer, char bracket);
void json_write_key(struct json_writer *writer, const char *key);
void json_write_string(struct json_writer *writer, const char *string);

#endif
