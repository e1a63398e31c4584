/* SPDX-License-Identifier: GPL-2.0-only */
	int (*get_region_info)(struct vfio_device *vdev, struct vfio_region_info __user *arg);
