// SPDX-License-Identifier: GPL-2.0-only
/* Whether a VFIO device is used by iommufd, where the kernel has that. Not meant for drivers */
#include <linux/vfio.h>

bool probe(const struct vfio_device *vdev)
{
#if IS_ENABLED(CONFIG_IOMMUFD)
	const struct iommufd_access *access = vdev->iommufd_access;

	return access;
#else
	return false;
#endif
}
