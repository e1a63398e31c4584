/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tool says: results on stdout, reports on stderr. */
#ifndef MDEV_CTL_OUT_H
#define MDEV_CTL_OUT_H

struct json_object;

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

#define OUT_FORMAT(a, b) __attribute__((format(printf, a, b)))

/* Results are collected, and reach stdout when out_flush() is called, in whole. */
void out_printf(const char *fmt, ...) OUT_FORMAT(1, 2);
void out_json(struct json_object *value);
/* Returns an exit code: what could not be written has been reported. */
int out_flush(void);
int out_flush_to(int fd);

/* "Error: MSG", and err (an errno of either sign; 0: none) as its cause. Returns EXIT_FAILED. */
int out_error(int err, const char *fmt, ...) OUT_FORMAT(2, 3);
/* What the user can do about the error just reported. */
void out_hint(const char *fmt, ...) OUT_FORMAT(1, 2);
/* Out of memory: nothing sensible is left to do. */
void out_of_memory(void) __attribute__((noreturn));

/*
 * Both listings have one shape, [{"PARENT":[{"NAME":{..}}, ..], ..}], or [] when there is
 * nothing to list. All take over the reference to the value that they are given.
 */
struct json_object *json_listing(struct json_object *parents);
struct json_object *json_array(void);
void json_append(struct json_object *array, const char *name, struct json_object *value);
void json_put(struct json_object *object, const char *key, struct json_object *value);

#endif
