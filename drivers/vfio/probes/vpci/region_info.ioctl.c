// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_GET_REGION_INFO: by the driver's ioctl
 *
 * That no op takes it away from there cannot be asked by name, since the next
 * one may have another. But all that there were came between these two.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/vfio.h>

static long probe_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	struct vfio_info_cap caps = {};

	vfio_info_cap_shift(&caps, sizeof(struct vfio_region_info));
	return vfio_info_add_capability(&caps, NULL, 0);
}

const struct vfio_device_ops probe_ops = {
	.ioctl = probe_ioctl,
};

#ifndef CONFIG_RANDSTRUCT
static_assert(offsetof(struct vfio_device_ops, mmap) ==
	      offsetofend(struct vfio_device_ops, ioctl));
#endif
