/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices as they are listed: active ones, with what is defined of them, and defined ones. */
#ifndef MDEV_CTL_DEVICE_H
#define MDEV_CTL_DEVICE_H

#include "config.h"
#include "uuid.h"

struct device {
	char uuid[UUID_TEXT_SIZE];
	char *parent;
	struct config config;
	int is_active;
	int is_defined;
	int is_misnamed;	/* defined in a file of another name */
	int is_shell;		/* active, but all that is known is the UUID */
};

struct devices {
	struct device *device;	/* by parent, then UUID; shells come last */
	size_t count;
};

/*
 * NULL means any. 0 or -errno, which has been reported. What goes away while it is being read
 * is left out.
 */
int device_find_active(struct devices *found, const char *parent, const char *uuid);
/* Adds the attributes that callout scripts know of an active device, as far as they do. */
void device_ask_attrs(struct device *device);
int device_find_defined(struct devices *found, const char *parent, const char *uuid);
void device_free(struct devices *found);

#endif
