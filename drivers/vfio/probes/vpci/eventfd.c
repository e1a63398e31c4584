// SPDX-License-Identifier: GPL-2.0-only
/* Signalling an eventfd, once: from 6.8 on */
#include <linux/eventfd.h>

void probe(struct eventfd_ctx *ctx)
{
	eventfd_signal(ctx);
}
