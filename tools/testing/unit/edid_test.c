// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the EDID generator (drivers/vfio/vpci/vpci_edid.c)
 *
 *	edid_test			the tests
 *	edid_test --dump WIDTH HEIGHT	a block, for edid-decode
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/vpci_edid.h>
#include <cmocka.h>

static int generate(u8 *edid, unsigned int width, unsigned int height)
{
	const struct vpci_edid_desc desc = {
		.vendor = "ABZ", .product = 0x1234, .name = "a name", .serial = "0123456789abcdef",
		.width = width, .height = height,
	};

	return vpci_edid_generate(edid, &desc);
}

static unsigned int bits12(const u8 *timing, unsigned int low, unsigned int high, bool upper)
{
	return timing[low] | (upper ? timing[high] >> 4 : timing[high] & 0xf) << 8;
}

/* What a guest computes from the timing must be the mode that was asked for */
static void assert_timing(const u8 *t, unsigned int width, unsigned int height)
{
	unsigned int h_blank = bits12(t, 3, 4, false), v_blank = bits12(t, 6, 7, false);
	double clock = (t[0] | t[1] << 8) * 10000.0;
	double frame = (width + h_blank) * (height + v_blank);
	double refresh = clock / frame;

	assert_int_equal(bits12(t, 2, 4, true), width);
	assert_int_equal(bits12(t, 5, 7, true), height);
	/* A step of the clock is 10 kHz */
	if (refresh <= 60 - 10000 / frame || refresh > 60)
		fail_msg("%ux%u has %f Hz", width, height, refresh);
	/* Front porch and sync lie inside the blanking, which takes its time */
	assert_true(t[8] + t[9] < h_blank);
	assert_true((t[10] >> 4) + (t[10] & 0xf) < (int)v_blank);
	assert_true(v_blank * (width + h_blank) / clock >= 460e-6 * 0.999);
	assert_int_equal(bits12(t, 12, 14, true), width * 254 / 960);
	assert_int_equal(bits12(t, 13, 14, false), height * 254 / 960);
}

static void test_all_sizes(void **state)
{
	unsigned int width, height, i, made = 0;
	u8 edid[VPCI_EDID_SIZE], sum;

	(void)state;
	for (width = 64; width <= 4104; width += 8) {
		for (height = 64; height < 4200; height += 37) {
			if (generate(edid, width, height))
				continue;
			for (sum = 0, i = 0; i < VPCI_EDID_SIZE; i++)
				sum += edid[i];
			assert_int_equal(sum, 0);
			assert_timing(edid + 54, width, height);
			made++;
		}
	}
	assert_true(made > 40000);
}

static void test_refused(void **state)
{
	static const unsigned int sizes[][2] = {
		{ 0, 0 }, { 0, 480 }, { 640, 0 }, { 641, 480 }, { 56, 480 }, { 640, 63 }, { 4096, 480 }, { 640, 4096 },
		{ 4088, 4095 }, { 0xfffffff8, 0xffffffff }, { 0x80000000, 1 },
	};
	u8 edid[VPCI_EDID_SIZE], before[VPCI_EDID_SIZE];
	size_t i;

	(void)state;
	memset(edid, 0x5a, sizeof(edid));
	memset(before, 0x5a, sizeof(before));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_int_equal(generate(edid, sizes[i][0], sizes[i][1]), -EINVAL);
		assert_memory_equal(edid, before, sizeof(edid));
	}
	assert_int_equal(generate(edid, 3840, 2160), 0);
}

static void test_identity(void **state)
{
	u8 edid[VPCI_EDID_SIZE];

	(void)state;
	assert_int_equal(generate(edid, 1024, 768), 0);
	/* A is 1 and Z is 26, five bits each, the first letter in the upper byte */
	assert_int_equal(edid[8] << 8 | edid[9], 1 << 10 | 2 << 5 | 26);
	assert_int_equal(edid[10] | edid[11] << 8, 0x1234);
	assert_memory_equal(edid + 72, "\0\0\0\xff\0" "0123456789abc", 18);
	assert_memory_equal(edid + 90, "\0\0\0\xfc\0" "a name\n      ", 18);
}

static void test_largest(void **state)
{
	static const struct { u64 bytes; unsigned int width, height; } expected[] = {
		{ 0, 640, 480 }, { 4 << 20, 1280, 800 }, { 8 << 20, 1920, 1080 },
		{ 16 << 20, 2560, 1600 }, { 32 << 20, 3840, 2160 },
		{ 64 << 20, 5120, 2880 }, { 128 << 20, 7680, 4320 }, { ~0ULL, 7680, 4320 },
		{ 1920 * 1080 * 4, 1920, 1080 }, { 1920 * 1080 * 4 - 1, 1680, 1050 },
	};
	unsigned int width, height;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		vpci_edid_largest(expected[i].bytes, &width, &height);
		assert_int_equal(width, expected[i].width);
		assert_int_equal(height, expected[i].height);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_sizes),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_largest),
	};
	u8 edid[VPCI_EDID_SIZE];

	if (argc == 4 && !strcmp(argv[1], "--dump"))
		return generate(edid, atoi(argv[2]), atoi(argv[3])) ||
		       fwrite(edid, sizeof(edid), 1, stdout) != 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("edid", tests, NULL, NULL);
}
