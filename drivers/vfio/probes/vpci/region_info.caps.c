// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_GET_REGION_INFO: by an op that fills in structures of the kernel, from 7.0 on */
#include <linux/vfio.h>

static int probe_info(struct vfio_device *vdev, struct vfio_region_info *info,
		      struct vfio_info_cap *caps)
{
	return vfio_info_add_capability(caps, NULL, 0);
}

const struct vfio_device_ops probe_ops = {
	.get_region_info_caps = probe_info,
};
