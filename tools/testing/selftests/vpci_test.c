// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instance of mgpu as a VFIO user sees it, hostile ones included: what it is,
 * config space, registers, reset, display planes
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "instance.h"
#include "sysfs.h"

/* Offsets in BAR 2 */
#define DISPI(n)	(0x500 + 2 * (n))
#define DISPI_ID	DISPI(0)
#define DISPI_XRES	DISPI(1)

#define MSIX_SIZE	0x10000U
#define CONFIG_SIZE	4096U

static void test_device_info(void **state)
{
	struct instance *f = *state;
	struct vfio_device_info info = { .argsz = sizeof(info) };

	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_INFO, &info), 0);
	assert_int_equal(info.flags, VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET);
	assert_int_equal(info.num_regions, VFIO_PCI_NUM_REGIONS + 1);
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
		[VFIO_PCI_CONFIG_REGION_INDEX] = { CONFIG_SIZE,
			VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE },
	};
	static const uint32_t absent[] = { 8, 10, 1000, ONES };
	struct instance *f = *state;
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

/* The vertical blank, and REQ, which asks the user to give the instance up */
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
	struct instance *f = *state;
	struct vfio_irq_info info = { .argsz = sizeof(info) };
	struct vfio_irq_set set = { .argsz = sizeof(set) };
	unsigned int i;

	for (i = 0; i <= VFIO_PCI_NUM_IRQS; i++) {
		info.index = i;
		info.count = 77;
		assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_IRQ_INFO, &info),
				 expected[i].known ? 0 : -1);
		assert_int_equal(info.count, expected[i].count);

		/* Neither can be disabled what is off, nor triggered what is absent */
		set.index = i;
		set.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
		assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_SET_IRQS, &set), -1);
		assert_int_equal(errno, EINVAL);
		set.count = expected[i].count % 77 + 1;
		assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_SET_IRQS, &set), -1);
		assert_int_equal(errno, EINVAL);
		set.count = 0;
	}
}

/* Trigger REQ from here, by @flags and the byte @data */
static int trigger_req(struct instance *f, uint32_t flags, uint8_t data)
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
	struct instance *f = *state;
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
				     VFIO_IRQ_SET_DATA_NONE, 0), -ENOTTY);
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
	assert_int_equal(trigger_req(f, trigger | VFIO_IRQ_SET_DATA_NONE, 0), -EINVAL);
	assert_int_equal(read(fd, &count, 8), -1);
	close(fd);
}

static void test_unknown_ioctl(void **state)
{
	struct instance *f = *state;

	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, NULL), -1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(ioctl(f->client.device, 0xdeadbeef, NULL), -1);
	assert_int_equal(errno, ENOTTY);
}

static void test_config_ids(void **state)
{
	struct instance *f = *state;

	assert_int_equal(vfio_client_get(&f->client, PCI_VENDOR_ID, 4), 0x11111234);
	assert_int_equal(vfio_client_get(&f->client, PCI_CLASS_REVISION, 4), 0x03800002);
	assert_int_equal(vfio_client_get(&f->client, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
	assert_int_equal(vfio_client_get(&f->client, PCI_INTERRUPT_PIN, 1), 0);
	assert_int_equal(vfio_client_get(&f->client, PCI_STATUS, 2),
			 PCI_STATUS_CAP_LIST);
}

/* Exactly 4096 bytes: all of them at once, the last one, and nothing behind */
static void test_config_end(void **state)
{
	struct instance *f = *state;
	uint8_t buf[CONFIG_SIZE + 1];

	assert_int_equal(vfio_client_read(&f->client, f->client.config, buf, CONFIG_SIZE), CONFIG_SIZE);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + CONFIG_SIZE - 1, buf, 1), 1);
	assert_int_equal(vfio_client_read(&f->client, f->client.config, buf, CONFIG_SIZE + 1), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + CONFIG_SIZE - 1, buf, 2), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + CONFIG_SIZE, buf, 1), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->client.config + CONFIG_SIZE - 3, buf, 4), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->client.config + CONFIG_SIZE, buf, 1), -EFAULT);
}

static void test_config_bar_sizing(void **state)
{
	struct instance *f = *state;
	unsigned int width, i;

	for (width = 1; width <= 8; width *= 2) {
		for (i = 0; i < 16; i += width)
			vfio_client_put(&f->client, PCI_BASE_ADDRESS_0 + i, width, ~0ULL);
		/* 32-bit, prefetchable, and nothing behind it */
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_0, 8),
				 (uint32_t)~(VRAM_SIZE - 1) | 0x8);
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_2, 4),
				 (uint32_t)~(REGS_SIZE - 1));
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_3, 4),
				 (uint32_t)~(MSIX_SIZE - 1));
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_4, 4), 0);
		vfio_client_put(&f->client, PCI_BASE_ADDRESS_0, 8, 0xc0c0000000ULL);
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_0, 8),
				 0xc0000008);
	}
}

static void test_config_odd_sizes(void **state)
{
	struct instance *f = *state;

	vfio_client_put(&f->client, PCI_BASE_ADDRESS_2 + 1, 3, 0xfedcba);
	assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_2, 4), 0xfedcb000);
	assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_2 + 1, 3), 0xfedcb0);
	assert_int_equal(vfio_client_get(&f->client, PCI_VENDOR_ID + 1, 5), 0x0000111112);
}

static void test_bad_pointers(void **state)
{
	struct instance *f = *state;
	void *bad = (void *)8;

	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->client.config, bad, 4), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->client.config, bad, 4), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->regs, bad, 4), -EFAULT);
	assert_int_equal(vfio_client_write(&f->client, f->vram, bad, 4), -EFAULT);
}

static void test_registers(void **state)
{
	struct instance *f = *state;
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
	struct instance *f = *state;
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
		assert_int_equal(vfio_client_read(&f->client, end - 1, buf, 2), 1);
		assert_int_equal(vfio_client_read(&f->client, end, buf, 1), -EINVAL);
		assert_int_equal(vfio_client_read(&f->client, end, buf, 0), 0);
		assert_int_equal(vfio_client_write(&f->client, end - 3, buf, 4), 3);
		assert_int_equal(vfio_client_write(&f->client, end + 4096, buf, 4), -EINVAL);
	}
	/* Regions that are not there: BAR 1, ROM, VGA, beyond all */
	assert_int_equal(vfio_client_read(&f->client, 1ULL << 40, buf, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, 6ULL << 40, buf, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, 8ULL << 40, buf, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, 0x7fffffffffffff00ULL, buf, 1), -EINVAL);
}

/* Where neither the driver nor the library has anything: between the table of MSI-X and its pending bits, and behind */
/*
 * The index of a region comes from the position in the file, 23 bits of it. Where there is no
 * region, nothing can be reached.
 */
static bool is_no_region(struct instance *f, uint64_t index)
{
	struct vfio_region_info info;
	uint64_t pos = index << 40;
	char byte = 0;

	/* It may be one of the function's own */
	if (!vfio_client_region(&f->client, index, &info) && info.size)
		return true;
	if (vfio_client_read(&f->client, pos, &byte, 1) == -EINVAL &&
	    vfio_client_write(&f->client, pos, &byte, 1) == -EINVAL &&
	    mmap(NULL, 4096, PROT_READ, MAP_SHARED, f->client.device, pos) == MAP_FAILED)
		return true;
	printf("# there is something at index %#lx\n", index);
	return false;
}

static void test_indices_of_regions(void **state)
{
	struct instance *f = *state;
	struct vfio_region_info info;
	uint64_t index, wrong = 0;
	char byte;

	vfio_client_decode(&f->client, 1);
	for (index = 0; index < 4096; index++)
		wrong += !is_no_region(f, index);
	for (index = 4096; index < 1 << 23; index <<= 1)
		wrong += !is_no_region(f, index) + !is_no_region(f, index + 1) +
			 !is_no_region(f, 2 * index - 1);
	assert_int_equal(wrong, 0);
	for (index = 1 << 23; index <= UINT32_MAX; index = index * 2 + 1)
		assert_int_equal(vfio_client_region(&f->client, index, &info), -EINVAL);
	assert_int_equal(vfio_client_region(&f->client, UINT32_MAX, &info), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, -1ULL, &byte, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&f->client, INT64_MAX, &byte, 1), -EINVAL);
}

static void test_no_registers(void **state)
{
	struct instance *f = *state;
	static const uint64_t offsets[] = { 16, 1024, 32760, 32776, 65528 };
	unsigned int i;

	vfio_client_decode(&f->client, 1);
	for (i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		uint64_t pos = (3ULL << 40) + offsets[i], value = 0;

		assert_int_equal(vfio_client_write(&f->client, pos, &value, 8), 8);
		assert_int_equal(vfio_client_read(&f->client, pos, &value, 8), 8);
		assert_true(value == UINT64_MAX);
		value = 0;
		assert_int_equal(vfio_client_read(&f->client, pos + 3, &value, 1), 1);
		assert_int_equal(value, 0xff);
	}
}

static void test_decode_off(void **state)
{
	struct instance *f = *state;
	uint32_t value;

	assert_int_equal(vfio_client_read(&f->client, f->regs, &value, 4), -EIO);
	assert_int_equal(vfio_client_write(&f->client, f->regs, &value, 4), -EIO);
	assert_int_equal(vfio_client_read(&f->client, f->vram, &value, 4), -EIO);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->regs, &value, 4), 4);
	vfio_client_decode(&f->client, 0);
	assert_int_equal(vfio_client_read(&f->client, f->regs, &value, 4), -EIO);
}

static void test_reset(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram = instance_map(f, VRAM_SIZE);
	uint8_t before[CONFIG_SIZE], after[CONFIG_SIZE];
	uint16_t xres = 800;

	vfio_client_put(&f->client, PCI_BASE_ADDRESS_0, 8, 0xfe000000);
	vfio_client_put(&f->client, PCI_INTERRUPT_LINE, 1, 11);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->client.config, before, CONFIG_SIZE), CONFIG_SIZE);
	vfio_client_write(&f->client, f->regs + DISPI_XRES, &xres, 2);
	vram[100] = 0x5ec7e7;

	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(vfio_client_read(&f->client, f->client.config, after, CONFIG_SIZE), CONFIG_SIZE);
	assert_memory_equal(before, after, CONFIG_SIZE);
	/* Decode is on, the mapping stays, and what was written is gone */
	assert_int_equal(vram[100], 0);
	vfio_client_read(&f->client, f->regs + DISPI_XRES, &xres, 2);
	assert_int_equal(xres, 0);
	instance_unmap(f);
}

/* The next user finds nothing of what the last one left */
static void test_close_resets(void **state)
{
	struct instance *f = *state;
	uint32_t value = 0x5ec7e7;

	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_write(&f->client, f->vram, &value, 4), 4);
	instance_reopen(f);
	assert_int_equal(vfio_client_get(&f->client, PCI_COMMAND, 2), 0);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_read(&f->client, f->vram, &value, 4), 4);
	assert_int_equal(value, 0);
}

static void test_display_plane(void **state)
{
	static const uint16_t mode[] = { 640, 480, 32, 0x41, 0, 640, 480 };
	struct instance *f = *state;
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
	struct instance *f = *state;
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

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
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
		T(test_indices_of_regions),
		T(test_no_registers),
		T(test_decode_off),
		T(test_reset),
		T(test_close_resets),
		T(test_display_plane),
		T(test_display_bad_modes),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vpci", tests, NULL, NULL);
}
