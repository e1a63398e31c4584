/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MDEV_CTL_COMMANDS_H
#define MDEV_CTL_COMMANDS_H

#include "args.h"

/* The caller may mean mdevctl, and that has another name and version. */
const char *version_name(void);
const char *version_number(void);

extern const struct args_command cmd_define;
extern const struct args_command cmd_undefine;
extern const struct args_command cmd_modify;
extern const struct args_command cmd_start;
extern const struct args_command cmd_stop;
extern const struct args_command cmd_list;
extern const struct args_command cmd_types;
extern const struct args_command cmd_autostart;
extern const struct args_command cmd_doctor;
extern const struct args_command cmd_stats;
extern const struct args_command cmd_who;

#endif
