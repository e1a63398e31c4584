// SPDX-License-Identifier: GPL-2.0-only
/* Files as the doctor looks at them. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor_file.h"
#include "names.h"
#include "root.h"

static int format(char path[static PATH_MAX], const char *fmt, va_list ap)
{
	char below[PATH_MAX];

	if (vsnprintf(below, sizeof(below), fmt, ap) >= PATH_MAX)
		return -1;
	return root_path(path, "%s", below);
}

void doctor_read(char *text, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;
	int err, fd;

	va_start(ap, fmt);
	err = format(path, fmt, ap);
	va_end(ap);
	fd = err ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return;
	while (n && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
}

int doctor_stat(struct stat *st, const char *path)
{
	char full[PATH_MAX];

	return !root_path(full, "%s", path) && !stat(full, st);
}

int doctor_exists(const char *path)
{
	struct stat st;

	return doctor_stat(&st, path);
}

size_t doctor_count(const char *path)
{
	char full[PATH_MAX];
	struct names names;
	size_t count;

	if (root_path(full, "%s", path) || names_read(&names, full, NAMES_VISIBLE))
		return 0;
	count = names.count;
	names_free(&names);
	return count;
}

void doctor_link(char *name, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	va_list ap;
	ssize_t n;
	int err;

	*name = '\0';
	va_start(ap, fmt);
	err = format(path, fmt, ap);
	va_end(ap);
	n = err ? -1 : readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	snprintf(name, size, "%s", strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
}
