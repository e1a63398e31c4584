/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: displays of instances, and the screen that they share
 *
 * A parent driver whose instances are display adapters embeds a struct
 * vpci_display in each, and tells it the picture that the guest's registers ask
 * for whenever that changes. In return the VMM sees it (vpci_display_get_plane()),
 * the administrator finds the group "display" below the instance
 * (vpci_display_group), the display has an EDID for the guest, which the VMM can replace
 * (vpci_display_regions), and it interrupts at each vertical blank
 * (vpci_display_listen()).
 *
 * If the physical device has a screen, a struct vpci_screen shows the picture of
 * the instance that the administrator has chosen, black while that has none.
 *
 * Locks: vpci_display.lock, then vpci_screen.lock, then vpci_pool.lock.
 */
#ifndef _LINUX_VPCI_DISPLAY_H
#define _LINUX_VPCI_DISPLAY_H

#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/sysfs.h>
#include <linux/types.h>
#include <linux/vpci_edid.h>
#include <linux/vpci_region.h>

/* The largest EDID that a VMM can write */
#define VPCI_DISPLAY_EDID_MAX	(2 * VPCI_EDID_SIZE)

/* Which of the function's interrupts is the vertical blank */
#define VPCI_DISPLAY_VECTOR	0

struct vfio_device_gfx_plane_info;
struct vpci_block;
struct vpci_device;
struct vpci_display;
struct vpci_screen;

/**
 * struct vpci_mode - a picture in a memory
 * @offset: of its first pixel, bytes
 * @width: pixels; 0 means that there is none, and the rest is zero, too
 * @height: lines
 * @stride: from line to line, bytes
 * @format: of a pixel, DRM_FORMAT_*
 * @bytes: of a pixel
 */
struct vpci_mode {
	u32 offset;
	u32 width;
	u32 height;
	u32 stride;
	u32 format;
	u32 bytes;
};

static inline u64 vpci_mode_end(const struct vpci_mode *mode)
{
	return mode->offset + (u64)mode->stride * mode->height;
}

/**
 * struct vpci_screen_ops - what only the parent driver knows
 * @show: show a picture, which lies in the physical device's memory. False: the
 *	device cannot; @black follows
 * @black: show nothing of that memory
 *
 * Both may sleep; the screen's lock is held.
 */
struct vpci_screen_ops {
	bool (*show)(struct vpci_screen *screen, const struct vpci_mode *mode);
	void (*black)(struct vpci_screen *screen);
};

/**
 * struct vpci_screen - a physical screen
 * @ops: the parent driver's part
 * @lock: protects what follows, and serialises @ops
 * @shown: whose picture it shows, or NULL
 * @mode: what it was told to show last
 */
struct vpci_screen {
	const struct vpci_screen_ops *ops;
	struct mutex lock;
	struct vpci_display *shown;
	struct vpci_mode mode;
};

/**
 * struct vpci_display - the display of an instance
 * @vpci: the instance
 * @vram: the memory that pictures lie in, from the start of a BAR
 * @lock: protects what follows
 * @screen: where it can be shown; NULL if there is no screen, or not any more
 * @mode: the picture now
 * @changes: how often that became another one
 * @listening: somebody listens to the interrupts of @vpci
 * @vblank: ticks while somebody does, and there is a picture
 * @edid: what the guest may read, while a monitor is plugged in
 * @edid_size: bytes of it that count
 * @unplugged: the VMM has unplugged the monitor
 * @width: of the preferred mode, pixels
 * @height: likewise, lines
 */
struct vpci_display {
	struct vpci_device *vpci;
	struct vpci_block *vram;
	struct mutex lock;
	struct vpci_screen *screen;
	struct vpci_mode mode;
	u64 changes;
	bool listening;
	struct hrtimer vblank;
	u8 edid[VPCI_DISPLAY_EDID_MAX];
	unsigned int edid_size;
	bool unplugged;
	unsigned int width;
	unsigned int height;
};

void vpci_screen_init(struct vpci_screen *screen,
		      const struct vpci_screen_ops *ops);
void vpci_screen_resume(struct vpci_screen *screen);

void vpci_display_init(struct vpci_display *display, struct vpci_device *vpci,
		       struct vpci_block *vram, struct vpci_screen *screen);
void vpci_display_leave(struct vpci_display *display);
void vpci_display_set_mode(struct vpci_display *display,
			   const struct vpci_mode *mode);
u64 vpci_display_edid_read(struct vpci_device *vpci, unsigned int byte);
void vpci_display_listen(struct vpci_device *vpci, bool listening);
void vpci_display_get_plane(struct vpci_device *vpci,
			    struct vfio_device_gfx_plane_info *plane);

extern const struct attribute_group vpci_display_group;

/* For vpci_ops.regions, of an instance with a display */
#define VPCI_DISPLAY_NR_REGIONS	1
extern const struct vpci_region vpci_display_regions[VPCI_DISPLAY_NR_REGIONS];

#endif /* _LINUX_VPCI_DISPLAY_H */
