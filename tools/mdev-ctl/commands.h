/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MDEV_CTL_COMMANDS_H
#define MDEV_CTL_COMMANDS_H

#include "args.h"

#define MDEV_CTL_VERSION "0.1.0"

extern const struct args_command cmd_types;
extern const struct args_command cmd_list;
extern const struct args_command cmd_start;
extern const struct args_command cmd_stop;

#endif
