// SPDX-License-Identifier: GPL-2.0-only
/* A timer: set up in one call, from 6.13 on */
#include <linux/hrtimer.h>

static enum hrtimer_restart probe_tick(struct hrtimer *timer)
{
	return HRTIMER_NORESTART;
}

void probe(struct hrtimer *timer)
{
	hrtimer_setup(timer, probe_tick, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}
