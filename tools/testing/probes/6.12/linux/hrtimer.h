/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/hrtimer_types.h>
void hrtimer_init(struct hrtimer *timer, int clock, enum hrtimer_mode mode);
