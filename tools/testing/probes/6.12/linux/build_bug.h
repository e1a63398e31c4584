/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#define static_assert(expression) _Static_assert(expression, #expression)
