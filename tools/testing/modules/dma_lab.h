/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module dma_lab and the tests that use it have to agree on
 */
#ifndef DMA_LAB_H
#define DMA_LAB_H

/* Config space: power management without a reset */
#define DMA_LAB_PM		0x40

/* BAR 0: registers, 64 bits each */
#define DMA_LAB_IOVA		0x00	/* of the guest's memory */
#define DMA_LAB_COUNT		0x08	/* pages to pin, or bytes to copy */
#define DMA_LAB_VALUE		0x10	/* what to write, or what was read */
#define DMA_LAB_COMMAND		0x18	/* DMA_LAB_DO(), executed at once */
#define DMA_LAB_RESULT		0x20	/* of the command, 0 or a negative errno */
#define DMA_LAB_REVOKED		0x28	/* pins that went since the reset */
#define DMA_LAB_REGS_END	0x30
#define DMA_LAB_SIZE		0x1000

#define DMA_LAB_PINS		4

/* A command, for a pin */
#define DMA_LAB_DO(command, pin) ((command) << 8 | (pin))
enum {
	DMA_LAB_PIN,		/* to read and write */
	DMA_LAB_UNPIN,
	DMA_LAB_PEEK,		/* the first word of page COUNT of the pin */
	DMA_LAB_POKE,
	DMA_LAB_READ,		/* up to 8 bytes of memory */
	DMA_LAB_WRITE,
	DMA_LAB_READ_LATER,	/* from a work item; RESULT is -EINPROGRESS until then */
};

#endif /* DMA_LAB_H */
