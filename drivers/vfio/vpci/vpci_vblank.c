// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: the vertical blank of a display
 *
 * A picture is drawn as often as the display's EDID says, 60 times a second,
 * and the function interrupts each time that one is complete. A timer ticks only
 * while there is a picture and somebody listens to interrupts. When the machine is
 * too busy to tick in time, ticks are left out: none is made up for.
 *
 * The timer is started and cancelled under vpci_display.lock, and takes no lock
 * but that of the interrupts.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/vpci_display.h>

#include "vpci_compat.h"
#include "vpci_private.h"

#define VPCI_VBLANK_NS	(NSEC_PER_SEC / VPCI_EDID_HZ)

static enum hrtimer_restart vpci_vblank_tick(struct hrtimer *timer)
{
	struct vpci_display *display = container_of(timer, struct vpci_display,
						    vblank);

	vpci_irq_signal(display->vpci, VPCI_DISPLAY_VECTOR);
	hrtimer_forward_now(timer, VPCI_VBLANK_NS);
	return HRTIMER_RESTART;
}

void vpci_vblank_init(struct vpci_display *display)
{
	hrtimer_setup(&display->vblank, vpci_vblank_tick, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL);
}

/* There is a picture now, or somebody listens, or not any more */
void vpci_vblank_update(struct vpci_display *display)
{
	bool wanted = display->mode.width && display->listening;

	lockdep_assert_held(&display->lock);

	if (wanted == hrtimer_active(&display->vblank))
		return;
	if (wanted)
		hrtimer_start(&display->vblank, VPCI_VBLANK_NS, HRTIMER_MODE_REL);
	else
		hrtimer_cancel(&display->vblank);
}

/**
 * vpci_display_listen - for vpci_ops.irq_listen
 * @vpci: the instance, whose interrupt VPCI_DISPLAY_VECTOR is the vertical blank
 * @listening: somebody listens to interrupts now
 *
 * A parent driver that leaves it out has a display without a vertical blank.
 *
 * Context: may sleep.
 */
void vpci_display_listen(struct vpci_device *vpci, bool listening)
{
	struct vpci_display *display = vpci->display;

	if (!display)
		return;
	mutex_lock(&display->lock);
	display->listening = listening;
	vpci_vblank_update(display);
	mutex_unlock(&display->lock);
}
EXPORT_SYMBOL_GPL(vpci_display_listen);
