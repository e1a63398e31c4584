// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_GET_REGION_INFO: by an op that copies to the user itself */
#include <linux/vfio.h>

static int probe_info(struct vfio_device *vdev, struct vfio_region_info __user *arg)
{
	struct vfio_info_cap caps = {};

	vfio_info_cap_shift(&caps, sizeof(struct vfio_region_info));
	return vfio_info_add_capability(&caps, NULL, 0);
}

const struct vfio_device_ops probe_ops = {
	.get_region_info = probe_info,
};
