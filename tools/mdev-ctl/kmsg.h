/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's log says while something is tried. */
#ifndef MDEV_CTL_KMSG_H
#define MDEV_CTL_KMSG_H

/* From here on. The log, or -1: there is none that may be read. */
int kmsg_open(void);
/* Makes the last line since then that names word the reason of the next error. Closes it. */
void kmsg_close(int log, const char *word);

#endif
