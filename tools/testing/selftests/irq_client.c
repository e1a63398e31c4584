// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "irq_client.h"
#include "sysfs.h"

#define PATIENCE_MS 60000

struct irq_client irq;

int irq_set(uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
	    const void *data)
{
	return vfio_client_set_irqs(&irq.vfio, flags, index, start, count, data);
}

int irq_give(uint32_t index, uint32_t start, uint32_t count, const int *what)
{
	return irq_set(TRIGGER | EVENTFD, index, start, count, what);
}

int irq_disable(uint32_t index)
{
	return irq_set(TRIGGER | NONE, index, 0, 0, NULL);
}

uint64_t irq_count(int fd)
{
	uint64_t value;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

uint64_t irq_wait(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&pollfd, 1, PATIENCE_MS), 1);
	return irq_count(fd);
}

void irq_put32(uint64_t at, uint32_t value)
{
	assert_int_equal(vfio_client_write(&irq.vfio, at, &value, 4), 4);
}

uint32_t irq_get32(uint64_t at)
{
	uint32_t value;

	assert_int_equal(vfio_client_read(&irq.vfio, at, &value, 4), 4);
	return value;
}

void irq_signal(uint32_t vector)
{
	irq_put32(irq.bar0 + IRQ_LAB_SIGNAL, vector);
}

void irq_lower(void)
{
	irq_put32(irq.bar0 + IRQ_LAB_LOWER, 0);
}

void irq_set_command(uint16_t extra)
{
	vfio_client_put(&irq.vfio, PCI_COMMAND, 2,
			PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | extra);
}

bool irq_status(void)
{
	return vfio_client_get(&irq.vfio, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT;
}

void irq_mask_entry(unsigned int vector, bool mask)
{
	irq_put32(irq.bar4 + IRQ_LAB_TABLE + vector * 16 + 12, mask);
}

bool irq_is_pending(unsigned int vector)
{
	return irq_get32(irq.bar4 + IRQ_LAB_PBA + vector / 32 * 4) >> vector % 32 & 1;
}

void irq_msix_control(uint16_t flags)
{
	vfio_client_put(&irq.vfio, IRQ_LAB_MSIX + PCI_MSIX_FLAGS, 2, flags);
}

void irq_open(void)
{
	struct vfio_region_info info;

	assert_int_equal(vfio_client_open(&irq.vfio, IRQ_UUID), 0);
	assert_int_equal(vfio_client_region(&irq.vfio, 0, &info), 0);
	irq.bar0 = info.offset;
	assert_int_equal(vfio_client_region(&irq.vfio, IRQ_LAB_MSIX_BAR, &info), 0);
	irq.bar4 = info.offset;
	irq_set_command(0);
}

int irq_setup(void **state)
{
	int i;

	(void)state;
	irq.vfio.device = irq.vfio.group = irq.vfio.iommu = -1;
	if (sysfs_write(IRQ_UUID, "/sys/class/mdev_bus/irq_lab/mdev_supported_types/-irqs/create"))
		return -1;
	for (i = 0; i < NR_FDS; i++)
		irq.fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	irq_open();
	return 0;
}

int irq_teardown(void **state)
{
	int i;

	(void)state;
	vfio_client_close(&irq.vfio);
	for (i = 0; i < NR_FDS; i++)
		close(irq.fds[i]);
	return mdev_remove(IRQ_UUID);
}
