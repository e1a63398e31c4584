// SPDX-License-Identifier: GPL-2.0-only
#include <glob.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <cmocka.h>

#include "sysfs.h"
#include "trace.h"

#define TRACING "/sys/kernel/tracing"

void trace_begin(const char *system)
{
	/* Fails where it is mounted already */
	mount("tracefs", TRACING, "tracefs", 0, NULL);
	assert_int_equal(sysfs_write("0", TRACING "/trace"), 0);
	assert_int_equal(sysfs_write("1", TRACING "/events/%s/enable", system), 0);
}

void trace_end(const char *what)
{
	assert_int_equal(sysfs_write("0", TRACING "/events/%s/enable", what), 0);
}

static bool file_has(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	char line[4096];
	bool found = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		found |= !!strstr(line, text);
	fclose(file);
	return found;
}

bool trace_has(const char *text)
{
	return file_has(TRACING "/trace", text);
}

int trace_unresolved(const char *system, const char *prefix)
{
	char path[PATH_MAX];
	glob_t files;
	int count = 0;
	size_t i;

	mount("tracefs", TRACING, "tracefs", 0, NULL);
	snprintf(path, sizeof(path), TRACING "/events/%s/*/format", system);
	if (glob(path, 0, NULL, &files))
		return -1;
	for (i = 0; i < files.gl_pathc; i++) {
		if (!file_has(files.gl_pathv[i], prefix))
			continue;
		printf("# %s: %s..\n", files.gl_pathv[i], prefix);
		count++;
	}
	globfree(&files);
	return count;
}
