/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module irq_lab and the tests that use it have to agree on
 */
#ifndef IRQ_LAB_H
#define IRQ_LAB_H

/* BAR 0: registers, 32 bits each */
#define IRQ_LAB_SIGNAL		0x00	/* signal the vector that is written */
#define IRQ_LAB_LOWER		0x04	/* drive the pin no more */
#define IRQ_LAB_ERROR		0x08	/* report an error */
#define IRQ_LAB_HARDIRQ		0x0c	/* signal that vector from a hard interrupt */
#define IRQ_LAB_LISTENING	0x10	/* whether somebody listens */
#define IRQ_LAB_SCRATCH		0x14	/* any value; 0 after a reset */
#define IRQ_LAB_REGS_END	0x18
#define IRQ_LAB_SIZE		0x1000

/* BAR 4: MSI-X, in the middle of registers that read ones */
#define IRQ_LAB_MSIX_BAR	4
#define IRQ_LAB_MSIX_SIZE	0x10000
#define IRQ_LAB_TABLE		0x2000
#define IRQ_LAB_PBA		0xb000
#define IRQ_LAB_MSIX_VECTORS	2048
#define IRQ_LAB_MSI_VECTORS	32

/* Capabilities */
#define IRQ_LAB_PM		0x40
#define IRQ_LAB_MSI		0x50
#define IRQ_LAB_MSIX		0x70
#define IRQ_LAB_EXP		0x80

#endif /* IRQ_LAB_H */
