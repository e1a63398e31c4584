// SPDX-License-Identifier: GPL-2.0-only
/* A thread of the process that calls: from 6.4 on, where vhost or KVM is configured */
#include <linux/types.h>
#include <linux/sched/vhost_task.h>

static bool probe_work(void *data)
{
	return false;
}

static void probe_killed(void *data)
{
}

struct vhost_task *probe(void *data)
{
	struct vhost_task *task = vhost_task_create(probe_work, probe_killed, data, "probe");

	vhost_task_start(task);
	vhost_task_wake(task);
	vhost_task_stop(task);
	return task;
}
