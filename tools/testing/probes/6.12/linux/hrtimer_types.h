/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#define CLOCK_MONOTONIC 1
enum hrtimer_mode { HRTIMER_MODE_REL };
enum hrtimer_restart { HRTIMER_NORESTART };
struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
};
