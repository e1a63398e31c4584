// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has a device open.
 *
 * A user of VFIO opens the device's IOMMU group, /dev/vfio/N, of which a mediated device is the
 * only member, or the device's own node, /dev/vfio/devices/vfioN. Either shows in /proc/PID/fd.
 * Kernels from 6.17 on name the device in the fdinfo of a device's file, too, and that is found
 * when the group was closed after the device had been taken from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holder.h"
#include "names.h"
#include "out.h"
#include "root.h"
#include "sysfs.h"

struct nodes {
	const char *uuid;
	char group[64];		/* "": has none */
	char device[300];
};

static int find_nodes(struct nodes *nodes, const char *uuid)
{
	char path[PATH_MAX], target[PATH_MAX];
	struct names names;
	ssize_t n;

	*nodes = (struct nodes){ .uuid = uuid };
	if (!sysfs_is_dir(SYSFS_INSTANCE, uuid))
		return -ENOENT;
	if (root_path(path, "/sys/" SYSFS_INSTANCE "/iommu_group", uuid))
		return -ENAMETOOLONG;
	n = readlink(path, target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		snprintf(nodes->group, sizeof(nodes->group), "/dev/vfio/%.40s",
			 strrchr(target, '/') ? strrchr(target, '/') + 1 : target);
	}
	if (!sysfs_list(&names, SYSFS_INSTANCE "/vfio-dev", uuid)) {
		if (names.count)
			snprintf(nodes->device, sizeof(nodes->device), "/dev/vfio/devices/%s",
				 names.name[0]);
		names_free(&names);
	}
	return 0;
}

/* Reads a file below /proc/PID: its size, or -errno. text[size] is 0. */
static ssize_t read_proc(char *text, size_t size, const char *pid, const char *name)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	if (root_path(path, "/proc/%s/%s", pid, name))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n;
}

static int fdinfo_names(const char *pid, const char *fd, const char *uuid)
{
	char name[64], text[4096];

	snprintf(name, sizeof(name), "fdinfo/%.40s", fd);
	return read_proc(text, sizeof(text), pid, name) > 0 && strstr(text, uuid);
}

static int is_open_as(const struct nodes *nodes, const char *pid, const char *fd)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	if (root_path(path, "/proc/%s/fd/%s", pid, fd))
		return 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	if (!strcmp(target, "anon_inode:[vfio-device]"))
		return fdinfo_names(pid, fd, nodes->uuid);
	return (*nodes->group && !strcmp(target, nodes->group)) ||
	       (*nodes->device && !strcmp(target, nodes->device));
}

static int has_it_open(const struct nodes *nodes, const char *pid, int *is_partial)
{
	char path[PATH_MAX];
	struct names fds;
	int found = 0;
	int err = root_path(path, "/proc/%s/fd", pid);

	if (!err)
		err = names_read(&fds, path, NAMES_VISIBLE);
	if (err) {
		if (err == -EACCES || err == -EPERM)
			*is_partial = 1;
		return 0;
	}
	for (size_t i = 0; i < fds.count && !found; i++)
		found = is_open_as(nodes, pid, fds.name[i]);
	names_free(&fds);
	return found;
}

/* A value of QEMU's up to the comma that ends it; ",," stands for one */
static char *copy_part(const char *part)
{
	char *copy = names_copy(part), *to = copy;

	for (; *part; part++) {
		if (*part == ',' && *++part != ',')
			break;
		*to++ = *part;
	}
	*to = '\0';
	return copy;
}

/* What follows that comma, or NULL */
static const char *next_part(const char *part)
{
	for (; *part; part++)
		if (*part == ',' && *++part != ',')
			return part;
	return NULL;
}

/* QEMU's -name: sub-options KEY=VALUE in any order, of which the first may be the bare name */
static char *vm_name(const char *value)
{
	const char *found = value[strcspn(value, "=,")] == '=' ? "" : value;
	char *name;

	/* of two the last counts */
	for (const char *part = value; part; part = next_part(part))
		if (!strncmp(part, "guest=", 6))
			found = part + 6;
	name = copy_part(found);
	if (*name)
		return name;
	free(name);
	return NULL;
}

static char *find_vm(const char *pid)
{
	static char text[1 << 17];
	ssize_t size = read_proc(text, sizeof(text), pid, "cmdline");

	for (ssize_t at = 0; at < size; at += strlen(text + at) + 1) {
		ssize_t next = at + strlen(text + at) + 1;

		if (next < size && (!strcmp(text + at, "-name") || !strcmp(text + at, "--name")))
			return vm_name(text + next);
	}
	return NULL;
}

static void add(struct holders *found, const char *pid)
{
	char command[64];
	struct holder *holder;

	found->holder = reallocarray(found->holder, found->count + 1, sizeof(*holder));
	if (!found->holder)
		out_of_memory();
	holder = &found->holder[found->count++];
	if (read_proc(command, sizeof(command), pid, "comm") < 0)
		strcpy(command, "?");
	command[strcspn(command, "\n")] = '\0';
	*holder = (struct holder){
		.pid = atol(pid),
		.command = names_copy(command),
		.vm = find_vm(pid),
	};
}

static int compare(const void *a, const void *b)
{
	const struct holder *one = a, *other = b;

	return (one->pid > other->pid) - (one->pid < other->pid);
}

int holder_find(struct holders *found, const char *uuid)
{
	char path[PATH_MAX];
	struct names pids;
	struct nodes nodes;
	int err;

	*found = (struct holders){ 0 };
	err = find_nodes(&nodes, uuid);
	if (!err)
		err = root_path(path, "/proc");
	if (err)
		return err;
	err = names_read(&pids, path, NAMES_VISIBLE);
	if (err)
		return err == -ENOENT ? -ENOSYS : err;
	for (size_t i = 0; i < pids.count; i++) {
		const char *pid = pids.name[i];

		if (!pid[strspn(pid, "0123456789")] &&
		    has_it_open(&nodes, pid, &found->is_partial))
			add(found, pid);
	}
	names_free(&pids);
	if (found->count)
		qsort(found->holder, found->count, sizeof(*found->holder), compare);
	return 0;
}

void holder_free(struct holders *found)
{
	for (size_t i = 0; i < found->count; i++) {
		free(found->holder[i].command);
		free(found->holder[i].vm);
	}
	free(found->holder);
	*found = (struct holders){ 0 };
}
