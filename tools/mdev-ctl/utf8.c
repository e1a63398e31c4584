// SPDX-License-Identifier: GPL-2.0-only
/*
 * UTF-8, RFC 3629.
 *
 * A definition with anything else in it could be written but never read again, and one name with
 * anything else makes the whole of a listing no JSON.
 */
#include "utf8.h"

/* Bytes of the character that begins with this one; 0: none does. */
static int length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Nothing longer than it has to be, no surrogates, nothing beyond U+10FFFF */
static int second_is_valid(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return 1;
	}
}

int utf8_is_valid(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	while (*at) {
		int len = length(*at);

		if (!len || (len > 1 && !second_is_valid(at[0], at[1])))
			return 0;
		/* The terminating zero does not continue anything, so it is not passed. */
		for (int i = 1; i < len; i++)
			if ((at[i] & 0xc0) != 0x80)
				return 0;
		at += len;
	}
	return 1;
}

unsigned int utf8_next(const char **at)
{
	const unsigned char *text = (const unsigned char *)*at;
	int len = length(*text);
	/* The first byte of several has as many ones in front, then a zero. */
	unsigned int character = len == 1 ? *text : *text & (0x7f >> len);

	for (int i = 1; i < len; i++)
		character = character << 6 | (text[i] & 0x3f);
	*at += len;
	return character;
}
