/* SPDX-License-Identifier: GPL-2.0-only */
/* UUIDs: every form that a user may type in, one form out. */
#ifndef MDEV_CTL_UUID_H
#define MDEV_CTL_UUID_H

#define UUID_TEXT_SIZE 37	/* 36 characters and the terminating zero */

struct uuid {
	unsigned char byte[16];
};

/* 0, or -EINVAL and *uuid unspecified. */
int uuid_parse(struct uuid *uuid, const char *text);
void uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_SIZE]);
/* A version 4 UUID. 0 or -errno. */
int uuid_random(struct uuid *uuid);

#endif
