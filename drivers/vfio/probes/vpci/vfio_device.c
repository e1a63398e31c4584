// SPDX-License-Identifier: GPL-2.0-only
/* The life of a VFIO device without an IOMMU of its own */
#include <linux/vfio.h>

struct vfio_device *probe(size_t size, struct device *dev, const struct vfio_device_ops *ops)
{
	struct vfio_device *vdev = _vfio_alloc_device(size, dev, ops);

	if (vfio_assign_device_set(vdev, dev) || vfio_register_emulated_iommu_dev(vdev))
		vfio_put_device(vdev);
	else
		vfio_unregister_group_dev(vdev);
	return vdev;
}
