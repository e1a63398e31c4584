// SPDX-License-Identifier: GPL-2.0-only
/*
 * uevents FILE: writes the kernel's uevents to FILE, one per line:
 *
 *	ACTION@DEVPATH KEY=VALUE ...	sorted, without SEQNUM
 *
 * Prints "ready" when it listens, and ends at a uevent that was made by hand with
 * the argument END (see Documentation/ABI/testing/sysfs-uevent of the kernel).
 * That event comes after all that were caused before it, so nothing is missed.
 */
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_KEYS 64

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_to_kernel(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int size = 16 << 20;
	int fd;

	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		fail("uevents: socket");
	return fd;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char **)a, *(const char **)b);
}

/* Whether it is the last one */
static int write_event(FILE *out, const char *event, size_t len)
{
	const char *keys[MAX_KEYS] = { NULL };
	const char *key;
	int nr_keys = 0, i;

	for (key = event + strlen(event) + 1; key < event + len; key += strlen(key) + 1) {
		if (!strncmp(key, "SYNTH_ARG_END=", 14))
			return 1;
		if (strncmp(key, "SEQNUM=", 7) && nr_keys < MAX_KEYS)
			keys[nr_keys++] = key;
	}
	qsort(keys, nr_keys, sizeof(keys[0]), compare);
	fputs(event, out);
	for (i = 0; i < nr_keys; i++)
		fprintf(out, " %s", keys[i]);
	fputc('\n', out);
	return 0;
}

int main(int argc, char **argv)
{
	static char event[8192];
	FILE *out;
	ssize_t len;
	int fd;

	if (argc != 2) {
		fputs("usage: uevents FILE\n", stderr);
		return 2;
	}
	out = fopen(argv[1], "w");
	if (!out)
		fail(argv[1]);
	fd = listen_to_kernel();
	puts("ready");
	fflush(stdout);
	do {
		len = recv(fd, event, sizeof(event) - 1, 0);
		if (len < 0)
			fail("uevents: recv");
		event[len] = '\0';
	} while (!write_event(out, event, len));
	if (fclose(out))
		fail(argv[1]);
	return 0;
}
