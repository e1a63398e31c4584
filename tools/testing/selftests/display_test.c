// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display of an instance: registers, EDID, planes, and the physical screen
 *
 * What is on the physical screen is read from the adapter's registers, which the
 * adapter shows as they are; pictures are compared by screen_test.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <drm/drm_fourcc.h>
#include <cmocka.h>

#include "fixture.h"
#include "sysfs.h"

#define MIB		(1UL << 20)
#define BLACK_SIZE	(2 * MIB)
#define REGS_SIZE	4096

#define INSTANCE(uuid)	"/sys/bus/mdev/devices/" uuid

/* Offsets in BAR 2 */
#define DISPI(n)	(0x500 + 2 * (n))
#define QEXT_SIZE	0x600
#define QEXT_ENDIAN	0x604
#define LITTLE		0x1e1e1e1e
#define BIG		0xbebebebe

enum { ID, XRES, YRES, BPP, ENABLE, BANK, VIRT_WIDTH, VIRT_HEIGHT, X_OFFSET,
       Y_OFFSET, MEMORY_64K, NR_REGS };

/* Of the open instance and of the physical adapter; teardown unmaps */
static uint64_t regs_pos;
static volatile uint8_t *hw_regs, *hw_vram;
static size_t hw_size;

static bool has_hw(void)
{
	return sysfs_exists("/sys/bus/pci/devices/%s/resource2", getenv("LAB_PARENT"));
}

static volatile uint8_t *map_resource(int bar, size_t *size)
{
	struct stat st;
	char path[128];
	void *map;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d",
		 getenv("LAB_PARENT"), bar);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_ptr_not_equal(map, MAP_FAILED);
	*size = st.st_size;
	return map;
}

static void map_hw(void)
{
	size_t size;

	hw_regs = map_resource(2, &size);
	hw_vram = map_resource(0, &hw_size);
}

static void open_type(const char *type, const char *uuid)
{
	struct vfio_region_info info;

	assert_int_equal(mdev_create(type, uuid), 0);
	assert_int_equal(vfio_client_open(&fixture_client, uuid), 0);
	assert_int_equal(vfio_client_region(&fixture_client, 2, &info), 0);
	regs_pos = info.offset;
	vfio_client_decode(&fixture_client, 1);
}

static int teardown(void **state)
{
	if (hw_regs)
		munmap((void *)hw_regs, REGS_SIZE);
	if (hw_vram)
		munmap((void *)hw_vram, hw_size);
	hw_regs = hw_vram = NULL;
	return fixture_teardown(state);
}

static uint64_t reg_read(unsigned int offset, unsigned int width)
{
	uint64_t value = 0;

	assert_int_equal(vfio_client_read(&fixture_client, regs_pos + offset,
					  &value, width), width);
	return value;
}

static void reg_write(unsigned int offset, unsigned int width, uint64_t value)
{
	assert_int_equal(vfio_client_write(&fixture_client, regs_pos + offset,
					   &value, width), width);
}

static void dispi_write(unsigned int reg, uint16_t value)
{
	reg_write(DISPI(reg), 2, value);
}

static uint32_t hw_read(unsigned int offset, unsigned int width)
{
	switch (width) {
	case 1:
		return hw_regs[offset];
	case 2:
		return *(volatile uint16_t *)(hw_regs + offset);
	default:
		return *(volatile uint32_t *)(hw_regs + offset);
	}
}

static void hw_write(unsigned int offset, unsigned int width, uint32_t value)
{
	switch (width) {
	case 1:
		hw_regs[offset] = value;
		break;
	case 2:
		*(volatile uint16_t *)(hw_regs + offset) = value;
		break;
	default:
		*(volatile uint32_t *)(hw_regs + offset) = value;
	}
}

/* The same numbers in every run */
static uint32_t random_state;

static uint32_t next_random(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

static uint16_t random_size(void)
{
	static const uint16_t sizes[] = {
		0, 1, 2, 63, 64, 65, 128, 640, 1023, 1024, 1025, 2048, 4095, 4096,
		0x3fff, 0x4000, 0x7fff, 0x8000, 0xfffe, 0xffff,
	};

	return next_random() % 4 ? sizes[next_random() % 20] : next_random();
}

/* An offset where something is, or beside it */
static unsigned int random_offset(unsigned int width)
{
	static const struct { unsigned int start, size; } ranges[] = {
		{ DISPI(0) - 8, 40 }, { QEXT_SIZE - 8, 24 }, { 0x400, 0x20 },
		{ 0xf0, 0x20 }, { 0, REGS_SIZE },
	};
	unsigned int i = next_random() % 8;

	i = i < 4 ? 0 : i - 3;
	return (ranges[i].start + next_random() % ranges[i].size) & ~(width - 1);
}

static bool is_edid(unsigned int offset)
{
	return offset < 0x100;
}

/* Both answer alike to every offset and width; only the EDID is their own */
static void test_registers_as_hardware(void **state)
{
	const char *model = getenv("LAB_MODEL");
	unsigned int i, width, offset;
	char type[16];

	(void)state;
	if (!has_hw() || !model || strcmp(model, "bochs-display"))
		skip();
	map_hw();
	snprintf(type, sizeof(type), "%zuM", hw_size / MIB);
	open_type(type, UUID_A);

	for (i = 0; i < NR_REGS; i++) {
		hw_write(DISPI(i), 2, 0);
		dispi_write(i, 0);
	}
	hw_write(QEXT_ENDIAN, 4, LITTLE);
	random_state = 1;
	for (i = 0; i < 20000; i++) {
		width = 1 << next_random() % 3;
		offset = random_offset(width);
		if (next_random() % 2) {
			uint32_t value = next_random() << 8 ^ next_random();

			if (next_random() % 4 == 0)
				value = next_random() % 2 ? BIG : LITTLE;
			hw_write(offset, width, value);
			reg_write(offset, width, value);
		} else if (!is_edid(offset)) {
			uint32_t expected = hw_read(offset, width);
			uint32_t got = reg_read(offset, width);

			if (got != expected)
				fail_msg("offset %#x, %u bytes: %#x, but the adapter has %#x (step %u)",
					 offset, width, got, expected, i);
		}
	}
	/* To show it and to hide it puts the adapter in order again */
	sysfs_write("1", INSTANCE(UUID_A) "/display/scanout");
	sysfs_write("0", INSTANCE(UUID_A) "/display/scanout");
}

static void test_eight_bytes_are_two_times_four(void **state)
{
	unsigned int offset;

	(void)state;
	open_type("4M", UUID_A);
	dispi_write(XRES, 0x1234);
	for (offset = 0; offset < REGS_SIZE; offset += 8)
		assert_int_equal(reg_read(offset, 8),
				 reg_read(offset, 4) | reg_read(offset + 4, 4) << 32);
	reg_write(DISPI(ENABLE), 8, 0x0004000300020001);
	assert_int_equal(reg_read(DISPI(ENABLE), 8), 0x0004000300020001);
}

static void read_edid(uint8_t *edid)
{
	assert_int_equal(vfio_client_read(&fixture_client, regs_pos, edid, 256), 256);
}

static void assert_edid(unsigned int width, unsigned int height)
{
	static const uint8_t header[] = { 0, 255, 255, 255, 255, 255, 255, 0 };
	uint8_t edid[256], sum = 0;
	unsigned int i;

	read_edid(edid);
	assert_memory_equal(edid, header, 8);
	for (i = 0; i < 128; i++)
		sum += edid[i];
	assert_int_equal(sum, 0);
	assert_int_equal(edid[126], 0);
	for (i = 128; i < 256; i++)
		assert_int_equal(edid[i], 0);
	assert_int_equal(edid[56] | (edid[58] >> 4) << 8, width);
	assert_int_equal(edid[59] | (edid[61] >> 4) << 8, height);
}

static void test_edid(void **state)
{
	static const struct { const char *text; int error; } refused[] = {
		{ "nothing", -EINVAL }, { "1024", -EINVAL }, { "x768", -EINVAL },
		{ "1024x768x", -EINVAL }, { "0x0", -EINVAL }, { "-8x600", -EINVAL },
		/* not a multiple of 8, too long for an EDID, too large for 8 MiB */
		{ "1020x768", -EINVAL }, { "4096x100", -EINVAL },
		{ "2000x1080", -ENOSPC }, { "4294967288x600", -ENOSPC },
	};
	uint8_t before[256], after[256];
	size_t i;

	(void)state;
	open_type("8M", UUID_A);
	assert_edid(1024, 768);
	assert_int_equal(sysfs_write("1920x1080\n", INSTANCE(UUID_A) "/display/resolution"), 0);
	assert_edid(1920, 1080);
	read_edid(before);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(sysfs_write(refused[i].text, INSTANCE(UUID_A) "/display/resolution"),
				 refused[i].error);
	/* Neither that nor the guest has changed it, and a reset does not */
	for (i = 0; i < 256; i += 4)
		reg_write(i, 4, 0xa5a5a5a5);
	ioctl(fixture_client.device, VFIO_DEVICE_RESET);
	vfio_client_decode(&fixture_client, 1);
	read_edid(after);
	assert_memory_equal(before, after, 256);
}

struct picture {
	bool on;
	uint32_t format, width, height, stride;
	uint64_t offset, size;
};

/* What a bochs-display makes of its registers; computed in 64 bits throughout */
static struct picture expected_picture(const uint16_t *regs, bool big_endian,
				       uint64_t vram)
{
	struct picture pic = { .width = regs[XRES], .height = regs[YRES] };
	uint64_t bytes = regs[BPP] / 8, pixels = regs[VIRT_WIDTH];

	if (pixels < regs[XRES])
		pixels = regs[XRES];
	pic.stride = pixels * bytes;
	pic.size = pixels * bytes * regs[YRES];
	pic.offset = regs[X_OFFSET] * bytes + regs[Y_OFFSET] * pixels * bytes;
	pic.format = regs[BPP] == 16 ? DRM_FORMAT_RGB565 :
		     big_endian ? DRM_FORMAT_BGRX8888 : DRM_FORMAT_XRGB8888;
	pic.on = (regs[ENABLE] & 1) && (regs[BPP] == 16 || regs[BPP] == 32) &&
		 regs[XRES] >= 64 && regs[YRES] >= 64 && pic.offset + pic.size <= vram;
	return pic;
}

static void assert_plane(const struct picture *pic)
{
	struct vfio_device_gfx_plane_info plane = {
		.argsz = sizeof(plane),
		.flags = VFIO_GFX_PLANE_TYPE_REGION,
	};
	bool shows = pic->on && !pic->offset;

	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
	assert_int_equal(plane.drm_format, shows ? pic->format : 0);
	assert_int_equal(plane.width, shows ? pic->width : 0);
	assert_int_equal(plane.height, shows ? pic->height : 0);
	assert_int_equal(plane.stride, shows ? pic->stride : 0);
	assert_int_equal(plane.size, shows ? pic->size : 0);
	assert_int_equal(plane.region_index, 0);
}

static uint64_t hw_offset(uint64_t *end)
{
	uint64_t bytes = hw_read(DISPI(BPP), 2) / 8;
	uint64_t stride = hw_read(DISPI(VIRT_WIDTH), 2) * bytes;
	uint64_t offset = hw_read(DISPI(X_OFFSET), 2) * bytes +
			  hw_read(DISPI(Y_OFFSET), 2) * stride;

	assert_true(hw_read(DISPI(VIRT_WIDTH), 2) >= hw_read(DISPI(XRES), 2));
	*end = offset + stride * hw_read(DISPI(YRES), 2);
	return offset;
}

/* The adapter shows a picture in the end of the VRAM, and that is zero */
static void assert_screen_black(void)
{
	uint64_t end, offset = hw_offset(&end);
	unsigned int lines = hw_read(DISPI(YRES), 2);
	unsigned int bytes = hw_read(DISPI(XRES), 2) * 4, x, y;

	assert_int_equal(hw_read(DISPI(ENABLE), 2) & 1, 1);
	assert_int_equal(hw_read(DISPI(BPP), 2), 32);
	assert_in_range(offset, hw_size - BLACK_SIZE, hw_size);
	assert_in_range(end, hw_size - BLACK_SIZE, hw_size);
	for (y = 0; y < lines; y++) {
		volatile uint8_t *line = hw_vram + offset + (end - offset) / lines * y;

		for (x = 0; x < bytes; x += 4)
			assert_int_equal(*(volatile uint32_t *)(line + x), 0);
	}
}

/* It shows exactly that picture of the instance */
static void assert_screen_shows(const struct picture *pic, const char *uuid)
{
	uint64_t end, offset = hw_offset(&end);

	assert_int_equal(hw_read(DISPI(ENABLE), 2) & 1, 1);
	assert_int_equal(offset, pic->offset +
			 sysfs_read_long("/sys/bus/mdev/devices/%s/mgpu/vram_offset", uuid));
	assert_int_equal(end - offset, pic->size);
	assert_int_equal(hw_read(DISPI(XRES), 2), pic->width);
	assert_int_equal(hw_read(DISPI(YRES), 2), pic->height);
	assert_int_equal(hw_read(QEXT_ENDIAN, 4),
			 pic->format == DRM_FORMAT_BGRX8888 ? BIG : LITTLE);
}

static bool screen_is_black(void)
{
	uint64_t end;

	return hw_offset(&end) >= hw_size - BLACK_SIZE;
}

/* Registers that a picture depends on, at random, with sensible ones in between */
static void randomize(uint16_t *regs, bool *big_endian)
{
	static const uint16_t depths[] = { 32, 32, 32, 16, 16, 8, 24, 15, 0, 0xffff };
	static const unsigned int sizes[] = { XRES, YRES, VIRT_WIDTH, VIRT_HEIGHT,
					      X_OFFSET, Y_OFFSET };
	unsigned int i;

	switch (next_random() % 8) {
	case 0:
		regs[BPP] = depths[next_random() % 10];
		dispi_write(BPP, regs[BPP]);
		break;
	case 1:
		regs[ENABLE] = next_random();
		dispi_write(ENABLE, regs[ENABLE]);
		break;
	case 2:
		*big_endian = next_random() % 2;
		reg_write(QEXT_ENDIAN, 4, *big_endian ? BIG : LITTLE);
		break;
	case 3:
		for (i = 0; i < 6; i++) {
			regs[sizes[i]] = i < 2 ? 64 + next_random() % 960 : 0;
			dispi_write(sizes[i], regs[sizes[i]]);
		}
		break;
	default:
		i = sizes[next_random() % 6];
		regs[i] = random_size();
		dispi_write(i, regs[i]);
	}
}

/*
 * Whatever is written to the registers, nothing outside of the instance's memory
 * is shown: neither to the VMM nor on the physical screen.
 */
static void test_no_mode_reaches_beyond(void **state)
{
	uint16_t regs[NR_REGS] = { 0 };
	unsigned int i, on = 0, shown = 0;
	bool big_endian = false;
	struct picture pic;

	(void)state;
	/* A block with neighbours */
	assert_int_equal(mdev_create("4M", UUID_B), 0);
	open_type("4M", UUID_A);
	if (has_hw()) {
		map_hw();
		assert_int_equal(sysfs_write("1", INSTANCE(UUID_A) "/display/scanout"), 0);
	}
	random_state = 2;
	for (i = 0; i < 6000; i++) {
		randomize(regs, &big_endian);
		pic = expected_picture(regs, big_endian, 4 * MIB);
		assert_plane(&pic);
		on += pic.on;
		if (!has_hw())
			continue;
		/* An adapter can refuse a mode, and is black then */
		if (!pic.on || screen_is_black())
			assert_screen_black();
		else
			assert_screen_shows(&pic, UUID_A);
		shown += pic.on && !screen_is_black();
	}
	printf("# %u of %u modes had a picture, %u of them were on the screen\n", on, i, shown);
	assert_true(on > i / 20);
	if (has_hw())
		assert_true(shown > on / 20);
}

static void set_mode(unsigned int width, unsigned int height)
{
	dispi_write(ENABLE, 0);
	dispi_write(BPP, 32);
	dispi_write(XRES, width);
	dispi_write(YRES, height);
	dispi_write(VIRT_WIDTH, width);
	dispi_write(X_OFFSET, 0);
	dispi_write(Y_OFFSET, 0);
	dispi_write(ENABLE, 0x41);
}

static struct picture plain(unsigned int width, unsigned int height)
{
	const uint16_t regs[NR_REGS] = {
		[XRES] = width, [YRES] = height, [BPP] = 32, [ENABLE] = 1,
	};

	return expected_picture(regs, false, ~0ULL);
}

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

static void assert_pattern(volatile uint8_t *vram, size_t from, size_t to)
{
	for (; from < to; from += 4)
		assert_int_equal(*(volatile uint32_t *)(vram + from), pattern(from));
}

/* With all of the VRAM given out black takes its memory from an instance unseen */
static void test_black_is_borrowed(void **state)
{
	struct vfio_region_info info;
	volatile uint8_t *vram;
	char type[16], *at;
	size_t offset;

	(void)state;
	if (!has_hw())
		skip();
	map_hw();
	snprintf(type, sizeof(type), "%zuM", hw_size / MIB);
	open_type(type, UUID_A);
	assert_int_equal(vfio_client_region(&fixture_client, 0, &info), 0);
	at = mmap(NULL, hw_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		  fixture_client.device, info.offset);
	assert_ptr_not_equal(at, MAP_FAILED);
	vram = (volatile uint8_t *)at;
	for (offset = 0; offset < hw_size; offset += 4)
		*(volatile uint32_t *)(vram + offset) = pattern(offset);
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
	for (offset = 0; offset < hw_size; offset += 4)
		assert_int_equal(*(volatile uint32_t *)(vram + offset), 0);
	assert_screen_black();
	munmap(at, hw_size);
	printf("# %zu MiB were scrubbed in %ld us\n", hw_size / MIB,
	       sysfs_read_long(INSTANCE(UUID_A) "/mgpu/scrub_us"));
}

static void assert_text(const char *expected, const char *name)
{
	char path[128], text[128] = "";
	FILE *file;

	snprintf(path, sizeof(path), INSTANCE(UUID_A) "/display/%s", name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, expected);
}

static void test_files(void **state)
{
	(void)state;
	open_type("4M", UUID_A);
	assert_text("off\n", "mode");
	assert_text("1024x768\n", "resolution");
	assert_int_equal(sysfs_read_long(INSTANCE(UUID_A) "/display/mode_changes"), 0);
	set_mode(640, 480);
	assert_text("640x480 XR24 little-endian (0x34325258) stride 2560 offset 0\n", "mode");
	assert_int_equal(sysfs_read_long(INSTANCE(UUID_A) "/display/mode_changes"), 1);
	dispi_write(Y_OFFSET, 3);
	assert_text("640x480 XR24 little-endian (0x34325258) stride 2560 offset 7680\n", "mode");
	dispi_write(Y_OFFSET, 3);
	assert_int_equal(sysfs_read_long(INSTANCE(UUID_A) "/display/mode_changes"), 2);
}

/* A small block goes where it does the least harm */
static void test_blocks_stay_whole(void **state)
{
	static const char * const uuids[] = { UUID_A, UUID_B, UUID_C,
					      "44444444-dddd-4ddd-8ddd-0123456789ab" };
	unsigned int i;

	(void)state;
	if (mdev_available("4M") != 4)
		skip();
	for (i = 0; i < 4; i++)
		assert_int_equal(mdev_create("4M", uuids[i]), 0);
	assert_int_equal(mdev_remove(uuids[0]), 0);
	assert_int_equal(mdev_remove(uuids[1]), 0);
	assert_int_equal(mdev_remove(uuids[3]), 0);
	/* Free: the first half and the last quarter */
	assert_int_equal(mdev_available("4M"), 3);
	assert_int_equal(mdev_available("8M"), 1);
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(mdev_available("4M"), 2);
	assert_int_equal(mdev_available("8M"), 1);
	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(mdev_available("4M"), 0);
}

/*
 * For scripts: write to all pages again and again until the input ends, and tell
 * whether they all show ones then
 */
static int touch(const char *uuid)
{
	struct vfio_region_info info;
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	volatile uint32_t *vram;
	size_t i, words;

	if (vfio_client_open(&fixture_client, uuid) ||
	    vfio_client_region(&fixture_client, 0, &info))
		return 1;
	vfio_client_decode(&fixture_client, 1);
	words = info.size / sizeof(uint32_t);
	vram = mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fixture_client.device, info.offset);
	if (vram == MAP_FAILED)
		return 1;
	puts("touching");
	fflush(stdout);
	do {
		for (i = 0; i < words; i += 1024)
			vram[i] = ~0U;
	} while (!poll(&input, 1, 0));
	for (i = 0; i < words && vram[i] == ~0U && vram[i + 512] == ~0U; i += 1024)
		;
	puts(i >= words ? "ones" : "something else");
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers_as_hardware),
		TEST(test_eight_bytes_are_two_times_four),
		TEST(test_edid),
		TEST(test_no_mode_reaches_beyond),
		TEST(test_files),
		TEST(test_scanout_follows),
		TEST(test_scanout_black),
		TEST(test_scanout_and_unbind),
		TEST(test_no_screen),
		TEST(test_black_is_borrowed),
		TEST(test_blocks_stay_whole),
	};

	if (argc == 3 && !strcmp(argv[1], "--touch"))
		return touch(argv[2]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
