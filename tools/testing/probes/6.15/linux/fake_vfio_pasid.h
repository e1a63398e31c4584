/* SPDX-License-Identifier: GPL-2.0-only */
	int (*pasid_attach_ioas)(struct vfio_device *vdev, u32 pasid, u32 *pt_id);
	void (*pasid_detach_ioas)(struct vfio_device *vdev, u32 pasid);
