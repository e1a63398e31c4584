/* SPDX-License-Identifier: GPL-2.0-only */
/* UTF-8: what JSON is made of, and so all names and values that go into it. */
#ifndef MDEV_CTL_UTF8_H
#define MDEV_CTL_UTF8_H

/* Whether text is well-formed */
int utf8_is_valid(const char *text);

/* The character at *at, which moves on to the next one. The text must be well-formed. */
unsigned int utf8_next(const char **at);

#endif
