// SPDX-License-Identifier: GPL-2.0-only
/* Whether somebody has a VFIO device open, or is about to. Not meant for drivers */
#include <linux/refcount.h>
#include <linux/vfio.h>

bool probe(const struct vfio_device *vdev)
{
	return refcount_read(&vdev->refcount) > 1;
}
