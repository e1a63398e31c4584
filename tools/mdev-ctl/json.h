/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON in the form of mdevctl. */
#ifndef MDEV_CTL_JSON_H
#define MDEV_CTL_JSON_H

#include <stddef.h>

struct json_object;

enum json_format { JSON_COMPACT, JSON_PRETTY };

/* text[len] is 0. NULL is an error when *reason is set by it, and the value null when not. */
struct json_object *json_parse(const char *text, size_t len, const char **reason);
/* NULL: not a string, or one that C cannot hold */
const char *json_string(struct json_object *value);
/* Lives as long as value, and until the next call. */
const char *json_text(struct json_object *value, enum json_format format);

/* All that follow take over the reference to the value that they are given. */
struct json_object *json_new_object(void);
struct json_object *json_array(void);
void json_add(struct json_object *array, struct json_object *value);
/* Adds {name: value} */
void json_append(struct json_object *array, const char *name, struct json_object *value);
void json_put(struct json_object *object, const char *key, struct json_object *value);
/* value NULL: null */
void json_put_string(struct json_object *object, const char *key, const char *value);

/*
 * The listings have one shape, [{"PARENT":[{"NAME":{..}}, ..], ..}], or [] when there is nothing
 * to list.
 */
struct json_object *json_listing(struct json_object *parents);

#endif
