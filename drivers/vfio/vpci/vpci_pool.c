// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: memory of a parent, given out in blocks
 *
 * A map of bits says which units belong to a block. A block is put where it
 * breaks up the smallest run of free memory that has room for it, so that large
 * blocks stay possible for as long as can be.
 *
 * The memory of a block is overwritten with zeroes before an instance gets it.
 * System memory is vmalloc() memory, of large pages where there are such; each of
 * its frames has a reference count of its own, as vpci_bar_back() wants it.
 *
 * The end of a device's memory, VPCI_POOL_SPARE bytes, is special. While the
 * parent has borrowed it, the block that it belongs to has @spare there, and its
 * contents; borrowing and giving back move the contents under the user's feet.
 */
#include <linux/bitmap.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio_vpci.h>
#include <linux/vmalloc.h>
#include <linux/vpci_pool.h>

#include "vpci_private.h"

/* Scrubbed at a time, before others may run */
#define VPCI_SCRUB_CHUNK	SZ_1M

static u64 vpci_pool_spare_offset(const struct vpci_pool *pool)
{
	return pool->size - VPCI_POOL_SPARE;
}

static void __iomem *vpci_pool_spare_io(const struct vpci_pool *pool)
{
	return pool->io + vpci_pool_spare_offset(pool);
}

static void vpci_pool_free_memory(void *mem)
{
	vfree(mem);
}

static void vpci_pool_free_spare(void *spare)
{
	free_pages_exact(spare, VPCI_POOL_SPARE);
}

static int vpci_pool_init(struct vpci_pool *pool, struct device *dev, u64 size,
			  u32 unit)
{
	if (WARN_ON_ONCE(!is_power_of_2(unit) || unit < VPCI_POOL_SPARE))
		return -EINVAL;
	if (!size || size % unit || size > VPCI_POOL_MAX) {
		dev_err(dev, "%llu bytes of VRAM are not a multiple of %u MiB up to %llu MiB\n",
			size, unit / (u32)SZ_1M, (u64)VPCI_POOL_MAX / SZ_1M);
		return -EINVAL;
	}

	pool->dev = dev;
	pool->size = size;
	pool->unit = unit;
	mutex_init(&pool->lock);
	pool->used = devm_bitmap_zalloc(dev, size / unit, GFP_KERNEL);
	return pool->used ? 0 : -ENOMEM;
}

/**
 * vpci_pool_init_device - make a pool of a memory BAR
 * @pool: the pool
 * @pdev: the parent device; when its driver is unbound the pool goes, and all
 *	blocks must be free then
 * @bar: number of the BAR; its size is a multiple of @unit
 * @unit: size of the smallest block, a power of two from %VPCI_POOL_SPARE
 *
 * Context: may sleep.
 * Return: 0; -EINVAL, with a log line, there is no such memory; -ENOMEM.
 */
int vpci_pool_init_device(struct vpci_pool *pool, struct pci_dev *pdev,
			  unsigned int bar, u32 unit)
{
	struct device *dev = &pdev->dev;
	u64 size = 0;
	int ret;

	if (pci_resource_flags(pdev, bar) & IORESOURCE_MEM)
		size = pci_resource_len(pdev, bar);
	ret = vpci_pool_init(pool, dev, size, unit);
	if (ret)
		return ret;

	pool->phys = pci_resource_start(pdev, bar);
	pool->io = devm_ioremap_wc(dev, pool->phys, size);
	if (!pool->io)
		return -ENOMEM;

	/* Split into pages of their own, as vpci_bar_back() wants them */
	pool->spare = alloc_pages_exact(VPCI_POOL_SPARE,
					GFP_KERNEL | __GFP_ZERO);
	if (!pool->spare)
		return -ENOMEM;
	return devm_add_action_or_reset(dev, vpci_pool_free_spare, pool->spare);
}
EXPORT_SYMBOL_GPL(vpci_pool_init_device);

/**
 * vpci_pool_init_memory - make a pool of system memory
 * @pool: the pool
 * @dev: the parent device; when its driver is unbound the pool goes, and all
 *	blocks must be free then
 * @size: bytes, a multiple of @unit
 * @unit: size of the smallest block, a power of two from %VPCI_POOL_SPARE
 *
 * All of the memory is allocated here, so that no instance can fail for it.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL, with a log line, it is no such size; -ENOMEM, likewise.
 */
int vpci_pool_init_memory(struct vpci_pool *pool, struct device *dev, u64 size,
			  u32 unit)
{
	int ret;

	ret = vpci_pool_init(pool, dev, size, unit);
	if (ret)
		return ret;

	/* Rather no pool than that a process is killed, or all of the page cache dropped, for it */
	if (PHYS_PFN(size) < si_mem_available())
		pool->mem = vmalloc_huge(size, GFP_KERNEL | __GFP_ZERO |
					 __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (!pool->mem) {
		dev_err(dev, "no %llu MiB of system memory are free\n",
			size / SZ_1M);
		return -ENOMEM;
	}
	return devm_add_action_or_reset(dev, vpci_pool_free_memory, pool->mem);
}
EXPORT_SYMBOL_GPL(vpci_pool_init_memory);

/* Type sizes are the parent driver's: a wrong one is a mistake in it, which the log tells once */
static bool vpci_pool_makes(const struct vpci_pool *pool, u64 size)
{
	if (size >= pool->unit && size <= VPCI_POOL_MAX && !(size & (size - 1)))
		return true;
	dev_err_once(pool->dev, "there are no blocks of %llu bytes, but powers of two from %u to %llu\n",
		     size, pool->unit, (u64)VPCI_POOL_MAX);
	return false;
}

static unsigned int vpci_pool_units(const struct vpci_pool *pool)
{
	return pool->size / pool->unit;
}

static bool vpci_pool_is_free(const struct vpci_pool *pool, unsigned int start,
			      unsigned int units)
{
	lockdep_assert_held(&pool->lock);

	return start + units <= vpci_pool_units(pool) &&
	       find_next_bit(pool->used, start + units, start) >= start + units;
}

static unsigned int vpci_pool_count(const struct vpci_pool *pool,
				    unsigned int units)
{
	unsigned int start, count = 0;

	for (start = 0; start + units <= vpci_pool_units(pool); start += units)
		count += vpci_pool_is_free(pool, start, units);
	return count;
}

/* Size of the largest free block that a free block is a part of */
static unsigned int vpci_pool_enclosing(const struct vpci_pool *pool,
					unsigned int start, unsigned int units)
{
	while (vpci_pool_is_free(pool, round_down(start, 2 * units), 2 * units))
		units *= 2;
	return units;
}

/* The number of the first unit, or -ENOSPC */
static int vpci_pool_find(const struct vpci_pool *pool, unsigned int units)
{
	unsigned int start, enclosing, least = UINT_MAX;
	int found = -ENOSPC;

	for (start = 0; start + units <= vpci_pool_units(pool); start += units) {
		if (!vpci_pool_is_free(pool, start, units))
			continue;
		enclosing = vpci_pool_enclosing(pool, start, units);
		if (enclosing < least) {
			least = enclosing;
			found = start;
		}
	}
	return found;
}

static void vpci_pool_log_full(const struct vpci_pool *pool, u64 size,
			       const char *name)
{
	unsigned int nr = vpci_pool_units(pool);
	unsigned int free = nr - bitmap_weight(pool->used, nr);
	unsigned int largest = rounddown_pow_of_two(nr);
	u32 unit = pool->unit / SZ_1M;

	while (largest && !vpci_pool_count(pool, largest))
		largest /= 2;
	dev_warn(pool->dev,
		 "%s: no %llu MiB of VRAM: %u of %u MiB are free, the largest free block has %u MiB\n",
		 name, size / SZ_1M, free * unit, nr * unit, largest * unit);
}

/**
 * vpci_pool_available - how many blocks of a size could be allocated now
 * @pool: the pool
 * @size: bytes, a power of two from the pool's unit to %VPCI_POOL_MAX
 *
 * Context: may sleep.
 * Return: the number, with what is free where it is; 0 of a size that no block has.
 */
unsigned int vpci_pool_available(struct vpci_pool *pool, u64 size)
{
	unsigned int count;

	if (!vpci_pool_makes(pool, size))
		return 0;

	mutex_lock(&pool->lock);
	count = vpci_pool_count(pool, size / pool->unit);
	mutex_unlock(&pool->lock);
	return count;
}
EXPORT_SYMBOL_GPL(vpci_pool_available);

/**
 * vpci_block_alloc - allocate a block; its memory is zero
 * @block: filled in
 * @pool: the pool
 * @size: bytes, a power of two from the pool's unit to %VPCI_POOL_MAX
 * @name: whom it is for, for the log
 *
 * Context: may sleep.
 * Return: 0; -ENOSPC, with a log line that says what is free; -EINVAL, no block has
 * such a size.
 */
int vpci_block_alloc(struct vpci_block *block, struct vpci_pool *pool,
		     u64 size, const char *name)
{
	unsigned int units = size / pool->unit;
	int start;

	if (!vpci_pool_makes(pool, size))
		return -EINVAL;

	mutex_lock(&pool->lock);
	start = vpci_pool_find(pool, units);
	if (start >= 0)
		bitmap_set(pool->used, start, units);
	else
		vpci_pool_log_full(pool, size, name);
	mutex_unlock(&pool->lock);
	if (start < 0)
		return start;

	block->pool = pool;
	block->offset = (u64)start * pool->unit;
	block->size = size;
	block->vpci = NULL;
	vpci_block_scrub(block);
	return 0;
}
EXPORT_SYMBOL_GPL(vpci_block_alloc);

static bool vpci_block_is_last(const struct vpci_block *block)
{
	return block->pool->spare &&
	       block->offset + block->size == block->pool->size;
}

/* In the BAR, bytes */
static u64 vpci_block_spare_offset(const struct vpci_block *block)
{
	return block->size - VPCI_POOL_SPARE;
}

static int vpci_block_back_memory(struct vpci_block *block)
{
	const void *mem = block->pool->mem + block->offset;
	u64 done, run;
	int ret = 0;

	for (done = 0; !ret && done < block->size; done += run) {
		unsigned long pfn = vmalloc_to_pfn(mem + done);

		run = PAGE_SIZE;
		while (done + run < block->size &&
		       vmalloc_to_pfn(mem + done + run) == pfn + PHYS_PFN(run))
			run += PAGE_SIZE;
		ret = vpci_bar_back(block->vpci, block->bar, done,
				    PFN_PHYS(pfn), run, VPCI_CACHE_WRITE_BACK);
	}
	return ret;
}

static int vpci_block_back_device(struct vpci_block *block)
{
	struct vpci_pool *pool = block->pool;
	u64 size = block->size;
	int ret = 0;

	lockdep_assert_held(&pool->lock);

	if (vpci_block_is_last(block) && pool->borrowed) {
		size = vpci_block_spare_offset(block);
		ret = vpci_bar_back(block->vpci, block->bar, size,
				    virt_to_phys(pool->spare), VPCI_POOL_SPARE,
				    VPCI_CACHE_WRITE_BACK);
	}
	if (ret)
		return ret;
	return vpci_bar_back(block->vpci, block->bar, 0,
			     pool->phys + block->offset, size,
			     VPCI_CACHE_WRITE_COMBINE);
}

/**
 * vpci_block_back - put a block behind a mapped BAR
 * @block: the block, newly allocated
 * @vpci: the function, not registered yet
 * @bar: number of the BAR, of the block's size
 *
 * Context: may sleep.
 * Return: 0 or what vpci_bar_back() returned. The block is still to be freed.
 */
int vpci_block_back(struct vpci_block *block, struct vpci_device *vpci,
		    unsigned int bar)
{
	struct vpci_pool *pool = block->pool;
	int ret;

	block->vpci = vpci;
	block->bar = bar;
	vpci->block = block;
	if (pool->mem)
		return vpci_block_back_memory(block);

	mutex_lock(&pool->lock);
	ret = vpci_block_back_device(block);
	if (!ret && vpci_block_is_last(block))
		pool->last = block;
	mutex_unlock(&pool->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(vpci_block_back);

static void vpci_pool_scrub(struct vpci_pool *pool, u64 start, u64 end)
{
	while (start < end) {
		u64 len = min_t(u64, end - start, VPCI_SCRUB_CHUNK);

		if (pool->mem)
			memset(pool->mem + start, 0, len);
		else
			memset_io(pool->io + start, 0, len);
		start += len;
		cond_resched();
	}
}

/**
 * vpci_block_scrub - overwrite the memory of a block with zeroes
 * @block: the block; nobody may be using it
 *
 * For vpci_ops.reset. Costs one pass of writes over the block, whatever was done
 * with it.
 *
 * Context: may sleep.
 */
void vpci_block_scrub(struct vpci_block *block)
{
	struct vpci_pool *pool = block->pool;
	ktime_t start = ktime_get();
	u64 end = block->size;

	if (vpci_block_is_last(block)) {
		end = vpci_block_spare_offset(block);
		mutex_lock(&pool->lock);
		memset(pool->spare, 0, VPCI_POOL_SPARE);
		if (!pool->borrowed)
			memset_io(vpci_pool_spare_io(pool), 0, VPCI_POOL_SPARE);
		mutex_unlock(&pool->lock);
	}
	vpci_pool_scrub(pool, block->offset, block->offset + end);
	WRITE_ONCE(block->scrub_us, ktime_us_delta(ktime_get(), start));
}
EXPORT_SYMBOL_GPL(vpci_block_scrub);

/**
 * vpci_block_free - take a block away from its function and give it back
 * @block: the block; scrubbed when nobody used it any more
 *
 * Context: may sleep.
 */
void vpci_block_free(struct vpci_block *block)
{
	struct vpci_pool *pool = block->pool;

	mutex_lock(&pool->lock);
	if (pool->last == block)
		pool->last = NULL;
	if (block->vpci)
		vpci_bar_revoke(block->vpci, block->bar, 0, block->size);
	bitmap_clear(pool->used, block->offset / pool->unit,
		     block->size / pool->unit);
	mutex_unlock(&pool->lock);
	WRITE_ONCE(block->pool, NULL);
}
EXPORT_SYMBOL_GPL(vpci_block_free);

static void vpci_pool_copy_out(void *data)
{
	struct vpci_pool *pool = data;

	memcpy_fromio(pool->spare, vpci_pool_spare_io(pool), VPCI_POOL_SPARE);
}

static void vpci_pool_copy_back(void *data)
{
	struct vpci_pool *pool = data;

	memcpy_toio(vpci_pool_spare_io(pool), pool->spare, VPCI_POOL_SPARE);
}

/**
 * vpci_pool_borrow - use the end of a device's memory for the parent itself
 * @pool: a pool of a device's memory
 *
 * The last %VPCI_POOL_SPARE bytes are the parent's until it calls
 * vpci_pool_give_back(), and zero. Does nothing when they are already.
 *
 * Context: may sleep.
 */
void vpci_pool_borrow(struct vpci_pool *pool)
{
	struct vpci_block *last;

	mutex_lock(&pool->lock);
	last = pool->last;
	if (last && !pool->borrowed)
		vpci_bar_move(last->vpci, last->bar,
			      vpci_block_spare_offset(last),
			      virt_to_phys(pool->spare), VPCI_POOL_SPARE,
			      VPCI_CACHE_WRITE_BACK, vpci_pool_copy_out, pool);
	if (!pool->borrowed)
		memset_io(vpci_pool_spare_io(pool), 0, VPCI_POOL_SPARE);
	pool->borrowed = true;
	mutex_unlock(&pool->lock);
}
EXPORT_SYMBOL_GPL(vpci_pool_borrow);

/**
 * vpci_pool_give_back - undo vpci_pool_borrow()
 * @pool: the pool
 *
 * Context: may sleep.
 */
void vpci_pool_give_back(struct vpci_pool *pool)
{
	struct vpci_block *last;

	mutex_lock(&pool->lock);
	last = pool->last;
	if (last && pool->borrowed)
		vpci_bar_move(last->vpci, last->bar,
			      vpci_block_spare_offset(last),
			      pool->phys + vpci_pool_spare_offset(pool),
			      VPCI_POOL_SPARE, VPCI_CACHE_WRITE_COMBINE,
			      vpci_pool_copy_back, pool);
	pool->borrowed = false;
	mutex_unlock(&pool->lock);
}
EXPORT_SYMBOL_GPL(vpci_pool_give_back);

/**
 * vpci_pool_lost - a device has lost the contents of its memory: what it has now must not show
 * @pool: a pool of a device's memory
 *
 * For dev_pm_ops.restore. An image of the machine has nothing of a device's memory, and what
 * is there when the machine comes back are the drawings of the kernel that has loaded the
 * image. All of it is zero when this returns, whoever has it, and so is what stands in for
 * the end. The blocks stay where they are and mapped: who uses them is frozen while devices
 * are restored, guests' processors too. System memory is in the image: a pool of that
 * has lost nothing, and is not for this.
 *
 * To be called before the device is told to show anything. Not for .resume, before which
 * only the device has slept, nor for .thaw, before which not even that has. Hibernations that
 * are broken off before there is an image end in .restore, too, and nothing tells them apart.
 *
 * Context: may sleep.
 */
void vpci_pool_lost(struct vpci_pool *pool)
{
	if (WARN_ON_ONCE(!pool->io))
		return;

	mutex_lock(&pool->lock);
	vpci_pool_scrub(pool, 0, pool->size);
	memset(pool->spare, 0, VPCI_POOL_SPARE);
	mutex_unlock(&pool->lock);
}
EXPORT_SYMBOL_GPL(vpci_pool_lost);

/* NULL: the instance has none; its driver has the files all the same */
static struct vpci_block *dev_to_block(struct device *dev)
{
	struct vpci_device *vpci = dev_to_vpci(dev);

	return vpci ? vpci->block : NULL;
}

static ssize_t vram_offset_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	struct vpci_block *block = dev_to_block(dev);

	/* It may be somebody else's by now */
	if (!block || !READ_ONCE(block->pool))
		return -ENODEV;
	return sysfs_emit(buf, "%llu\n", block->offset);
}
static DEVICE_ATTR_RO(vram_offset);

static ssize_t vram_size_show(struct device *dev,
			      struct device_attribute *attr, char *buf)
{
	struct vpci_block *block = dev_to_block(dev);

	if (!block)
		return -ENODEV;
	return sysfs_emit(buf, "%llu\n", block->size);
}
static DEVICE_ATTR_RO(vram_size);

static ssize_t scrub_us_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct vpci_block *block = dev_to_block(dev);

	if (!block)
		return -ENODEV;
	return sysfs_emit(buf, "%u\n", READ_ONCE(block->scrub_us));
}
static DEVICE_ATTR_RO(scrub_us);

/*
 * vpci_block_attrs - files about the block, for a group of the parent driver's own.
 * Of an instance without one they are -ENODEV
 */
struct attribute *vpci_block_attrs[] = {
	&dev_attr_vram_offset.attr,
	&dev_attr_vram_size.attr,
	&dev_attr_scrub_us.attr,
	NULL,
};
EXPORT_SYMBOL_GPL(vpci_block_attrs);
