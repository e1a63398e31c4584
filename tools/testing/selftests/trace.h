/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of the modules, by tracefs
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>

/* From now on, with nothing from before; until trace_end(); what came can be looked for at any time */
void trace_begin(const char *system);
/* @what: the system, or one event of it, as "mdev/mdev_create" */
void trace_end(const char *what);

/* Whether a line contains @text */
bool trace_has(const char *text);

/*
 * How many events the system has whose format holds a name that begins with @prefix in
 * place of a number, which no program outside of the kernel knows; each is printed.
 * -1: there is no event at all.
 */
int trace_unresolved(const char *system, const char *prefix);

#endif /* TRACE_H */
