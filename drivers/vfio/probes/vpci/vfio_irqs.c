// SPDX-License-Identifier: GPL-2.0-only
/* Interrupts of a VFIO device, and eventfds that unmask them */
#include <linux/vfio.h>

static int probe_handler(void *opaque, void *data)
{
	return 0;
}

int probe(struct vfio_irq_set *set, struct virqfd **virqfd, int fd)
{
	size_t size;

	vfio_virqfd_disable(virqfd);
	return vfio_set_irqs_validate_and_prepare(set, 1, 1, &size) ?:
	       vfio_virqfd_enable(set, probe_handler, NULL, NULL, virqfd, fd);
}
