// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance of mgpu as a VFIO user sees it, hostile ones included
 *
 * Each test has an instance "a" of 8 MiB, open; some make a second one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "sysfs.h"
#include "vfio_client.h"

#define UUID_A "aaaaaaaa-1111-4111-8111-0123456789ab"
#define UUID_B "bbbbbbbb-2222-4222-8222-0123456789ab"

#define MIB		(1UL << 20)
#define PAGE		4096UL
#define VRAM_SIZE	(8 * MIB)
#define REGS_SIZE	4096UL
#define MSIX_SIZE	65536UL
#define ONES		0xffffffffU

/* Offsets in BAR 2 */
#define DISPI(n)	(0x500 + 2 * (n))
#define DISPI_ID	DISPI(0)
#define DISPI_XRES	DISPI(1)

/* The mapping stands here, so that teardown removes what a failed test left */
struct fixture {
	struct vfio_client client;
	uint64_t vram;
	uint64_t regs;
	void *map;
	size_t map_size;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct vfio_region_info info;

	if (!f || mdev_create("8M", UUID_A))
		return -1;
	if (vfio_client_open(&f->client, UUID_A)) {
		mdev_remove(UUID_A);
		return -1;
	}
	vfio_client_region(&f->client, VFIO_PCI_BAR0_REGION_INDEX, &info);
	f->vram = info.offset;
	vfio_client_region(&f->client, VFIO_PCI_BAR2_REGION_INDEX, &info);
	f->regs = info.offset;
	*state = f;
	return 0;
}

static void unmap_vram(struct fixture *f)
{
	if (f->map)
		munmap(f->map, f->map_size);
	f->map = NULL;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unmap_vram(f);
	vfio_client_close(&f->client);
	free(f);
	mdev_remove(UUID_B);
	return mdev_remove(UUID_A);
}

/* A closed client stays closed when a test ends here: never close a number twice */
static void close_client(struct vfio_client *client)
{
	vfio_client_close(client);
	client->device = client->group = client->iommu = -1;
}

static void reopen(struct fixture *f)
{
	close_client(&f->client);
	assert_int_equal(vfio_client_open(&f->client, UUID_A), 0);
}

static volatile uint32_t *map_vram(struct fixture *f, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 f->client.device, f->vram);

	assert_ptr_not_equal(map, MAP_FAILED);
	f->map = map;
	f->map_size = size;
	return map;
}

static void test_device_info(void **state)
{
	struct fixture *f = *state;
	struct vfio_device_info info = { .argsz = sizeof(info) };

	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_INFO, &info), 0);
	assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	assert_int_equal(info.num_regions, VFIO_PCI_NUM_REGIONS);
	assert_int_equal(info.num_irqs, VFIO_PCI_NUM_IRQS);
	info.argsz = 8;
	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_INFO, &info), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_INFO, NULL), -1);
	assert_int_equal(errno, EFAULT);
}

static void test_region_info(void **state)
{
	static const struct { uint64_t size; uint32_t flags; } expected[] = {
		[0] = { VRAM_SIZE, VFIO_REGION_INFO_FLAG_READ |
			VFIO_REGION_INFO_FLAG_WRITE | VFIO_REGION_INFO_FLAG_MMAP },
		[2] = { REGS_SIZE, VFIO_REGION_INFO_FLAG_READ |
			VFIO_REGION_INFO_FLAG_WRITE },
		[3] = { MSIX_SIZE, VFIO_REGION_INFO_FLAG_READ |
			VFIO_REGION_INFO_FLAG_WRITE },
		[VFIO_PCI_ROM_REGION_INDEX] = { 0, 0 },
		[VFIO_PCI_CONFIG_REGION_INDEX] = { 256,
			VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE },
	};
	static const uint32_t absent[] = { 8, 9, 1000, ONES };
	struct fixture *f = *state;
	struct vfio_region_info info;
	unsigned int i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(vfio_client_region(&f->client, i, &info), 0);
		assert_int_equal(info.size, expected[i].size);
		assert_int_equal(info.flags, expected[i].flags);
	}
	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_int_equal(vfio_client_region(&f->client, absent[i], &info),
				 -EINVAL);
}

/* MSI-X, and REQ, which asks the user to give the instance up */
static void test_interrupts(void **state)
{
	static const struct { bool known; unsigned int count; } expected[] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = { true, 0 },
		[VFIO_PCI_MSI_IRQ_INDEX] = { true, 0 },
		[VFIO_PCI_MSIX_IRQ_INDEX] = { true, 1 },
		[VFIO_PCI_ERR_IRQ_INDEX] = { false, 77 },
		[VFIO_PCI_REQ_IRQ_INDEX] = { true, 1 },
		[VFIO_PCI_NUM_IRQS] = { false, 77 },
	};
	struct fixture *f = *state;
	struct vfio_irq_info info = { .argsz = sizeof(info) };
	struct vfio_irq_set set = { .argsz = sizeof(set) };
	unsigned int i;

	for (i = 0; i <= VFIO_PCI_NUM_IRQS; i++) {
		info.index = i;
		info.count = 77;
		assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_IRQ_INFO, &info),
				 expected[i].known ? 0 : -1);
		assert_int_equal(info.count, expected[i].count);

		/* To disable what is off succeeds, to trigger what is absent does not */
		set.index = i;
		set.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
		assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_SET_IRQS, &set),
				 expected[i].known ? 0 : -1);
		set.count = expected[i].count % 77 + 1;
		assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_SET_IRQS, &set), -1);
		assert_int_equal(errno, EINVAL);
		set.count = 0;
	}
}

/* Trigger REQ from here, by @flags and the byte @data */
static int trigger_req(struct fixture *f, uint32_t flags, uint8_t data)
{
	union {
		struct vfio_irq_set set;
		char room[sizeof(struct vfio_irq_set) + 1];
	} irq = {
		.set = {
			.argsz = sizeof(irq.set) + 1,
			.flags = flags,
			.index = VFIO_PCI_REQ_IRQ_INDEX,
			.count = 1,
		},
	};

	irq.set.data[0] = data;
	return ioctl(f->client.device, VFIO_DEVICE_SET_IRQS, &irq.set) ? -errno : 0;
}

static void test_request_eventfd(void **state)
{
	const uint32_t trigger = VFIO_IRQ_SET_ACTION_TRIGGER;
	struct fixture *f = *state;
	int fd = eventfd(0, EFD_NONBLOCK);
	uint64_t count;

	assert_true(fd >= 0);
	assert_int_equal(vfio_client_listen(&f->client, fd), 0);
	assert_int_equal(trigger_req(f, trigger | VFIO_IRQ_SET_DATA_NONE, 0), 0);
	assert_int_equal(read(fd, &count, 8), 8);
	assert_int_equal(count, 1);
	assert_int_equal(trigger_req(f, trigger | VFIO_IRQ_SET_DATA_BOOL, 0), 0);
	assert_int_equal(read(fd, &count, 8), -1);
	assert_int_equal(trigger_req(f, trigger | VFIO_IRQ_SET_DATA_BOOL, 1), 0);
	assert_int_equal(read(fd, &count, 8), 8);

	/* It cannot be masked, is not of two kinds, and an eventfd is one */
	assert_int_equal(trigger_req(f, VFIO_IRQ_SET_ACTION_MASK |
				     VFIO_IRQ_SET_DATA_NONE, 0), -EINVAL);
	assert_int_equal(trigger_req(f, trigger | VFIO_IRQ_SET_DATA_NONE |
				     VFIO_IRQ_SET_DATA_BOOL, 0), -EINVAL);
	assert_int_equal(trigger_req(f, trigger, 0), -EINVAL);
	assert_int_equal(vfio_client_listen(&f->client, f->client.device), -EINVAL);
	assert_int_equal(vfio_client_listen(&f->client, 12345), -EBADF);
	assert_int_equal(vfio_client_listen(&f->client, -2), -EINVAL);

	/* What failed has changed nothing; -1 takes the eventfd away */
	assert_int_equal(trigger_req(f, trigger | VFIO_IRQ_SET_DATA_NONE, 0), 0);
	assert_int_equal(read(fd, &count, 8), 8);
	assert_int_equal(vfio_client_listen(&f->client, -1), 0);
	assert_int_equal(trigger_req(f, trigger | VFIO_IRQ_SET_DATA_NONE, 0), 0);
	assert_int_equal(read(fd, &count, 8), -1);
	close(fd);
}

static void test_unknown_ioctl(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, NULL), -1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(ioctl(f->client.device, 0xdeadbeef, NULL), -1);
	assert_int_equal(errno, ENOTTY);
}

static void test_config_ids(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(vfio_client_get(&f->client, PCI_VENDOR_ID, 4), 0x11111234);
	assert_int_equal(vfio_client_get(&f->client, PCI_CLASS_REVISION, 4), 0x03800002);
	assert_int_equal(vfio_client_get(&f->client, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
	assert_int_equal(vfio_client_get(&f->client, PCI_INTERRUPT_PIN, 1), 0);
	assert_int_equal(vfio_client_get(&f->client, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
}

/* Exactly 256 bytes: all of them at once, the last one, and nothing behind */
static void test_config_end(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[512];

	assert_int_equal(vfio_client_read(&f->client, f->client.config, buf, 256), 256);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + 255, buf, 1), 1);
	assert_int_equal(vfio_client_read(&f->client, f->client.config, buf, 257), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + 255, buf, 2), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + 256, buf, 1), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->client.config + 253, buf, 4), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->client.config + 256, buf, 1), -EFAULT);
}

static void test_config_bar_sizing(void **state)
{
	struct fixture *f = *state;
	unsigned int width, i;

	for (width = 1; width <= 8; width *= 2) {
		for (i = 0; i < 16; i += width)
			vfio_client_put(&f->client, PCI_BASE_ADDRESS_0 + i, width, ~0ULL);
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_0, 8),
				 (~(VRAM_SIZE - 1)) | 0xc);
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_2, 4),
				 (uint32_t)~(REGS_SIZE - 1));
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_3, 4),
				 (uint32_t)~(MSIX_SIZE - 1));
		vfio_client_put(&f->client, PCI_BASE_ADDRESS_0, 8, 0xc000000000ULL);
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_0, 8),
				 0xc00000000cULL);
	}
}

static void test_config_odd_sizes(void **state)
{
	struct fixture *f = *state;

	vfio_client_put(&f->client, PCI_BASE_ADDRESS_2 + 1, 3, 0xfedcba);
	assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_2, 4), 0xfedcb000);
	assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_2 + 1, 3), 0xfedcb0);
	assert_int_equal(vfio_client_get(&f->client, PCI_VENDOR_ID + 1, 5), 0x0000111112);
}

static void test_bad_pointers(void **state)
{
	struct fixture *f = *state;
	void *bad = (void *)8;

	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->client.config, bad, 4), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->client.config, bad, 4), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->regs, bad, 4), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->vram, bad, 4), -EFAULT);
}

static void test_registers(void **state)
{
	struct fixture *f = *state;
	uint16_t value = 0;

	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->regs + DISPI_ID, &value, 2), 2);
	assert_int_equal(value, 0xb0c5);
	assert_int_equal(vfio_client_read(&f->client, f->regs + DISPI(10), &value, 2), 2);
	assert_int_equal(value, VRAM_SIZE / 65536);
	value = 1024;
	assert_int_equal(vfio_client_write(&f->client, f->regs + DISPI_XRES, &value, 2), 2);
	value = 0;
	assert_int_equal(vfio_client_read(&f->client, f->regs + DISPI_XRES, &value, 2), 2);
	assert_int_equal(value, 1024);
	assert_int_equal(mdev_stat(UUID_A, "trapped_reads"), 3);
	assert_int_equal(mdev_stat(UUID_A, "trapped_writes"), 1);
}

/* Any range inside a trapped BAR is cut into aligned accesses; none crosses */
static void test_bar_ranges(void **state)
{
	struct fixture *f = *state;
	static const uint64_t ends[] = { REGS_SIZE, VRAM_SIZE };
	uint64_t starts[] = { f->regs, f->vram };
	static uint8_t buf[2 * REGS_SIZE];
	unsigned int len, i;

	vfio_client_decode(&f->client, 1);
	for (len = 1; len <= 17; len++)
		assert_int_equal(vfio_client_read(&f->client, f->regs + DISPI_ID - 3, buf, len), len);
	assert_int_equal(buf[3], 0xc5);
	assert_int_equal(buf[4], 0xb0);

	for (i = 0; i < 2; i++) {
		uint64_t end = starts[i] + ends[i];

		assert_int_equal(vfio_client_read(&f->client, end - 1, buf, 1), 1);
		assert_int_equal(vfio_client_read(&f->client, end - 1, buf, 2), -EINVAL);
		assert_int_equal(vfio_client_read(&f->client, end, buf, 1), -EINVAL);
		assert_int_equal(vfio_client_write(&f->client, end - 3, buf, 4), -EINVAL);
		assert_int_equal(vfio_client_write(&f->client, end + 4096, buf, 4), -EINVAL);
	}
	/* Regions that are not there: BAR 1, ROM, VGA, beyond all */
	assert_int_equal(vfio_client_read(&f->client, 1ULL << 40, buf, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, 6ULL << 40, buf, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, 8ULL << 40, buf, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, 0x7fffffffffffff00ULL, buf, 1), -EINVAL);
}

static void test_decode_off(void **state)
{
	struct fixture *f = *state;
	uint32_t value;

	assert_int_equal(vfio_client_read(&f->client, f->regs, &value, 4), -EIO);
	assert_int_equal(vfio_client_write(&f->client, f->regs, &value, 4), -EIO);
	assert_int_equal(vfio_client_read(&f->client, f->vram, &value, 4), -EIO);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->regs, &value, 4), 4);
	vfio_client_decode(&f->client, 0);
	assert_int_equal(vfio_client_read(&f->client, f->regs, &value, 4), -EIO);
}

static void test_mmap_refused(void **state)
{
	struct fixture *f = *state;
	const struct {
		uint64_t offset;
		size_t len;
		int prot;
		int flags;
		int error;
	} bad[] = {
		/* a trapped BAR, absent ones, config space */
		{ f->regs, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ 1ULL << 40, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ 6ULL << 40, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->client.config, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		/* beyond the end, by offset or by length */
		{ f->vram + VRAM_SIZE, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->vram, VRAM_SIZE + PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->vram + VRAM_SIZE - PAGE, 2 * PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ 1ULL << 50, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		/* not a page boundary; that is mmap(2) itself */
		{ f->vram + 1, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->vram, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, EINVAL },
		{ f->vram, PAGE, PROT_READ, MAP_PRIVATE, EINVAL },
		/* newer kernels themselves answer EPERM */
		{ f->vram, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, EACCES },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_ptr_equal(mmap(NULL, bad[i].len, bad[i].prot, bad[i].flags,
				      f->client.device, bad[i].offset), MAP_FAILED);
		if (bad[i].error != EACCES || errno != EPERM)
			assert_int_equal(errno, bad[i].error);
	}
}

/* Nor can it be made executable or longer afterwards */
static void test_mmap_stays_as_it_is(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram = map_vram(f, PAGE);

	assert_int_equal(mprotect((void *)vram, PAGE, PROT_READ | PROT_EXEC), -1);
	assert_int_equal(errno, EACCES);
	assert_ptr_equal(mremap((void *)vram, PAGE, 2 * PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	assert_int_equal(errno, EFAULT);
	unmap_vram(f);
}

/* Mapping costs nothing; each page comes with its first touch, and only once */
static void test_lazy_mapping(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram;
	size_t i;

	vfio_client_decode(&f->client, 1);
	vram = map_vram(f, VRAM_SIZE);
	assert_int_equal(mdev_stat(UUID_A, "faults"), 0);
	assert_int_equal(mdev_stat(UUID_A, "pages_mapped"), 0);
	for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4)
		vram[i] = i;
	assert_int_equal(mdev_stat(UUID_A, "pages_mapped"), VRAM_SIZE / PAGE);
	assert_in_range(mdev_stat(UUID_A, "faults"), 1, VRAM_SIZE / PAGE);
	for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4)
		assert_int_equal(vram[i], i);
	assert_int_equal(mdev_stat(UUID_A, "pages_mapped"), VRAM_SIZE / PAGE);
	assert_int_equal(mdev_stat(UUID_A, "sink_faults"), 0);
	unmap_vram(f);
}

/* What it must reach: 16 MiB page by page in 8 faults, at an aligned address */
static void test_touch_16_mib(void **state)
{
	struct vfio_client client;
	struct vfio_region_info info;
	volatile uint32_t *vram;
	struct fixture *f = *state;
	char *room;
	size_t i;

	close_client(&f->client);
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_int_equal(mdev_create("16M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&client, UUID_B), 0);
	vfio_client_region(&client, 0, &info);
	assert_int_equal(info.size, 16 * MIB);
	vfio_client_decode(&client, 1);
	room = mmap(NULL, 18 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	vram = mmap((void *)(((uintptr_t)room + 2 * MIB - 1) & ~(2 * MIB - 1)),
		    info.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    client.device, info.offset);
	assert_ptr_not_equal(vram, MAP_FAILED);
	for (i = 0; i < info.size / 4; i += PAGE / 4)
		vram[i] = ~i;
	for (i = 0; i < info.size / 4; i += PAGE / 4)
		assert_int_equal(vram[i], (uint32_t)~i);
	assert_int_equal(mdev_stat(UUID_B, "faults"), 8);
	assert_int_equal(mdev_stat(UUID_B, "pages_mapped"), 4096);
	munmap(room, 18 * MIB);
	vfio_client_close(&client);
	assert_int_equal(mdev_remove(UUID_B), 0);

	assert_int_equal(mdev_create("8M", UUID_A), 0);
	assert_int_equal(vfio_client_open(&f->client, UUID_A), 0);
}

static void test_partial_mapping(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *page;
	uint32_t value = 0x600d1dea;

	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_write(&f->client, f->vram + 5 * PAGE, &value, 4), 4);
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, f->client.device,
		    f->vram + 5 * PAGE);
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(page[0], value);
	munmap((void *)page, PAGE);
}

/* Mapping and read(2) show the same memory, over page boundaries too */
static void test_mapping_equals_read(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram;
	uint32_t buf[2048];
	size_t i;

	vfio_client_decode(&f->client, 1);
	vram = map_vram(f, VRAM_SIZE);
	for (i = 0; i < 4096; i++)
		vram[i] = 3 * i + 1;
	assert_int_equal(vfio_client_read(&f->client, f->vram + 1234 * 4, buf,
					  sizeof(buf)), sizeof(buf));
	for (i = 0; i < 2048; i++)
		assert_int_equal(buf[i], 3 * (i + 1234) + 1);
	unmap_vram(f);
}

/* With decode off a touch meets the sink page, and the frame again after */
static void test_decode_and_mapping(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram = map_vram(f, VRAM_SIZE);

	assert_int_equal(vram[0], ONES);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vram[0], 0);
	vram[0] = 0x12345678;
	vfio_client_decode(&f->client, 0);
	assert_int_equal(vram[0], ONES);
	vram[0] = 0xbad;
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vram[0], 0x12345678);
	assert_int_equal(mdev_stat(UUID_A, "sink_faults"), 2);

	/* What was written to the sink page is gone with a reset */
	vfio_client_decode(&f->client, 0);
	assert_int_equal(vram[0], 0xbad);
	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(vram[0], ONES);
	unmap_vram(f);
}

/* Nor does the next user read what this one wrote to the sink page */
static void test_sink_is_private(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram = map_vram(f, PAGE);
	size_t i;

	for (i = 0; i < PAGE / 4; i++)
		vram[i] = 0x5ec7e7;
	unmap_vram(f);
	reopen(f);
	vram = map_vram(f, PAGE);
	for (i = 0; i < PAGE / 4; i++)
		assert_int_equal(vram[i], ONES);
	unmap_vram(f);
}

static void test_reset(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram = map_vram(f, VRAM_SIZE);
	uint8_t before[256], after[256];
	uint16_t xres = 800;

	assert_int_equal(vfio_client_read(&f->client, f->client.config, before, 256), 256);
	vfio_client_put(&f->client, PCI_BASE_ADDRESS_0, 8, 0xfe000000);
	vfio_client_put(&f->client, PCI_INTERRUPT_LINE, 1, 11);
	vfio_client_decode(&f->client, 1);
	vfio_client_write(&f->client, f->regs + DISPI_XRES, &xres, 2);
	vram[100] = 0x5ec7e7;

	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(vfio_client_read(&f->client, f->client.config, after, 256), 256);
	assert_memory_equal(before, after, 256);
	/* Decode is off, the mapping stays, and what was written is gone */
	assert_int_equal(vram[100], ONES);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vram[100], 0);
	vfio_client_read(&f->client, f->regs + DISPI_XRES, &xres, 2);
	assert_int_equal(xres, 0);
	unmap_vram(f);
}

/* The next user finds nothing of what the last one left */
static void test_close_resets(void **state)
{
	struct fixture *f = *state;
	uint32_t value = 0x5ec7e7;

	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_write(&f->client, f->vram, &value, 4), 4);
	reopen(f);
	assert_int_equal(vfio_client_get(&f->client, PCI_COMMAND, 2), 0);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->vram, &value, 4), 4);
	assert_int_equal(value, 0);
}

static void fill(struct vfio_client *client, uint64_t vram, uint32_t value)
{
	volatile uint32_t *map = mmap(NULL, VRAM_SIZE, PROT_READ | PROT_WRITE,
				      MAP_SHARED, client->device, vram);
	size_t i;

	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < VRAM_SIZE / 4; i++)
		map[i] = value;
	munmap((void *)map, VRAM_SIZE);
}

static void expect_filled(struct vfio_client *client, uint64_t vram,
			  uint32_t value)
{
	volatile uint32_t *map = mmap(NULL, VRAM_SIZE, PROT_READ, MAP_SHARED,
				      client->device, vram);
	size_t i, wrong = 0;

	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < VRAM_SIZE / 4; i++)
		wrong += map[i] != value;
	munmap((void *)map, VRAM_SIZE);
	assert_int_equal(wrong, 0);
}

/* Two instances share the adapter and never each other's memory */
static void test_isolation(void **state)
{
	struct fixture *f = *state;
	struct vfio_client other;

	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&other, UUID_B), 0);
	vfio_client_decode(&f->client, 1);
	vfio_client_decode(&other, 1);
	fill(&f->client, f->vram, 0xaaaaaaaa);
	expect_filled(&other, f->vram, 0);
	fill(&other, f->vram, 0xbbbbbbbb);
	expect_filled(&f->client, f->vram, 0xaaaaaaaa);
	vfio_client_close(&other);
	expect_filled(&f->client, f->vram, 0xaaaaaaaa);

	/* The next owner of the block gets it scrubbed */
	assert_int_equal(mdev_remove(UUID_B), 0);
	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&other, UUID_B), 0);
	vfio_client_decode(&other, 1);
	expect_filled(&other, f->vram, 0);
	vfio_client_close(&other);
}

/* A mapping that outlives the file descriptor keeps the device, not more */
static void test_mapping_outlives_close(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram;

	vfio_client_decode(&f->client, 1);
	vram = map_vram(f, VRAM_SIZE);
	vram[0] = 1;
	close_client(&f->client);
	assert_int_equal(vram[0], 1);
	/* The kernel's core would wait for us */
	if (mdev_core_is_ours())
		assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	unmap_vram(f);
	assert_int_equal(vfio_client_open(&f->client, UUID_A), 0);
}

static void test_fork(void **state)
{
	struct fixture *f = *state;
	volatile uint32_t *vram;
	int status;
	pid_t pid;

	vfio_client_decode(&f->client, 1);
	vram = map_vram(f, VRAM_SIZE);
	vram[0] = 7;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		vram[PAGE / 4] = vram[0] + 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(vram[PAGE / 4], 8);
	unmap_vram(f);
}

static void test_display_plane(void **state)
{
	static const uint16_t mode[] = { 640, 480, 32, 0x41, 0, 640, 480 };
	struct fixture *f = *state;
	struct vfio_device_gfx_plane_info plane = {
		.argsz = sizeof(plane),
		.flags = VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_REGION,
	};

	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
	plane.flags = VFIO_GFX_PLANE_TYPE_PROBE | VFIO_GFX_PLANE_TYPE_DMABUF;
	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), -1);
	assert_int_equal(errno, EINVAL);

	plane.flags = VFIO_GFX_PLANE_TYPE_REGION;
	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
	assert_int_equal(plane.drm_format, 0);
	vfio_client_decode(&f->client, 1);
	vfio_client_write(&f->client, f->regs + DISPI_XRES, mode, sizeof(mode));
	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
	assert_int_equal(plane.width, 640);
	assert_int_equal(plane.height, 480);
	assert_int_equal(plane.stride, 640 * 4);
	assert_int_equal(plane.size, 640 * 480 * 4);
	assert_int_equal(plane.region_index, 0);
}

/* A mode that makes no picture, or none that fits into the VRAM, is not shown */
static void test_display_bad_modes(void **state)
{
	static const uint16_t modes[][7] = {
		{ 65535, 65535, 32, 0x41, 0, 65535, 65535 },
		{ 2048, 1025, 32, 0x41, 0, 2048, 1025 },
		{ 0, 768, 32, 0x41, 0, 1024, 768 },
		{ 1024, 0, 32, 0x41, 0, 1024, 768 },
		{ 1024, 768, 24, 0x41, 0, 1024, 768 },
		{ 1024, 768, 32, 0x40, 0, 1024, 768 },
	};
	struct fixture *f = *state;
	size_t i;

	vfio_client_decode(&f->client, 1);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct vfio_device_gfx_plane_info plane = {
			.argsz = sizeof(plane),
			.flags = VFIO_GFX_PLANE_TYPE_REGION,
		};

		vfio_client_write(&f->client, f->regs + DISPI_XRES, modes[i],
				  sizeof(modes[i]));
		assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
		assert_int_equal(plane.drm_format, 0);
		assert_int_equal(plane.size, 0);
	}
}

struct racer {
	volatile uint32_t *vram;
	atomic_bool stop;
	atomic_size_t wrong;
	atomic_size_t seen;
};

static void *touch_all(void *arg)
{
	struct racer *racer = arg;
	size_t i;

	while (!atomic_load(&racer->stop)) {
		for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4) {
			uint32_t value = racer->vram[i];

			racer->wrong += value != ONES && value != i + 1;
			racer->seen += value == i + 1;
		}
	}
	return NULL;
}

/* Decode goes off and on under the feet of threads that touch: never SIGBUS */
static void test_decode_race(void **state)
{
	struct fixture *f = *state;
	struct racer racer = {};
	size_t i, shown = 0, before;
	pthread_t threads[2];

	vfio_client_decode(&f->client, 1);
	racer.vram = map_vram(f, VRAM_SIZE);
	for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4)
		racer.vram[i] = i + 1;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, touch_all, &racer), 0);
	for (i = 0; i < 200; i++) {
		vfio_client_decode(&f->client, 0);
		/* Nothing of the frames shows once decode is off */
		shown += racer.vram[(i * PAGE) % VRAM_SIZE / 4] != ONES;
		before = racer.seen;
		vfio_client_decode(&f->client, 1);
		/* Each round, the threads get to see frames again */
		while (racer.seen == before)
			;
	}
	atomic_store(&racer.stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(shown, 0);
	assert_int_equal(racer.wrong, 0);
	unmap_vram(f);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_device_info),
		T(test_region_info),
		T(test_interrupts),
		T(test_request_eventfd),
		T(test_unknown_ioctl),
		T(test_config_ids),
		T(test_config_end),
		T(test_config_bar_sizing),
		T(test_config_odd_sizes),
		T(test_bad_pointers),
		T(test_registers),
		T(test_bar_ranges),
		T(test_decode_off),
		T(test_mmap_refused),
		T(test_mmap_stays_as_it_is),
		T(test_lazy_mapping),
		T(test_touch_16_mib),
		T(test_partial_mapping),
		T(test_mapping_equals_read),
		T(test_decode_and_mapping),
		T(test_sink_is_private),
		T(test_reset),
		T(test_close_resets),
		T(test_isolation),
		T(test_mapping_outlives_close),
		T(test_fork),
		T(test_display_plane),
		T(test_display_bad_modes),
		T(test_decode_race),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vpci", tests, NULL, NULL);
}
