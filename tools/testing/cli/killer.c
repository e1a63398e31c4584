// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into mdev-ctl, kills it with SIGKILL right before the KILL_AT'th of those calls that
 * may change something on a disk.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void count(void)
{
	static int left;
	const char *at = getenv("KILL_AT");

	if (!left && at)
		left = atoi(at);
	if (left && !--left)
		raise(SIGKILL);
}

#define real(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	count();
	return real(open)(path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t len)
{
	count();
	return real(write)(fd, data, len);
}

int fsync(int fd)
{
	count();
	return real(fsync)(fd);
}

int fchown(int fd, uid_t owner, gid_t group)
{
	count();
	return real(fchown)(fd, owner, group);
}

int fchmod(int fd, mode_t mode)
{
	count();
	return real(fchmod)(fd, mode);
}

int flock(int fd, int operation)
{
	count();
	return real(flock)(fd, operation);
}

int mkdir(const char *path, mode_t mode)
{
	count();
	return real(mkdir)(path, mode);
}

int unlink(const char *path)
{
	count();
	return real(unlink)(path);
}

int renameat2(int olddir, const char *old, int newdir, const char *new, unsigned int flags)
{
	count();
	return real(renameat2)(olddir, old, newdir, new, flags);
}

int close(int fd)
{
	count();
	return real(close)(fd);
}
