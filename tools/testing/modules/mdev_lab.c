// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parent of the mdev core whose driver does what a test says
 *
 * One type on a platform device "mdev_lab"; VFIO and vfio-vpci do not know the
 * instances. Parameters:
 *
 *	probe_result	what probe returns, whatever that is
 *	prepare_result	what prepare_remove returns, likewise
 *	stall		probe and remove wait while it is set
 *	stalled		how many wait
 *	registered	the parent is; with 0 it goes, and what prepare_remove
 *			does not give up stays as a shell
 */
#include <linux/array_size.h>
#include <linux/atomic.h>
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/mdev.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/vfio.h>
#include <linux/wait.h>

static int probe_result;
module_param(probe_result, int, 0644);
static int prepare_result;
module_param(prepare_result, int, 0644);

static DECLARE_WAIT_QUEUE_HEAD(lab_wait);
static bool stall;
static atomic_t lab_stalled;

static int lab_stall_set(const char *text, const struct kernel_param *param)
{
	int ret = param_set_bool(text, param);

	wake_up_all(&lab_wait);
	return ret;
}

static const struct kernel_param_ops lab_stall_ops = {
	.set = lab_stall_set,
	.get = param_get_bool,
};
module_param_cb(stall, &lab_stall_ops, &stall, 0644);

static int lab_stalled_get(char *buf, const struct kernel_param *param)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&lab_stalled));
}

static const struct kernel_param_ops lab_stalled_ops = {
	.get = lab_stalled_get,
};
module_param_cb(stalled, &lab_stalled_ops, NULL, 0444);

static void lab_wait_while_stalled(void)
{
	atomic_inc(&lab_stalled);
	wait_event(lab_wait, !READ_ONCE(stall));
	atomic_dec(&lab_stalled);
}

static int lab_probe(struct mdev_device *mdev)
{
	lab_wait_while_stalled();
	return READ_ONCE(probe_result);
}

static void lab_remove(struct mdev_device *mdev)
{
	lab_wait_while_stalled();
}

static int lab_prepare_remove(struct mdev_device *mdev, unsigned int attempt)
{
	return READ_ONCE(prepare_result);
}

static void lab_disconnect(struct mdev_device *mdev)
{
}

static struct mdev_driver lab_driver = {
	.device_api	= VFIO_DEVICE_API_PCI_STRING,
	.max_instances	= 4,
	.probe		= lab_probe,
	.remove		= lab_remove,
	.prepare_remove	= lab_prepare_remove,
	.disconnect	= lab_disconnect,
	.driver		= {
		.name	= "mdev_lab",
		.owner	= THIS_MODULE,
	},
};

static struct mdev_type lab_type = { .sysfs_name = "lab" };
static struct mdev_type *lab_types[] = { &lab_type };
static struct mdev_parent lab_parent;
static struct platform_device *lab_device;

static DEFINE_MUTEX(lab_register_lock);
static bool registered;

static int lab_register(bool on)
{
	int ret = 0;

	guard(mutex)(&lab_register_lock);
	if (!lab_device || on == registered)
		return -EINVAL;
	if (on)
		ret = mdev_register_parent(&lab_parent, &lab_device->dev, &lab_driver, lab_types,
					   ARRAY_SIZE(lab_types));
	else
		mdev_unregister_parent(&lab_parent);
	if (!ret)
		registered = on;
	return ret;
}

static int lab_registered_set(const char *text, const struct kernel_param *param)
{
	bool on;
	int ret;

	ret = kstrtobool(text, &on);
	return ret ?: lab_register(on);
}

static const struct kernel_param_ops lab_registered_ops = {
	.set = lab_registered_set,
	.get = param_get_bool,
};
module_param_cb(registered, &lab_registered_ops, &registered, 0644);

static int __init lab_init(void)
{
	int ret;

	ret = mdev_register_driver(&lab_driver);
	if (ret)
		return ret;

	lab_device = platform_device_register_simple("mdev_lab", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(lab_device)) {
		ret = PTR_ERR(lab_device);
		goto err_driver;
	}

	ret = lab_register(true);
	if (ret)
		goto err_device;
	return 0;

err_device:
	platform_device_unregister(lab_device);
err_driver:
	mdev_unregister_driver(&lab_driver);
	return ret;
}

static void __exit lab_exit(void)
{
	if (registered)
		mdev_unregister_parent(&lab_parent);
	platform_device_unregister(lab_device);
	mdev_unregister_driver(&lab_driver);
}

module_init(lab_init)
module_exit(lab_exit)

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("mdev parent for tests");
