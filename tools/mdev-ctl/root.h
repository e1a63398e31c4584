/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the system is: every path that the tool uses hangs off one directory. */
#ifndef MDEV_CTL_ROOT_H
#define MDEV_CTL_ROOT_H

#include <limits.h>

#define ROOT_FORMAT(a, b) __attribute__((format(printf, a, b)))

void root_set(const char *root);
/* "" for the system's own root */
const char *root_get(void);

/* The path below the root, which begins with a slash. 0 or -ENAMETOOLONG. */
int root_path(char path[static PATH_MAX], const char *fmt, ...) ROOT_FORMAT(2, 3);

/*
 * The caller means mdevctl in every detail, since it has used its name or its variable
 * MDEVCTL_ENV_ROOT: its version, and its check of what has to be installed.
 */
void root_set_mdevctl(void);
int root_is_mdevctl(void);

#endif
