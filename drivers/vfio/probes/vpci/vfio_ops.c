// SPDX-License-Identifier: GPL-2.0-only
/* What VFIO asks of a driver: from 6.6 on */
#include <linux/vfio.h>

static int probe_open(struct vfio_device *vdev)
{
	return 0;
}

static void probe_close(struct vfio_device *vdev)
{
}

static ssize_t probe_read(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *pos)
{
	return 0;
}

static ssize_t probe_write(struct vfio_device *vdev, const char __user *buf, size_t count,
			   loff_t *pos)
{
	return 0;
}

static long probe_ioctl(struct vfio_device *vdev, unsigned int cmd, unsigned long arg)
{
	return 0;
}

static int probe_mmap(struct vfio_device *vdev, struct vm_area_struct *vma)
{
	return 0;
}

static void probe_request(struct vfio_device *vdev, unsigned int count)
{
}

static void probe_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
}

const struct vfio_device_ops probe_ops = {
	.name		= "probe",
	.release	= probe_close,
	.bind_iommufd	= vfio_iommufd_emulated_bind,
	.unbind_iommufd	= vfio_iommufd_emulated_unbind,
	.attach_ioas	= vfio_iommufd_emulated_attach_ioas,
	.detach_ioas	= vfio_iommufd_emulated_detach_ioas,
	.open_device	= probe_open,
	.close_device	= probe_close,
	.read		= probe_read,
	.write		= probe_write,
	.ioctl		= probe_ioctl,
	.mmap		= probe_mmap,
	.request	= probe_request,
	.dma_unmap	= probe_unmap,
};
