/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking at files for the doctor; to all of them it is normal not to be there. */
#ifndef MDEV_CTL_DOCTOR_FILE_H
#define MDEV_CTL_DOCTOR_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#define DOCTOR_FORMAT(a, b) __attribute__((format(printf, a, b)))

/* The text without the newline at its end; leaves it alone when there is no such file. */
void doctor_read(char *text, size_t size, const char *fmt, ...) DOCTOR_FORMAT(3, 4);
int doctor_exists(const char *path);
/* Whether it is there */
int doctor_stat(struct stat *st, const char *path);
/* Entries of a directory */
size_t doctor_count(const char *path);
/* The last component of a link's target; "" when there is none. */
void doctor_link(char *name, size_t size, const char *fmt, ...) DOCTOR_FORMAT(3, 4);

#endif
