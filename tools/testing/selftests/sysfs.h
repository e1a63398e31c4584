/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices through sysfs, and the kernel's log
 *
 * The parent is the device that the environment variable LAB_PARENT names.
 */
#ifndef SYSFS_H
#define SYSFS_H

#include <stdbool.h>
#include <stddef.h>

/* write(2) of them to the file; 0 or a negative errno */
int sysfs_write_bytes(const char *bytes, size_t len, const char *path);

/* write(2) of @text to the file; 0 or a negative errno */
__attribute__((format(printf, 2, 3)))
int sysfs_write(const char *text, const char *path, ...);

/* Contents as a number; -1 when it cannot be read */
__attribute__((format(printf, 1, 2)))
long sysfs_read_long(const char *path, ...);

/* Last part of a link's target, to be freed; NULL when there is none */
__attribute__((format(printf, 1, 2)))
char *sysfs_link_name(const char *path, ...);

/* Name of the first entry of a directory, to be freed; NULL when there is none */
__attribute__((format(printf, 1, 2)))
char *sysfs_child_name(const char *path, ...);

__attribute__((format(printf, 1, 2)))
bool sysfs_exists(const char *path, ...);

/* Whether the mdev core is ours or the one that the kernel brings */
bool mdev_core_is_ours(void);

/* Checkers see what is wrong before it does harm, and make all ten times as slow: fewer rounds will do */
bool kernel_has_checkers(void);

/* @type without the driver's prefix, such as "8M"; 0 or a negative errno */
int mdev_create(const char *type, const char *uuid);
/* The same, once the name is free: a shell goes a moment after its last user; a minute at most */
int mdev_create_when_free(const char *type, const char *uuid);
/* Likewise of any driver's type, whose file "create" is @path */
int mdev_create_in(const char *path, const char *uuid);
int mdev_remove(const char *uuid);
bool mdev_exists(const char *uuid);
long mdev_available(const char *type);
/* One of the counters in the instance's "vpci" directory */
long mdev_stat(const char *uuid, const char *name);

/* Follow the kernel's announcements of devices from now on */
int uevent_open(void);
/*
 * Wait until it was announced that @action ("remove") happened to a device whose
 * path ends in @name; -ETIMEDOUT after @seconds without any announcement
 */
int uevent_wait(int fd, const char *action, const char *name, int seconds);

/* Follow the kernel's log from now on */
int klog_open(void);
/* How many lines that contain @text have come since; closes @fd */
int klog_count(int fd, const char *text);

#endif /* SYSFS_H */
