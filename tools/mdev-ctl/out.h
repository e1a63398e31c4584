/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tool says: results on stdout, reports on stderr. */
#ifndef MDEV_CTL_OUT_H
#define MDEV_CTL_OUT_H

#include <stdio.h>

struct json_object;

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

#define OUT_FORMAT(a, b) __attribute__((format(printf, a, b)))

/* Results are collected, and reach stdout when out_flush() is called, in whole. */
void out_printf(const char *fmt, ...) OUT_FORMAT(1, 2);
/* Where they are collected */
FILE *out_stream(void);
void out_json(struct json_object *value);
/* Returns an exit code: what could not be written has been reported. */
int out_flush(void);
int out_flush_to(int fd);
/* All of it, whatever a single call takes. 0 or -errno. */
int out_write(int fd, const char *data, size_t size);

/* "Error: MSG", and err (an errno of either sign; 0: none) as its cause. Returns EXIT_FAILED. */
int out_error(int err, const char *fmt, ...) OUT_FORMAT(2, 3);
/* What somebody else gives as the reason of the next error, beside its errno: the kernel. */
void out_reason(const char *text);
/* Something is not as it should be, and the command goes on. */
void out_warning(const char *fmt, ...) OUT_FORMAT(1, 2);
/* The progress of a command that has nothing to print on stdout */
void out_note(const char *fmt, ...) OUT_FORMAT(1, 2);
/*
 * Until it is called again with NULL, errors are warnings about subject, of one line, and hints
 * are left out.
 */
void out_subject(const char *subject);
/* Warnings, errors and notes go to the system's log, too. */
void out_use_syslog(void);
/* What the user can do about the error just reported. */
void out_hint(const char *fmt, ...) OUT_FORMAT(1, 2);
/* Out of memory: nothing sensible is left to do. */
void out_of_memory(void) __attribute__((noreturn));

#endif
