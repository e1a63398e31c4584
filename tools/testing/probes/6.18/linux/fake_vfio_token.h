/* SPDX-License-Identifier: GPL-2.0-only */
	int (*match_token_uuid)(struct vfio_device *vdev, const void *uuid);
