// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "sysfs.h"
#include "vfio_client.h"

bool vfio_client_has_cdev(void)
{
	FILE *devices = fopen("/proc/devices", "r");
	char line[128];
	bool has_cdev = false;

	if (!devices)
		return false;
	while (fgets(line, sizeof(line), devices))
		has_cdev |= !!strstr(line, "vfio-dev");
	fclose(devices);
	return has_cdev && !access("/dev/iommu", F_OK);
}

/* An instance need not be a mediated device, and one of vfio-pci is the device itself */
static const char *bus_of(const char *name)
{
	static const char * const others[] = { "platform", "pci" };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (sysfs_exists("/sys/bus/%s/devices/%s", others[i], name))
			return others[i];
	return "mdev";
}

/* An open file, or -1 with errno */
static int open_group(const char *uuid)
{
	char path[128];
	char *number;

	number = sysfs_link_name("/sys/bus/%s/devices/%s/iommu_group",
				 bus_of(uuid), uuid);
	if (!number) {
		errno = errno == ENOENT ? ENODEV : errno;
		return -1;
	}
	snprintf(path, sizeof(path), "/dev/vfio/%s", number);
	free(number);
	return open(path, O_RDWR);
}

static int open_by_group(struct vfio_client *client, const char *uuid)
{
	client->group = open_group(uuid);
	if (client->group < 0)
		return -1;
	client->iommu = open("/dev/vfio/vfio", O_RDWR);
	if (client->iommu < 0 ||
	    ioctl(client->group, VFIO_GROUP_SET_CONTAINER, &client->iommu) ||
	    ioctl(client->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return -1;
	client->device = ioctl(client->group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	return client->device < 0 ? -1 : 0;
}

static int open_node(const char *uuid)
{
	char path[PATH_MAX];
	char *name;

	errno = 0;
	name = sysfs_child_name("/sys/bus/%s/devices/%s/vfio-dev",
				bus_of(uuid), uuid);
	if (!name) {
		errno = errno == ENOENT || !errno ? ENODEV : errno;
		return -1;
	}
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	free(name);
	return open(path, O_RDWR);
}

static int open_by_node(struct vfio_client *client, const char *uuid)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
	};
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };

	client->device = open_node(uuid);
	if (client->device < 0)
		return -1;
	client->iommu = open("/dev/iommu", O_RDWR);
	if (client->iommu < 0)
		return -1;
	bind.iommufd = client->iommu;
	if (ioctl(client->device, VFIO_DEVICE_BIND_IOMMUFD, &bind) ||
	    ioctl(client->iommu, IOMMU_IOAS_ALLOC, &ioas))
		return -1;
	client->ioas = attach.pt_id = ioas.out_ioas_id;
	return ioctl(client->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

int vfio_client_open(struct vfio_client *client, const char *uuid)
{
	const char *way = getenv("VFIO_PATH");
	struct vfio_region_info info;
	int ret;

	client->device = -1;
	client->iommu = -1;
	client->group = -1;
	if (way && !strcmp(way, "cdev"))
		ret = open_by_node(client, uuid);
	else
		ret = open_by_group(client, uuid);
	if (ret) {
		ret = -errno;
		vfio_client_close(client);
		return ret;
	}

	ret = vfio_client_region(client, VFIO_PCI_CONFIG_REGION_INDEX, &info);
	if (ret)
		vfio_client_close(client);
	client->config = info.offset;
	return ret;
}

void vfio_client_close(struct vfio_client *client)
{
	if (client->device >= 0)
		close(client->device);
	if (client->group >= 0)
		close(client->group);
	if (client->iommu >= 0)
		close(client->iommu);
}

int vfio_client_region(struct vfio_client *client, unsigned int index,
		       struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return ioctl(client->device, VFIO_DEVICE_GET_REGION_INFO, info) ?
	       -errno : 0;
}

int vfio_client_set_irqs(struct vfio_client *client, uint32_t flags, uint32_t index,
			 uint32_t start, uint32_t count, const void *data)
{
	size_t each = flags & VFIO_IRQ_SET_DATA_EVENTFD ? sizeof(int32_t) :
		      flags & VFIO_IRQ_SET_DATA_BOOL ? 1 : 0;
	size_t size = sizeof(struct vfio_irq_set) + each * count;
	struct vfio_irq_set *set = calloc(1, size);
	int ret;

	if (!set)
		return -ENOMEM;
	set->argsz = size;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (each && count)
		memcpy(set->data, data, each * count);
	ret = ioctl(client->device, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
	free(set);
	return ret;
}

int vfio_client_give(struct vfio_client *client, unsigned int index, int eventfd)
{
	return vfio_client_set_irqs(client, VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
				    index, 0, 1, &eventfd);
}

int vfio_client_listen(struct vfio_client *client, int eventfd)
{
	return vfio_client_give(client, VFIO_PCI_REQ_IRQ_INDEX, eventfd);
}

int vfio_client_map(struct vfio_client *client, void *addr, uint64_t iova,
		    uint64_t size, bool writable)
{
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma),
		.flags = VFIO_DMA_MAP_FLAG_READ |
			 (writable ? VFIO_DMA_MAP_FLAG_WRITE : 0),
		.vaddr = (uintptr_t)addr,
		.iova = iova,
		.size = size,
	};
	struct iommu_ioas_map ioas = {
		.size = sizeof(ioas),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 (writable ? IOMMU_IOAS_MAP_WRITEABLE : 0),
		.ioas_id = client->ioas,
		.user_va = (uintptr_t)addr,
		.length = size,
		.iova = iova,
	};
	int ret;

	if (client->group >= 0)
		ret = ioctl(client->iommu, VFIO_IOMMU_MAP_DMA, &dma);
	else
		ret = ioctl(client->iommu, IOMMU_IOAS_MAP, &ioas);
	return ret ? -errno : 0;
}

int vfio_client_unmap(struct vfio_client *client, uint64_t iova, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap dma = {
		.argsz = sizeof(dma),
		.iova = iova,
		.size = size,
	};
	struct iommu_ioas_unmap ioas = {
		.size = sizeof(ioas),
		.ioas_id = client->ioas,
		.iova = iova,
		.length = size,
	};
	int ret;

	if (client->group >= 0)
		ret = ioctl(client->iommu, VFIO_IOMMU_UNMAP_DMA, &dma);
	else
		ret = ioctl(client->iommu, IOMMU_IOAS_UNMAP, &ioas);
	return ret ? -errno : 0;
}

ssize_t vfio_client_read(struct vfio_client *client, uint64_t pos, void *buf,
			 size_t len)
{
	ssize_t ret = pread(client->device, buf, len, pos);

	return ret < 0 ? -errno : ret;
}

ssize_t vfio_client_write(struct vfio_client *client, uint64_t pos,
			  const void *buf, size_t len)
{
	ssize_t ret = pwrite(client->device, buf, len, pos);

	return ret < 0 ? -errno : ret;
}

uint64_t vfio_client_get(struct vfio_client *client, unsigned int offset,
			 unsigned int len)
{
	uint8_t buf[8];
	uint64_t value = 0;

	assert_int_equal(vfio_client_read(client, client->config + offset, buf,
					  len), len);
	while (len--)
		value = value << 8 | buf[len];
	return value;
}

void vfio_client_put(struct vfio_client *client, unsigned int offset,
		     unsigned int len, uint64_t value)
{
	uint8_t buf[8] = {};
	unsigned int i;

	for (i = 0; i < len; i++)
		buf[i] = value >> (8 * i);
	assert_int_equal(vfio_client_write(client, client->config + offset, buf,
					   len), len);
}

void vfio_client_decode(struct vfio_client *client, int on)
{
	vfio_client_put(client, PCI_COMMAND, 2, on ? PCI_COMMAND_MEMORY : 0);
}
