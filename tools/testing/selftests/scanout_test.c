// SPDX-License-Identifier: GPL-2.0-only
/*
 * The physical screen: it shows the instance that was chosen, or black
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "display_client.h"
#include "fixture.h"
#include "sysfs.h"

static int show(const char *uuid, const char *text)
{
	return sysfs_write(text, "/sys/bus/mdev/devices/%s/display/scanout", uuid);
}

static long is_shown(const char *uuid)
{
	return sysfs_read_long("/sys/bus/mdev/devices/%s/display/scanout", uuid);
}

static void test_scanout_follows(void **state)
{
	struct picture small = plain(640, 480), large = plain(1024, 768);

	(void)state;
	if (!has_hw())
		skip();
	map_hw();
	assert_screen_black();
	assert_int_equal(mdev_create("4M", UUID_B), 0);
	open_type("4M", UUID_A);
	set_mode(640, 480);
	assert_screen_black();
	assert_int_equal(is_shown(UUID_A), 0);
	assert_int_equal(show(UUID_A, "maybe"), -EINVAL);
	assert_int_equal(show(UUID_A, "1"), 0);
	assert_int_equal(is_shown(UUID_A), 1);
	assert_screen_shows(&small, UUID_A);
	set_mode(1024, 768);
	assert_screen_shows(&large, UUID_A);

	/* To another one and back; that one has no picture */
	assert_int_equal(show(UUID_B, "1"), 0);
	assert_int_equal(is_shown(UUID_A), 0);
	assert_screen_black();
	set_mode(640, 480);
	assert_screen_black();
	assert_int_equal(show(UUID_A, "0"), 0);
	assert_int_equal(is_shown(UUID_B), 1);
	assert_int_equal(show(UUID_A, "1"), 0);
	assert_screen_shows(&small, UUID_A);
	assert_int_equal(show(UUID_A, "0"), 0);
	assert_screen_black();
}

static void test_scanout_black(void **state)
{
	struct picture pic = plain(640, 480);

	(void)state;
	if (!has_hw())
		skip();
	map_hw();
	open_type("4M", UUID_A);
	assert_int_equal(show(UUID_A, "1"), 0);
	set_mode(640, 480);
	assert_screen_shows(&pic, UUID_A);
	dispi_write(ENABLE, 0);
	assert_screen_black();

	/* It stays the chosen one through a reset */
	set_mode(640, 480);
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_RESET), 0);
	assert_screen_black();
	vfio_client_decode(&fixture_client, 1);
	set_mode(640, 480);
	assert_screen_shows(&pic, UUID_A);

	fixture_close();
	assert_screen_black();
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_screen_black();

	/* Somebody else's memory is not shown where that one's was */
	open_type("4M", UUID_B);
	set_mode(640, 480);
	assert_screen_black();
	assert_int_equal(is_shown(UUID_B), 0);
}

static void test_scanout_and_unbind(void **state)
{
	struct picture pic = plain(640, 480);
	int uevents;

	(void)state;
	if (!has_hw())
		skip();
	map_hw();
	open_type("4M", UUID_A);
	assert_int_equal(show(UUID_A, "1"), 0);
	set_mode(640, 480);
	assert_screen_shows(&pic, UUID_A);
	uevents = uevent_open();
	assert_int_equal(parent_unbind(), 0);
	assert_screen_black();
	/* The shell has a file still, and no screen */
	assert_int_equal(show(UUID_A, "1"), -ENODEV);
	assert_int_equal(is_shown(UUID_A), 0);
	fixture_close();
	assert_int_equal(uevent_wait(uevents, "remove", UUID_A, 60), 0);
	close(uevents);
}

/* Where there is no screen the files say so */
static void test_no_screen(void **state)
{
	(void)state;
	if (has_hw())
		skip();
	open_type("4M", UUID_A);
	assert_int_equal(show(UUID_A, "1"), -ENODEV);
	assert_int_equal(is_shown(UUID_A), 0);
}

static uint32_t pattern(size_t offset)
{
	return offset * 2654435761u | 1;
}

/*
 * Every word of 16 MiB, and some of each page of more: the processor is emulated.
 * No multiple of a line or a page.
 */
static size_t pattern_step(void)
{
	return hw_size > 16 * MIB ? 1020 : 4;
}

static size_t pattern_first(size_t from)
{
	return (from + pattern_step() - 1) / pattern_step() * pattern_step();
}

static void put_pattern(volatile uint8_t *vram)
{
	size_t at;

	for (at = 0; at < hw_size; at += pattern_step())
		*(volatile uint32_t *)(vram + at) = pattern(at);
}

static void assert_pattern(volatile uint8_t *vram, size_t from, size_t to)
{
	uint32_t got;
	size_t at;

	for (at = pattern_first(from); at < to; at += pattern_step()) {
		got = *(volatile uint32_t *)(vram + at);
		if (got != pattern(at))
			fail_msg("%#x at %#zx, not %#x", got, at, pattern(at));
	}
}

static void assert_zero(volatile uint8_t *vram)
{
	size_t at;

	for (at = 0; at < hw_size; at += pattern_step())
		if (*(volatile uint32_t *)(vram + at))
			fail_msg("%#x at %#zx, not 0", *(volatile uint32_t *)(vram + at), at);
}

/* The whole VRAM for one instance; it is mapped */
static volatile uint8_t *open_all(void)
{
	struct vfio_region_info info;
	char type[16];
	void *at;

	snprintf(type, sizeof(type), "%zuM", hw_size / MIB);
	open_type(type, UUID_A);
	assert_int_equal(vfio_client_region(&fixture_client, 0, &info), 0);
	at = mmap(NULL, hw_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		  fixture_client.device, info.offset);
	assert_ptr_not_equal(at, MAP_FAILED);
	return at;
}

/* With all of the VRAM given out black takes its memory from an instance unseen */
static void test_black_is_borrowed(void **state)
{
	volatile uint8_t *vram;

	(void)state;
	if (!has_hw())
		skip();
	map_hw();
	vram = open_all();
	put_pattern(vram);
	assert_screen_black();
	assert_pattern(vram, 0, hw_size);
	assert_pattern(hw_vram, 0, hw_size - BLACK_SIZE);

	/* A picture that does not need the end leaves it where it is */
	set_mode(640, 480);
	assert_int_equal(show(UUID_A, "1"), 0);
	assert_int_equal(*(volatile uint32_t *)(hw_vram + hw_size - 4), 0);
	assert_pattern(vram, hw_size - BLACK_SIZE, hw_size);

	/* One that needs it has it, and the user has noticed nothing */
	set_mode(8192, hw_size / 8192 / 4);
	assert_pattern(hw_vram, 0, hw_size);
	assert_pattern(vram, 0, hw_size);
	assert_int_equal(show(UUID_A, "0"), 0);
	assert_screen_black();
	assert_pattern(vram, 0, hw_size);

	/* Nothing of it stays, wherever it was */
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_RESET), 0);
	vfio_client_decode(&fixture_client, 1);
	assert_zero(vram);
	assert_zero(hw_vram);
	assert_screen_black();
	munmap((void *)vram, hw_size);
	printf("# %zu MiB were scrubbed in %ld us\n", hw_size / MIB,
	       sysfs_read_long(INSTANCE(UUID_A) "/mgpu/scrub_us"));
}

/* What the parent has there, a guest cannot erase */
static void test_borrowed_is_kept(void **state)
{
	volatile uint32_t *end;

	(void)state;
	if (!has_hw())
		skip();
	map_hw();
	munmap((void *)open_all(), hw_size);
	assert_screen_black();
	end = (volatile uint32_t *)(hw_vram + hw_size - 4);
	*end = 0x600d;
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(*end, 0x600d);
	*end = 0;
}

/* The lab wakes the machine up as soon as it sleeps */
static void suspend(void)
{
	/* A bochs-display forgets nothing by itself */
	hw_write(DISPI(ENABLE), 2, 0);
	hw_write(DISPI(XRES), 2, 64);
	hw_write(DISPI(VIRT_WIDTH), 2, 64);
	hw_write(DISPI(Y_OFFSET), 2, 1);
	hw_write(QEXT_ENDIAN, 4, BIG);
	assert_int_equal(sysfs_write("mem", "/sys/power/state"), 0);
}

static bool can_suspend(void)
{
	const char *lab = getenv("LAB_SUSPEND");

	return lab && *lab;
}

/* The machine sleeps, and afterwards the screen shows what it has shown */
static void test_suspend_and_resume(void **state)
{
	struct picture small = plain(640, 480), large = plain(1024, 768);
	volatile uint8_t *vram;

	(void)state;
	if (!has_hw() || !can_suspend())
		skip();
	map_hw();
	suspend();
	assert_screen_black();

	vram = open_all();
	put_pattern(vram);
	assert_int_equal(show(UUID_A, "1"), 0);
	set_mode(640, 480);
	suspend();
	assert_screen_shows(&small, UUID_A);
	assert_pattern(vram, 0, hw_size);
	assert_pattern(hw_vram, 0, small.size);

	/* All works as before */
	set_mode(1024, 768);
	assert_screen_shows(&large, UUID_A);
	assert_int_equal(show(UUID_A, "0"), 0);
	suspend();
	assert_screen_black();
	assert_pattern(vram, 0, hw_size);
	munmap((void *)vram, hw_size);
}

/* While the parent goes all of these lose what they work on, so errors count as well */
static atomic_bool racing;

static void *change_modes(void *unused)
{
	const uint16_t memory = 2;
	unsigned int i;

	for (i = 0; racing; i++) {
		if (i % 8 == 0)
			ioctl(fixture_client.device, VFIO_DEVICE_RESET);
		vfio_client_write(&fixture_client, fixture_client.config + 4, &memory, 2);
		try_mode(i % 2 ? 1024 : 640, 480);
	}
	return unused;
}

static void *switch_scanout(void *unused)
{
	unsigned int i;

	for (i = 0; racing; i++)
		show(i % 3 ? UUID_A : UUID_B, i % 5 ? "1" : "0");
	return unused;
}

static void *come_and_go(void *unused)
{
	while (racing) {
		mdev_create("4M", UUID_B);
		show(UUID_B, "1");
		mdev_remove(UUID_B);
	}
	return unused;
}

/* The chosen one is switched, reset, removed, and its parent unbound, all at once */
static void test_scanout_races(void **state)
{
	static void *(* const racers[])(void *) = { change_modes, switch_scanout,
						    come_and_go };
	struct picture pic = plain(640, 480);
	pthread_t threads[3];
	int round, i, uevents;

	(void)state;
	if (!has_hw())
		skip();
	map_hw();
	for (round = 0; round < 8; round++) {
		open_type("4M", UUID_A);
		uevents = uevent_open();
		racing = true;
		for (i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, racers[i], NULL), 0);
		usleep(100000 + round * 7000);
		if (round % 2)
			parent_unbind();
		racing = false;
		for (i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);

		mdev_remove(UUID_B);
		if (round % 2) {
			assert_screen_black();
			fixture_close();
			assert_int_equal(uevent_wait(uevents, "remove", UUID_A, 60), 0);
			assert_int_equal(parent_bind(), 0);
		} else {
			assert_int_equal(show(UUID_A, "1"), 0);
			set_mode(640, 480);
			assert_screen_shows(&pic, UUID_A);
			fixture_close();
			assert_screen_black();
			assert_int_equal(mdev_remove(UUID_A), 0);
		}
		close(uevents);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, display_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scanout_follows),
		TEST(test_scanout_black),
		TEST(test_scanout_and_unbind),
		TEST(test_no_screen),
		TEST(test_black_is_borrowed),
		TEST(test_borrowed_is_kept),
		TEST(test_suspend_and_resume),
		TEST(test_scanout_races),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("scanout", tests, NULL, NULL);
}
