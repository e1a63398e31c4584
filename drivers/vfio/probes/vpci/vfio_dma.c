// SPDX-License-Identifier: GPL-2.0-only
/* Access to the memory of whoever has a VFIO device open: from 6.0 on */
#include <linux/vfio.h>

int probe(struct vfio_device *vdev, dma_addr_t iova, struct page **pages, void *data)
{
	int ret = vfio_pin_pages(vdev, iova, 1, 0, pages);

	vfio_unpin_pages(vdev, iova, 1);
	return ret ?: vfio_dma_rw(vdev, iova, data, 1, true);
}
