// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws a picture that identifies a guest into its frame buffer, and finds that picture again in the memory of the
 * physical device.
 *
 * A picture is a function of its letter, width and height alone, so both sides compute it and no file has to be
 * shared. The low five bits of every pixel hold the number of the letter: two pictures have not one pixel in
 * common, whatever their sizes. 32 bits per pixel, XRGB; the X byte is written as zero and ignored when read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fb.h>
#include <linux/kd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TAG_MASK	0x1fu
#define RUN		16	/* pixels, 64 bytes */
#define GLYPH_W		5
#define GLYPH_H		7

/* One byte per row, bit 4 is the leftmost dot. */
static const uint8_t glyphs[26][GLYPH_H] = {
	{ 0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11 }, { 0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e },
	{ 0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e }, { 0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e },
	{ 0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f }, { 0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10 },
	{ 0x0e, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0e }, { 0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11 },
	{ 0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e }, { 0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0c },
	{ 0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11 }, { 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f },
	{ 0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11 }, { 0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11 },
	{ 0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e }, { 0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10 },
	{ 0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d }, { 0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11 },
	{ 0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e }, { 0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04 },
	{ 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e }, { 0x11, 0x11, 0x11, 0x11, 0x11, 0x0a, 0x04 },
	{ 0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0a }, { 0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11 },
	{ 0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04 }, { 0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f },
};

struct picture {
	unsigned int letter;	/* 0 is 'A' */
	uint32_t width, height;
};

/* A range of a file, mapped for reading. The memory may be a device's: read it in words, each once. */
struct window {
	const volatile uint8_t *base;
	size_t size;
};

static _Noreturn void fail(const char *object, const char *cause)
{
	fprintf(stderr, "fbdraw: %s: %s\n", object, cause);
	exit(2);
}

static int in_glyph(const struct picture *pic, uint32_t x, uint32_t y)
{
	uint32_t by_width = pic->width / (GLYPH_W + 2), by_height = pic->height / (GLYPH_H + 2);
	uint32_t scale = by_width < by_height ? by_width : by_height;
	uint32_t left, top;

	if (!scale)
		return 0;
	left = (pic->width - GLYPH_W * scale) / 2;
	top = (pic->height - GLYPH_H * scale) / 2;
	if (x < left || y < top || x >= left + GLYPH_W * scale || y >= top + GLYPH_H * scale)
		return 0;
	return glyphs[pic->letter][(y - top) / scale] >> (GLYPH_W - 1 - (x - left) / scale) & 1;
}

static uint32_t pixel(const struct picture *pic, uint32_t x, uint32_t y)
{
	static const uint32_t hues[] = { 0xff0000, 0x00ff00, 0x0000ff, 0xffff00, 0xff00ff, 0x00ffff, 0xffffff };
	uint32_t hue = hues[pic->letter % 7], level, color;

	switch (pic->letter % 4) {
	case 0:		/* gradient from left to right */
		level = x * 160 / pic->width;
		break;
	case 1:		/* upright bars over a gradient from top to bottom */
		level = y * 100 / pic->height + (x * 16 / pic->width & 1) * 80;
		break;
	case 2:		/* level bars over a gradient from left to right */
		level = x * 100 / pic->width + (y * 12 / pic->height & 1) * 80;
		break;
	default:	/* diagonal gradient */
		level = (uint64_t)(x + y) * 160 / (pic->width + pic->height);
		break;
	}
	level += 32;
	color = in_glyph(pic, x, y) ? 0xf0f0f0 : (level << 16 | level << 8 | level) & hue;
	return (color & ~TAG_MASK) | (pic->letter + 1);
}

static int draw(const struct picture *letter, const char *fbdev)
{
	struct picture pic = *letter;
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	uint8_t *buf;
	size_t size, done = 0;
	int tty, fd;

	/* the console must not draw over the picture; the mode outlives this program */
	tty = open("/dev/tty0", O_RDWR);
	if (tty < 0 || ioctl(tty, KDSETMODE, KD_GRAPHICS))
		fail("/dev/tty0, set to graphics mode", strerror(errno));
	fd = open(fbdev, O_RDWR);
	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &var) || ioctl(fd, FBIOGET_FSCREENINFO, &fix))
		fail(fbdev, strerror(errno));
	if (var.bits_per_pixel != 32)
		fail(fbdev, "not 32 bits per pixel");
	pic.width = var.xres;
	pic.height = var.yres;
	size = (size_t)fix.line_length * pic.height;
	buf = calloc(1, size);
	if (!buf)
		fail("picture", strerror(errno));
	for (uint32_t y = 0; y < pic.height; y++)
		for (uint32_t x = 0; x < pic.width; x++)
			((uint32_t *)(buf + (size_t)y * fix.line_length))[x] = pixel(&pic, x, y);
	while (done < size) {
		ssize_t n = pwrite(fd, buf + done, size - done, (off_t)var.yoffset * fix.line_length + done);

		if (n <= 0)
			fail(fbdev, n ? strerror(errno) : "ends before the picture does");
		done += n;
	}
	fsync(fd);
	free(buf);
	printf("drawn %ux%u stride %u\n", pic.width, pic.height, fix.line_length);
	return 0;
}

static struct window map_window(const char *path, uint64_t offset, uint64_t size)
{
	uint64_t page = sysconf(_SC_PAGESIZE), start = offset & ~(page - 1);
	struct stat st;
	void *base;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		fail(path, strerror(errno));
	if (offset > (uint64_t)st.st_size || size > (uint64_t)st.st_size - offset)
		fail(path, "shorter than the range asked for");
	base = mmap(NULL, size + offset - start, PROT_READ, MAP_SHARED, fd, start);
	if (base == MAP_FAILED)
		fail(path, strerror(errno));
	close(fd);
	return (struct window){ (uint8_t *)base + (offset - start), size };
}

static uint32_t word_at(const struct window *win, size_t offset)
{
	return *(const volatile uint32_t *)(win->base + offset) & 0xffffff;
}

/* Of a screendump: three bytes per pixel after a header of text */
static int check_ppm(const struct picture *letter, const char *path)
{
	struct picture pic = *letter;
	FILE *file = fopen(path, "r");
	uint64_t bad = 0;
	uint8_t rgb[3];

	if (!file)
		fail(path, strerror(errno));
	if (fscanf(file, "P6 %u %u 255", &pic.width, &pic.height) != 2 || fgetc(file) != '\n')
		fail(path, "not a picture with 8 bits per colour");
	for (uint32_t y = 0; y < pic.height; y++)
		for (uint32_t x = 0; x < pic.width; x++) {
			if (fread(rgb, sizeof(rgb), 1, file) != 1)
				fail(path, "ends before the picture does");
			bad += (uint32_t)(rgb[0] << 16 | rgb[1] << 8 | rgb[2]) != pixel(&pic, x, y);
		}
	fclose(file);
	if (bad)
		printf("%llu pixels of %ux%u differ\n", (unsigned long long)bad, pic.width, pic.height);
	else
		printf("match %ux%u\n", pic.width, pic.height);
	return !!bad;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int check(const struct picture *pic, const struct window *win, uint32_t stride, double seconds)
{
	double end = now() + seconds;
	uint64_t bad;

	do {
		uint32_t bad_x = 0, bad_y = 0, got = 0;

		bad = 0;
		for (uint32_t y = 0; y < pic->height; y++)
			for (uint32_t x = 0; x < pic->width; x++) {
				uint32_t value = word_at(win, (size_t)y * stride + x * 4u);

				if (value == pixel(pic, x, y) || bad++)
					continue;
				bad_x = x;
				bad_y = y;
				got = value;
			}
		if (bad && now() >= end)
			printf("%llu pixels differ; first x %u y %u: expected %06x, got %06x\n",
			       (unsigned long long)bad, bad_x, bad_y, pixel(pic, bad_x, bad_y), got);
	} while (bad && now() < end);
	if (!bad)
		puts("match");
	return !!bad;
}

static uint64_t hash_run(const uint32_t *run)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (int i = 0; i < RUN; i++)
		hash = (hash ^ run[i]) * 0x100000001b3u ^ hash >> 29;
	return hash | 1;	/* 0 is an empty place of the table */
}

/*
 * Counts the runs of RUN pixels of the picture, cut at multiples of RUN in x, that appear at any word of the range.
 * Any 2 * RUN - 1 neighbours of one row contain such a run, so nothing longer is missed, at whatever address.
 */
static int scan(const struct picture *pic, const struct window *win)
{
	size_t runs = (size_t)(pic->width / RUN) * pic->height, places = 1024, tagged = 0;
	uint64_t *table, found = 0, first = 0;
	uint32_t run[RUN];

	while (places < runs * 2)
		places *= 2;
	table = calloc(places, sizeof(*table));
	if (!table)
		fail("table of runs", strerror(errno));
	for (uint32_t y = 0; y < pic->height; y++)
		for (uint32_t x = 0; x + RUN <= pic->width; x += RUN) {
			size_t place;

			for (int i = 0; i < RUN; i++)
				run[i] = pixel(pic, x + i, y);
			place = hash_run(run) & (places - 1);
			while (table[place] && table[place] != hash_run(run))
				place = (place + 1) & (places - 1);
			table[place] = hash_run(run);
		}
	for (size_t at = 0; at + 4 <= win->size; at += 4) {
		uint32_t value = word_at(win, at);
		uint64_t hash;
		size_t place;

		/* the last RUN words, oldest first; only words that carry the letter's tag can be of its picture */
		memmove(run, run + 1, sizeof(run) - sizeof(run[0]));
		run[RUN - 1] = value;
		tagged = (value & TAG_MASK) == pic->letter + 1 ? tagged + 1 : 0;
		if (tagged < RUN)
			continue;
		hash = hash_run(run);
		for (place = hash & (places - 1); table[place]; place = (place + 1) & (places - 1))
			if (table[place] == hash)
				break;
		if (!table[place])
			continue;
		if (!found++)
			first = at + 4 - sizeof(run);
		tagged = 0;
	}
	if (found)
		printf("%llu runs of %c, the first at byte %llu of the range\n", (unsigned long long)found,
		       'A' + pic->letter, (unsigned long long)first);
	else
		puts("0");
	free(table);
	return !!found;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (!*text || *end)
		fail(text, "not a number");
	return value;
}

static _Noreturn void usage(void)
{
	fputs("usage: fbdraw draw LETTER [FBDEV]\n"
	      "       fbdraw check LETTER WIDTH HEIGHT STRIDE FILE OFFSET [SECONDS]\n"
	      "       fbdraw ppm LETTER FILE\n"
	      "       fbdraw scan LETTER WIDTH HEIGHT STRIDE FILE OFFSET SIZE\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct picture pic = { 0 };
	struct window win;
	uint32_t stride;

	if (argc < 3 || strlen(argv[2]) != 1 || argv[2][0] < 'A' || argv[2][0] > 'Z')
		usage();
	pic.letter = argv[2][0] - 'A';
	if (!strcmp(argv[1], "draw") && argc <= 4)
		return draw(&pic, argc == 4 ? argv[3] : "/dev/fb0");
	if (!strcmp(argv[1], "ppm") && argc == 4)
		return check_ppm(&pic, argv[3]);
	if (argc < 8)
		usage();
	pic.width = number(argv[3]);
	pic.height = number(argv[4]);
	stride = number(argv[5]);
	if (!pic.width || !pic.height || pic.width > 16384 || pic.height > 16384 || stride < pic.width * 4)
		fail("WIDTH HEIGHT STRIDE", "not the size of a picture");
	if (!strcmp(argv[1], "check") && argc <= 9) {
		win = map_window(argv[6], number(argv[7]), (uint64_t)(pic.height - 1) * stride + pic.width * 4);
		return check(&pic, &win, stride, argc == 9 ? strtod(argv[8], NULL) : 0);
	}
	if (!strcmp(argv[1], "scan") && argc == 9) {
		win = map_window(argv[6], number(argv[7]), number(argv[8]));
		return scan(&pic, &win);
	}
	usage();
}
