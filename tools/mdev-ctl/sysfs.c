// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access to sysfs.
 *
 *	class/mdev_bus/PARENT			link to the physical device
 *	    mdev_supported_types/TYPE/		create, available_instances, device_api, name, ..
 *	bus/mdev/devices/UUID			link to ../../../devices/.../PARENT/UUID
 *	    mdev_type				link to ../mdev_supported_types/TYPE
 *	    remove
 *
 * Every name above can be computed, so nothing is searched for. An instance's parent and type
 * are in the text of its two links: reading the text is one system call each, and cannot fail
 * half way as resolving the path can while the instance is going away.
 *
 * An instance that was in use when its parent was unbound is a shell: below devices/mdev,
 * without mdev_type and remove, until its last user has closed it.
 *
 * Writes never create a file: if the attribute is not there, the device is not there.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "out.h"
#include "root.h"
#include "sysfs.h"

volatile sig_atomic_t sysfs_impatient;

int sysfs_require(void)
{
	/* To mdevctl nothing is active then, which is no failure. */
	if (sysfs_is_dir(".") || root_is_mdevctl())
		return EXIT_OK;
	out_error(0, "Unable to find sysfs in '%s/sys'", root_get());
	if (*root_get())
		out_hint("--root or MDEV_CTL_ROOT moves the tool away from /sys; leave both out to "
			 "use the system's.");
	return EXIT_FAILED;
}

int sysfs_vanished(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENXIO;
}

static int format_path(char path[static PATH_MAX], const char *fmt, va_list ap)
{
	char below[PATH_MAX];

	if (vsnprintf(below, sizeof(below), fmt, ap) >= PATH_MAX)
		return -ENAMETOOLONG;
	return root_path(path, "/sys/%s", below);
}

int sysfs_is_dir(const char *fmt, ...)
{
	char path[PATH_MAX];
	struct stat st;
	va_list ap;
	int err;

	va_start(ap, fmt);
	err = format_path(path, fmt, ap);
	va_end(ap);
	return !err && !stat(path, &st) && S_ISDIR(st.st_mode);
}

int sysfs_list(struct names *names, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	int err;

	*names = (struct names){ 0 };
	va_start(ap, fmt);
	err = format_path(path, fmt, ap);
	va_end(ap);
	return err ? err : names_read(names, path, NAMES_VISIBLE);
}

static char *trim(char *string)
{
	size_t len;

	while (isspace((unsigned char)*string))
		string++;
	len = strlen(string);
	while (len && isspace((unsigned char)string[len - 1]))
		len--;
	string[len] = '\0';
	return string;
}

/* The open file, or a negative errno */
static int open_attribute(int flags, const char *fmt, va_list ap)
{
	char path[PATH_MAX];
	int err, fd;

	err = format_path(path, fmt, ap);
	if (err)
		return err;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysfs_read_string(char **value, const char *fmt, ...)
{
	char data[65536 + 1];	/* sysfs shows at most a page, and pages have up to 64 KiB */
	size_t len = 0;
	ssize_t n;
	va_list ap;
	int err, fd;

	va_start(ap, fmt);
	fd = open_attribute(O_RDONLY, fmt, ap);
	va_end(ap);
	if (fd < 0)
		return fd;
	do {
		n = read(fd, data + len, sizeof(data) - 1 - len);
		if (n > 0)
			len += n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	err = n < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;

	data[len] = '\0';
	*value = names_copy(trim(data));
	return 0;
}

/* One call carries the whole value, and the kernel acts on it or does nothing. Closes fd. */
static int write_value(int fd, const char *value)
{
	size_t len = strlen(value);
	int err = 0;
	ssize_t n;

	do {
		n = write(fd, value, len);
	} while (n < 0 && errno == EINTR && !sysfs_impatient);
	if (n < 0)
		err = -errno;
	else if ((size_t)n != len)
		err = -EIO;
	close(fd);
	return err;
}

int sysfs_write_string(const char *value, const char *fmt, ...)
{
	va_list ap;
	int fd;

	va_start(ap, fmt);
	fd = open_attribute(O_WRONLY, fmt, ap);
	va_end(ap);
	return fd < 0 ? fd : write_value(fd, value);
}

int sysfs_write_below(const char *value, const char *uuid, const char *name)
{
	struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	char path[PATH_MAX];
	int dir, fd;

	if (root_path(path, "/sys/" SYSFS_INSTANCE, uuid))
		return -ENAMETOOLONG;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	fd = syscall(SYS_openat2, dir, name, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(dir);
	return fd < 0 ? fd : write_value(fd, value);
}

static int read_link(char target[static PATH_MAX], const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	ssize_t n;
	int err;

	va_start(ap, fmt);
	err = format_path(path, fmt, ap);
	va_end(ap);
	if (err)
		return err;

	n = readlink(path, target, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return 0;
}

/* Cuts the last component off path and returns it; "" when there is none. */
static char *cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return path + strlen(path);
	*slash = '\0';
	return slash + 1;
}

int sysfs_open_instances(void)
{
	char path[PATH_MAX];
	int err = root_path(path, "/sys/" SYSFS_INSTANCES);
	int dir;

	if (err)
		return err;
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -errno : dir;
}

static int read_link_at(char target[static PATH_MAX], int dir, const char *name)
{
	ssize_t n = readlinkat(dir, name, target, PATH_MAX - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	return 0;
}

int sysfs_read_instance_at(struct sysfs_instance *instance, int instances, const char *uuid)
{
	char device[PATH_MAX], type[PATH_MAX], name[NAME_MAX + sizeof("/mdev_type")];
	int err;

	snprintf(name, sizeof(name), "%.*s/mdev_type", NAME_MAX, uuid);
	err = read_link_at(device, instances, uuid);
	if (!err)
		err = read_link_at(type, instances, name);
	if (err)
		return err;

	cut_last(device);
	instance->parent = names_copy(cut_last(device));
	instance->type = names_copy(cut_last(type));
	return 0;
}

int sysfs_read_instance(struct sysfs_instance *instance, const char *uuid)
{
	int instances = sysfs_open_instances();
	int err;

	if (instances < 0)
		return instances;
	err = sysfs_read_instance_at(instance, instances, uuid);
	close(instances);
	return err;
}

int sysfs_is_shell(const char *uuid)
{
	char device[PATH_MAX];

	if (read_link(device, SYSFS_INSTANCE, uuid))
		return 0;
	cut_last(device);
	return !strcmp(cut_last(device), "mdev") && !strcmp(cut_last(device), "devices") &&
	       !sysfs_is_dir(SYSFS_INSTANCE "/mdev_type", uuid);
}

void sysfs_free_instance(struct sysfs_instance *instance)
{
	free(instance->parent);
	free(instance->type);
	*instance = (struct sysfs_instance){ 0 };
}
