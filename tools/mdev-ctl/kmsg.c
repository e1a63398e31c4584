// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log.
 *
 * An errno cannot say why a device could not be made; its driver says it in a line that names
 * the device's UUID. /dev/kmsg gives one record per read:
 *
 *	6,1234,5678901,-;mgpu 0000:00:10.0: UUID: no 8 MiB of VRAM: ..
 *	 SUBSYSTEM=pci
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"
#include "out.h"
#include "root.h"

int kmsg_open(void)
{
	char path[PATH_MAX];
	int log;

	if (root_path(path, "/dev/kmsg"))
		return -1;
	log = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log >= 0)
		lseek(log, 0, SEEK_END);
	return log;
}

static void take_line(char *record, const char *word)
{
	char *line = strchr(record, ';');

	if (!line)
		return;
	line++;
	line[strcspn(line, "\n")] = '\0';
	/* The driver core adds a line that repeats the errno, with the kernel's own mdev core */
	if (strstr(line, word) && !strstr(line, ": probe with driver "))
		out_reason(line);
}

void kmsg_close(int log, const char *word)
{
	char record[8192 + 1];
	ssize_t n;

	if (log < 0)
		return;
	/* EPIPE: records were overwritten before we came; the next one is there. */
	while ((n = read(log, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = '\0';
		take_line(record, word);
	}
	close(log);
}
