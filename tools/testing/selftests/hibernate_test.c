// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine hibernates: it is off meanwhile, the VRAM is in no image, and before the
 * image is loaded another kernel has drawn on the adapter
 *
 * With LAB_RESUMES in the environment this is a program of that kernel: a stranger.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "display_client.h"
#include "fixture.h"
#include "sysfs.h"

#define STRANGER	0xdeadbeef

#define PATIENCE_MS	60000

/* Here, so that the teardown finds what a failed test has left */
static struct vfio_client other = { .device = -1 };
static struct {
	volatile uint8_t *at;
	size_t size;
} maps[2];

/*
 * How often the stranger was here: in the first sector of the disk, which neither swapping
 * nor hibernation uses, and which nobody may write while it is swapped to. Nobody caches it
 */
static uint32_t visits(uint32_t more)
{
	static uint32_t sector[128] __attribute__((aligned(512)));
	int fd = open(getenv("LAB_SWAP"), (more ? O_RDWR : O_RDONLY) | O_DIRECT);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, sector, sizeof(sector), 0), sizeof(sector));
	sector[0] += more;
	if (more)
		assert_int_equal(pwrite(fd, sector, sizeof(sector), 0), sizeof(sector));
	close(fd);
	return sector[0];
}

/* Fills the VRAM, shows that, and then counts as a visit */
static int draw_as_stranger(void)
{
	size_t at;

	assert_int_equal(sysfs_write("1", "/sys/bus/pci/devices/%s/enable", getenv("LAB_PARENT")), 0);
	map_hw();
	for (at = 0; at < hw_size; at += 4)
		*(volatile uint32_t *)(hw_vram + at) = STRANGER;
	hw_write(DISPI(ENABLE), 2, 0);
	hw_write(DISPI(BPP), 2, 32);
	hw_write(DISPI(XRES), 2, 800);
	hw_write(DISPI(YRES), 2, 600);
	hw_write(DISPI(VIRT_WIDTH), 2, 800);
	hw_write(DISPI(Y_OFFSET), 2, 1);
	hw_write(DISPI(ENABLE), 2, 0x41);
	hw_write(QEXT_ENDIAN, 4, BIG);
	visits(1);
	return 0;
}

/* Off and on again; the lab starts a VM that has hibernated */
static void hibernate(void)
{
	uint32_t before = visits(0);

	assert_int_equal(sysfs_write("disk", "/sys/power/state"), 0);
	assert_int_equal(visits(0), before + 1);
}

static uint32_t pattern(size_t offset)
{
	return offset * 2654435761u | 1;
}

static void put_pattern(volatile uint8_t *vram, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += 4)
		*(volatile uint32_t *)(vram + at) = pattern(at);
}

static void assert_pattern(volatile uint8_t *vram, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += 4)
		if (*(volatile uint32_t *)(vram + at) != pattern(at))
			fail_msg("%#x at %#zx, not %#x", *(volatile uint32_t *)(vram + at), at,
				 pattern(at));
}

static void assert_zero(const char *what, volatile uint8_t *vram, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += 4)
		if (*(volatile uint32_t *)(vram + at))
			fail_msg("%#x at %#zx of %s, not 0", *(volatile uint32_t *)(vram + at), at,
				 what);
}

/* Of each instance once */
static volatile uint8_t *map_vram(struct vfio_client *client, size_t size)
{
	int nr = client == &other;
	struct vfio_region_info info;
	void *at;

	assert_int_equal(vfio_client_region(client, 0, &info), 0);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, client->device, info.offset);
	assert_ptr_not_equal(at, MAP_FAILED);
	maps[nr].at = at;
	maps[nr].size = size;
	return at;
}

static void unmap_vram(int nr)
{
	if (maps[nr].at)
		munmap((void *)maps[nr].at, maps[nr].size);
	maps[nr].at = NULL;
}

static void close_other(void)
{
	unmap_vram(1);
	if (other.device >= 0)
		vfio_client_close(&other);
	other.device = -1;
}

static int teardown(void **state)
{
	unmap_vram(0);
	close_other();
	return display_teardown(state);
}

static int show(const char *uuid, const char *text)
{
	return sysfs_write(text, "/sys/bus/mdev/devices/%s/display/scanout", uuid);
}

/* The vertical blank goes on after all that came before */
static void assert_ticks(int eventfd)
{
	struct pollfd pollfd = { .fd = eventfd, .events = POLLIN };
	uint64_t count;

	/* Whatever has come until now */
	if (poll(&pollfd, 1, 0) == 1)
		assert_int_equal(read(eventfd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(poll(&pollfd, 1, PATIENCE_MS), 1);
}

/* An image was made, and could not be written: the machine goes on, and nothing was lost */
static void test_failed(void **state)
{
	struct picture small = plain(640, 480);
	const char *swap = getenv("LAB_SWAP");
	volatile uint8_t *vram;
	int klog;

	(void)state;
	map_hw();
	open_type("16M", UUID_A);
	vram = map_vram(&fixture_client, hw_size);
	put_pattern(vram, hw_size);
	assert_int_equal(show(UUID_A, "1"), 0);
	set_mode(640, 480);
	klog = klog_open();
	assert_int_equal(swapoff(swap), 0);
	assert_true(sysfs_write("disk", "/sys/power/state") < 0);
	assert_int_equal(swapon(swap, 0), 0);
	assert_int_equal(klog_count(klog, "hibernation: Image created"), 1);
	assert_pattern(vram, hw_size);
	assert_screen_shows(&small, UUID_A);
}

/* Two instances have all of the VRAM, and black has borrowed the end of it from the second */
static void test_borrowed(void **state)
{
	struct picture small = plain(640, 480), large = plain(1024, 768);
	size_t size = 8 * MIB;
	volatile uint8_t *vram_a, *vram_b;
	long faults_a, faults_b, changes;
	int vblank;

	(void)state;
	map_hw();
	open_type("8M", UUID_A);
	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&other, UUID_B), 0);
	vfio_client_decode(&other, 1);
	vram_a = map_vram(&fixture_client, size);
	vram_b = map_vram(&other, size);
	put_pattern(vram_a, size);
	put_pattern(vram_b, size);
	vfio_client_put(&fixture_client, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	vblank = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(vfio_client_give(&fixture_client, VFIO_PCI_MSIX_IRQ_INDEX, vblank), 0);
	set_mode(640, 480);
	assert_int_equal(show(UUID_A, "1"), 0);
	assert_screen_shows(&small, UUID_A);
	assert_ticks(vblank);
	faults_a = mdev_stat(UUID_A, "faults");
	faults_b = mdev_stat(UUID_B, "faults");
	changes = sysfs_read_long(INSTANCE(UUID_A) "/display/mode_changes");

	hibernate();
	assert_screen_shows(&small, UUID_A);
	assert_zero("an instance", vram_a, size);
	assert_zero("the last instance", vram_b, size);
	assert_zero("the VRAM", hw_vram, hw_size);
	assert_ticks(vblank);

	/* They have gone on with what they had */
	assert_int_equal(mdev_stat(UUID_A, "faults"), faults_a);
	assert_int_equal(mdev_stat(UUID_B, "faults"), faults_b);
	assert_int_equal(sysfs_read_long(INSTANCE(UUID_A) "/display/mode_changes"), changes);
	assert_int_equal(reg_read(DISPI(XRES), 2), 640);

	/* And go on */
	put_pattern(vram_a, size);
	assert_pattern(hw_vram, size);
	assert_zero("the last instance", vram_b, size);
	put_pattern(vram_b, size);
	assert_pattern(vram_a, size);
	set_mode(1024, 768);
	assert_screen_shows(&large, UUID_A);
	assert_int_equal(show(UUID_B, "1"), 0);
	assert_screen_black();

	close_other();
	assert_int_equal(mdev_remove(UUID_B), 0);
	assert_int_equal(mdev_create("8M", UUID_C), 0);
	close(vblank);
}

/* A picture that reaches to the end of the VRAM, so nothing is borrowed; and one that is black */
static void test_whole(void **state)
{
	volatile uint8_t *vram;
	struct picture whole;

	(void)state;
	map_hw();
	whole = plain(2048, hw_size / 2048 / 4);
	open_type("16M", UUID_A);
	vram = map_vram(&fixture_client, hw_size);
	put_pattern(vram, hw_size);
	assert_int_equal(show(UUID_A, "1"), 0);
	set_mode(2048, hw_size / 2048 / 4);
	assert_pattern(hw_vram, hw_size);

	hibernate();
	assert_screen_shows(&whole, UUID_A);
	assert_zero("the VRAM", hw_vram, hw_size);
	assert_zero("the instance", vram, hw_size);
	assert_int_equal(show(UUID_A, "0"), 0);
	assert_screen_black();
	assert_zero("the instance whose end is elsewhere", vram, hw_size);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_failed),
		TEST(test_borrowed),
		TEST(test_whole),
	};

	if (getenv("LAB_RESUMES"))
		return draw_as_stranger();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("hibernate", tests, NULL, NULL);
}
