// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <drm/drm_fourcc.h>
#include <cmocka.h>

#include "display_client.h"
#include "fixture.h"
#include "sysfs.h"

uint64_t regs_pos;
static volatile uint8_t *hw_regs;
volatile uint8_t *hw_vram;
size_t hw_size;

uint32_t random_state;

bool has_hw(void)
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

void map_hw(void)
{
	size_t size;

	hw_regs = map_resource(2, &size);
	hw_vram = map_resource(0, &hw_size);
}

void open_type(const char *type, const char *uuid)
{
	struct vfio_region_info info;

	assert_int_equal(mdev_create(type, uuid), 0);
	assert_int_equal(vfio_client_open(&fixture_client, uuid), 0);
	assert_int_equal(vfio_client_region(&fixture_client, 2, &info), 0);
	regs_pos = info.offset;
	vfio_client_decode(&fixture_client, 1);
}

int display_teardown(void **state)
{
	if (hw_regs)
		munmap((void *)hw_regs, REGS_SIZE);
	if (hw_vram)
		munmap((void *)hw_vram, hw_size);
	hw_regs = hw_vram = NULL;
	return fixture_teardown(state);
}

uint64_t reg_read(unsigned int offset, unsigned int width)
{
	uint64_t value = 0;

	assert_int_equal(vfio_client_read(&fixture_client, regs_pos + offset,
					  &value, width), width);
	return value;
}

void reg_write(unsigned int offset, unsigned int width, uint64_t value)
{
	assert_int_equal(vfio_client_write(&fixture_client, regs_pos + offset,
					   &value, width), width);
}

void dispi_write(unsigned int reg, uint16_t value)
{
	reg_write(DISPI(reg), 2, value);
}

uint32_t hw_read(unsigned int offset, unsigned int width)
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

void hw_write(unsigned int offset, unsigned int width, uint32_t value)
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

uint32_t next_random(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

/* Computed in 64 bits throughout */
struct picture expected_picture(const uint16_t *regs, bool big_endian,
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

void assert_screen_black(void)
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

void assert_screen_shows(const struct picture *pic, const char *uuid)
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

bool screen_is_black(void)
{
	uint64_t end;

	return hw_offset(&end) >= hw_size - BLACK_SIZE;
}

bool try_mode(unsigned int width, unsigned int height)
{
	const struct { unsigned int reg; uint16_t value; } writes[] = {
		{ ENABLE, 0 }, { BPP, 32 }, { XRES, width }, { YRES, height },
		{ VIRT_WIDTH, width }, { X_OFFSET, 0 }, { Y_OFFSET, 0 },
		{ ENABLE, 0x41 },
	};
	size_t i;

	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		if (vfio_client_write(&fixture_client, regs_pos + DISPI(writes[i].reg),
				      &writes[i].value, 2) != 2)
			return false;
	return true;
}

void set_mode(unsigned int width, unsigned int height)
{
	assert_true(try_mode(width, height));
}

struct picture plain(unsigned int width, unsigned int height)
{
	const uint16_t regs[NR_REGS] = {
		[XRES] = width, [YRES] = height, [BPP] = 32, [ENABLE] = 1,
	};

	return expected_picture(regs, false, ~0ULL);
}
