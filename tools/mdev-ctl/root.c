// SPDX-License-Identifier: GPL-2.0-only
/*
 * The root directory.
 *
 * Tests put a system of their own there: /sys, /etc/mdevctl.d, the scripts, /proc and /dev/kmsg.
 * In the order of precedence it comes from --root, MDEV_CTL_ROOT and MDEVCTL_ENV_ROOT.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "root.h"

static const char *root_dir = "";
static int root_mdevctl;

void root_set(const char *root)
{
	root_dir = root;
}

const char *root_get(void)
{
	return root_dir;
}

void root_set_mdevctl(void)
{
	root_mdevctl = 1;
}

int root_is_mdevctl(void)
{
	return root_mdevctl;
}

int root_path(char path[static PATH_MAX], const char *fmt, ...)
{
	size_t len = strlen(root_dir);
	va_list ap;

	if (len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, root_dir, len);
	va_start(ap, fmt);
	len += vsnprintf(path + len, PATH_MAX - len, fmt, ap);
	va_end(ap);
	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}
