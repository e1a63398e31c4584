// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/netlink.h>

#include "sysfs.h"

#define FORMAT_PATH(path, format) do {				\
	va_list args;						\
								\
	va_start(args, format);					\
	vsnprintf(path, sizeof(path), format, args);		\
	va_end(args);						\
} while (0)

int sysfs_write_bytes(const char *bytes, size_t len, const char *path)
{
	int fd, ret = 0;

	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	if (write(fd, bytes, len) != (ssize_t)len)
		ret = -errno;
	close(fd);
	return ret;
}

int sysfs_write(const char *text, const char *format, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, format);
	return sysfs_write_bytes(text, strlen(text), path);
}

long sysfs_read_long(const char *format, ...)
{
	char path[PATH_MAX];
	long value = -1;
	FILE *file;

	FORMAT_PATH(path, format);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

char *sysfs_link_name(const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	FORMAT_PATH(path, format);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return NULL;
	target[len] = '\0';
	return strdup(basename(target));
}

char *sysfs_child_name(const char *format, ...)
{
	char path[PATH_MAX];
	struct dirent *entry;
	char *name = NULL;
	DIR *dir;

	FORMAT_PATH(path, format);
	dir = opendir(path);
	if (!dir)
		return NULL;
	while (!name && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			name = strdup(entry->d_name);
	closedir(dir);
	return name;
}

bool sysfs_exists(const char *format, ...)
{
	char path[PATH_MAX];

	FORMAT_PATH(path, format);
	return !access(path, F_OK);
}

bool mdev_core_is_ours(void)
{
	const char *core = getenv("LAB_MDEV_CORE");

	return !core || !*core;
}

bool kernel_has_checkers(void)
{
	const char *kver = getenv("LAB_KVER");

	return kver && strstr(kver, "-lab-");
}

/* Of mgpu, to be freed */
static char *create_path(const char *type)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/mdev_bus/%s/mdev_supported_types/mgpu-%s/create",
		 getenv("LAB_PARENT"), type);
	return strdup(path);
}

int mdev_create(const char *type, const char *uuid)
{
	char *path = create_path(type);
	int ret = sysfs_write(uuid, "%s", path);

	free(path);
	return ret;
}

int mdev_create_in(const char *path, const char *uuid)
{
	time_t end = time(NULL) + 60;
	int ret;

	while ((ret = sysfs_write(uuid, "%s", path)) == -EEXIST && time(NULL) <= end)
		sched_yield();
	return ret;
}

int mdev_create_when_free(const char *type, const char *uuid)
{
	char *path = create_path(type);
	int ret = mdev_create_in(path, uuid);

	free(path);
	return ret;
}

int mdev_remove(const char *uuid)
{
	return sysfs_write("1", "/sys/bus/mdev/devices/%s/remove", uuid);
}

bool mdev_exists(const char *uuid)
{
	return sysfs_exists("/sys/bus/mdev/devices/%s", uuid);
}

long mdev_available(const char *type)
{
	return sysfs_read_long("/sys/class/mdev_bus/%s/mdev_supported_types/mgpu-%s/available_instances",
			       getenv("LAB_PARENT"), type);
}

long mdev_stat(const char *uuid, const char *name)
{
	return sysfs_read_long("/sys/bus/mdev/devices/%s/vpci/%s", uuid, name);
}

int uevent_open(void)
{
	struct sockaddr_nl all = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&all, sizeof(all))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* An announcement begins with "action@path" */
static bool uevent_is(const char *text, const char *action, const char *name)
{
	size_t len = strlen(action);
	const char *last = strrchr(text, '/');

	return !strncmp(text, action, len) && text[len] == '@' &&
	       last && !strcmp(last + 1, name);
}

int uevent_wait(int fd, const char *action, const char *name, int seconds)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char text[4096];
	ssize_t len;

	while (poll(&pollfd, 1, seconds * 1000) == 1) {
		len = recv(fd, text, sizeof(text) - 1, 0);
		if (len < 0)
			return -errno;
		text[len] = '\0';
		if (uevent_is(text, action, name))
			return 0;
	}
	return -ETIMEDOUT;
}

int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

int klog_count(int fd, const char *text)
{
	char line[1024];
	ssize_t len;
	int count = 0;

	for (;;) {
		len = read(fd, line, sizeof(line) - 1);
		/* EPIPE: lines were lost before they were read; go on */
		if (len < 0 && errno != EPIPE)
			break;
		if (len < 0)
			continue;
		line[len] = '\0';
		if (strstr(line, text))
			count++;
	}
	close(fd);
	return count;
}
