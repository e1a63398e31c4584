// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: the bus that instances live on, and its drivers
 *
 * An instance is bound to its parent's driver when it is created and to no
 * other: nothing matches by itself.
 */
#include <linux/mdev.h>

#include "mdev_private.h"
#include "mdev_trace.h"

static struct mdev_driver *to_mdev_driver(struct device_driver *driver)
{
	return container_of(driver, struct mdev_driver, driver);
}

/* NULL after somebody has unbound it by hand; under device_lock() */
struct mdev_driver *mdev_device_driver(struct mdev_device *mdev)
{
	device_lock_assert(&mdev->dev);

	return mdev->dev.driver ? to_mdev_driver(mdev->dev.driver) : NULL;
}

/*
 * The driver core logs a line for most errors of a probe. Here a probe fails
 * because somebody asked for more than there is, and that somebody gets the
 * errno from write(2); -ENODEV keeps the driver core quiet.
 */
static int mdev_bus_probe(struct device *dev)
{
	struct mdev_driver *drv = to_mdev_driver(dev->driver);
	struct mdev_device *mdev = to_mdev_device(dev);

	if (!drv->probe)
		return 0;

	mdev->probe_error = drv->probe(mdev);
	if (!mdev->probe_error)
		return 0;
	trace_mdev_probe_failed(&mdev->uuid, mdev->probe_error);
	return -ENODEV;
}

static void mdev_bus_remove(struct device *dev)
{
	struct mdev_driver *drv = to_mdev_driver(dev->driver);

	if (drv->remove)
		drv->remove(to_mdev_device(dev));
}

static int mdev_bus_match(struct device *dev, const struct device_driver *drv)
{
	return 0;
}

const struct bus_type mdev_bus_type = {
	.name	= "mdev",
	.probe	= mdev_bus_probe,
	.remove	= mdev_bus_remove,
	.match	= mdev_bus_match,
};

/**
 * mdev_register_driver - register a driver for instances
 * @drv: the driver; its device_api and driver.name must be set
 *
 * Context: may sleep.
 * Return: 0, or a negative errno; -EINVAL when device_api is missing, or
 * prepare_remove of a driver that has disconnect.
 */
int mdev_register_driver(struct mdev_driver *drv)
{
	if (!drv->device_api || (drv->disconnect && !drv->prepare_remove))
		return -EINVAL;

	drv->driver.bus = &mdev_bus_type;
	return driver_register(&drv->driver);
}
EXPORT_SYMBOL(mdev_register_driver);

/**
 * mdev_unregister_driver - undo mdev_register_driver()
 * @drv: the driver; no parent that uses it may be registered any more
 *
 * Context: may sleep.
 */
void mdev_unregister_driver(struct mdev_driver *drv)
{
	driver_unregister(&drv->driver);
	/* Shells that have lost their driver here have no user either */
	mdev_shell_reap();
}
EXPORT_SYMBOL(mdev_unregister_driver);
