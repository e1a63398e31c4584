/* SPDX-License-Identifier: GPL-2.0-only */
	int (*get_region_info_caps)(struct vfio_device *vdev, struct vfio_region_info *info,
				    struct vfio_info_cap *caps);
