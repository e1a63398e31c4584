// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parent driver that does it wrong, for tests of what it is told
 *
 * One instance, on a platform device "misuse", without registers, that has what belongs
 * to a display and to a block, but neither. It has an interrupt. Each other mistake is a
 * file of the device: what is written to it is tried, and the library's errno is
 * that of the write.
 *
 *	back	what kind of frames: can they stand behind a BAR?
 *	block	a number of bytes: is there such a block in a pool of units of 2 MiB?
 *
 * Not part of the product: no install target knows it.
 */
#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/vfio_vpci.h>
#include <linux/vpci_display.h>
#include <linux/vpci_pool.h>

struct misuse {
	struct vpci_device vpci;
	struct vpci_pool pool;
};

static struct platform_device *misuse_pdev;
static struct vpci_function *misuse_function;

static struct misuse *dev_to_misuse(struct device *dev)
{
	return container_of(dev_get_drvdata(dev), struct misuse, vpci);
}

static void misuse_reset(struct vpci_device *vpci)
{
}

static const struct vpci_ops misuse_ops = {
	.reset		= misuse_reset,
	.irq_listen	= vpci_display_listen,
	.get_plane	= vpci_display_get_plane,
};

static const struct vpci_desc misuse_desc = {
	.name		= "misuse",
	.vendor		= 0x1af4,
	.device		= 0x10fd,
	.class		= 0xff0000,
	.interrupt_pin	= 1,
	.config_size	= 256,
	.bars		= { [0] = { .size = SZ_64K, .mapped = true } },
};

static const struct {
	const char *name;
	gfp_t gfp;
	unsigned int order;
	enum vpci_cache cache;
} misuse_frames[] = {
	{ "page", 0, 0, VPCI_CACHE_WRITE_BACK },
	{ "write-combining", 0, 0, VPCI_CACHE_WRITE_COMBINE },
	{ "uncached", 0, 0, VPCI_CACHE_UNCACHED },
	{ "compound", __GFP_COMP, 1, VPCI_CACHE_WRITE_BACK },
};

static int misuse_back(struct vpci_device *vpci, unsigned int kind)
{
	unsigned int order = misuse_frames[kind].order;
	struct page *page = alloc_pages(GFP_KERNEL | misuse_frames[kind].gfp, order);
	int ret;

	if (!page)
		return -ENOMEM;
	ret = vpci_bar_back(vpci, 0, 0, page_to_phys(page), PAGE_SIZE << order,
			    misuse_frames[kind].cache);
	if (!ret)
		vpci_bar_revoke(vpci, 0, 0, PAGE_SIZE << order);
	__free_pages(page, order);
	return ret;
}

static ssize_t back_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	unsigned int kind;

	for (kind = 0; kind < ARRAY_SIZE(misuse_frames); kind++)
		if (sysfs_streq(buf, misuse_frames[kind].name))
			return misuse_back(dev_get_drvdata(dev), kind) ?: count;
	return -EDOM;
}
static DEVICE_ATTR_WO(back);

static ssize_t block_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	struct vpci_pool *pool = &dev_to_misuse(dev)->pool;
	struct vpci_block block = {};
	u64 size;
	int ret;

	ret = kstrtou64(buf, 0, &size);
	if (ret)
		return ret;
	ret = vpci_block_alloc(&block, pool, size, "misuse");
	if (!ret)
		vpci_block_free(&block);
	/* The two must agree */
	if (!ret != !!vpci_pool_available(pool, size))
		return -EUCLEAN;
	return ret ?: count;
}
static DEVICE_ATTR_WO(block);

static struct attribute *misuse_attrs[] = {
	&dev_attr_back.attr,
	&dev_attr_block.attr,
	NULL,
};

static const struct attribute_group misuse_group = { .attrs = misuse_attrs };
static struct attribute_group misuse_block_group = { .name = "block_files" };
static const struct attribute_group *misuse_groups[] = {
	&misuse_group,
	&misuse_block_group,
	&vpci_display_group,
	NULL,
};

static int misuse_instance_init(struct device *dev)
{
	struct vpci_device *vpci;
	struct misuse *misuse;
	int ret;

	vpci = vpci_device_alloc(sizeof(struct misuse), dev, misuse_function, &misuse_ops);
	if (IS_ERR(vpci))
		return PTR_ERR(vpci);

	misuse = container_of(vpci, struct misuse, vpci);
	ret = vpci_pool_init_memory(&misuse->pool, dev, SZ_4M, SZ_2M);
	if (!ret)
		ret = vpci_device_register(vpci);
	if (ret)
		vpci_device_put(vpci);
	return ret;
}

static int misuse_probe(struct platform_device *pdev)
{
	misuse_function = devm_vpci_function_create(&pdev->dev, &misuse_desc);
	if (IS_ERR(misuse_function))
		return PTR_ERR(misuse_function);
	return misuse_instance_init(&pdev->dev);
}

static void misuse_remove(struct platform_device *pdev)
{
	struct vpci_device *vpci = platform_get_drvdata(pdev);

	vpci_device_unregister(vpci);
	vpci_device_put(vpci);
}

static struct platform_driver misuse_driver = {
	.remove	= misuse_remove,
	.driver	= { .name = "misuse", .dev_groups = misuse_groups },
};

/* VFIO shows only devices that have a driver */
static int __init misuse_init(void)
{
	misuse_block_group.attrs = vpci_block_attrs;
	misuse_pdev = platform_create_bundle(&misuse_driver, misuse_probe, NULL, 0, NULL, 0);
	return PTR_ERR_OR_ZERO(misuse_pdev);
}
module_init(misuse_init);

static void __exit misuse_exit(void)
{
	platform_device_unregister(misuse_pdev);
	platform_driver_unregister(&misuse_driver);
}
module_exit(misuse_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mistakes of parent drivers, for tests");
