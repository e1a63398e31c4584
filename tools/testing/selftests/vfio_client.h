/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO user of one mediated device, as small as it can be, by either of the
 * two ways to open it
 *
 * Functions return 0 or a positive count, or a negative errno.
 */
#ifndef VFIO_CLIENT_H
#define VFIO_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/vfio.h>

/**
 * struct vfio_client - an open device
 * @device: the device's own file
 * @iommu: /dev/vfio/vfio with the type 1 IOMMU, or /dev/iommu
 * @group: /dev/vfio/<number>, or -1 when it was opened by its own node
 * @config: where config space lies in @device
 * @ioas: the address space in /dev/iommu
 */
struct vfio_client {
	int device;
	int iommu;
	int group;
	uint64_t config;
	uint32_t ioas;
};

/* Whether this kernel has device nodes (cdev) and iommufd */
bool vfio_client_has_cdev(void);

/**
 * vfio_client_open() - open the instance
 * @client: filled in
 * @uuid: name of the instance, or of a platform device with one, or of a PCI device
 *	that vfio-pci has
 *
 * By its own node and iommufd if the environment variable VFIO_PATH is "cdev",
 * otherwise by group and container.
 *
 * Return: 0, or a negative errno with everything closed again.
 */
int vfio_client_open(struct vfio_client *client, const char *uuid);
void vfio_client_close(struct vfio_client *client);

int vfio_client_region(struct vfio_client *client, unsigned int index,
		       struct vfio_region_info *info);

/* Little-endian value of @len bytes of config space; they assert success */
uint64_t vfio_client_get(struct vfio_client *client, unsigned int offset,
			 unsigned int len);
void vfio_client_put(struct vfio_client *client, unsigned int offset,
		     unsigned int len, uint64_t value);

/* Switch memory decode (COMMAND.MEM) */
void vfio_client_decode(struct vfio_client *client, int on);

/* VFIO_DEVICE_SET_IRQS. @data: an int or a byte for each of @count, as @flags says */
int vfio_client_set_irqs(struct vfio_client *client, uint32_t flags, uint32_t index,
			 uint32_t start, uint32_t count, const void *data);
/* Have @eventfd signalled by the first interrupt of the index, or none if it is -1 */
int vfio_client_give(struct vfio_client *client, unsigned int index, int eventfd);

/*
 * Be told by @eventfd, or by nothing if it is -1, when the device should be given
 * up (VFIO_PCI_REQ_IRQ_INDEX)
 */
int vfio_client_listen(struct vfio_client *client, int eventfd);

/* Have the device see @size bytes at @addr, whole pages, under the address @iova */
int vfio_client_map(struct vfio_client *client, void *addr, uint64_t iova,
		    uint64_t size, bool writable);
/* What was mapped by one call */
int vfio_client_unmap(struct vfio_client *client, uint64_t iova, uint64_t size);

/* pread(2) and pwrite(2) with the errno in the result */
ssize_t vfio_client_read(struct vfio_client *client, uint64_t pos, void *buf,
			 size_t len);
ssize_t vfio_client_write(struct vfio_client *client, uint64_t pos,
			  const void *buf, size_t len);

#endif /* VFIO_CLIENT_H */
