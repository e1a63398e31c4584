/* SPDX-License-Identifier: GPL-2.0-only */
/* The names in a directory, in byte order. */
#ifndef MDEV_CTL_NAMES_H
#define MDEV_CTL_NAMES_H

#include <stddef.h>

struct names {
	char **name;		/* each followed by a byte more, see names_is_file() */
	size_t count;
};

enum names_hidden { NAMES_VISIBLE, NAMES_ALL };

/* 0 or -errno, and then *names is empty. "." and ".." are never among them. */
int names_read(struct names *names, const char *path, enum names_hidden hidden);
/* It was a regular file when the directory was read. 0: it was not, or who knows. */
int names_is_file(const char *name);
void names_free(struct names *names);

/* strdup() that cannot fail */
char *names_copy(const char *string);

#endif
