// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts, reset and close as a VFIO user sees them, on the module irq_lab
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "../modules/irq_lab.h"
#include "sysfs.h"
#include "vfio_client.h"

#define UUID "44444444-dddd-4ddd-8ddd-0123456789ab"
#define INTX VFIO_PCI_INTX_IRQ_INDEX
#define MSI VFIO_PCI_MSI_IRQ_INDEX
#define MSIX VFIO_PCI_MSIX_IRQ_INDEX
#define NONE VFIO_IRQ_SET_DATA_NONE
#define BOOL VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD VFIO_IRQ_SET_DATA_EVENTFD
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK VFIO_IRQ_SET_ACTION_MASK
#define UNMASK VFIO_IRQ_SET_ACTION_UNMASK
#define NR_FDS 8
#define ROUNDS 10000
#define PATIENCE_MS 60000

static struct vfio_client client;
static uint64_t bar0, bar4;
static int fds[NR_FDS];

/* @data: an int or a byte for each, as @flags says */
static int set_irqs(uint32_t flags, uint32_t index, uint32_t start,
		    uint32_t count, const void *data)
{
	size_t each = flags & EVENTFD ? sizeof(int32_t) : flags & BOOL ? 1 : 0;
	size_t size = sizeof(struct vfio_irq_set) + each * count;
	struct vfio_irq_set *set = calloc(1, size);
	int ret;

	assert_non_null(set);
	set->argsz = size;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (each && count)
		memcpy(set->data, data, each * count);
	ret = ioctl(client.device, VFIO_DEVICE_SET_IRQS, set) ? -errno : 0;
	free(set);
	return ret;
}

static int give(uint32_t index, uint32_t start, uint32_t count, const int *what)
{
	return set_irqs(TRIGGER | EVENTFD, index, start, count, what);
}

static int disable(uint32_t index)
{
	return set_irqs(TRIGGER | NONE, index, 0, 0, NULL);
}

/* How often it was signalled since this was asked last */
static uint64_t count(int fd)
{
	uint64_t value;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

/* Waits for the first signal */
static uint64_t count_wait(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&pollfd, 1, PATIENCE_MS), 1);
	return count(fd);
}

static void put32(uint64_t at, uint32_t value)
{
	assert_int_equal(vfio_client_write(&client, at, &value, 4), 4);
}

static uint32_t get32(uint64_t at)
{
	uint32_t value;

	assert_int_equal(vfio_client_read(&client, at, &value, 4), 4);
	return value;
}

static void signal_vector(uint32_t vector)
{
	put32(bar0 + IRQ_LAB_SIGNAL, vector);
}

static void lower(void)
{
	put32(bar0 + IRQ_LAB_LOWER, 0);
}

static void set_command(uint16_t extra)
{
	vfio_client_put(&client, PCI_COMMAND, 2,
			PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | extra);
}

static bool status_interrupt(void)
{
	return vfio_client_get(&client, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT;
}

static void mask_entry(unsigned int vector, bool mask)
{
	put32(bar4 + IRQ_LAB_TABLE + vector * 16 + 12, mask);
}

static bool is_pending(unsigned int vector)
{
	return get32(bar4 + IRQ_LAB_PBA + vector / 32 * 4) >> vector % 32 & 1;
}

static void msix_control(uint16_t flags)
{
	vfio_client_put(&client, IRQ_LAB_MSIX + PCI_MSIX_FLAGS, 2, flags);
}

static void open_client(void)
{
	struct vfio_region_info info;

	assert_int_equal(vfio_client_open(&client, UUID), 0);
	assert_int_equal(vfio_client_region(&client, 0, &info), 0);
	bar0 = info.offset;
	assert_int_equal(vfio_client_region(&client, IRQ_LAB_MSIX_BAR, &info), 0);
	bar4 = info.offset;
	set_command(0);
}

static int setup(void **state)
{
	int i;

	(void)state;
	client.device = client.group = client.iommu = -1;
	if (sysfs_write(UUID, "/sys/class/mdev_bus/irq_lab/mdev_supported_types/-irqs/create"))
		return -1;
	for (i = 0; i < NR_FDS; i++)
		fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	open_client();
	return 0;
}

static int teardown(void **state)
{
	int i;

	(void)state;
	vfio_client_close(&client);
	for (i = 0; i < NR_FDS; i++)
		close(fds[i]);
	return mdev_remove(UUID);
}

static void test_info(void **state)
{
	static const struct { uint32_t count, flags; } expected[] = {
		[INTX] = { 1, VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
			      VFIO_IRQ_INFO_AUTOMASKED },
		[MSI] = { IRQ_LAB_MSI_VECTORS, VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE },
		[MSIX] = { IRQ_LAB_MSIX_VECTORS, VFIO_IRQ_INFO_EVENTFD },
		[VFIO_PCI_ERR_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE },
		[VFIO_PCI_REQ_IRQ_INDEX] = { 1, VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE },
	};
	struct vfio_irq_info info = { .argsz = sizeof(info) };

	(void)state;
	for (info.index = 0; info.index < VFIO_PCI_NUM_IRQS; info.index++) {
		assert_int_equal(ioctl(client.device, VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
		assert_int_equal(info.count, expected[info.index].count);
		assert_int_equal(info.flags, expected[info.index].flags);
	}
	assert_int_equal(ioctl(client.device, VFIO_DEVICE_GET_IRQ_INFO, &info), -1);
	assert_int_equal(errno, EINVAL);
}

static void test_nonsense(void **state)
{
	static const int bad[] = { -2, 12345 };
	int three[3] = { fds[0], fds[1], -2 };
	unsigned int index;

	(void)state;
	for (index = 0; index < VFIO_PCI_NUM_IRQS; index++) {
		assert_int_equal(give(index, 0, 1, &bad[0]), -EINVAL);
		assert_int_equal(give(index, 0, 1, &bad[1]), -EBADF);
		assert_int_equal(give(index, 0, 1, &client.device), -EINVAL);
		assert_int_equal(give(index, 4000, 1, fds), -EINVAL);
		assert_int_equal(give(index, 0xffffffff, 1, fds), -EINVAL);
		assert_int_equal(set_irqs(TRIGGER | NONE, index, 1, 0xfffffffe, NULL), -EINVAL);
		assert_int_equal(give(index, 0, 0, NULL), -EINVAL);
		assert_int_equal(set_irqs(TRIGGER | MASK | NONE, index, 0, 1, NULL), -EINVAL);
		assert_int_equal(set_irqs(0, index, 0, 1, NULL), -EINVAL);
		assert_int_equal(set_irqs(1 << 9, index, 0, 1, NULL), -EINVAL);
		if (index != INTX)
			assert_int_equal(set_irqs(MASK | NONE, index, 0, 1, NULL), -EINVAL);
	}
	/* All of a call or nothing */
	assert_int_equal(give(MSIX, 0, 3, three), -EINVAL);
	assert_int_equal(set_irqs(TRIGGER | NONE, MSIX, 0, 1, NULL), -EINVAL);
	assert_int_equal(get32(bar0 + IRQ_LAB_LISTENING), 0);
	/* One of the three at a time */
	assert_int_equal(give(MSI, 0, 1, fds), 0);
	assert_int_equal(give(MSIX, 0, 1, fds), -EINVAL);
	assert_int_equal(give(INTX, 0, 1, fds), -EINVAL);
	assert_int_equal(disable(MSIX), 0);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 1);
}

static void test_intx(void **state)
{
	(void)state;
	assert_int_equal(give(INTX, 0, 1, fds), 0);
	assert_false(status_interrupt());
	signal_vector(0);
	assert_int_equal(count(fds[0]), 1);
	assert_true(status_interrupt());
	/* It is masked since, and still asserted when it is unmasked */
	signal_vector(0);
	assert_int_equal(count(fds[0]), 0);
	assert_int_equal(set_irqs(UNMASK | NONE, INTX, 0, 1, NULL), 0);
	assert_int_equal(count(fds[0]), 1);

	lower();
	assert_false(status_interrupt());
	assert_int_equal(set_irqs(UNMASK | NONE, INTX, 0, 1, NULL), 0);
	assert_int_equal(count(fds[0]), 0);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 1);
	lower();
}

static void test_intx_masks(void **state)
{
	uint8_t no = 0, yes = 1;

	(void)state;
	assert_int_equal(set_irqs(MASK | NONE, INTX, 0, 1, NULL), -EINVAL);
	assert_int_equal(give(INTX, 0, 1, fds), 0);
	assert_int_equal(set_irqs(MASK | BOOL, INTX, 0, 1, &yes), 0);
	assert_int_equal(set_irqs(MASK | EVENTFD, INTX, 0, 1, fds), -ENOTTY);
	signal_vector(0);
	assert_int_equal(set_irqs(UNMASK | BOOL, INTX, 0, 1, &no), 0);
	assert_int_equal(count(fds[0]), 0);
	assert_int_equal(set_irqs(UNMASK | BOOL, INTX, 0, 1, &yes), 0);
	assert_int_equal(count(fds[0]), 1);
	lower();
	assert_int_equal(set_irqs(UNMASK | NONE, INTX, 0, 1, NULL), 0);

	/* The guest's own mask; STATUS shows the line all the same */
	set_command(PCI_COMMAND_INTX_DISABLE);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 0);
	assert_true(status_interrupt());
	set_command(0);
	assert_int_equal(count(fds[0]), 1);
}

static void test_intx_unmask_eventfd(void **state)
{
	const uint64_t one = 1;
	int none = -1;

	(void)state;
	assert_int_equal(give(INTX, 0, 1, fds), 0);
	assert_int_equal(set_irqs(UNMASK | EVENTFD, INTX, 0, 1, &fds[1]), 0);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 1);
	assert_int_equal(write(fds[1], &one, 8), 8);
	assert_int_equal(count_wait(fds[0]), 1);

	/* Another one, and none */
	assert_int_equal(set_irqs(UNMASK | EVENTFD, INTX, 0, 1, &fds[2]), 0);
	assert_int_equal(write(fds[2], &one, 8), 8);
	assert_int_equal(count_wait(fds[0]), 1);
	assert_int_equal(set_irqs(UNMASK | EVENTFD, INTX, 0, 1, &none), 0);
	assert_int_equal(write(fds[2], &one, 8), 8);
	assert_int_equal(set_irqs(UNMASK | NONE, INTX, 0, 1, NULL), 0);
	assert_int_equal(count(fds[0]), 1);
}

/* A user that makes the interrupt unmask itself harms nobody else */
static void test_intx_loop(void **state)
{
	(void)state;
	assert_int_equal(give(INTX, 0, 1, fds), 0);
	assert_int_equal(set_irqs(UNMASK | EVENTFD, INTX, 0, 1, fds), 0);
	signal_vector(0);
	/* VFIO reads the eventfd before this process can */
	while (mdev_stat(UUID, "interrupts") < 10)
		sched_yield();
	lower();
	assert_int_equal(disable(INTX), 0);
}

static void test_msi(void **state)
{
	(void)state;
	vfio_client_put(&client, IRQ_LAB_MSI + PCI_MSI_FLAGS, 2,
			2 << 4 | PCI_MSI_FLAGS_ENABLE);
	assert_int_equal(give(MSI, 0, 4, fds), 0);
	signal_vector(0);
	signal_vector(3);
	assert_int_equal(count(fds[0]), 1);
	assert_int_equal(count(fds[1]), 0);
	assert_int_equal(count(fds[3]), 1);
	/* Four messages for 32 vectors */
	signal_vector(6);
	assert_int_equal(count(fds[2]), 1);

	vfio_client_put(&client, IRQ_LAB_MSI + PCI_MSI_MASK_64, 4, 0x2);
	signal_vector(1);
	signal_vector(1);
	assert_int_equal(count(fds[1]), 0);
	assert_int_equal(vfio_client_get(&client, IRQ_LAB_MSI + PCI_MSI_PENDING_64, 4), 0x2);
	vfio_client_put(&client, IRQ_LAB_MSI + PCI_MSI_MASK_64, 4, 0);
	assert_int_equal(count(fds[1]), 1);
	assert_int_equal(vfio_client_get(&client, IRQ_LAB_MSI + PCI_MSI_PENDING_64, 4), 0);
}

static void test_msi_replaces_the_pin(void **state)
{
	(void)state;
	assert_int_equal(give(MSI, 0, 1, fds), 0);
	/* A user that only uses VFIO has enabled it in config space by that */
	assert_true(vfio_client_get(&client, IRQ_LAB_MSI + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 1);
	assert_false(status_interrupt());
	assert_int_equal(disable(MSI), 0);
	assert_false(vfio_client_get(&client, IRQ_LAB_MSI + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 0);
	assert_true(status_interrupt());
	lower();
}

static void test_no_message_without_bus_master(void **state)
{
	(void)state;
	assert_int_equal(give(MSIX, 0, 1, fds), 0);
	vfio_client_put(&client, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	signal_vector(0);
	assert_false(is_pending(0));
	set_command(0);
	/* Lost, not late */
	assert_int_equal(count(fds[0]), 0);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 1);
}

static void test_msix_all_vectors(void **state)
{
	struct rlimit limit = { 4096, 4096 };
	int *many = calloc(IRQ_LAB_MSIX_VECTORS, sizeof(int));
	unsigned int i;

	(void)state;
	assert_non_null(many);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (i = 0; i < IRQ_LAB_MSIX_VECTORS; i++)
		many[i] = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(give(MSIX, 0, IRQ_LAB_MSIX_VECTORS, many), 0);
	for (i = 0; i < IRQ_LAB_MSIX_VECTORS; i++)
		signal_vector(i);
	for (i = 0; i < IRQ_LAB_MSIX_VECTORS; i++)
		assert_int_equal(count(many[i]), 1);
	assert_int_equal(give(MSIX, 1, IRQ_LAB_MSIX_VECTORS, many), -EINVAL);
	for (i = 0; i < IRQ_LAB_MSIX_VECTORS; i++)
		close(many[i]);
	free(many);
}

/* As QEMU does it: none at first, holes, and single changes */
static void test_msix_vectors_come_and_go(void **state)
{
	int holes[4] = { -1, fds[1], -1, fds[3] };
	int none = -1;

	(void)state;
	assert_int_equal(give(MSIX, 0, 1, &none), 0);
	assert_int_equal(get32(bar0 + IRQ_LAB_LISTENING), 0);
	assert_int_equal(give(MSIX, 0, 4, holes), 0);
	assert_int_equal(get32(bar0 + IRQ_LAB_LISTENING), 1);
	signal_vector(1);
	signal_vector(2);
	signal_vector(2);
	assert_int_equal(count(fds[1]), 1);
	assert_true(is_pending(2));

	assert_int_equal(give(MSIX, 2, 1, &fds[2]), 0);
	assert_int_equal(count(fds[2]), 1);
	assert_false(is_pending(2));
	/* Far behind what was enabled first */
	assert_int_equal(give(MSIX, 2000, 1, &fds[4]), 0);
	signal_vector(2000);
	assert_int_equal(count(fds[4]), 1);
	assert_int_equal(give(MSIX, 1, 1, &none), 0);
	signal_vector(1);
	assert_int_equal(count(fds[1]), 0);
	assert_int_equal(count(fds[3]), 0);
	assert_int_equal(disable(MSIX), 0);
	assert_int_equal(get32(bar0 + IRQ_LAB_LISTENING), 0);
}

static void test_msix_masks(void **state)
{
	uint32_t value;

	(void)state;
	assert_int_equal(give(MSIX, 0, 4, fds), 0);
	mask_entry(1, true);
	signal_vector(1);
	signal_vector(1);
	assert_int_equal(count(fds[1]), 0);
	assert_true(is_pending(1));
	mask_entry(1, false);
	assert_int_equal(count(fds[1]), 1);
	assert_false(is_pending(1));

	msix_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	signal_vector(0);
	signal_vector(1);
	assert_int_equal(count(fds[0]), 0);
	mask_entry(1, true);
	msix_control(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(count(fds[0]), 1);
	assert_int_equal(count(fds[1]), 0);

	/* Pending survives that MSI-X is off, and is not sent then */
	msix_control(0);
	mask_entry(1, false);
	assert_int_equal(count(fds[1]), 0);
	assert_true(is_pending(1));
	msix_control(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(count(fds[1]), 1);

	/* Off and on again with a masked entry: it works once it is unmasked */
	mask_entry(2, true);
	msix_control(0);
	msix_control(PCI_MSIX_FLAGS_ENABLE);
	mask_entry(2, false);
	signal_vector(2);
	assert_int_equal(count(fds[2]), 1);

	/* The table is not there while its BAR is not decoded, and keeps its masks */
	mask_entry(2, true);
	vfio_client_put(&client, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(vfio_client_read(&client, bar4 + IRQ_LAB_TABLE, &value, 4), -EIO);
	set_command(0);
	assert_int_equal(get32(bar4 + IRQ_LAB_TABLE + 2 * 16 + 12), 1);
}

static void test_msix_table(void **state)
{
	uint64_t entry = bar4 + IRQ_LAB_TABLE + 5 * 16;
	uint64_t value = 0xffffffffffffffff;
	uint8_t byte = 0xff;

	(void)state;
	assert_int_equal(get32(entry), 0);
	assert_int_equal(get32(entry + 12), 1);
	assert_int_equal(vfio_client_write(&client, entry, &value, 8), 8);
	assert_int_equal(get32(entry), 0xfffffffc);
	assert_int_equal(get32(entry + 4), 0xffffffff);
	/* Eight bytes over data and vector control */
	value = 0xfffffffe12345678;
	assert_int_equal(vfio_client_write(&client, entry + 8, &value, 8), 8);
	assert_int_equal(vfio_client_read(&client, entry + 8, &value, 8), 8);
	assert_int_equal(value, 0x12345678);
	/* Neither bytes nor the pending bits can be written */
	assert_int_equal(vfio_client_write(&client, entry + 12, &byte, 1), 1);
	assert_int_equal(get32(entry + 12), 0);
	put32(bar4 + IRQ_LAB_PBA, 0xffffffff);
	assert_int_equal(get32(bar4 + IRQ_LAB_PBA), 0);
	/* What surrounds them is the parent's */
	assert_int_equal(get32(bar4 + IRQ_LAB_TABLE - 4), 0xffffffff);
	assert_int_equal(get32(bar4 + IRQ_LAB_TABLE + IRQ_LAB_MSIX_VECTORS * 16), 0xffffffff);
	assert_int_equal(get32(bar4 + IRQ_LAB_PBA + IRQ_LAB_MSIX_VECTORS / 8), 0xffffffff);
}

static void test_hard_interrupt(void **state)
{
	(void)state;
	assert_int_equal(give(MSIX, 0, 4, fds), 0);
	put32(bar0 + IRQ_LAB_HARDIRQ, 3);
	assert_int_equal(count_wait(fds[3]), 1);
}

static void test_loop_back(void **state)
{
	static const uint8_t which[4] = { 0, 1, 0, 1 };

	(void)state;
	assert_int_equal(give(MSIX, 0, 4, fds), 0);
	assert_int_equal(set_irqs(TRIGGER | NONE, MSIX, 0, 4, NULL), 0);
	assert_int_equal(set_irqs(TRIGGER | BOOL, MSIX, 0, 4, which), 0);
	assert_int_equal(count(fds[0]), 1);
	assert_int_equal(count(fds[1]), 2);
	assert_int_equal(count(fds[2]), 1);
	assert_int_equal(count(fds[3]), 2);
}

static void test_error(void **state)
{
	(void)state;
	put32(bar0 + IRQ_LAB_ERROR, 0);
	assert_int_equal(give(VFIO_PCI_ERR_IRQ_INDEX, 0, 1, fds), 0);
	put32(bar0 + IRQ_LAB_ERROR, 0);
	assert_int_equal(count(fds[0]), 1);
	assert_int_equal(set_irqs(TRIGGER | NONE, VFIO_PCI_ERR_IRQ_INDEX, 0, 0, NULL), 0);
	put32(bar0 + IRQ_LAB_ERROR, 0);
	assert_int_equal(count(fds[0]), 0);
}

/* All that can be read */
struct dump {
	uint8_t config[4096];
	uint8_t regs[IRQ_LAB_SIZE];
	uint8_t msix[IRQ_LAB_MSIX_SIZE];
};

static void take_dump(struct dump *dump)
{
	assert_int_equal(vfio_client_read(&client, client.config, dump->config, 4096), 4096);
	set_command(0);
	assert_int_equal(vfio_client_read(&client, bar0, dump->regs, sizeof(dump->regs)),
			 sizeof(dump->regs));
	assert_int_equal(vfio_client_read(&client, bar4, dump->msix, sizeof(dump->msix)),
			 sizeof(dump->msix));
	vfio_client_put(&client, PCI_COMMAND, 2, 0);
}

static void reset_by_ioctl(void)
{
	assert_int_equal(ioctl(client.device, VFIO_DEVICE_RESET), 0);
}

/* The upper byte of DEVCTL alone */
static void reset_by_flr(void)
{
	vfio_client_put(&client, IRQ_LAB_EXP + PCI_EXP_DEVCTL + 1, 1,
			PCI_EXP_DEVCTL_BCR_FLR >> 8);
}

static void reset_by_power(void)
{
	vfio_client_put(&client, IRQ_LAB_PM + PCI_PM_CTRL, 2, 3);
	vfio_client_put(&client, IRQ_LAB_PM + PCI_PM_CTRL, 2, 0);
}

static void reset_by_close(void)
{
	vfio_client_close(&client);
	open_client();
}

/* Writes of any value, width and place; with decode off now and then */
static void scribble(unsigned int *seed)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8 };
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		unsigned int size = sizes[rand_r(seed) % 4];
		unsigned int where = rand_r(seed) % 3;
		uint64_t value = (uint64_t)rand_r(seed) << 33 ^ rand_r(seed);

		if (where == 0)
			vfio_client_write(&client, client.config + rand_r(seed) % 256, &value, size);
		else if (where == 1)
			vfio_client_write(&client, bar0 + rand_r(seed) % (IRQ_LAB_REGS_END - 8),
					  &value, size);
		else
			vfio_client_write(&client, bar4 + rand_r(seed) % (IRQ_LAB_MSIX_SIZE - 8),
					  &value, size);
		if (i % 16 == 0)
			set_command(0);
	}
}

static void test_reset_leaves_nothing(void **state)
{
	static void (* const resets[])(void) = {
		reset_by_ioctl, reset_by_flr, reset_by_power, reset_by_close
	};
	struct dump *dumps = calloc(2, sizeof(*dumps));
	unsigned int i, seed = 1;

	(void)state;
	assert_non_null(dumps);
	vfio_client_put(&client, PCI_COMMAND, 2, 0);
	take_dump(&dumps[0]);
	for (i = 0; i < 40; i++) {
		assert_int_equal(give(MSIX, 0, NR_FDS, fds), 0);
		scribble(&seed);
		/* Whatever power state it was left in */
		vfio_client_put(&client, IRQ_LAB_PM + PCI_PM_CTRL, 2, 0);
		set_command(0);
		signal_vector(7);
		resets[i % 4]();
		if (i % 4 == 3)
			vfio_client_put(&client, PCI_COMMAND, 2, 0);
		assert_int_equal(vfio_client_get(&client, PCI_COMMAND, 2), 0);
		disable(MSIX);
		take_dump(&dumps[1]);
		assert_memory_equal(&dumps[1], &dumps[0], sizeof(dumps[0]));
	}
	free(dumps);
}

/* The next user gets none of the interrupts that this one has left behind */
static void test_close_leaves_nothing(void **state)
{
	int i;

	(void)state;
	assert_int_equal(give(MSIX, 0, 4, fds), 0);
	mask_entry(0, true);
	signal_vector(0);
	vfio_client_close(&client);
	open_client();
	assert_false(is_pending(0));
	msix_control(PCI_MSIX_FLAGS_ENABLE);
	for (i = 0; i < 4; i++)
		signal_vector(i);
	for (i = 0; i < 4; i++)
		assert_int_equal(count(fds[i]), 0);
	assert_int_equal(get32(bar0 + IRQ_LAB_LISTENING), 0);
}

static atomic_bool stop;

/* Masks and unmasks by all means, and takes the eventfd away and gives it back */
static void *disturb(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	int none = -1;

	while (!stop) {
		switch (rand_r(&seed) % 6) {
		case 0:
			mask_entry(0, true);
			break;
		case 1:
			mask_entry(0, false);
			break;
		case 2:
			msix_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
			break;
		case 3:
			msix_control(PCI_MSIX_FLAGS_ENABLE);
			break;
		case 4:
			give(MSIX, 0, 1, &none);
			break;
		case 5:
			give(MSIX, 0, 1, fds);
			break;
		}
	}
	return NULL;
}

/* Each signal comes exactly once, whatever happens meanwhile */
static void test_nothing_is_lost_or_doubled(void **state)
{
	pthread_t threads[3];
	uintptr_t i;
	int round;

	(void)state;
	assert_int_equal(give(MSIX, 0, 1, fds), 0);
	stop = false;
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, disturb, (void *)(i + 1));
	for (round = 0; round < ROUNDS; round++) {
		signal_vector(0);
		if (count_wait(fds[0]) != 1)
			break;
	}
	stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(round, ROUNDS);
	assert_int_equal(count(fds[0]), 0);
}

/* Enables, triggers, disables and resets, in whatever order */
static void *hammer(void *arg)
{
	unsigned int round, seed = (uintptr_t)arg;

	for (round = 0; round < ROUNDS / 4; round++) {
		unsigned int index = rand_r(&seed) % 3;
		uint32_t vector = rand_r(&seed) % 8;

		switch (rand_r(&seed) % 8) {
		case 0:
			give(index, 0, index ? NR_FDS : 1, fds);
			break;
		case 1:
			disable(index);
			break;
		case 2:
			set_irqs(TRIGGER | NONE, index, 0, 1, NULL);
			break;
		case 3:
			set_irqs(UNMASK | EVENTFD, INTX, 0, 1, &fds[rand_r(&seed) % NR_FDS]);
			break;
		case 4:
			set_irqs(UNMASK | NONE, INTX, 0, 1, NULL);
			break;
		case 5:
			ioctl(client.device, VFIO_DEVICE_RESET);
			break;
		case 6:
			vfio_client_write(&client, client.config + PCI_COMMAND, "\6", 2);
			vfio_client_write(&client, bar0 + IRQ_LAB_HARDIRQ, &vector, 4);
			break;
		case 7:
			vfio_client_write(&client, bar0 + IRQ_LAB_SIGNAL, &vector, 4);
			break;
		}
	}
	return NULL;
}

static void test_hammer(void **state)
{
	pthread_t threads[4];
	uintptr_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 3; i++)
		assert_int_equal(disable(i), 0);
	reset_by_ioctl();
	set_command(0);
	for (i = 0; i < NR_FDS; i++)
		count(fds[i]);
	assert_int_equal(give(MSIX, 0, 1, fds), 0);
	signal_vector(0);
	assert_int_equal(count(fds[0]), 1);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_info),
		T(test_nonsense),
		T(test_intx),
		T(test_intx_masks),
		T(test_intx_unmask_eventfd),
		T(test_intx_loop),
		T(test_msi),
		T(test_msi_replaces_the_pin),
		T(test_no_message_without_bus_master),
		T(test_msix_all_vectors),
		T(test_msix_vectors_come_and_go),
		T(test_msix_masks),
		T(test_msix_table),
		T(test_hard_interrupt),
		T(test_loop_back),
		T(test_error),
		T(test_reset_leaves_nothing),
		T(test_close_leaves_nothing),
		T(test_nothing_is_lost_or_doubled),
		T(test_hammer),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
