// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each VFIO device has an inode of its own, by which its mappings are found. Not meant for drivers;
 * from 6.11 on
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/vfio.h>

void probe(struct vfio_device *vdev)
{
	unmap_mapping_range(vdev->inode->i_mapping, 0, 0, true);
}
