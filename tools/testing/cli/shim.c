// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into mdev-ctl, gives plain files the manners of sysfs.
 *
 *	SHIM_LOG	file to which each write to a `create` or `remove` is added: name, length, data
 *	SHIM_ERRNO	such a write fails with this errno
 *	SHIM_EINTR	if set, the first such write is interrupted
 *	SHIM_BIRTH	if set, a write to `create` makes a directory for the instance
 *	SHIM_ADOPT	this directory is renamed to the instance's at a write to `create`
 *	SHIM_DENY	a write to an attribute of this name fails with EIO
 *	SHIM_KMSG	what the kernel logs when such a write fails
 *	SHIM_OLD_FS	if set, directories cannot be synced, and a rename cannot be told not to replace
 *	SHIM_VANISH	links whose path contains this are gone
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static ssize_t real_write(int fd, const void *data, size_t len)
{
	return syscall(SYS_write, fd, data, len);
}

/* "" for what is no file */
static const char *file_name(int fd)
{
	static char path[PATH_MAX];
	char proc[64];
	ssize_t n;
	char *name;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, proc, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	name = strrchr(path, '/');
	return name ? name + 1 : "";
}

static void log_write(const char *name, const char *data, size_t len)
{
	const char *log = getenv("SHIM_LOG");
	char line[256];
	int fd, n;

	if (!log)
		return;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	n = snprintf(line, sizeof(line), "%s %zu %.*s\n", name, len, (int)len, data);
	if (fd < 0 || real_write(fd, line, n) != n)
		abort();
	close(fd);
}

/* A record in the tool's /dev/kmsg, which is a plain file here */
static void log_kernel(void)
{
	const char *record = getenv("SHIM_KMSG"), *root = getenv("MDEV_CTL_ROOT");
	char path[PATH_MAX];
	int fd;

	if (!record || !root)
		return;
	snprintf(path, sizeof(path), "%s/dev/kmsg", root);
	fd = open(path, O_WRONLY | O_APPEND);
	if (fd < 0 || real_write(fd, record, strlen(record)) != (ssize_t)strlen(record))
		abort();
	close(fd);
}

static void give_birth(const char *uuid, size_t len)
{
	const char *root = getenv("MDEV_CTL_ROOT");
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/sys/bus/mdev/devices", root ? root : "");
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/sys/bus/mdev/devices/%.*s", root ? root : "", (int)len,
		 uuid);
	if (getenv("SHIM_ADOPT") ? rename(getenv("SHIM_ADOPT"), path) : mkdir(path, 0700))
		abort();
}

ssize_t write(int fd, const void *data, size_t len)
{
	const char *error = getenv("SHIM_ERRNO"), *deny = getenv("SHIM_DENY");
	const char *name = file_name(fd);

	if (deny && !strcmp(name, deny)) {
		errno = EIO;
		return -1;
	}
	if (strcmp(name, "create") && strcmp(name, "remove"))
		return real_write(fd, data, len);
	log_write(name, data, len);
	if (getenv("SHIM_EINTR")) {
		unsetenv("SHIM_EINTR");
		errno = EINTR;
		return -1;
	}
	if ((getenv("SHIM_BIRTH") || getenv("SHIM_ADOPT")) && !strcmp(name, "create"))
		give_birth(data, len);
	if (error) {
		log_kernel();
		errno = atoi(error);
		return -1;
	}
	return real_write(fd, data, len);
}

int fsync(int fd)
{
	struct stat st;

	if (getenv("SHIM_OLD_FS") && !fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_fsync, fd);
}

int renameat2(int olddir, const char *old, int newdir, const char *new, unsigned int flags)
{
	if (getenv("SHIM_OLD_FS") && flags) {
		errno = EINVAL;
		return -1;
	}
	return syscall(SYS_renameat2, olddir, old, newdir, new, flags);
}

ssize_t readlinkat(int dir, const char *path, char *target, size_t size)
{
	const char *vanish = getenv("SHIM_VANISH");

	if (vanish && strstr(path, vanish)) {
		errno = ENOENT;
		return -1;
	}
	return syscall(SYS_readlinkat, dir, path, target, size);
}
