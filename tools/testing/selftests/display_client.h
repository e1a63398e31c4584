/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VFIO user of an instance of mgpu, its registers and the picture that they ask
 * for, beside the registers and the memory of the physical adapter
 *
 * What is on the physical screen is read from the adapter's registers, which the
 * adapter shows as they are; pictures are compared by screen_test.sh.
 */
#ifndef DISPLAY_CLIENT_H
#define DISPLAY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/**
 * struct picture - what a bochs-display makes of its registers
 * @on: there is one
 * @format: of a pixel, DRM_FORMAT_*
 * @width: pixels
 * @height: lines
 * @stride: from line to line, bytes
 * @offset: of the first pixel, bytes
 * @size: bytes
 */
struct picture {
	bool on;
	uint32_t format, width, height, stride;
	uint64_t offset, size;
};

struct picture expected_picture(const uint16_t *regs, bool big_endian,
				uint64_t vram);
/* With 32 bits per pixel, at the start of the VRAM */
struct picture plain(unsigned int width, unsigned int height);

/* For cmocka_unit_test_setup_teardown(), with fixture_setup() */
int display_teardown(void **state);

/* Make an instance and open it, decode on */
void open_type(const char *type, const char *uuid);

/* Where its registers are in its file */
extern uint64_t regs_pos;

/* They assert success */
uint64_t reg_read(unsigned int offset, unsigned int width);
void reg_write(unsigned int offset, unsigned int width, uint64_t value);
void dispi_write(unsigned int reg, uint16_t value);
/* Ask for a plain picture; false if a register could not be written */
bool try_mode(unsigned int width, unsigned int height);
void set_mode(unsigned int width, unsigned int height);

/* The physical adapter; the teardown unmaps it */
extern volatile uint8_t *hw_vram;
extern size_t hw_size;

bool has_hw(void);
void map_hw(void);
uint32_t hw_read(unsigned int offset, unsigned int width);
void hw_write(unsigned int offset, unsigned int width, uint32_t value);

bool screen_is_black(void);
/* The adapter shows a picture in the end of the VRAM, and that is zero */
void assert_screen_black(void);
/* It shows exactly that picture of the instance */
void assert_screen_shows(const struct picture *pic, const char *uuid);

/* The same numbers in every run that begins with the same seed */
extern uint32_t random_state;
uint32_t next_random(void);

#endif /* DISPLAY_CLIENT_H */
