/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the module vpci_lab and the tests that use it have to agree on
 */
#ifndef VPCI_LAB_H
#define VPCI_LAB_H

/* BAR 0: all of it mapped; backed and revoked by commands */
#define LAB_BAR			0
#define LAB_BAR_SIZE		(64UL << 20)

/* BAR 2: trapped and mapped areas in turn */
#define LAB_MIXED_BAR		2
#define LAB_MIXED_SIZE		(64UL << 10)
#define LAB_MAPPED_1		0x1000UL
#define LAB_MAPPED_1_SIZE	0x3000UL
#define LAB_MAPPED_2		0x8000UL
#define LAB_MAPPED_2_SIZE	0x4000UL

/* BAR 4: all of it mapped; the first half is backed by touching it */
#define LAB_TOUCH_BAR		4
#define LAB_TOUCH_BAR_SIZE	(2UL << 30)

/*
 * Registers in BAR 2, 64 bits each. The rest of its trapped areas reads, in
 * each byte, the low bits of its own offset, and ignores writes.
 */
#define LAB_COMMAND		0x00	/* do it; LAB_RESULT tells */
#define LAB_RESULT		0x08	/* 0 or a negative errno */
#define LAB_ARG_BAR		0x10
#define LAB_ARG_OFFSET		0x18
#define LAB_ARG_SIZE		0x20
#define LAB_ARG_FRAME		0x28	/* first of the frames, or LAB_ANY_FRAME */
#define LAB_MODE		0x30	/* what a touch of BAR 4 does */
#define LAB_ID			0x38	/* number of the instance, from 1 */
#define LAB_CORRUPT		0x40	/* frames that a stranger has written to */
#define LAB_BACK_NS		0x48	/* of the last LAB_EXTENTS, in all */
#define LAB_REVOKE_NS		0x50
#define LAB_WIDTH(n)		(0x58 + 8 * (n))	/* accesses of 1 << n bytes */
#define LAB_BAD_ACCESSES	0x78	/* not aligned, or not in a trapped area */
#define LAB_WAITING		0x80	/* touches that LAB_TOUCH_WAITS holds up */
#define LAB_REGS_END		0x88

/* Commands. LAB_EXTENTS takes the pages away again; both in random order */
#define LAB_BACK		1	/* frames LAB_ARG_FRAME.. behind the range */
#define LAB_REVOKE		2	/* the range */
#define LAB_EXTENTS		3	/* LAB_ARG_SIZE pages, one by one */
#define LAB_GIANT		4	/* 1 GiB of nothing in BAR 4's second half */
#define LAB_NO_GIANT		5	/* takes the range of the second half away */

#define LAB_ANY_FRAME		(~0UL)

/* Modes of LAB_MODE */
#define LAB_TOUCH_BACKS		0
#define LAB_TOUCH_FAILS		1
#define LAB_TOUCH_REVOKES	2	/* what it backed, before it returns */
#define LAB_TOUCH_WAITS		3	/* until the mode is another one */

/* Frames: LAB_CHUNKS pieces of contiguous memory, each aligned to its size */
#define LAB_CHUNK_ORDER		10
#define LAB_CHUNK_FRAMES	1024UL
#define LAB_CHUNKS		8
#define LAB_FRAMES		(LAB_CHUNKS * LAB_CHUNK_FRAMES)

/*
 * Every 512 bytes of a frame begin with the tag of the page that it stands
 * behind. Whoever has that page may write the tag to the next word, too.
 */
#define LAB_TAG(id, bar, page) \
	(0x5650ULL << 48 | (unsigned long long)(id) << 40 | \
	 (unsigned long long)(bar) << 32 | (page))
#define LAB_FREE_TAG		0xdeadULL
#define LAB_TAG_STEP		512
#define LAB_TAG_WORD		0
#define LAB_USER_WORD		8

#endif /* VPCI_LAB_H */
