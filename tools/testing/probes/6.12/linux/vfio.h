/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
#include <linux/refcount.h>
#include <linux/types.h>
struct device;
struct inode;
struct iommufd_access;
struct iommufd_ctx;
struct page;
struct vm_area_struct;
struct vfio_device;
struct vfio_region_info { u32 argsz; };
struct vfio_irq_set { u32 argsz; };
struct vfio_info_cap { void *buf; size_t size; };
struct vfio_device_ops {
	char *name;
	int (*init)(struct vfio_device *vdev);
	void (*release)(struct vfio_device *vdev);
	int (*bind_iommufd)(struct vfio_device *vdev, struct iommufd_ctx *ictx, u32 *out_device_id);
	void (*unbind_iommufd)(struct vfio_device *vdev);
	int (*attach_ioas)(struct vfio_device *vdev, u32 *pt_id);
	void (*detach_ioas)(struct vfio_device *vdev);
#include <linux/fake_vfio_pasid.h>
	int (*open_device)(struct vfio_device *vdev);
	void (*close_device)(struct vfio_device *vdev);
	ssize_t (*read)(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos);
	ssize_t (*write)(struct vfio_device *vdev, const char __user *buf, size_t count, loff_t *size);
	long (*ioctl)(struct vfio_device *vdev, unsigned int cmd, unsigned long arg);
#include <linux/fake_vfio_region.h>
	int (*mmap)(struct vfio_device *vdev, struct vm_area_struct *vma);
	void (*request)(struct vfio_device *vdev, unsigned int count);
	int (*match)(struct vfio_device *vdev, char *buf);
#include <linux/fake_vfio_token.h>
	void (*dma_unmap)(struct vfio_device *vdev, u64 iova, u64 length);
};
struct vfio_device {
	struct device *dev;
	const struct vfio_device_ops *ops;
	refcount_t refcount;
	struct inode *inode;
#if IS_ENABLED(CONFIG_IOMMUFD)
	struct iommufd_access *iommufd_access;
#endif
#include <linux/fake_vfio_flag.h>
};
#if IS_ENABLED(CONFIG_IOMMUFD)
int vfio_iommufd_emulated_bind(struct vfio_device *vdev, struct iommufd_ctx *ictx, u32 *out_device_id);
void vfio_iommufd_emulated_unbind(struct vfio_device *vdev);
int vfio_iommufd_emulated_attach_ioas(struct vfio_device *vdev, u32 *pt_id);
void vfio_iommufd_emulated_detach_ioas(struct vfio_device *vdev);
#else
#define vfio_iommufd_emulated_bind NULL
#define vfio_iommufd_emulated_unbind NULL
#define vfio_iommufd_emulated_attach_ioas NULL
#define vfio_iommufd_emulated_detach_ioas NULL
#endif
struct vfio_device *_vfio_alloc_device(size_t size, struct device *dev, const struct vfio_device_ops *ops);
void put_device(struct device *dev);
static inline void vfio_put_device(struct vfio_device *vdev) { put_device(vdev->dev); }
int vfio_assign_device_set(struct vfio_device *vdev, void *set_id);
int vfio_register_emulated_iommu_dev(struct vfio_device *vdev);
void vfio_unregister_group_dev(struct vfio_device *vdev);
int vfio_pin_pages(struct vfio_device *vdev, dma_addr_t iova, int npage, int prot, struct page **pages);
void vfio_unpin_pages(struct vfio_device *vdev, dma_addr_t iova, int npage);
int vfio_dma_rw(struct vfio_device *vdev, dma_addr_t iova, void *data, size_t len, bool write);
void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset);
int vfio_info_add_capability(struct vfio_info_cap *caps, void *cap, size_t size);
int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr, int num_irqs, int max_irq_type, size_t *data_size);
struct virqfd;
int vfio_virqfd_enable(void *opaque, int (*handler)(void *, void *), void (*thread)(void *, void *), void *data,
		       struct virqfd **pvirqfd, int fd);
void vfio_virqfd_disable(struct virqfd **pvirqfd);
