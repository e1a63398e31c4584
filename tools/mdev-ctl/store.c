// SPDX-License-Identifier: GPL-2.0-only
/*
 * Definitions in files: what is there.
 *
 *	/etc/mdevctl.d/PARENT/UUID	a config, see config.c
 *
 * The directory is mdevctl's, and either tool reads what the other has written. The name of the
 * file is the device: what has a name that is not a UUID, and what is not a regular file in a
 * directory, is none.
 *
 * A definition is found by its path. Only a listing reads directories, and in that one bad file
 * hides nothing but itself. Files are replaced whole (see store_write.c), so that readers need
 * no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "names.h"
#include "out.h"
#include "root.h"
#include "store.h"
#include "store_path.h"
#include "utf8.h"

static ssize_t read_some(int fd, char *text, size_t size)
{
	ssize_t n;

	do {
		n = read(fd, text, size);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* is_file: less than was asked for is all that there is, which is not so of a pipe. */
static int read_all(int fd, int is_file, char **text, size_t *len)
{
	size_t size = 2048;
	ssize_t n = 0;

	*text = NULL;
	*len = 0;
	do {
		*len += n;
		if (!*text || *len == size - 1) {
			size *= 2;
			*text = realloc(*text, size);
		}
		if (!*text)
			out_of_memory();
		n = size > STORE_SIZE_LIMIT ? -EFBIG : read_some(fd, *text + *len, size - 1 - *len);
	} while (n > 0 && !(is_file && *len + n < size - 1));
	if (n < 0) {
		free(*text);
		return n;
	}
	*len += n;
	(*text)[*len] = '\0';
	return 0;
}

/* -EBADMSG comes with a reason */
static int read_config(struct config *config, int fd, int is_file,
		       char reason[static CONFIG_REASON_SIZE])
{
	char *text;
	size_t len;
	int err = read_all(fd, is_file, &text, &len);

	if (err)
		return err;
	err = config_parse(config, text, len, reason);
	free(text);
	return err;
}

/* No fifo may stop us, and mdevctl does not see what a symbolic link leads to. */
static int open_regular(int dir, const char *path, int is_file)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (is_file || (!fstat(fd, &st) && S_ISREG(st.st_mode)))
		return fd;
	close(fd);
	return -ELOOP;
}

/* is_file: that it is one need not be asked. */
static int read_file(struct config *config, int dir, const char *path, int is_file,
		     char reason[static CONFIG_REASON_SIZE])
{
	int fd = open_regular(dir, path, is_file);
	int err;

	if (fd < 0)
		return fd;
	err = read_config(config, fd, 1, reason);
	close(fd);
	return err;
}

static void complain(const char *path, int err, const char *reason, int serious)
{
	const char *why = err == -EBADMSG ? reason :
			  err == -ELOOP ? "not a regular file" : strerror(-err);

	if (!serious) {
		out_warning("%s is left out: %s", path, why);
		return;
	}
	out_error(0, "Unable to use the definition %s: %s", path, why);
	out_hint("Correct the file, or remove it and define the device again.");
}

static int read_one(struct config *config, const char *parent, const char *uuid, int serious)
{
	char path[PATH_MAX], reason[CONFIG_REASON_SIZE];
	int err = store_path(path, parent, uuid);

	if (!err)
		err = read_file(config, AT_FDCWD, path, 0, reason);
	if (err == -ENOTDIR)
		err = -ENOENT;
	if (err && err != -ENOENT)
		complain(path, err, reason, serious);
	return err;
}

int store_read(struct config *config, const char *parent, const char *uuid)
{
	return read_one(config, parent, uuid, 1);
}

int store_peek(struct config *config, const char *parent, const char *uuid)
{
	return read_one(config, parent, uuid, 0);
}

int store_has(const char *parent, const char *uuid)
{
	char path[PATH_MAX];
	struct stat st;

	return !store_path(path, parent, uuid) && !lstat(path, &st);
}

static struct definition *add(struct definitions *found, const char *parent, const char *uuid,
			      const struct config *config)
{
	struct definition *definition;

	if (!(found->count & (found->count - 1))) {
		size_t size = found->count ? found->count * 2 : 1;

		found->definition = reallocarray(found->definition, size, sizeof(*definition));
		if (!found->definition)
			out_of_memory();
	}
	definition = &found->definition[found->count++];
	*definition = (struct definition){ .parent = names_copy(parent), .config = *config };
	strcpy(definition->uuid, uuid);
	return definition;
}

static void find_file(struct definitions *found, int dir, const char *parent, const char *name)
{
	char path[PATH_MAX], text[UUID_TEXT_SIZE], reason[CONFIG_REASON_SIZE];
	struct config config;
	struct uuid uuid;
	int err;

	if (uuid_parse(&uuid, name)) {
		if (!store_path(path, parent, name))
			out_warning("%s is left out: its name is not a UUID", path);
		return;
	}
	err = read_file(&config, dir, name, names_is_file(name), reason);
	if (!err) {
		uuid_format(&uuid, text);
		add(found, parent, text, &config)->misnamed = !!strcmp(text, name);
	} else if (err != -ENOENT && !store_path(path, parent, name)) {
		complain(path, err, reason, 0);
	}
}

static void find_in(struct definitions *found, const char *parent)
{
	char path[PATH_MAX];
	struct names names = { 0 };
	int err = store_path(path, parent, NULL);
	int dir = -1;

	if (!err) {
		/* A thousand files are opened faster from here than from the root. */
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		err = dir < 0 ? -errno : names_read(&names, path, NAMES_ALL);
	}
	if (err && err != -ENOENT)
		out_warning("%s is left out: %s", path, strerror(-err));
	for (size_t i = 0; i < names.count; i++)
		find_file(found, dir, parent, names.name[i]);
	names_free(&names);
	if (dir >= 0)
		close(dir);
}

static int find_one(struct definitions *found, const char *parent, const char *uuid)
{
	struct config config;
	int err = store_read(&config, parent, uuid);

	if (!err)
		add(found, parent, uuid, &config);
	return err == -ENOENT ? 0 : err;
}

static int is_parent(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (store_path(path, name, NULL) || lstat(path, &st))
		return 0;
	if (S_ISLNK(st.st_mode))
		out_warning("%s is left out: it is a symbolic link", path);
	if (!S_ISDIR(st.st_mode) || utf8_is_valid(name))
		return S_ISDIR(st.st_mode);
	out_warning("%s is left out: its name is not UTF-8", path);
	return 0;
}

/* A device is looked for where it can be: one path for each parent that has definitions. */
static int find_in_all(struct definitions *found, const char *uuid)
{
	char path[PATH_MAX];
	struct names parents;
	int err = store_path(path, NULL, NULL);

	if (!err)
		err = names_read(&parents, path, NAMES_ALL);
	if (err == -ENOENT)
		return 0;
	if (err) {
		out_error(err, "Unable to list %s", path);
		return err;
	}
	for (size_t i = 0; i < parents.count && !err; i++) {
		/* A place for scripts of old, see provider.c */
		if (!strcmp(parents.name[i], "scripts.d") || !is_parent(parents.name[i]))
			continue;
		if (uuid)
			err = find_one(found, parents.name[i], uuid);
		else
			find_in(found, parents.name[i]);
	}
	names_free(&parents);
	return err;
}

static int compare(const void *a, const void *b)
{
	const struct definition *one = a, *other = b;
	int order = strcmp(one->parent, other->parent);

	return order ? order : strcmp(one->uuid, other->uuid);
}

int store_find(struct definitions *found, const char *parent, const char *uuid)
{
	int err = 0;

	*found = (struct definitions){ 0 };
	if (!parent)
		err = find_in_all(found, uuid);
	else if (uuid)
		err = find_one(found, parent, uuid);
	else if (is_parent(parent))
		find_in(found, parent);
	if (err) {
		store_free(found);
		return err;
	}
	if (found->count)
		qsort(found->definition, found->count, sizeof(*found->definition), compare);
	return 0;
}

void store_free(struct definitions *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->definition[i].parent);
		config_free(&found->definition[i].config);
	}
	free(found->definition);
	*found = (struct definitions){ 0 };
}

int store_read_jsonfile(struct config *config, const char *path)
{
	char reason[CONFIG_REASON_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return out_error(errno, "Unable to read file \"%s\"", path);
	err = read_config(config, fd, 0, reason);
	close(fd);
	if (err == -EBADMSG)
		return out_error(0, "Unable to use file \"%s\": %s", path, reason);
	if (err)
		return out_error(err, "Unable to read file \"%s\"", path);
	return 0;
}
