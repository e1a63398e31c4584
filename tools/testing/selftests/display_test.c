// SPDX-License-Identifier: GPL-2.0-only
/*
 * The display of an instance: registers, EDID, planes, files
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <drm/drm_fourcc.h>
#include <cmocka.h>

#include "display_client.h"
#include "fixture.h"
#include "sysfs.h"

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

#define EDID_REG(name)	offsetof(struct vfio_region_gfx_edid, name)

/* The region of the monitor, found as QEMU does it: by its type */
static struct vfio_region_info monitor_region(void)
{
	struct {
		struct vfio_region_info info;
		struct vfio_region_info_cap_type type;
	} region = { .info = { .argsz = sizeof(region), .index = VFIO_PCI_NUM_REGIONS } };
	struct vfio_device_info device = { .argsz = sizeof(device) };

	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_GET_INFO, &device), 0);
	assert_int_equal(device.num_regions, VFIO_PCI_NUM_REGIONS + 1);
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_GET_REGION_INFO, &region), 0);
	assert_int_equal(region.info.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
			 VFIO_REGION_INFO_FLAG_CAPS);
	assert_int_equal(region.info.cap_offset, sizeof(region.info));
	assert_int_equal(region.type.header.id, VFIO_REGION_INFO_CAP_TYPE);
	assert_int_equal(region.type.type, VFIO_REGION_TYPE_GFX);
	assert_int_equal(region.type.subtype, VFIO_REGION_SUBTYPE_GFX_EDID);
	return region.info;
}

static ssize_t monitor_write(const struct vfio_region_info *region, unsigned int offset,
			     uint32_t value)
{
	return vfio_client_write(&fixture_client, region->offset + offset, &value, 4);
}

static void monitor_head(const struct vfio_region_info *region, struct vfio_region_gfx_edid *head)
{
	assert_int_equal(vfio_client_read(&fixture_client, region->offset, head, sizeof(*head)),
			 sizeof(*head));
}

static void test_monitor_of_the_vmm(void **state)
{
	uint8_t own[256], blob[256], seen[256], zero[256] = {};
	struct vfio_region_gfx_edid head;
	struct vfio_region_info region;
	unsigned int i;

	(void)state;
	open_type("8M", UUID_A);
	read_edid(own);
	region = monitor_region();
	monitor_head(&region, &head);
	assert_int_equal(head.edid_size, 128);
	assert_int_equal(head.edid_max_size, 256);
	assert_int_equal(head.max_xres, 1024);
	assert_int_equal(head.max_yres, 768);
	assert_int_equal(head.link_state, VFIO_DEVICE_GFX_LINK_STATE_UP);
	assert_int_equal(head.edid_offset + head.edid_max_size, region.size);

	for (i = 0; i < 256; i++)
		blob[i] = next_random();
	assert_int_equal(monitor_write(&region, EDID_REG(link_state), VFIO_DEVICE_GFX_LINK_STATE_DOWN), 4);
	read_edid(seen);
	assert_memory_equal(seen, zero, 256);
	assert_int_equal(monitor_write(&region, EDID_REG(edid_size), 200), 4);
	assert_int_equal(vfio_client_write(&fixture_client, region.offset + head.edid_offset, blob, 256), 256);
	assert_int_equal(monitor_write(&region, EDID_REG(link_state), VFIO_DEVICE_GFX_LINK_STATE_UP), 4);
	memset(blob + 200, 0, 56);
	read_edid(seen);
	assert_memory_equal(seen, blob, 256);

	/* The monitor is none of the function's: it stays */
	ioctl(fixture_client.device, VFIO_DEVICE_RESET);
	vfio_client_decode(&fixture_client, 1);
	read_edid(seen);
	assert_memory_equal(seen, blob, 256);

	/* What the administrator writes is another monitor */
	assert_int_equal(sysfs_write("800x600", INSTANCE(UUID_A) "/display/resolution"), 0);
	assert_edid(800, 600);
	assert_int_equal(sysfs_write("1024x768", INSTANCE(UUID_A) "/display/resolution"), 0);
	assert_int_equal(monitor_write(&region, EDID_REG(edid_size), 0), 4);
	read_edid(seen);
	assert_memory_equal(seen, zero, 256);

	/* and the next user's is the display's own */
	vfio_client_close(&fixture_client);
	assert_int_equal(vfio_client_open(&fixture_client, UUID_A), 0);
	vfio_client_decode(&fixture_client, 1);
	read_edid(seen);
	assert_memory_equal(seen, own, 256);
}

static void test_monitor_refuses(void **state)
{
	static const struct { unsigned int offset; uint32_t value; } refused[] = {
		{ EDID_REG(edid_offset), 256 }, { EDID_REG(edid_max_size), 256 },
		{ EDID_REG(max_xres), 1024 }, { EDID_REG(max_yres), 768 },
		{ EDID_REG(edid_size), 257 }, { EDID_REG(edid_size), 0xffffffff },
		{ EDID_REG(link_state), 0 }, { EDID_REG(link_state), 3 },
		{ EDID_REG(edid_size) + 2, 0 }, { sizeof(struct vfio_region_gfx_edid), 0 }, { 252, 0 },
	};
	struct vfio_region_gfx_edid before, after;
	struct vfio_region_info region;
	uint8_t buf[600] = {};
	size_t i;

	(void)state;
	open_type("8M", UUID_A);
	region = monitor_region();
	monitor_head(&region, &before);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(monitor_write(&region, refused[i].offset, refused[i].value), -EINVAL);
	assert_int_equal(vfio_client_write(&fixture_client, region.offset + EDID_REG(edid_size), buf, 8), -EINVAL);
	assert_int_equal(vfio_client_write(&fixture_client, region.offset + EDID_REG(edid_size), buf, 1), -EINVAL);
	monitor_head(&region, &after);
	assert_memory_equal(&before, &after, sizeof(before));

	assert_int_equal(vfio_client_read(&fixture_client, region.offset, buf, region.size), region.size);
	assert_int_equal(vfio_client_read(&fixture_client, region.offset, buf, region.size + 1), -EINVAL);
	assert_int_equal(vfio_client_read(&fixture_client, region.offset + region.size - 1, buf, 2), -EINVAL);
	assert_int_equal(vfio_client_write(&fixture_client, region.offset + region.size, buf, 1), -EINVAL);
	/* The registers are not all to be written, so nothing is */
	assert_int_equal(vfio_client_write(&fixture_client, region.offset, buf, region.size), -EINVAL);
	/* Behind it there is none */
	assert_int_equal(vfio_client_read(&fixture_client, region.offset + (1ULL << 40), buf, 1), -EINVAL);
	assert_int_equal(vfio_client_read(&fixture_client, 1ULL << 62, buf, 1), -EINVAL);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fixture_client.device, region.offset), MAP_FAILED);
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

/*
 * Bytes at random, of any length and anywhere: each access is done as far as the
 * registers go, and no picture leaves the instance's memory.
 */
static void test_any_access(void **state)
{
	struct vfio_device_gfx_plane_info plane;
	unsigned int i, k, offset, len, pictures = 0;
	uint8_t bytes[40];
	int got;

	(void)state;
	open_type("4M", UUID_A);
	random_state = 4;
	for (i = 0; i < 30000; i++) {
		/* From where most accesses can make a picture of it */
		if (i % 50 == 0)
			set_mode(64 + next_random() % 960, 480);
		offset = next_random() % 4 ? DISPI(0) + next_random() % 32 :
					     next_random() % (REGS_SIZE + 16);
		len = 1 + next_random() % sizeof(bytes);
		for (k = 0; k < len; k++)
			bytes[k] = next_random() % 3 ? 0 : next_random();
		got = next_random() % 4 ?
			vfio_client_write(&fixture_client, regs_pos + offset, bytes, len) :
			vfio_client_read(&fixture_client, regs_pos + offset, bytes, len);
		assert_int_equal(got, offset >= REGS_SIZE ? -EINVAL :
				      offset + len > REGS_SIZE ? (int)(REGS_SIZE - offset) : (int)len);

		plane = (struct vfio_device_gfx_plane_info) {
			.argsz = sizeof(plane),
			.flags = VFIO_GFX_PLANE_TYPE_REGION,
		};
		assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
		assert_in_range((uint64_t)plane.stride * plane.height, 0, 4 * MIB);
		assert_int_equal(plane.size, plane.stride * plane.height);
		pictures += plane.width > 0;
	}
	assert_in_range(pictures, i / 100, i - 1);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, display_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers_as_hardware),
		TEST(test_eight_bytes_are_two_times_four),
		TEST(test_edid),
		TEST(test_monitor_of_the_vmm),
		TEST(test_monitor_refuses),
		TEST(test_no_mode_reaches_beyond),
		TEST(test_any_access),
		TEST(test_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("display", tests, NULL, NULL);
}
