/* SPDX-License-Identifier: GPL-2.0-only */
/* Where definitions are; between store.c and store_write.c only. */
#ifndef MDEV_CTL_STORE_PATH_H
#define MDEV_CTL_STORE_PATH_H

#include "root.h"

#define STORE_DIR "/etc/mdevctl.d"

/*
 * Files are smaller than that by two bytes at least. It is far beyond what a device can need, and
 * not so much that reading it does harm.
 */
#define STORE_SIZE_LIMIT (1 << 20)

/* Of a definition; without name, of a parent's; without parent, of all. 0 or -errno. */
static inline int store_path(char path[static PATH_MAX], const char *parent, const char *name)
{
	if (!parent)
		return root_path(path, STORE_DIR);
	if (!name)
		return root_path(path, STORE_DIR "/%s", parent);
	return root_path(path, STORE_DIR "/%s/%s", parent, name);
}

#endif
