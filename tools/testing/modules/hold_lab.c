// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hold a device's device_lock() for as long as a test likes
 *
 * Writing a path below /sys to /dev/hold_lab takes the lock of the device whose directory
 * that is, and holds it until a signal ends the write. /sys/module/hold_lab/parameters/held
 * tells when it has it. There is no reference to the device behind the lock: who removes
 * the device needs the lock.
 */
#include <linux/device.h>
#include <linux/kernfs.h>
#include <linux/magic.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/namei.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/wait.h>

static DECLARE_WAIT_QUEUE_HEAD(hold_wait);
static bool held;
module_param(held, bool, 0444);

/* Locked, or NULL */
static noinline struct device *hold_device(const char *name)
{
	struct device *dev = NULL;
	struct kernfs_node *node;
	struct path path;

	if (kern_path(name, LOOKUP_DIRECTORY, &path))
		return NULL;
	node = d_inode(path.dentry)->i_private;
	if (path.dentry->d_sb->s_magic == SYSFS_MAGIC && node)
		dev = get_device(kobj_to_dev(node->priv));
	path_put(&path);
	if (!dev)
		return NULL;

	device_lock(dev);
	if (!device_is_registered(dev)) {
		device_unlock(dev);
		put_device(dev);
		return NULL;
	}
	put_device(dev);
	return dev;
}

static ssize_t hold_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	struct device *dev;
	char *name;

	name = memdup_user_nul(buf, min_t(size_t, count, PATH_MAX));
	if (IS_ERR(name))
		return PTR_ERR(name);
	dev = hold_device(strim(name));
	kfree(name);
	if (!dev)
		return -ENODEV;

	held = true;
	wait_event_interruptible(hold_wait, false);
	held = false;
	device_unlock(dev);
	return -EINTR;
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.write = hold_write,
};

static struct miscdevice hold_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hold_lab",
	.fops = &hold_fops,
};
module_misc_device(hold_misc);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("holder of device locks for tests");
