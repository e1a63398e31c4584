/* SPDX-License-Identifier: GPL-2.0-only */
/* What mediated devices need of a system, and whether this one has it. */
#ifndef MDEV_CTL_DOCTOR_H
#define MDEV_CTL_DOCTOR_H

enum doctor_status { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

/* One result; advice NULL: nothing needs to be done. */
void doctor_tell(enum doctor_status status, const char *check, const char *advice,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Each tells one result or more. */
void doctor_check_kernel(void);
void doctor_check_modules(void);
void doctor_check_vfio(void);
void doctor_check_limits(void);
void doctor_check_parents(void);
void doctor_check_devices(void);

#endif
