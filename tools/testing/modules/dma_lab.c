// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parent driver without a device, for tests of access to guest memory
 *
 * Its user has it pin, read and write the user's memory by the registers in
 * dma_lab.h.
 *
 * Not part of the product: no install target knows it.
 */
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/vpci_mdev.h>
#include <linux/workqueue.h>

#include "dma_lab.h"

/**
 * struct dma_lab - one instance
 * @vpci: the PCI function; first
 * @pins: of the user's memory
 * @lock: held while pages are used, and by nobody who pins or unpins
 * @engine: a copy without a user's thread
 * @regs: registers, those that are nothing but memory
 */
struct dma_lab {
	struct vpci_device vpci;
	struct vpci_pin pins[DMA_LAB_PINS];
	struct mutex lock;
	struct work_struct engine;
	u64 regs[DMA_LAB_REGS_END / 8];
};

static struct vpci_function *dma_lab_function;

static struct dma_lab *to_dma_lab(struct vpci_device *vpci)
{
	return container_of(vpci, struct dma_lab, vpci);
}

static u64 *dma_lab_reg(struct dma_lab *lab, unsigned int offset)
{
	return &lab->regs[offset / 8];
}

static int dma_lab_use(struct dma_lab *lab, unsigned int i, bool write)
{
	u64 *value = dma_lab_reg(lab, DMA_LAB_VALUE);
	struct page *page;
	u64 *word;

	mutex_lock(&lab->lock);
	page = vpci_pin_page(&lab->pins[i], *dma_lab_reg(lab, DMA_LAB_COUNT));
	if (page) {
		word = kmap_local_page(page);
		if (write)
			*word = *value;
		else
			*value = *word;
		kunmap_local(word);
	}
	mutex_unlock(&lab->lock);
	return page ? 0 : -ENXIO;
}

static int dma_lab_copy(struct dma_lab *lab, bool write)
{
	u64 len = *dma_lab_reg(lab, DMA_LAB_COUNT);

	if (len > sizeof(u64))
		return -EINVAL;
	return vpci_dma_rw(&lab->vpci, *dma_lab_reg(lab, DMA_LAB_IOVA),
			   dma_lab_reg(lab, DMA_LAB_VALUE), len, write);
}

/* What it reads is lost if the function is reset meanwhile */
static void dma_lab_engine(struct work_struct *work)
{
	struct dma_lab *lab = container_of(work, struct dma_lab, engine);
	u64 *result = dma_lab_reg(lab, DMA_LAB_RESULT);

	/* Whoever sees it finds the value, too; pairs with dma_lab_read() */
	smp_store_release(result, dma_lab_copy(lab, false));
}

static int dma_lab_do(struct dma_lab *lab, unsigned int command, unsigned int i)
{
	if (i >= DMA_LAB_PINS)
		return -EINVAL;
	switch (command) {
	case DMA_LAB_PIN:
		return vpci_dma_pin(&lab->vpci, &lab->pins[i],
				    *dma_lab_reg(lab, DMA_LAB_IOVA),
				    *dma_lab_reg(lab, DMA_LAB_COUNT), true);
	case DMA_LAB_UNPIN:
		vpci_dma_unpin(&lab->vpci, &lab->pins[i]);
		return 0;
	case DMA_LAB_PEEK:
	case DMA_LAB_POKE:
		return dma_lab_use(lab, i, command == DMA_LAB_POKE);
	case DMA_LAB_READ:
	case DMA_LAB_WRITE:
		return dma_lab_copy(lab, command == DMA_LAB_WRITE);
	case DMA_LAB_READ_LATER:
		queue_work(system_unbound_wq, &lab->engine);
		return -EINPROGRESS;
	default:
		return -EINVAL;
	}
}

static u64 dma_lab_read(struct vpci_device *vpci, unsigned int bar, u64 offset,
			unsigned int width)
{
	struct dma_lab *lab = to_dma_lab(vpci);

	if (bar || width != 8 || offset >= DMA_LAB_REGS_END)
		return ~0ULL;
	/* Pairs with dma_lab_engine() */
	return smp_load_acquire(dma_lab_reg(lab, offset));
}

static void dma_lab_write(struct vpci_device *vpci, unsigned int bar,
			  u64 offset, unsigned int width, u64 value)
{
	struct dma_lab *lab = to_dma_lab(vpci);
	int ret;

	if (bar || width != 8 || offset >= DMA_LAB_REGS_END)
		return;
	if (offset == DMA_LAB_COMMAND) {
		flush_work(&lab->engine);
		WRITE_ONCE(*dma_lab_reg(lab, DMA_LAB_RESULT), -EINPROGRESS);
		ret = dma_lab_do(lab, value >> 8, value & 0xff);
		if (ret != -EINPROGRESS)
			WRITE_ONCE(*dma_lab_reg(lab, DMA_LAB_RESULT), ret);
	} else {
		WRITE_ONCE(*dma_lab_reg(lab, offset), value);
	}
}

static void dma_lab_revoke(struct vpci_device *vpci, struct vpci_pin *pin)
{
	struct dma_lab *lab = to_dma_lab(vpci);

	mutex_lock(&lab->lock);
	(*dma_lab_reg(lab, DMA_LAB_REVOKED))++;
	mutex_unlock(&lab->lock);
}

/* The pins stay: the library has to find them */
static void dma_lab_reset(struct vpci_device *vpci)
{
	struct dma_lab *lab = to_dma_lab(vpci);

	flush_work(&lab->engine);
	memset(lab->regs, 0, sizeof(lab->regs));
}

static const struct vpci_ops dma_lab_ops = {
	.bar_read	= dma_lab_read,
	.bar_write	= dma_lab_write,
	.reset		= dma_lab_reset,
	.dma_revoke	= dma_lab_revoke,
};

/* A driver that forgets about revocation */
static const struct vpci_ops dma_lab_forgetful_ops = {
	.bar_read	= dma_lab_read,
	.bar_write	= dma_lab_write,
	.reset		= dma_lab_reset,
};

static struct mdev_type dma_lab_type = { .sysfs_name = "dma" };
static struct mdev_type dma_lab_forgetful_type = { .sysfs_name = "forgetful" };
static struct mdev_type *dma_lab_types[] = { &dma_lab_type, &dma_lab_forgetful_type };

static int dma_lab_probe(struct mdev_device *mdev)
{
	struct vpci_device *vpci;
	int ret;

	vpci = vpci_device_alloc(sizeof(struct dma_lab), mdev_dev(mdev), dma_lab_function,
				 mdev->type == &dma_lab_type ? &dma_lab_ops :
							       &dma_lab_forgetful_ops);
	if (IS_ERR(vpci))
		return PTR_ERR(vpci);

	mutex_init(&to_dma_lab(vpci)->lock);
	INIT_WORK(&to_dma_lab(vpci)->engine, dma_lab_engine);
	ret = vpci_device_register(vpci);
	if (ret)
		vpci_device_put(vpci);
	return ret;
}

static unsigned int dma_lab_get_available(struct mdev_type *mtype)
{
	return 16;
}

static const struct attribute_group *dma_lab_groups[] = {
	&vpci_stats_group,
	NULL,
};

static struct mdev_driver dma_lab_driver = {
	.device_api	= VFIO_DEVICE_API_PCI_STRING,
	.probe		= dma_lab_probe,
	VPCI_MDEV_DRIVER_OPS,
	.get_available	= dma_lab_get_available,
	.driver = {
		.name			= "dma_lab",
		.owner			= THIS_MODULE,
		.mod_name		= KBUILD_MODNAME,
		.dev_groups		= dma_lab_groups,
		.suppress_bind_attrs	= true,
	},
};

static struct mdev_parent dma_lab_parent;

static const struct vpci_cap_desc dma_lab_caps[] = {
	{ .type = VPCI_CAP_PM, .offset = DMA_LAB_PM, .pm.no_soft_reset = true },
};

static const struct vpci_desc dma_lab_desc = {
	.name = "dma_lab",
	.vendor = 0x1af4,
	.device = 0x10fc,
	.class = 0xff0000,
	.config_size = 256,
	.dma = true,
	.bars = { [0] = { .size = DMA_LAB_SIZE } },
	.caps = dma_lab_caps,
	.nr_caps = ARRAY_SIZE(dma_lab_caps),
};

static int dma_lab_parent_probe(struct platform_device *pdev)
{
	dma_lab_function = devm_vpci_function_create(&pdev->dev, &dma_lab_desc);
	if (IS_ERR(dma_lab_function))
		return PTR_ERR(dma_lab_function);
	return mdev_register_parent(&dma_lab_parent, &pdev->dev,
				    &dma_lab_driver, dma_lab_types,
				    ARRAY_SIZE(dma_lab_types));
}

static void dma_lab_parent_remove(struct platform_device *pdev)
{
	mdev_unregister_parent(&dma_lab_parent);
}

/* Can be unbound while instances are open */
static struct platform_driver dma_lab_parent_driver = {
	.probe	= dma_lab_parent_probe,
	.remove	= dma_lab_parent_remove,
	.driver	= { .name = "dma_lab" },
};

static struct platform_device *dma_lab_device;

static int __init dma_lab_init(void)
{
	int ret;

	ret = mdev_register_driver(&dma_lab_driver);
	if (ret)
		return ret;
	ret = platform_driver_register(&dma_lab_parent_driver);
	if (ret)
		goto err_driver;
	dma_lab_device = platform_device_register_simple("dma_lab",
							 PLATFORM_DEVID_NONE,
							 NULL, 0);
	if (IS_ERR(dma_lab_device)) {
		ret = PTR_ERR(dma_lab_device);
		goto err_parent_driver;
	}
	return 0;

err_parent_driver:
	platform_driver_unregister(&dma_lab_parent_driver);
err_driver:
	mdev_unregister_driver(&dma_lab_driver);
	return ret;
}

static void __exit dma_lab_exit(void)
{
	platform_device_unregister(dma_lab_device);
	platform_driver_unregister(&dma_lab_parent_driver);
	mdev_unregister_driver(&dma_lab_driver);
}

module_init(dma_lab_init);
module_exit(dma_lab_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Access to guest memory without a device, for tests");
