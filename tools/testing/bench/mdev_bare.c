// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parent driver whose instances do nothing and are unknown to VFIO, so that
 * creating and removing them costs what the mdev core and the driver core cost.
 * Builds against our <linux/mdev.h> and the kernel's.
 */
#include <linux/limits.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/platform_device.h>

static struct mdev_type bare_type = { .sysfs_name = "bare" };
static struct mdev_type *bare_types[] = { &bare_type };

static struct platform_device *bare_device;
static struct mdev_parent bare_parent;

static struct mdev_driver bare_driver = {
	.device_api	= "none",
	.max_instances	= INT_MAX,
	.driver = {
		.name	= "mdev_bare",
		.owner	= THIS_MODULE,
	},
};

static int __init bare_init(void)
{
	int ret;

	ret = mdev_register_driver(&bare_driver);
	if (ret)
		return ret;

	bare_device = platform_device_register_simple("mdev_bare",
						      PLATFORM_DEVID_NONE,
						      NULL, 0);
	if (IS_ERR(bare_device)) {
		ret = PTR_ERR(bare_device);
		goto err_driver;
	}

	ret = mdev_register_parent(&bare_parent, &bare_device->dev,
				   &bare_driver, bare_types,
				   ARRAY_SIZE(bare_types));
	if (ret)
		goto err_device;
	return 0;

err_device:
	platform_device_unregister(bare_device);
err_driver:
	mdev_unregister_driver(&bare_driver);
	return ret;
}

static void __exit bare_exit(void)
{
	mdev_unregister_parent(&bare_parent);
	platform_device_unregister(bare_device);
	mdev_unregister_driver(&bare_driver);
}

module_init(bare_init);
module_exit(bare_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Mediated devices that do nothing, to measure the lifecycle core");
