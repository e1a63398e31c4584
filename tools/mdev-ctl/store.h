/* SPDX-License-Identifier: GPL-2.0-only */
/* The definitions: devices that can be started at any time, kept in files. */
#ifndef MDEV_CTL_STORE_H
#define MDEV_CTL_STORE_H

#include <stddef.h>

#include "config.h"
#include "uuid.h"

struct definition {
	char uuid[UUID_TEXT_SIZE];
	char *parent;
	struct config config;
	int misnamed;		/* its file is not called uuid, but another form of it */
};

struct definitions {
	struct definition *definition;	/* by parent, then UUID */
	size_t count;
};

/*
 * All, or those of a parent, or of a device; NULL means any. With a device nothing else is
 * looked at, and a file of it that cannot be understood is an error, which has been reported.
 * Otherwise it is a warning, as everything is that is not a definition.
 */
int store_find(struct definitions *found, const char *parent, const char *uuid);
void store_free(struct definitions *found);

/* 0; -ENOENT; or another -errno that has been reported. */
int store_read(struct config *config, const char *parent, const char *uuid);
/* The same, but what is wrong with the file is only a warning. */
int store_peek(struct config *config, const char *parent, const char *uuid);
/* There is a file, whatever it contains. */
int store_has(const char *parent, const char *uuid);

/*
 * The writers. When they return, the change is on the disk or has not been made, and an error
 * has been reported, unless it is one of:
 *
 *	-EEXIST		store_create(): it is defined already
 *	-EAGAIN		store_replace(): it is not as *seen any more. seen == NULL: whatever it is
 */
int store_create(const char *parent, const char *uuid, const struct config *config);
int store_replace(const char *parent, const char *uuid, const struct config *seen,
		  const struct config *config);
int store_remove(const char *parent, const char *uuid);

/* Contents of a file that is to be a config. 0, or the error has been reported. */
int store_read_jsonfile(struct config *config, const char *path);

#endif
