// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parent driver without a device, for tests of mapped BARs
 *
 * Its frames are system memory. A user of an instance says by trapped registers
 * which frame goes where, see vpci_lab.h. All instances take their frames from
 * one pool, and a frame says in its contents behind which page of which instance
 * it stands, so a mapping that outlives a revocation shows itself.
 *
 * Not part of the product: no install target knows it.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vpci_mdev.h>
#include <linux/wait.h>

#include "vpci_lab.h"

#define LAB_PAGES	(LAB_BAR_SIZE / PAGE_SIZE)
#define LAB_TOUCH_PAGES	(LAB_TOUCH_BAR_SIZE / 2 / PAGE_SIZE)
#define LAB_NO_FRAME	(-1)

/**
 * struct lab_instance - one instance
 * @vpci: the PCI function; first
 * @id: its number
 * @mode_changed: for touches that wait
 * @lock: protects all that follows
 * @regs: as the user sees them
 * @frames: by page of BAR 0, the frame behind it or LAB_NO_FRAME
 * @mixed: likewise for BAR 2
 * @touched: likewise for BAR 4, as far as the pool reaches
 * @giant: the second half of BAR 4 has its backing
 */
struct lab_instance {
	struct vpci_device vpci;
	unsigned int id;
	wait_queue_head_t mode_changed;
	struct mutex lock;
	u64 regs[LAB_REGS_END / 8];
	s16 frames[LAB_PAGES];
	s16 mixed[LAB_MIXED_SIZE / PAGE_SIZE];
	s16 *touched;
	bool giant;
};

static struct page *lab_chunks[LAB_CHUNKS];
static DECLARE_BITMAP(lab_used, LAB_FRAMES);
static DEFINE_MUTEX(lab_lock);
static DEFINE_IDA(lab_ids);
static struct vpci_function *lab_function;
static struct device *lab_device;

static struct page *lab_page(unsigned int frame)
{
	return lab_chunks[frame / LAB_CHUNK_FRAMES] + frame % LAB_CHUNK_FRAMES;
}

static u64 *lab_word(unsigned int frame, unsigned int at)
{
	return page_address(lab_page(frame)) + at;
}

static void lab_stamp(unsigned int frame, u64 tag)
{
	unsigned int at;

	for (at = 0; at < PAGE_SIZE; at += LAB_TAG_STEP) {
		WRITE_ONCE(*lab_word(frame, at + LAB_TAG_WORD), tag);
		WRITE_ONCE(*lab_word(frame, at + LAB_USER_WORD), 0);
	}
}

static s16 *lab_slot(struct lab_instance *inst, unsigned int bar,
		     unsigned long page)
{
	switch (bar) {
	case LAB_BAR:
		return page < LAB_PAGES ? &inst->frames[page] : NULL;
	case LAB_MIXED_BAR:
		return page < ARRAY_SIZE(inst->mixed) ? &inst->mixed[page] : NULL;
	case LAB_TOUCH_BAR:
		return page < LAB_TOUCH_PAGES ? &inst->touched[page] : NULL;
	default:
		return NULL;
	}
}

/* Frames from @frame on, or any; -EBUSY if one is in use */
static long lab_frames_take(u64 frame, unsigned long nr)
{
	unsigned long at = frame;
	long ret = -EBUSY;

	mutex_lock(&lab_lock);
	if (frame == LAB_ANY_FRAME)
		at = bitmap_find_next_zero_area(lab_used, LAB_FRAMES, 0, nr, 0);
	if (at < LAB_FRAMES && nr <= LAB_FRAMES - at &&
	    find_next_bit(lab_used, at + nr, at) >= at + nr) {
		bitmap_set(lab_used, at, nr);
		ret = at;
	}
	mutex_unlock(&lab_lock);
	return ret;
}

static void lab_frames_give(unsigned long at, unsigned long nr)
{
	mutex_lock(&lab_lock);
	bitmap_clear(lab_used, at, nr);
	mutex_unlock(&lab_lock);
}

/* Pieces that are contiguous in memory, as the pool may not be */
static int lab_back_frames(struct lab_instance *inst, unsigned int bar,
			   u64 offset, unsigned long frame, unsigned long nr)
{
	unsigned long done, here;
	int ret;

	for (done = 0; done < nr; done += here) {
		here = min(nr - done, LAB_CHUNK_FRAMES -
				      (frame + done) % LAB_CHUNK_FRAMES);
		ret = vpci_bar_back(&inst->vpci, bar, offset + done * PAGE_SIZE,
				    page_to_phys(lab_page(frame + done)),
				    here * PAGE_SIZE, VPCI_CACHE_WRITE_BACK);
		if (ret)
			break;
	}
	if (done < nr && done)
		vpci_bar_revoke(&inst->vpci, bar, offset, done * PAGE_SIZE);
	return done < nr ? ret : 0;
}

static int lab_back(struct lab_instance *inst, unsigned int bar, u64 offset,
		    u64 size, u64 frame)
{
	unsigned long nr = size >> PAGE_SHIFT, first = offset >> PAGE_SHIFT;
	unsigned long i;
	long taken;
	int ret;

	lockdep_assert_held(&inst->lock);

	if (!nr || nr > LAB_FRAMES || !lab_slot(inst, bar, first) ||
	    !lab_slot(inst, bar, first + nr - 1))
		return -ERANGE;
	for (i = 0; i < nr; i++)
		if (*lab_slot(inst, bar, first + i) != LAB_NO_FRAME)
			return -EEXIST;

	taken = lab_frames_take(frame, nr);
	if (taken < 0)
		return taken;
	for (i = 0; i < nr; i++)
		lab_stamp(taken + i, LAB_TAG(inst->id, bar, first + i));
	ret = lab_back_frames(inst, bar, offset, taken, nr);
	if (ret) {
		lab_frames_give(taken, nr);
		return ret;
	}
	for (i = 0; i < nr; i++)
		*lab_slot(inst, bar, first + i) = taken + i;
	return 0;
}

/* The frame has no mapping any more: nobody but its owner may have written */
static void lab_release(struct lab_instance *inst, unsigned int bar,
			unsigned long page)
{
	s16 *slot = lab_slot(inst, bar, page);
	u64 tag = LAB_TAG(inst->id, bar, page);
	unsigned int at;

	if (*slot == LAB_NO_FRAME)
		return;
	for (at = 0; at < PAGE_SIZE; at += LAB_TAG_STEP) {
		u64 written = READ_ONCE(*lab_word(*slot, at + LAB_USER_WORD));

		if (READ_ONCE(*lab_word(*slot, at + LAB_TAG_WORD)) != tag ||
		    (written && written != tag)) {
			inst->regs[LAB_CORRUPT / 8]++;
			break;
		}
	}
	lab_stamp(*slot, LAB_FREE_TAG);
	lab_frames_give(*slot, 1);
	*slot = LAB_NO_FRAME;
}

static int lab_revoke(struct lab_instance *inst, unsigned int bar, u64 offset,
		      u64 size)
{
	unsigned long nr = size >> PAGE_SHIFT, first = offset >> PAGE_SHIFT;
	unsigned long i;

	lockdep_assert_held(&inst->lock);

	if (!nr || !PAGE_ALIGNED(offset | size) || !lab_slot(inst, bar, first) ||
	    !lab_slot(inst, bar, first + nr - 1))
		return -ERANGE;
	vpci_bar_revoke(&inst->vpci, bar, offset, size);
	for (i = 0; i < nr; i++)
		lab_release(inst, bar, first + i);
	return 0;
}

static int lab_revoke_giant(struct lab_instance *inst, u64 offset, u64 size)
{
	const u64 half = LAB_TOUCH_BAR_SIZE / 2;

	if (!size || !PAGE_ALIGNED(offset | size) || size > half ||
	    offset > half - size)
		return -ERANGE;
	vpci_bar_revoke(&inst->vpci, LAB_TOUCH_BAR, half + offset, size);
	if (size == half)
		inst->giant = false;
	return 0;
}

/* Nothing is lost if a part was not backed */
static void lab_revoke_all(struct lab_instance *inst)
{
	lab_revoke(inst, LAB_BAR, 0, LAB_BAR_SIZE);
	lab_revoke(inst, LAB_MIXED_BAR, LAB_MAPPED_1, LAB_MAPPED_1_SIZE);
	lab_revoke(inst, LAB_MIXED_BAR, LAB_MAPPED_2, LAB_MAPPED_2_SIZE);
	lab_revoke(inst, LAB_TOUCH_BAR, 0, LAB_TOUCH_BAR_SIZE / 2);
	lab_revoke_giant(inst, 0, LAB_TOUCH_BAR_SIZE / 2);
}

static void lab_shuffle(u32 *order, u32 nr)
{
	u32 i, other;

	for (i = 0; i < nr; i++)
		order[i] = i;
	for (i = nr - 1; i; i--) {
		other = get_random_u32_below(i + 1);
		swap(order[i], order[other]);
	}
}

/* All with the same frame, so no two of them are one range */
static int lab_extents(struct lab_instance *inst, u64 nr)
{
	phys_addr_t phys = page_to_phys(lab_page(0));
	u32 *order;
	u64 start;
	u32 i;
	int ret = 0;

	if (nr < 2 || nr > LAB_PAGES)
		return -ERANGE;
	order = kvmalloc_array(nr, sizeof(*order), GFP_KERNEL);
	if (!order)
		return -ENOMEM;

	lab_shuffle(order, nr);
	start = ktime_get_ns();
	for (i = 0; i < nr && !ret; i++)
		ret = vpci_bar_back(&inst->vpci, LAB_BAR,
				    (u64)order[i] * PAGE_SIZE, phys, PAGE_SIZE,
				    VPCI_CACHE_WRITE_BACK);
	inst->regs[LAB_BACK_NS / 8] = ktime_get_ns() - start;

	lab_shuffle(order, nr);
	start = ktime_get_ns();
	for (i = 0; i < nr; i++)
		vpci_bar_revoke(&inst->vpci, LAB_BAR, (u64)order[i] * PAGE_SIZE,
				PAGE_SIZE);
	inst->regs[LAB_REVOKE_NS / 8] = ktime_get_ns() - start;
	kvfree(order);
	return ret;
}

/* Addresses at which there is nothing, whatever the machine */
static int lab_giant(struct lab_instance *inst)
{
	phys_addr_t phys = 1ULL << (boot_cpu_data.x86_phys_bits - 1);

	if (inst->giant)
		return -EEXIST;
	inst->giant = true;
	return vpci_bar_back(&inst->vpci, LAB_TOUCH_BAR, LAB_TOUCH_BAR_SIZE / 2,
			     phys, LAB_TOUCH_BAR_SIZE / 2,
			     VPCI_CACHE_WRITE_COMBINE);
}

static int lab_command(struct lab_instance *inst, u64 command)
{
	unsigned int bar = inst->regs[LAB_ARG_BAR / 8];
	u64 offset = inst->regs[LAB_ARG_OFFSET / 8];
	u64 size = inst->regs[LAB_ARG_SIZE / 8];

	switch (command) {
	case LAB_BACK:
		return lab_back(inst, bar, offset, size,
				inst->regs[LAB_ARG_FRAME / 8]);
	case LAB_REVOKE:
		return lab_revoke(inst, bar, offset, size);
	case LAB_EXTENTS:
		return lab_extents(inst, size);
	case LAB_GIANT:
		return lab_giant(inst);
	case LAB_NO_GIANT:
		return lab_revoke_giant(inst, offset, size);
	default:
		return -EINVAL;
	}
}

static struct lab_instance *to_instance(struct vpci_device *vpci)
{
	return container_of(vpci, struct lab_instance, vpci);
}

static void lab_count_access(struct lab_instance *inst, u64 offset,
			     unsigned int width)
{
	u64 last = offset + width - 1;
	bool in_mapped = (last >= LAB_MAPPED_1 &&
			  offset < LAB_MAPPED_1 + LAB_MAPPED_1_SIZE) ||
			 (last >= LAB_MAPPED_2 &&
			  offset < LAB_MAPPED_2 + LAB_MAPPED_2_SIZE);

	inst->regs[LAB_WIDTH(ilog2(width)) / 8]++;
	if (offset % width || in_mapped || last >= LAB_MIXED_SIZE)
		inst->regs[LAB_BAD_ACCESSES / 8]++;
}

static u64 lab_bar_read(struct vpci_device *vpci, unsigned int bar, u64 offset,
			unsigned int width)
{
	struct lab_instance *inst = to_instance(vpci);
	u64 value = 0;
	unsigned int i;

	mutex_lock(&inst->lock);
	if (offset + width <= LAB_REGS_END) {
		value = inst->regs[offset / 8] >> (offset % 8 * 8);
	} else {
		lab_count_access(inst, offset, width);
		for (i = 0; i < width; i++)
			value |= ((offset + i) & 0xff) << (8 * i);
	}
	mutex_unlock(&inst->lock);
	return value;
}

static void lab_bar_write(struct vpci_device *vpci, unsigned int bar,
			  u64 offset, unsigned int width, u64 value)
{
	struct lab_instance *inst = to_instance(vpci);

	mutex_lock(&inst->lock);
	if (offset >= LAB_REGS_END)
		lab_count_access(inst, offset, width);
	else if (offset == LAB_COMMAND && width == 8)
		inst->regs[LAB_RESULT / 8] = lab_command(inst, value);
	else if (width == 8)
		WRITE_ONCE(inst->regs[offset / 8], value);
	mutex_unlock(&inst->lock);
	wake_up_all(&inst->mode_changed);
}

static void lab_reset(struct vpci_device *vpci)
{
	struct lab_instance *inst = to_instance(vpci);
	u64 corrupt;

	mutex_lock(&inst->lock);
	lab_revoke_all(inst);
	corrupt = inst->regs[LAB_CORRUPT / 8];
	memset(inst->regs, 0, sizeof(inst->regs));
	inst->regs[LAB_ID / 8] = inst->id;
	inst->regs[LAB_CORRUPT / 8] = corrupt;
	mutex_unlock(&inst->lock);
	wake_up_all(&inst->mode_changed);
}

static bool lab_touch_waits(struct lab_instance *inst)
{
	return READ_ONCE(inst->regs[LAB_MODE / 8]) == LAB_TOUCH_WAITS;
}

/* In the middle of a touch, without a lock that registers need */
static void lab_touch_wait(struct lab_instance *inst)
{
	u64 *waiting = &inst->regs[LAB_WAITING / 8];

	if (!lab_touch_waits(inst))
		return;
	mutex_lock(&inst->lock);
	(*waiting)++;
	mutex_unlock(&inst->lock);
	wait_event_killable(inst->mode_changed, !lab_touch_waits(inst));
	mutex_lock(&inst->lock);
	(*waiting)--;
	mutex_unlock(&inst->lock);
}

static int lab_fault_backing(struct vpci_device *vpci, unsigned int bar,
			     u64 offset)
{
	struct lab_instance *inst = to_instance(vpci);
	int ret;

	if (bar != LAB_TOUCH_BAR || offset >= LAB_TOUCH_BAR_SIZE / 2)
		return -ENXIO;

	lab_touch_wait(inst);
	mutex_lock(&inst->lock);
	if (inst->regs[LAB_MODE / 8] == LAB_TOUCH_FAILS) {
		ret = -ENOMEM;
	} else {
		ret = lab_back(inst, bar, offset, PAGE_SIZE, LAB_ANY_FRAME);
		if (ret == -EEXIST)
			ret = 0;
		if (inst->regs[LAB_MODE / 8] == LAB_TOUCH_REVOKES)
			lab_revoke(inst, bar, offset, PAGE_SIZE);
	}
	mutex_unlock(&inst->lock);
	return ret;
}

static void lab_instance_free(struct lab_instance *inst)
{
	kvfree(inst->touched);
	ida_free(&lab_ids, inst->id);
}

static void lab_disconnect(struct vpci_device *vpci)
{
	struct lab_instance *inst = to_instance(vpci);

	mutex_lock(&inst->lock);
	lab_revoke_all(inst);
	mutex_unlock(&inst->lock);
	lab_instance_free(inst);
}

static const struct vpci_ops lab_vpci_ops = {
	.bar_read	= lab_bar_read,
	.bar_write	= lab_bar_write,
	.reset		= lab_reset,
	.fault_backing	= lab_fault_backing,
	.disconnect	= lab_disconnect,
};

static int lab_probe(struct mdev_device *mdev)
{
	struct lab_instance *inst;
	struct vpci_device *vpci;
	int ret, id;

	id = ida_alloc_range(&lab_ids, 1, 255, GFP_KERNEL);
	if (id < 0)
		return id;
	vpci = vpci_device_alloc(sizeof(*inst), mdev_dev(mdev), lab_function,
				 &lab_vpci_ops);
	if (IS_ERR(vpci)) {
		ida_free(&lab_ids, id);
		return PTR_ERR(vpci);
	}

	inst = to_instance(vpci);
	inst->id = id;
	inst->regs[LAB_ID / 8] = id;
	init_waitqueue_head(&inst->mode_changed);
	mutex_init(&inst->lock);
	memset(inst->frames, 0xff, sizeof(inst->frames));
	memset(inst->mixed, 0xff, sizeof(inst->mixed));
	inst->touched = kvmalloc_array(LAB_TOUCH_PAGES, sizeof(s16), GFP_KERNEL);
	ret = inst->touched ? 0 : -ENOMEM;
	if (!ret) {
		memset(inst->touched, 0xff, LAB_TOUCH_PAGES * sizeof(s16));
		ret = vpci_device_register(vpci);
	}
	if (ret) {
		lab_instance_free(inst);
		vpci_device_put(vpci);
	}
	return ret;
}

static unsigned int lab_get_available(struct mdev_type *mtype)
{
	return 16;
}

static const struct attribute_group *lab_groups[] = {
	&vpci_stats_group,
	NULL,
};

static struct mdev_driver lab_driver = {
	.device_api	= VFIO_DEVICE_API_PCI_STRING,
	.probe		= lab_probe,
	VPCI_MDEV_DRIVER_OPS,
	.get_available	= lab_get_available,
	.driver = {
		.name			= "vpci_lab",
		.owner			= THIS_MODULE,
		.mod_name		= KBUILD_MODNAME,
		.dev_groups		= lab_groups,
		.suppress_bind_attrs	= true,
	},
};

static struct mdev_type lab_type = { .sysfs_name = "bars" };
static struct mdev_type *lab_types[] = { &lab_type };
static struct mdev_parent lab_parent;

static const struct vpci_area_desc lab_areas[] = {
	{ LAB_MAPPED_1, LAB_MAPPED_1_SIZE },
	{ LAB_MAPPED_2, LAB_MAPPED_2_SIZE },
};

static const struct vpci_desc lab_desc = {
	.name = "vpci_lab",
	.vendor = 0x1af4,
	.device = 0x10fe,
	.class = 0xff0000,
	.config_size = 256,
	.bars = {
		[LAB_BAR] = { .size = LAB_BAR_SIZE, .is_64bit = true,
			      .prefetchable = true, .mapped = true,
			      .cache = VPCI_CACHE_WRITE_BACK },
		[LAB_MIXED_BAR] = { .size = LAB_MIXED_SIZE,
				    .areas = lab_areas,
				    .nr_areas = ARRAY_SIZE(lab_areas) },
		[LAB_TOUCH_BAR] = { .size = LAB_TOUCH_BAR_SIZE,
				    .is_64bit = true, .prefetchable = true,
				    .mapped = true,
				    .cache = VPCI_CACHE_WRITE_COMBINE },
	},
};

static void lab_pool_free(void)
{
	unsigned int frame;

	for (frame = 0; frame < LAB_FRAMES; frame++)
		if (lab_chunks[frame / LAB_CHUNK_FRAMES])
			__free_page(lab_page(frame));
}

/* KVM takes references of single pages, so each page must have its own count */
static int lab_pool_init(void)
{
	unsigned int i;

	for (i = 0; i < LAB_CHUNKS; i++) {
		lab_chunks[i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, LAB_CHUNK_ORDER);
		if (!lab_chunks[i])
			return -ENOMEM;
		split_page(lab_chunks[i], LAB_CHUNK_ORDER);
	}
	return 0;
}

static int __init lab_init(void)
{
	int ret;

	ret = lab_pool_init();
	if (ret)
		goto err_pool;
	lab_device = root_device_register("vpci_lab");
	if (IS_ERR(lab_device)) {
		ret = PTR_ERR(lab_device);
		goto err_pool;
	}
	lab_function = vpci_function_create(lab_device, &lab_desc);
	if (IS_ERR(lab_function)) {
		ret = PTR_ERR(lab_function);
		goto err_device;
	}
	ret = mdev_register_driver(&lab_driver);
	if (ret)
		goto err_function;
	ret = mdev_register_parent(&lab_parent, lab_device, &lab_driver,
				   lab_types, ARRAY_SIZE(lab_types));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&lab_driver);
err_function:
	vpci_function_free(lab_function);
err_device:
	root_device_unregister(lab_device);
err_pool:
	lab_pool_free();
	return ret;
}

static void __exit lab_exit(void)
{
	mdev_unregister_parent(&lab_parent);
	mdev_unregister_driver(&lab_driver);
	vpci_function_free(lab_function);
	root_device_unregister(lab_device);
	lab_pool_free();
}

module_init(lab_init);
module_exit(lab_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mapped BARs on system memory, for tests");
