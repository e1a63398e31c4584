// SPDX-License-Identifier: GPL-2.0-only
/*
 * UUIDs name instances, here and in /sys/bus/mdev/devices.
 *
 * Four spellings are understood, in any case: 8-4-4-4-12 hexadecimal digits with hyphens, the
 * same 32 digits without, the hyphenated form in braces, and the same as an urn. The kernel
 * knows only the lowercase hyphenated form, so this is the only one that leaves this file. In
 * that form, byte order of the text is order of the value.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "uuid.h"

#define HYPHENATED 36
#define URN "urn:uuid:"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int parse_digits(struct uuid *uuid, const char *text, int hyphens)
{
	for (int i = 0; i < 16; i++) {
		int high, low;

		if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -EINVAL;
		high = hex_value(text[0]);
		low = high < 0 ? -1 : hex_value(text[1]);
		if (low < 0)
			return -EINVAL;
		uuid->byte[i] = high << 4 | low;
		text += 2;
	}
	return 0;
}

int uuid_parse(struct uuid *uuid, const char *text)
{
	size_t len = strlen(text);

	if (len == 32)
		return parse_digits(uuid, text, 0);
	if (len == HYPHENATED)
		return parse_digits(uuid, text, 1);
	if (len == HYPHENATED + 2 && text[0] == '{' && text[len - 1] == '}')
		return parse_digits(uuid, text + 1, 1);
	if (len == HYPHENATED + strlen(URN) && !strncasecmp(text, URN, strlen(URN)))
		return parse_digits(uuid, text + strlen(URN), 1);
	return -EINVAL;
}

void uuid_format(const struct uuid *uuid, char text[static UUID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digits[uuid->byte[i] >> 4];
		*text++ = digits[uuid->byte[i] & 15];
	}
	*text = '\0';
}

int uuid_random(struct uuid *uuid)
{
	/* So few bytes come all at once, or not at all. */
	if (getrandom(uuid->byte, sizeof(uuid->byte), 0) != sizeof(uuid->byte))
		return -errno;

	uuid->byte[6] = (uuid->byte[6] & 0x0f) | 0x40;	/* RFC 9562 5.4: version 4 */
	uuid->byte[8] = (uuid->byte[8] & 0x3f) | 0x80;	/* RFC 9562 4.1: variant */
	return 0;
}
