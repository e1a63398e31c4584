// SPDX-License-Identifier: GPL-2.0-only
/*
 * Definitions in files: changing them.
 *
 * A file is written beside the parents' directories, synced, and renamed to where it belongs;
 * then the directories are synced. So a reader, and whoever comes after a crash, finds the old
 * contents or the new ones. There is one such file at most, and its name is always the same:
 * what a killed process leaves behind, the next one overwrites.
 *
 * One lock keeps writers apart: flock(2) on a file that stays there, and that nobody but root can
 * open, so that nobody else can hold it. It is held for the writing alone, and never while a
 * script runs, because the script may want to change a definition itself. Who changes what it has
 * read tells what that was, and has to begin again when somebody else was faster.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out.h"
#include "store.h"
#include "store_path.h"

/* mdevctl passes over files there without a word. */
#define NEW_FILE STORE_DIR "/.mdev-ctl.new"
#define LOCK_FILE STORE_DIR "/.mdev-ctl.lock"

static int make_directory(const char *path)
{
	return mkdir(path, 0777) && errno != EEXIST ? -errno : 0;
}

static int make_store(void)
{
	char path[PATH_MAX], etc[PATH_MAX];
	int err = store_path(path, NULL, NULL);

	if (!err)
		err = root_path(etc, "/etc");
	if (!err)
		err = make_directory(etc);
	return err ? err : make_directory(path);
}

/* The locked file, or a negative errno */
static int lock(void)
{
	char path[PATH_MAX];
	int err = make_store();
	int fd;

	if (!err)
		err = root_path(path, LOCK_FILE);
	if (err)
		return err;
	/* Not for writing: libvirt would read all definitions again when it is closed. */
	fd = open(path, O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX)) {
		if (errno != EINTR) {
			err = -errno;
			close(fd);
			return err;
		}
	}
	return fd;
}

static void unlock(int fd)
{
	close(fd);
}

/* Some file systems sync directories by themselves, and know no call for it. */
static int sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) && errno != EINVAL)
		err = -errno;
	close(fd);
	return err;
}

/* The new file gets owner and mode of the one that it replaces, which may be old's. */
static int keep_rights(int fd, const char *old)
{
	struct stat st;

	if (stat(old, &st))
		return errno == ENOENT ? 0 : -errno;
	if (fchown(fd, st.st_uid, st.st_gid) || fchmod(fd, st.st_mode & 07777))
		return -errno;
	return 0;
}

static int write_new(const char *path, const char *old, const struct config *config)
{
	char *text = config_to_text(config, JSON_PRETTY);
	size_t len = strlen(text);
	int fd, err;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		err = -errno;
	} else {
		/* What could not be read again is not written. */
		err = len > STORE_SIZE_LIMIT - 2 ? -EFBIG : keep_rights(fd, old);
		if (!err)
			err = out_write(fd, text, len);
		if (!err && fsync(fd))
			err = -errno;
		close(fd);
	}
	free(text);
	return err;
}

/* Under the lock, which takes the place of RENAME_NOREPLACE on file systems without. */
static int rename_new(const char *new, const char *path, int replace)
{
	struct stat st;

	if (!renameat2(AT_FDCWD, new, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE))
		return 0;
	if (replace || errno != EINVAL)
		return -errno;
	if (!lstat(path, &st))
		return -EEXIST;
	return rename(new, path) ? -errno : 0;
}

/* Under the lock */
static int put_in_place(const char *parent, const char *uuid, const struct config *config,
			int replace)
{
	char path[PATH_MAX], dir[PATH_MAX], all[PATH_MAX], new[PATH_MAX];
	int err = store_path(path, parent, uuid);

	if (!err)
		err = root_path(new, NEW_FILE);
	if (err || store_path(dir, parent, NULL) || store_path(all, NULL, NULL))
		return err ? err : -ENAMETOOLONG;
	err = make_directory(dir);
	if (!err)
		err = write_new(new, path, config);
	if (!err)
		err = rename_new(new, path, replace);
	if (err) {
		unlink(new);
		return err;
	}
	err = sync_dir(dir);
	return err ? err : sync_dir(all);
}

static int report(int err, const char *what, const char *parent, const char *uuid)
{
	out_error(err, "Unable to %s the definition of device %s on %s", what, uuid, parent);
	if (err == -EACCES || err == -EPERM || err == -EROFS)
		out_hint("Definitions are in %s" STORE_DIR ", which takes the rights of root to "
			 "change.", root_get());
	return err;
}

int store_create(const char *parent, const char *uuid, const struct config *config)
{
	int fd = lock();
	int err;

	if (fd < 0)
		return report(fd, "write", parent, uuid);
	err = put_in_place(parent, uuid, config, 0);
	unlock(fd);
	return err && err != -EEXIST ? report(err, "write", parent, uuid) : err;
}

int store_replace(const char *parent, const char *uuid, const struct config *seen,
		  const struct config *config)
{
	struct config now = { 0 };
	int fd = lock();
	int err = 0;

	if (fd < 0)
		return report(fd, "write", parent, uuid);
	if (seen && (store_read(&now, parent, uuid) || !config_equal(&now, seen)))
		err = -EAGAIN;
	if (!err)
		err = put_in_place(parent, uuid, config, 1);
	unlock(fd);
	if (now.type)
		config_free(&now);
	return err && err != -EAGAIN ? report(err, "write", parent, uuid) : err;
}

int store_remove(const char *parent, const char *uuid)
{
	char path[PATH_MAX], dir[PATH_MAX];
	int fd = lock();
	int err;

	if (fd < 0)
		return report(fd, "remove", parent, uuid);
	err = store_path(path, parent, uuid);
	if (!err)
		err = store_path(dir, parent, NULL);
	/* That somebody else has removed it is what was wanted. */
	if (!err && unlink(path) && errno != ENOENT)
		err = -errno;
	if (!err)
		err = sync_dir(dir);
	unlock(fd);
	return err ? report(err, "remove", parent, uuid) : 0;
}
