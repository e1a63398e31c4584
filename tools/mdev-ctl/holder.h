/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes that have a device open. */
#ifndef MDEV_CTL_HOLDER_H
#define MDEV_CTL_HOLDER_H

#include <stddef.h>

struct holder {
	long pid;
	char *command;
	char *vm;		/* QEMU's name for it, or NULL */
};

struct holders {
	struct holder *holder;	/* by pid */
	size_t count;
	int is_partial;		/* some processes could not be looked into */
};

/* 0; -ENOENT: there is no such device; or another -errno. */
int holder_find(struct holders *found, const char *uuid);
void holder_free(struct holders *found);

#endif
