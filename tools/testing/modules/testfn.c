// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function with what mgpu has no use for, so that its effects can be tested
 *
 * One instance, on a platform device "testfn". BAR 0 is mapped, and has one page
 * of memory behind it. BAR 2 (memory) and BAR 3 (I/O) trap, and hold a counter
 * of resets at 0 and a scratch register at 4. The ROM's bytes are their offset.
 */
#include <linux/array_size.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/vfio_vpci.h>

struct testfn {
	struct vpci_device vpci;
	struct mutex lock;
	u32 resets;
	u32 scratch;
};

static struct platform_device *testfn_pdev;
static struct vpci_function *testfn_function;
static struct page *testfn_page;

static struct testfn *to_testfn(struct vpci_device *vpci)
{
	return container_of(vpci, struct testfn, vpci);
}

static u64 testfn_bar_read(struct vpci_device *vpci, unsigned int bar,
			   u64 offset, unsigned int width)
{
	struct testfn *fn = to_testfn(vpci);
	u64 value = 0;
	unsigned int i;

	if (bar == VPCI_ROM) {
		for (i = 0; i < width; i++)
			value |= (u64)(u8)(offset + i) << (8 * i);
		return value;
	}

	mutex_lock(&fn->lock);
	if (offset == 0)
		value = fn->resets;
	else if (offset == 4)
		value = fn->scratch;
	mutex_unlock(&fn->lock);
	return value;
}

static void testfn_bar_write(struct vpci_device *vpci, unsigned int bar,
			     u64 offset, unsigned int width, u64 value)
{
	struct testfn *fn = to_testfn(vpci);

	mutex_lock(&fn->lock);
	if (offset == 4)
		fn->scratch = value;
	mutex_unlock(&fn->lock);
}

static void testfn_reset(struct vpci_device *vpci)
{
	struct testfn *fn = to_testfn(vpci);

	mutex_lock(&fn->lock);
	fn->resets++;
	fn->scratch = 0;
	mutex_unlock(&fn->lock);
}

static const struct vpci_ops testfn_ops = {
	.bar_read	= testfn_bar_read,
	.bar_write	= testfn_bar_write,
	.reset		= testfn_reset,
};

/* Rings are counted in the scratch register */
static void testfn_doorbell(struct vpci_config *cfg, unsigned int offset,
			    u32 old, u32 new, u32 enables)
{
	struct testfn *fn = to_testfn(to_vpci_device(cfg));

	if (!(new & 1))
		return;
	mutex_lock(&fn->lock);
	fn->scratch++;
	mutex_unlock(&fn->lock);
}

static const struct vpci_reg_desc testfn_regs[] = {
	{ .name = "doorbell", .offset = 4, .width = 4, .trigger = 1,
	  .hook = testfn_doorbell },
};

static const struct vpci_cap_desc testfn_caps[] = {
	{ .type = VPCI_CAP_PM, .offset = 0x40 },
	{ .type = VPCI_CAP_EXP, .offset = 0x50, .exp = { .flr = true } },
	{ .type = VPCI_CAP_VENDOR, .offset = 0xa0,
	  .vendor = { .length = 8, .regs = testfn_regs,
		      .nr_regs = ARRAY_SIZE(testfn_regs) } },
	{ .type = VPCI_EXT_CAP_DSN },
};

static const struct vpci_desc testfn_desc = {
	.name		= "testfn",
	.vendor		= 0x1234,
	.device		= 0x5678,
	.class		= 0x00ff00,
	.config_size	= 4096,
	.rom_size	= SZ_64K,
	.bars = {
		[0] = { .size = SZ_64K, .is_64bit = true, .mapped = true },
		[2] = { .size = SZ_4K },
		[3] = { .size = 32, .is_io = true },
	},
	.caps		= testfn_caps,
	.nr_caps	= ARRAY_SIZE(testfn_caps),
};

static int testfn_instance_init(struct device *dev)
{
	struct vpci_device *vpci;
	int ret;

	vpci = vpci_device_alloc(sizeof(struct testfn), dev, testfn_function,
				 &testfn_ops);
	if (IS_ERR(vpci))
		return PTR_ERR(vpci);

	mutex_init(&to_testfn(vpci)->lock);
	vpci_device_set_serial(vpci, 0x1122334455667788);
	ret = vpci_bar_back(vpci, 0, 0, page_to_phys(testfn_page), PAGE_SIZE,
			    VPCI_CACHE_WRITE_BACK);
	if (!ret)
		ret = vpci_device_register(vpci);
	if (ret)
		vpci_device_put(vpci);
	return ret;
}

static int testfn_probe(struct platform_device *pdev)
{
	int ret = -ENOMEM;

	testfn_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!testfn_page)
		return ret;

	testfn_function = vpci_function_create(&pdev->dev, &testfn_desc);
	if (IS_ERR(testfn_function)) {
		ret = PTR_ERR(testfn_function);
		goto err_page;
	}
	ret = testfn_instance_init(&pdev->dev);
	if (ret)
		goto err_function;
	return 0;

err_function:
	vpci_function_free(testfn_function);
err_page:
	__free_page(testfn_page);
	return ret;
}

static void testfn_remove(struct platform_device *pdev)
{
	struct vpci_device *vpci = platform_get_drvdata(pdev);

	vpci_device_unregister(vpci);
	vpci_device_put(vpci);
	vpci_function_free(testfn_function);
	__free_page(testfn_page);
}

static struct platform_driver testfn_driver = {
	.remove	= testfn_remove,
	.driver	= { .name = "testfn" },
};

/* VFIO shows only devices that have a driver */
static int __init testfn_init(void)
{
	testfn_pdev = platform_create_bundle(&testfn_driver, testfn_probe,
					     NULL, 0, NULL, 0);
	return PTR_ERR_OR_ZERO(testfn_pdev);
}
module_init(testfn_init);

static void __exit testfn_exit(void)
{
	platform_device_unregister(testfn_pdev);
	platform_driver_unregister(&testfn_driver);
}
module_exit(testfn_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual PCI function for tests");
