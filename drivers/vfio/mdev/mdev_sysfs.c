// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: the files that administrators and libvirt see
 *
 *	<parent>/mdev_supported_types/<driver>-<type>/
 *		create  available_instances  device_api  name  description
 *		devices/<uuid> -> the instance
 *	<parent>/<uuid>/
 *		remove  mdev_type -> the type
 *
 * A shell, see mdev_shell.c, has neither of the two.
 *
 * Names, formats and modes are those of the kernel's
 * Documentation/ABI/testing/sysfs-bus-vfio-mdev.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kstrtox.h>
#include <linux/mdev.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "mdev_private.h"
#include "mdev_trace.h"

struct mdev_type_attribute {
	struct attribute attr;
	ssize_t (*show)(struct mdev_type *type, char *buf);
	ssize_t (*store)(struct mdev_type *type, const char *buf, size_t count);
};

static struct mdev_type *to_mdev_type(struct kobject *kobj)
{
	return container_of(kobj, struct mdev_type, kobj);
}

static struct mdev_type_attribute *to_mdev_type_attr(struct attribute *attr)
{
	return container_of(attr, struct mdev_type_attribute, attr);
}

static ssize_t mdev_type_attr_show(struct kobject *kobj, struct attribute *attr,
				   char *buf)
{
	return to_mdev_type_attr(attr)->show(to_mdev_type(kobj), buf);
}

static ssize_t mdev_type_attr_store(struct kobject *kobj,
				    struct attribute *attr, const char *buf,
				    size_t count)
{
	return to_mdev_type_attr(attr)->store(to_mdev_type(kobj), buf, count);
}

static const struct sysfs_ops mdev_type_sysfs_ops = {
	.show	= mdev_type_attr_show,
	.store	= mdev_type_attr_store,
};

static ssize_t create_store(struct mdev_type *type, const char *buf,
			    size_t count)
{
	guid_t uuid;
	int ret;

	/* Programs in C write the end of their string, too; the kernel's core takes it */
	if (count != UUID_STRING_LEN &&
	    !(count == UUID_STRING_LEN + 1 &&
	      (buf[UUID_STRING_LEN] == '\n' || !buf[UUID_STRING_LEN])))
		return -EINVAL;

	ret = guid_parse(buf, &uuid);
	if (ret)
		return ret;

	ret = mdev_device_create(type, &uuid);
	return ret ?: count;
}

static ssize_t available_instances_show(struct mdev_type *type, char *buf)
{
	struct mdev_parent *parent = type->parent;
	unsigned int available;

	if (parent->mdev_driver->get_available)
		available = parent->mdev_driver->get_available(type);
	else
		available = atomic_read(&parent->available_instances);
	return sysfs_emit(buf, "%u\n", available);
}

static ssize_t device_api_show(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type->parent->mdev_driver->device_api);
}

static ssize_t name_show(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type->pretty_name ?: type->sysfs_name);
}

static ssize_t description_show(struct mdev_type *type, char *buf)
{
	struct mdev_driver *drv = type->parent->mdev_driver;

	if (!drv->show_description)
		return name_show(type, buf);
	return drv->show_description(type, buf);
}

#define MDEV_TYPE_ATTR_RO(_name) \
	static struct mdev_type_attribute mdev_type_attr_##_name = \
		{ .attr = { .name = #_name, .mode = 0444 }, \
		  .show = _name##_show }

static struct mdev_type_attribute mdev_type_attr_create = {
	.attr = { .name = "create", .mode = 0200 },
	.store = create_store,
};
MDEV_TYPE_ATTR_RO(available_instances);
MDEV_TYPE_ATTR_RO(device_api);
MDEV_TYPE_ATTR_RO(name);
MDEV_TYPE_ATTR_RO(description);

static struct attribute *mdev_type_attrs[] = {
	&mdev_type_attr_create.attr,
	&mdev_type_attr_available_instances.attr,
	&mdev_type_attr_device_api.attr,
	&mdev_type_attr_name.attr,
	&mdev_type_attr_description.attr,
	NULL,
};
ATTRIBUTE_GROUPS(mdev_type);

static void mdev_parent_put_types(struct mdev_parent *parent)
{
	if (refcount_dec_and_test(&parent->live_types))
		complete(&parent->released);
}

static void mdev_type_release(struct kobject *kobj)
{
	mdev_parent_put_types(to_mdev_type(kobj)->parent);
}

static const struct kobj_type mdev_type_ktype = {
	.sysfs_ops	= &mdev_type_sysfs_ops,
	.release	= mdev_type_release,
	.default_groups	= mdev_type_groups,
};

static int mdev_type_add(struct mdev_parent *parent, struct mdev_type *type)
{
	int ret;

	memset(&type->kobj, 0, sizeof(type->kobj));
	type->kobj.kset = parent->mdev_types_kset;
	type->parent = parent;
	/* Balanced by mdev_type_release() */
	refcount_inc(&parent->live_types);

	ret = kobject_init_and_add(&type->kobj, &mdev_type_ktype, NULL, "%s-%s",
				   dev_driver_string(parent->dev),
				   type->sysfs_name);
	if (ret)
		goto err_put;

	type->devices_kobj = kobject_create_and_add("devices", &type->kobj);
	if (!type->devices_kobj) {
		ret = -ENOMEM;
		goto err_put;
	}

	return 0;

err_put:
	kobject_put(&type->kobj);
	return ret;
}

static void mdev_type_remove(struct mdev_type *type)
{
	kobject_put(type->devices_kobj);
	kobject_del(&type->kobj);
	kobject_put(&type->kobj);
}

static void mdev_parent_remove_first_types(struct mdev_parent *parent,
					   unsigned int nr)
{
	while (nr--)
		mdev_type_remove(parent->types[nr]);
	kset_unregister(parent->mdev_types_kset);

	/* Drop the count that mdev_register_parent() began with */
	mdev_parent_put_types(parent);
	wait_for_completion(&parent->released);
}

/* Returns when the last reference to the types is gone, so they can be freed */
void mdev_parent_remove_types(struct mdev_parent *parent)
{
	mdev_parent_remove_first_types(parent, parent->nr_types);
}

int mdev_parent_add_types(struct mdev_parent *parent)
{
	unsigned int i;
	int ret;

	parent->mdev_types_kset = kset_create_and_add("mdev_supported_types",
						      NULL,
						      &parent->dev->kobj);
	if (!parent->mdev_types_kset)
		return -ENOMEM;

	for (i = 0; i < parent->nr_types; i++) {
		ret = mdev_type_add(parent, parent->types[i]);
		if (ret) {
			mdev_parent_remove_first_types(parent, i);
			return ret;
		}
	}
	return 0;
}

static unsigned int remove_timeout = 30;
module_param(remove_timeout, uint, 0644);
MODULE_PARM_DESC(remove_timeout,
		 "seconds that \"remove\" waits for a VM to give the instance up");

#define MDEV_REMOVE_INTERVAL_MS	50

/*
 * Until the driver was asked once, whoever is in the way may be so for a moment
 * only, and is no user
 */
static bool mdev_remove_is_late(unsigned long start, unsigned int attempt)
{
	unsigned long seconds = READ_ONCE(remove_timeout);

	return time_after_eq(jiffies, start + (seconds + !attempt) * HZ);
}

/*
 * Ask until the instance is given up, the time is over or the writer loses
 * patience. No lock is held in between. Nobody tells when the last reference
 * to a VFIO device goes, so this has to look.
 */
static int mdev_device_begin_remove_wait(struct mdev_device *mdev)
{
	unsigned long start = jiffies;
	unsigned int attempt = 0;
	int ret;

	while ((ret = mdev_device_begin_remove(mdev, &attempt)) == -EAGAIN) {
		if (mdev_remove_is_late(start, attempt)) {
			ret = -EBUSY;
			break;
		}
		if (msleep_interruptible(MDEV_REMOVE_INTERVAL_MS))
			return -ERESTARTSYS;
	}

	/* The driver has told the reason for what it refused at once */
	if (ret == -EBUSY && attempt != 1)
		dev_notice(&mdev->dev, "not removed: still in use after %lu s\n",
			   (jiffies - start) / HZ);
	return ret;
}

static int mdev_device_remove(struct mdev_device *mdev,
			      struct device_attribute *remove)
{
	int ret;

	if (!mdev_device_is_created(mdev))
		return -EAGAIN;

	ret = mdev_device_begin_remove_wait(mdev);
	if (ret)
		return ret;

	/*
	 * The device's files, this one too, go away below: leave this file's
	 * active reference first. Only the owner of the removal comes here, so
	 * it is never somebody else who has removed the file.
	 */
	device_remove_file_self(&mdev->dev, remove);
	mdev_device_finish_remove(mdev);
	return 0;
}

static ssize_t remove_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	struct mdev_device *mdev = to_mdev_device(dev);
	guid_t uuid = mdev->uuid;
	unsigned long val;
	int ret;

	ret = kstrtoul(buf, 0, &val);
	if (ret)
		return ret;
	if (!val)
		return count;

	trace_mdev_remove(&uuid);
	ret = mdev_device_remove(mdev, attr);
	trace_mdev_remove_result(&uuid, ret);
	return ret ?: count;
}
static DEVICE_ATTR_WO(remove);

static struct attribute *mdev_device_attrs[] = {
	&dev_attr_remove.attr,
	NULL,
};

static const struct attribute_group mdev_device_group = {
	.attrs = mdev_device_attrs,
};

const struct attribute_group *mdev_device_groups[] = {
	&mdev_device_group,
	NULL,
};

/* When it returns, nobody is in the store of one of them any more */
void mdev_device_remove_files(struct mdev_device *mdev)
{
	device_remove_file(&mdev->dev, &dev_attr_remove);
}

int mdev_device_add_links(struct mdev_device *mdev)
{
	struct kobject *kobj = &mdev->dev.kobj;
	struct mdev_type *type = mdev->type;
	int ret;

	ret = sysfs_create_link(type->devices_kobj, kobj, dev_name(&mdev->dev));
	if (ret)
		return ret;

	ret = sysfs_create_link(kobj, &type->kobj, "mdev_type");
	if (ret)
		sysfs_remove_link(type->devices_kobj, dev_name(&mdev->dev));
	return ret;
}

void mdev_device_remove_links(struct mdev_device *mdev)
{
	sysfs_remove_link(&mdev->dev.kobj, "mdev_type");
	sysfs_remove_link(mdev->type->devices_kobj, dev_name(&mdev->dev));
}
