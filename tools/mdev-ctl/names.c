// SPDX-License-Identifier: GPL-2.0-only
/* Directories, read in whole and sorted. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "out.h"

char *names_copy(const char *string)
{
	char *dup = strdup(string);

	if (!dup)
		out_of_memory();
	return dup;
}

static void add_name(struct names *names, const struct dirent *entry)
{
	size_t size = strlen(entry->d_name) + 1;
	char *name = malloc(size + 1);

	if (!name)
		out_of_memory();
	memcpy(name, entry->d_name, size);
	name[size] = entry->d_type == DT_REG;
	/* Grows at powers of two, so the size need not be kept. */
	if (!(names->count & (names->count - 1))) {
		size_t room = names->count ? names->count * 2 : 1;

		names->name = reallocarray(names->name, room, sizeof(*names->name));
		if (!names->name)
			out_of_memory();
	}
	names->name[names->count++] = name;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int is_wanted(const char *name, enum names_hidden hidden)
{
	if (hidden == NAMES_VISIBLE)
		return name[0] != '.';
	return strcmp(name, ".") && strcmp(name, "..");
}

static int read_all(struct names *names, DIR *dir, enum names_hidden hidden)
{
	struct dirent *entry;

	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (is_wanted(entry->d_name, hidden))
			add_name(names, entry);
	return -errno;
}

int names_read(struct names *names, const char *path, enum names_hidden hidden)
{
	DIR *dir;
	int err;

	*names = (struct names){ 0 };
	dir = opendir(path);
	if (!dir)
		return -errno;
	err = read_all(names, dir, hidden);
	closedir(dir);
	if (err) {
		names_free(names);
		return err;
	}
	if (names->count)
		qsort(names->name, names->count, sizeof(*names->name), compare_names);
	return 0;
}

int names_is_file(const char *name)
{
	return name[strlen(name) + 1];
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct names){ 0 };
}
