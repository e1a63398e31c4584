/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: memory of a parent, given out in blocks
 *
 * A parent driver whose instances each own a part of one memory makes a pool of
 * it: a memory BAR of the physical device, or system memory where there is no
 * device. A block is a power of two and aligned to its size, so it can be mapped
 * by leaves of the largest kind, and the free blocks of a size are exactly the
 * instances of it that can still be made.
 *
 * The parent can borrow the end of a device's memory for itself even while all
 * of it is given out: the block that it belongs to gets system memory there.
 */
#ifndef _LINUX_VPCI_POOL_H
#define _LINUX_VPCI_POOL_H

#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct attribute;
struct device;
struct pci_dev;
struct vpci_device;
struct vpci_block;

/* What can be borrowed of the end of a pool: one large leaf of a mapping */
#define VPCI_POOL_SPARE		SZ_2M

#define VPCI_POOL_MAX		SZ_1G

/**
 * struct vpci_pool - the memory
 * @dev: the parent device
 * @size: bytes, a multiple of @unit
 * @unit: size of the smallest block, a power of two from %VPCI_POOL_SPARE
 * @phys: where a device's memory lies
 * @io: write-combining mapping of a device's memory, or NULL; on x86 it makes the
 *	instances' mappings write-combining, too
 * @mem: system memory, or NULL
 * @lock: protects what follows; vpci_device.memory_lock is taken inside
 * @used: one bit for each unit that belongs to a block
 * @last: the block with the end of the pool, once it is behind a BAR
 * @spare: stands in for the end of a device's memory while that is borrowed
 * @borrowed: it is
 */
struct vpci_pool {
	struct device *dev;
	u64 size;
	u32 unit;
	phys_addr_t phys;
	void __iomem *io;
	void *mem;

	struct mutex lock;
	unsigned long *used;
	struct vpci_block *last;
	void *spare;
	bool borrowed;
};

/**
 * struct vpci_block - a part of a pool that belongs to one instance
 * @pool: NULL while there is none
 * @offset: bytes from the start of the pool, a multiple of @size
 * @size: bytes
 * @vpci: whose BAR it stands behind, or NULL
 * @bar: number of that BAR
 * @scrub_us: how long the last scrubbing took, in microseconds
 */
struct vpci_block {
	struct vpci_pool *pool;
	u64 offset;
	u64 size;
	struct vpci_device *vpci;
	unsigned int bar;
	u32 scrub_us;
};

int vpci_pool_init_device(struct vpci_pool *pool, struct pci_dev *pdev,
			  unsigned int bar, u32 unit);
int vpci_pool_init_memory(struct vpci_pool *pool, struct device *dev, u64 size,
			  u32 unit);
unsigned int vpci_pool_available(struct vpci_pool *pool, u64 size);
void vpci_pool_borrow(struct vpci_pool *pool);
void vpci_pool_give_back(struct vpci_pool *pool);
void vpci_pool_lost(struct vpci_pool *pool);

int vpci_block_alloc(struct vpci_block *block, struct vpci_pool *pool,
		     u64 size, const char *name);
int vpci_block_back(struct vpci_block *block, struct vpci_device *vpci,
		    unsigned int bar);
void vpci_block_scrub(struct vpci_block *block);
void vpci_block_free(struct vpci_block *block);

extern struct attribute *vpci_block_attrs[];

#endif /* _LINUX_VPCI_POOL_H */
