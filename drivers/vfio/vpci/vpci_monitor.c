// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: the monitor that the VMM has for a display
 *
 * A region of VFIO's type GFX, subtype EDID: the VMM unplugs the monitor, writes the EDID
 * of another, and plugs that in. What it has not written is the display's own. When the
 * instance is closed the display has its own again.
 *
 * The largest picture that the region names is the one that the administrator prefers:
 * a VMM that was told of no other, QEMU for one, takes that.
 */
#include <linux/export.h>
#include <linux/string.h>
#include <linux/vfio_vpci.h>
#include <linux/vpci_display.h>

#include "vpci_private.h"

#define MONITOR_EDID		VPCI_REGION_CHUNK
#define MONITOR_SIZE		(MONITOR_EDID + VPCI_DISPLAY_EDID_MAX)

/* No access is of both: that would cross a chunk */
static_assert(sizeof(struct vfio_region_gfx_edid) <= VPCI_REGION_CHUNK);

static int vpci_monitor_read(struct vpci_device *vpci, u32 offset, void *buf,
			     unsigned int len)
{
	struct vpci_display *display = vpci->display;
	union {
		struct vfio_region_gfx_edid regs;
		u8 bytes[VPCI_REGION_CHUNK];
	} head = {};

	mutex_lock(&display->lock);
	if (offset >= MONITOR_EDID) {
		memcpy(buf, display->edid + offset - MONITOR_EDID, len);
	} else {
		head.regs.edid_offset = MONITOR_EDID;
		head.regs.edid_max_size = VPCI_DISPLAY_EDID_MAX;
		head.regs.edid_size = display->edid_size;
		head.regs.max_xres = display->width;
		head.regs.max_yres = display->height;
		head.regs.link_state = display->unplugged ?
				       VFIO_DEVICE_GFX_LINK_STATE_DOWN :
				       VFIO_DEVICE_GFX_LINK_STATE_UP;
		memcpy(buf, head.bytes + offset, len);
	}
	mutex_unlock(&display->lock);
	return 0;
}

static int vpci_monitor_set(struct vpci_display *display, u32 offset, u32 value)
{
	switch (offset) {
	case offsetof(struct vfio_region_gfx_edid, edid_size):
		if (value > VPCI_DISPLAY_EDID_MAX)
			return -EINVAL;
		display->edid_size = value;
		return 0;
	case offsetof(struct vfio_region_gfx_edid, link_state):
		if (value != VFIO_DEVICE_GFX_LINK_STATE_UP &&
		    value != VFIO_DEVICE_GFX_LINK_STATE_DOWN)
			return -EINVAL;
		display->unplugged = value == VFIO_DEVICE_GFX_LINK_STATE_DOWN;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Registers are written whole, in the order of the processor */
static int vpci_monitor_write(struct vpci_device *vpci, u32 offset,
			      const void *buf, unsigned int len)
{
	struct vpci_display *display = vpci->display;
	u32 value;
	int ret = 0;

	if (offset < MONITOR_EDID && len != sizeof(value))
		return -EINVAL;

	mutex_lock(&display->lock);
	if (offset >= MONITOR_EDID) {
		memcpy(display->edid + offset - MONITOR_EDID, buf, len);
	} else {
		memcpy(&value, buf, sizeof(value));
		ret = vpci_monitor_set(display, offset, value);
	}
	mutex_unlock(&display->lock);
	return ret;
}

static void vpci_monitor_close(struct vpci_device *vpci)
{
	vpci_display_own_edid(vpci->display);
}

const struct vpci_region vpci_display_regions[VPCI_DISPLAY_NR_REGIONS] = {
	{ .type = VFIO_REGION_TYPE_GFX,
	  .subtype = VFIO_REGION_SUBTYPE_GFX_EDID,
	  .size = MONITOR_SIZE,
	  .read = vpci_monitor_read,
	  .write = vpci_monitor_write,
	  .close = vpci_monitor_close },
};
EXPORT_SYMBOL_GPL(vpci_display_regions);
