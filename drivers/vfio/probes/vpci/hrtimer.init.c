// SPDX-License-Identifier: GPL-2.0-only
/* A timer: its function is set by hand */
#include <linux/hrtimer.h>

static enum hrtimer_restart probe_tick(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

void probe(struct hrtimer *timer)
{
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = probe_tick;
}
