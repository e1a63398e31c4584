// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: displays of instances, and the screen that they share
 *
 * The parent driver computes a picture from registers, and that picture must lie
 * inside the instance's memory; it is checked here once more, because the physical
 * screen would show somebody else's memory otherwise.
 *
 * vpci_screen.shown becomes a display with that display's lock held, so whoever
 * holds it can tell without the screen's lock that it is not shown.
 */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/vfio_vpci.h>
#include <linux/vpci_display.h>
#include <linux/vpci_pool.h>

#include "vpci_private.h"

/* What a display prefers unless told otherwise; needs 3 MiB */
#define VPCI_DISPLAY_WIDTH	1024
#define VPCI_DISPLAY_HEIGHT	768

static void vpci_screen_set(struct vpci_screen *screen,
			    const struct vpci_mode *mode)
{
	lockdep_assert_held(&screen->lock);

	screen->mode = *mode;
	if (!mode->width || !screen->ops->show(screen, mode))
		screen->ops->black(screen);
}

/**
 * vpci_screen_init - take over the physical screen
 * @screen: the screen; black when this returns
 * @ops: the parent driver's part
 *
 * There is nothing to undo, once all displays have left.
 *
 * Context: may sleep.
 */
void vpci_screen_init(struct vpci_screen *screen,
		      const struct vpci_screen_ops *ops)
{
	screen->ops = ops;
	mutex_init(&screen->lock);
	vpci_screen_resume(screen);
}
EXPORT_SYMBOL_GPL(vpci_screen_init);

/**
 * vpci_screen_resume - tell the device again what to show
 * @screen: the screen
 *
 * For a device that has forgotten it while the machine was suspended.
 *
 * Context: may sleep.
 */
void vpci_screen_resume(struct vpci_screen *screen)
{
	struct vpci_mode mode;

	mutex_lock(&screen->lock);
	mode = screen->mode;
	vpci_screen_set(screen, &mode);
	mutex_unlock(&screen->lock);
}
EXPORT_SYMBOL_GPL(vpci_screen_resume);

/* The picture of a display has changed, or the display has become the shown one */
static void vpci_display_update(struct vpci_display *display)
{
	struct vpci_screen *screen = display->screen;
	struct vpci_mode mode = display->mode;

	lockdep_assert_held(&display->lock);

	if (!screen || READ_ONCE(screen->shown) != display)
		return;
	if (mode.width)
		mode.offset += display->vram->offset;
	mutex_lock(&screen->lock);
	if (screen->shown == display)
		vpci_screen_set(screen, &mode);
	mutex_unlock(&screen->lock);
}

static void vpci_display_choose(struct vpci_display *display, bool show)
{
	static const struct vpci_mode none;
	struct vpci_screen *screen = display->screen;
	bool shown;

	lockdep_assert_held(&display->lock);

	mutex_lock(&screen->lock);
	shown = screen->shown == display;
	if (show != shown) {
		WRITE_ONCE(screen->shown, show ? display : NULL);
		vpci_screen_set(screen, &none);
	}
	mutex_unlock(&screen->lock);
	vpci_display_update(display);
}

/* -ENOSPC: the memory cannot hold such a picture; -EINVAL: no EDID can tell */
static int vpci_display_prefer(struct vpci_display *display, unsigned int width,
			       unsigned int height)
{
	const struct vpci_edid_desc desc = {
		.vendor = "VPC",
		.product = 1,
		.name = "vpci display",
		.serial = dev_name(display->vpci->vdev.dev),
		.width = width,
		.height = height,
	};
	u8 edid[VPCI_EDID_SIZE];
	int ret;

	if ((u64)width * height * 4 > display->vram->size)
		return -ENOSPC;
	ret = vpci_edid_generate(edid, &desc);
	if (ret)
		return ret;

	mutex_lock(&display->lock);
	memset(display->edid, 0, sizeof(display->edid));
	memcpy(display->edid, edid, sizeof(edid));
	display->edid_size = sizeof(edid);
	display->unplugged = false;
	display->width = width;
	display->height = height;
	mutex_unlock(&display->lock);
	return 0;
}

/* In place of that which the VMM has written */
void vpci_display_own_edid(struct vpci_display *display)
{
	unsigned int width, height;

	mutex_lock(&display->lock);
	width = display->width;
	height = display->height;
	mutex_unlock(&display->lock);
	vpci_display_prefer(display, width, height);
}

/**
 * vpci_display_init - give an instance a display
 * @display: the display, embedded in the parent driver's structure
 * @vpci: the instance, not registered yet
 * @vram: the memory that its pictures lie in; it stands behind a BAR
 * @screen: where it can be shown, or NULL
 *
 * Undone by vpci_display_leave(), once the instance is registered.
 */
void vpci_display_init(struct vpci_display *display, struct vpci_device *vpci,
		       struct vpci_block *vram, struct vpci_screen *screen)
{
	mutex_init(&display->lock);
	vpci_vblank_init(display);
	display->vpci = vpci;
	display->vram = vram;
	display->screen = screen;
	vpci->display = display;
	vpci_display_prefer(display, VPCI_DISPLAY_WIDTH, VPCI_DISPLAY_HEIGHT);
}
EXPORT_SYMBOL_GPL(vpci_display_init);

/**
 * vpci_display_leave - the instance's memory and the screen will go
 * @display: the display; the instance is disconnected
 *
 * If the display was shown, the screen is black afterwards.
 *
 * Context: may sleep.
 */
void vpci_display_leave(struct vpci_display *display)
{
	mutex_lock(&display->lock);
	if (display->screen)
		vpci_display_choose(display, false);
	display->screen = NULL;
	mutex_unlock(&display->lock);
}
EXPORT_SYMBOL_GPL(vpci_display_leave);

/**
 * vpci_display_set_mode - the guest has asked for a picture, or for none
 * @display: the display
 * @mode: the picture, relative to the instance's memory
 *
 * To be called when a register was written that could matter; does little when
 * the picture is the same.
 *
 * Context: may sleep.
 */
void vpci_display_set_mode(struct vpci_display *display,
			   const struct vpci_mode *mode)
{
	if (WARN_ON_ONCE(vpci_mode_end(mode) > display->vram->size))
		return;

	mutex_lock(&display->lock);
	if (memcmp(&display->mode, mode, sizeof(*mode))) {
		display->mode = *mode;
		display->changes++;
		vpci_vblank_update(display);
		vpci_display_update(display);
	}
	mutex_unlock(&display->lock);
}
EXPORT_SYMBOL_GPL(vpci_display_set_mode);

/**
 * vpci_display_get_plane - for vpci_ops.get_plane
 * @vpci: the instance
 * @plane: filled in
 *
 * VFIO can express a picture only if it begins where the BAR begins. An instance without
 * a display has none.
 */
void vpci_display_get_plane(struct vpci_device *vpci,
			    struct vfio_device_gfx_plane_info *plane)
{
	struct vpci_display *display = vpci->display;
	const struct vpci_mode *mode;

	if (!display)
		return;
	mode = &display->mode;
	mutex_lock(&display->lock);
	if (mode->width && !mode->offset) {
		plane->drm_format = mode->format;
		plane->width = mode->width;
		plane->height = mode->height;
		plane->stride = mode->stride;
		plane->size = mode->stride * mode->height;
		plane->region_index = display->vram->bar;
	}
	mutex_unlock(&display->lock);
}
EXPORT_SYMBOL_GPL(vpci_display_get_plane);

/**
 * vpci_display_edid_read - for vpci_bank.read
 * @vpci: the instance
 * @byte: of the EDID, up to %VPCI_DISPLAY_EDID_MAX; behind its end, and without a
 *	monitor, all are 0
 *
 * Context: may sleep.
 * Return: the byte.
 */
u64 vpci_display_edid_read(struct vpci_device *vpci, unsigned int byte)
{
	struct vpci_display *display = vpci->display;
	u8 value = 0;

	if (!display)
		return 0;
	mutex_lock(&display->lock);
	if (!display->unplugged && byte < display->edid_size)
		value = display->edid[byte];
	mutex_unlock(&display->lock);
	return value;
}
EXPORT_SYMBOL_GPL(vpci_display_edid_read);

/* NULL: the instance has none; its driver has the files all the same */
static struct vpci_display *dev_to_display(struct device *dev)
{
	struct vpci_device *vpci = dev_to_vpci(dev);

	return vpci ? vpci->display : NULL;
}

static ssize_t mode_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct vpci_display *display = dev_to_display(dev);
	struct vpci_mode mode;

	if (!display)
		return -ENODEV;
	mutex_lock(&display->lock);
	mode = display->mode;
	mutex_unlock(&display->lock);
	if (!mode.width)
		return sysfs_emit(buf, "off\n");
	return sysfs_emit(buf, "%ux%u %p4cc stride %u offset %u\n", mode.width,
			  mode.height, &mode.format, mode.stride, mode.offset);
}
static DEVICE_ATTR_RO(mode);

static ssize_t mode_changes_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	struct vpci_display *display = dev_to_display(dev);
	u64 changes;

	if (!display)
		return -ENODEV;
	mutex_lock(&display->lock);
	changes = display->changes;
	mutex_unlock(&display->lock);
	return sysfs_emit(buf, "%llu\n", changes);
}
static DEVICE_ATTR_RO(mode_changes);

static ssize_t resolution_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	struct vpci_display *display = dev_to_display(dev);
	ssize_t ret;

	if (!display)
		return -ENODEV;
	mutex_lock(&display->lock);
	ret = sysfs_emit(buf, "%ux%u\n", display->width, display->height);
	mutex_unlock(&display->lock);
	return ret;
}

static ssize_t resolution_store(struct device *dev,
				struct device_attribute *attr, const char *buf,
				size_t count)
{
	struct vpci_display *display = dev_to_display(dev);
	unsigned int width, height;
	int end = 0, ret;

	if (!display)
		return -ENODEV;
	if (sscanf(buf, "%ux%u %n", &width, &height, &end) != 2 || buf[end])
		return -EINVAL;
	ret = vpci_display_prefer(display, width, height);
	return ret ?: count;
}
static DEVICE_ATTR_RW(resolution);

static ssize_t scanout_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct vpci_display *display = dev_to_display(dev);
	bool shown;

	if (!display)
		return -ENODEV;
	mutex_lock(&display->lock);
	shown = display->screen && READ_ONCE(display->screen->shown) == display;
	mutex_unlock(&display->lock);
	return sysfs_emit(buf, "%u\n", shown);
}

static ssize_t scanout_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct vpci_display *display = dev_to_display(dev);
	bool show;
	int ret;

	if (!display)
		return -ENODEV;
	ret = kstrtobool(buf, &show);
	if (ret)
		return ret;

	mutex_lock(&display->lock);
	if (display->screen)
		vpci_display_choose(display, show);
	else
		ret = -ENODEV;
	mutex_unlock(&display->lock);
	return ret ?: count;
}
static DEVICE_ATTR_RW(scanout);

static struct attribute *vpci_display_attrs[] = {
	&dev_attr_mode.attr,
	&dev_attr_mode_changes.attr,
	&dev_attr_resolution.attr,
	&dev_attr_scanout.attr,
	NULL,
};

const struct attribute_group vpci_display_group = {
	.name = "display",
	.attrs = vpci_display_attrs,
};
EXPORT_SYMBOL_GPL(vpci_display_group);
