// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual displays: what a display says of itself (EDID)
 *
 * One block of EDID 1.4 with one detailed timing, the preferred mode at 60 Hz.
 * The timing is that of VESA's CVT with reduced blanking, version 1: nobody
 * sends it over a wire, but guests compute the refresh rate from it. The
 * display has 96 dots per inch and the colours of sRGB.
 *
 * Offsets and bits: VESA Enhanced EDID Standard, release A, revision 2, chapter 3.
 */
#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vpci_edid.h>

#define EDID_VENDOR		8
#define EDID_PRODUCT		10
#define EDID_YEAR		17
#define EDID_VERSION		18
#define EDID_BASICS		20
#define EDID_COLOURS		25
#define EDID_ESTABLISHED	35
#define EDID_STANDARD		38
#define EDID_TIMING		54
#define EDID_SERIAL		72
#define EDID_NAME		90
#define EDID_DUMMY		108
#define EDID_CHECKSUM		127

#define EDID_TEXT		13
#define EDID_TYPE_SERIAL	0xff
#define EDID_TYPE_NAME		0xfc
#define EDID_TYPE_DUMMY		0x10

/* Reduced blanking: pixels, lines, microseconds */
#define RB_H_BLANK		160
#define RB_H_FRONT		48
#define RB_H_SYNC		32
#define RB_V_FRONT		3
#define RB_V_SYNC		6
#define RB_V_BACK		6U
#define RB_V_BLANK_US		460

/* A detailed timing has 12 bits for a size, and 16 for the clock in 10 kHz */
#define EDID_MIN_SIZE		64
#define EDID_MAX_SIZE		4095
#define EDID_MAX_CLOCK		65535

struct mode_size {
	u16 width;
	u16 height;
};

/* Usual modes, by number of pixels */
static const struct mode_size usual_modes[] = {
	{ 640, 480 }, { 800, 600 }, { 1024, 768 }, { 1280, 800 },
	{ 1280, 1024 }, { 1600, 900 }, { 1680, 1050 }, { 1920, 1080 },
	{ 2560, 1440 }, { 2560, 1600 }, { 3840, 2160 }, { 5120, 2880 },
	{ 7680, 4320 },
};

/* The blanking takes as much of a frame's time as it must */
static unsigned int edid_v_blank(unsigned int height)
{
	unsigned int lines = height * RB_V_BLANK_US /
			     (1000000 / VPCI_EDID_HZ - RB_V_BLANK_US) + 1;

	return max(lines, RB_V_FRONT + RB_V_SYNC + RB_V_BACK);
}

/* In 10 kHz */
static unsigned int edid_clock(unsigned int width, unsigned int height)
{
	return (width + RB_H_BLANK) * (height + edid_v_blank(height)) *
	       VPCI_EDID_HZ / 10000;
}

static unsigned int edid_millimetres(unsigned int dots)
{
	return dots * 254 / 960;
}

static void edid_put_timing(u8 *to, unsigned int width, unsigned int height)
{
	unsigned int clock = edid_clock(width, height);
	unsigned int blank = edid_v_blank(height);
	unsigned int mm_width = edid_millimetres(width);
	unsigned int mm_height = edid_millimetres(height);

	to[0] = clock;
	to[1] = clock >> 8;
	to[2] = width;
	to[3] = RB_H_BLANK;
	to[4] = width >> 8 << 4;
	to[5] = height;
	to[6] = blank;
	to[7] = height >> 8 << 4 | blank >> 8;
	to[8] = RB_H_FRONT;
	to[9] = RB_H_SYNC;
	to[10] = RB_V_FRONT << 4 | RB_V_SYNC;
	to[12] = mm_width;
	to[13] = mm_height;
	to[14] = mm_width >> 8 << 4 | mm_height >> 8;
	/* Separate syncs, the horizontal one positive */
	to[17] = 0x1a;
}

/* A text ends with a line feed and is filled up with blanks */
static void edid_put_text(u8 *to, u8 type, const char *text)
{
	size_t len = strnlen(text, EDID_TEXT);

	to[3] = type;
	memset(to + 5, ' ', EDID_TEXT);
	memcpy(to + 5, text, len);
	if (len < EDID_TEXT)
		to[5 + len] = '\n';
}

static void edid_put_vendor(u8 *to, const char *letters)
{
	u16 vendor = (letters[0] & 0x1f) << 10 | (letters[1] & 0x1f) << 5 |
		     (letters[2] & 0x1f);

	to[0] = vendor >> 8;
	to[1] = vendor;
}

static void edid_put_basics(u8 *to, unsigned int width, unsigned int height)
{
	/* Digital, 8 bits per colour, DisplayPort */
	to[0] = 0xa5;
	to[1] = edid_millimetres(width) / 10;
	to[2] = edid_millimetres(height) / 10;
	/* Gamma 2.2; sRGB, and the preferred mode is the native one */
	to[3] = 120;
	to[4] = 0x06;
}

static void edid_put_established(u8 *to, unsigned int width,
				 unsigned int height)
{
	if (width >= 640 && height >= 480)
		to[0] |= 0x20;
	if (width >= 800 && height >= 600)
		to[0] |= 0x01;
	if (width >= 1024 && height >= 768)
		to[1] |= 0x08;
}

/**
 * vpci_edid_generate - make a display's EDID
 * @edid: filled in
 * @desc: the display
 *
 * Return: 0; -EINVAL, the mode is not one that an EDID can express: its width must
 * be a multiple of 8, both 64 to 4095, and 60 Hz need a pixel clock of at most
 * 655.35 MHz. @edid is as it was then.
 */
int vpci_edid_generate(u8 edid[VPCI_EDID_SIZE],
		       const struct vpci_edid_desc *desc)
{
	static const u8 header[] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
	static const u8 colours[] = { 0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26,
				      0x0f, 0x50, 0x54 };
	unsigned int width = desc->width, height = desc->height, i;
	u8 sum = 0;

	if (width % 8 || width < EDID_MIN_SIZE || width > EDID_MAX_SIZE ||
	    height < EDID_MIN_SIZE || height > EDID_MAX_SIZE ||
	    edid_clock(width, height) > EDID_MAX_CLOCK)
		return -EINVAL;

	memset(edid, 0, VPCI_EDID_SIZE);
	memcpy(edid, header, sizeof(header));
	edid_put_vendor(edid + EDID_VENDOR, desc->vendor);
	edid[EDID_PRODUCT] = desc->product;
	edid[EDID_PRODUCT + 1] = desc->product >> 8;
	/* Made in 2024, and the version is 1.4 */
	edid[EDID_YEAR] = 34;
	edid[EDID_VERSION] = 1;
	edid[EDID_VERSION + 1] = 4;
	edid_put_basics(edid + EDID_BASICS, width, height);
	memcpy(edid + EDID_COLOURS, colours, sizeof(colours));
	edid_put_established(edid + EDID_ESTABLISHED, width, height);
	/* None of the eight standard timings is used */
	memset(edid + EDID_STANDARD, 1, EDID_TIMING - EDID_STANDARD);
	edid_put_timing(edid + EDID_TIMING, width, height);
	edid_put_text(edid + EDID_SERIAL, EDID_TYPE_SERIAL, desc->serial);
	edid_put_text(edid + EDID_NAME, EDID_TYPE_NAME, desc->name);
	edid[EDID_DUMMY + 3] = EDID_TYPE_DUMMY;

	for (i = 0; i < EDID_CHECKSUM; i++)
		sum += edid[i];
	edid[EDID_CHECKSUM] = -sum;
	return 0;
}
EXPORT_SYMBOL_GPL(vpci_edid_generate);

/**
 * vpci_edid_largest - the largest of the usual modes that a memory can hold
 * @bytes: of memory, for 32 bits per pixel
 * @width: set to the mode's
 * @height: likewise
 */
void vpci_edid_largest(u64 bytes, unsigned int *width, unsigned int *height)
{
	unsigned int i = ARRAY_SIZE(usual_modes) - 1;

	while (i && (u64)usual_modes[i].width * usual_modes[i].height * 4 > bytes)
		i--;
	*width = usual_modes[i].width;
	*height = usual_modes[i].height;
}
EXPORT_SYMBOL_GPL(vpci_edid_largest);
