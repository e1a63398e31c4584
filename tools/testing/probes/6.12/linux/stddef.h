/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#define offsetof(type, member) __builtin_offsetof(type, member)
#define offsetofend(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))
