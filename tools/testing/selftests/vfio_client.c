// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "sysfs.h"
#include "vfio_client.h"

static int open_group(const char *uuid)
{
	char path[128];
	char *number;
	int group;

	number = sysfs_link_name("/sys/bus/mdev/devices/%s/iommu_group", uuid);
	if (!number)
		return -ENODEV;
	snprintf(path, sizeof(path), "/dev/vfio/%s", number);
	free(number);

	group = open(path, O_RDWR);
	return group < 0 ? -errno : group;
}

int vfio_client_open(struct vfio_client *client, const char *uuid)
{
	struct vfio_region_info info;
	int ret;

	client->device = -1;
	client->group = open_group(uuid);
	if (client->group < 0)
		return client->group;

	client->container = open("/dev/vfio/vfio", O_RDWR);
	if (client->container < 0 ||
	    ioctl(client->group, VFIO_GROUP_SET_CONTAINER,
		  &client->container) ||
	    ioctl(client->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		goto err_close;

	client->device = ioctl(client->group, VFIO_GROUP_GET_DEVICE_FD, uuid);
	if (client->device < 0)
		goto err_close;

	if (vfio_client_region(client, VFIO_PCI_CONFIG_REGION_INDEX, &info))
		goto err_close;
	client->config = info.offset;
	return 0;

err_close:
	ret = -errno;
	vfio_client_close(client);
	return ret;
}

void vfio_client_close(struct vfio_client *client)
{
	if (client->device >= 0)
		close(client->device);
	close(client->group);
	if (client->container >= 0)
		close(client->container);
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
	uint8_t buf[8];
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
