/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's side of mediated devices, as sysfs shows it. */
#ifndef MDEV_CTL_SYSFS_H
#define MDEV_CTL_SYSFS_H

#include <signal.h>

#include "names.h"

#define SYSFS_FORMAT(a, b) __attribute__((format(printf, a, b)))

/* Formats of paths, relative to sysfs. */
#define SYSFS_PARENTS	"class/mdev_bus"
#define SYSFS_PARENT	SYSFS_PARENTS "/%s"
#define SYSFS_TYPES	SYSFS_PARENT "/mdev_supported_types"
#define SYSFS_TYPE	SYSFS_TYPES "/%s"
#define SYSFS_INSTANCES	"bus/mdev/devices"
#define SYSFS_INSTANCE	SYSFS_INSTANCES "/%s"

struct sysfs_instance {
	char *parent;
	char *type;
};

/* Nothing works without sysfs: EXIT_OK, or its absence has been reported. */
int sysfs_require(void);

/* A parent, type or instance may go at any time; its files then answer with one of these. */
int sysfs_vanished(int err);

/*
 * All of these return 0 or -errno; what they allocate belongs to the caller, on success only.
 * A string comes without white space around it. A list of names comes without hidden ones.
 */
int sysfs_list(struct names *names, const char *fmt, ...) SYSFS_FORMAT(2, 3);
int sysfs_read_string(char **value, const char *fmt, ...) SYSFS_FORMAT(2, 3);
/* Begun again after a signal, unless its handler has set this; then -EINTR. */
extern volatile sig_atomic_t sysfs_impatient;
int sysfs_write_string(const char *value, const char *fmt, ...) SYSFS_FORMAT(2, 3);
/* To a file of an instance, and no other: -ELOOP or -EXDEV when name leads out of it. */
int sysfs_write_below(const char *value, const char *uuid, const char *name);
/* The directory, or a negative errno: many instances are read faster from there. */
int sysfs_open_instances(void);
int sysfs_read_instance_at(struct sysfs_instance *instance, int instances, const char *uuid);
int sysfs_read_instance(struct sysfs_instance *instance, const char *uuid);

/* What is left of an instance whose parent has gone, because somebody still has it open. */
int sysfs_is_shell(const char *uuid);
int sysfs_is_dir(const char *fmt, ...) SYSFS_FORMAT(1, 2);

void sysfs_free_instance(struct sysfs_instance *instance);

#endif
