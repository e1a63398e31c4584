/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: what a parent driver may use of vfio-vpci.ko
 *
 * The library gives a parent driver a complete PCI function for VFIO: config
 * space, BARs, reset, region and device information. The driver describes the
 * function (struct vpci_desc), embeds struct vpci_device as the first member
 * of its own instance structure, and fills struct vpci_ops with what only it
 * can know.
 *
 * Life of an instance:
 *
 *	vpci_device_alloc()		may fail
 *	vpci_bar_back() ...		what the function owns from the start
 *	vpci_device_register()		may fail; from here on it can be opened
 *	vpci_device_retire()		optional: refuses new users, if it has none
 *	vpci_device_disconnect()	optional: the parent goes, users or not
 *	vpci_device_unregister()	waits for the last user to close
 *	vpci_device_put()
 *
 * Lock order, outermost first:
 *
 *	vfio_device_set.lock		opening, closing (VFIO core)
 *	  vpci_device.open_lock		whether it is open, or given up
 *	    vpci_device.config_lock	config writes, reset, display
 *	      vpci_device.trap_lock	trapped accesses in flight
 *		vpci_device.dma_lock	pins of guest memory
 *		  vpci_device.touch_lock	vpci_ops.fault_backing in flight
 *		    (the parent driver's own)
 *		    vpci_device.memory_lock	backings, decode, faults
 *		      vpci_device.window_lock	the kernel's mappings of frames
 *
 * VFIO copies to its user under vfio_device_set.lock, so a user can keep that for
 * as long as it likes, and nothing here takes it.
 *
 * Whoever reaches the VMM's memory waits for the carrier, which takes locks of VFIO
 * and then mmap_lock with none of these held. mmap_lock is taken before touch_lock by
 * the fault handler, so nothing touches, copies or pins user memory under touch_lock
 * or what comes after it, nor under dma_lock.
 */
#ifndef _LINUX_VFIO_VPCI_H
#define _LINUX_VFIO_VPCI_H

#include <linux/kref.h>
#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/percpu-rwsem.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/vfio.h>
#include <linux/vpci_area.h>
#include <linux/vpci_config.h>
#include <linux/vpci_desc.h>
#include <linux/vpci_dma.h>
#include <linux/vpci_irq.h>
#include <linux/vpci_region.h>

/* Number of the expansion ROM where BARs have numbers */
#define VPCI_ROM	VFIO_PCI_ROM_REGION_INDEX

struct vpci_block;
struct vpci_device;
struct vpci_display;

/**
 * struct vpci_function - a kind of virtual PCI function, shared by instances
 * @refs: its maker's and one of each instance, which may outlive the maker
 * @layout: of the config space
 * @bars: by number, cut into areas; the last one is the expansion ROM
 * @interrupt_pin: as described
 * @reports_errors: as described
 * @dma: likewise
 * @msi_vectors: of the MSI capability, or 0
 * @msix_vectors: of the MSI-X capability, or 0
 *
 * Made by vpci_function_create(), immutable from then on.
 */
struct vpci_function {
	struct kref refs;
	struct vpci_layout *layout;
	struct vpci_bar bars[VPCI_NUM_BARS + 1];
	u8 interrupt_pin;
	bool reports_errors;
	bool dma;
	unsigned int msi_vectors;
	unsigned int msix_vectors;
};

/**
 * struct vpci_ops - what only the parent driver knows
 * @bar_read: optional: the guest reads from a trapped BAR without banks of
 *	registers, or from the expansion ROM, whose number is VPCI_ROM. @offset
 *	is a multiple of @width, which is 1, 2, 4 or 8; the access lies inside
 *	the BAR. Returns the value in the processor's order. Without it all
 *	of that reads as ones
 * @bar_write: likewise, the guest writes; never to the ROM. Needed with @bar_read
 * @reset: bring device behaviour to its state after creation; nothing of what
 *	the guest wrote may stay. Called for each reset and at the last close.
 *	Memory decode is off and no trapped access is in flight
 * @fault_backing: optional, for drivers that allocate on touch: the page at
 *	@offset of a mapped area was touched and has no backing. Records one with
 *	vpci_bar_back() and returns 0, also when another touch was faster, or
 *	returns an error, and the sink page is shown until the page has one. Memory
 *	decode is on until it returns. A touch by a fault has the toucher's mmap_lock, or that
 *	of the VMA
 * @irq_listen: optional: somebody listens to the function's interrupts now, or
 *	nobody does any more: a timer is worth its while, or is not. Nobody
 *	listens to a new instance, nor after the last close or when it is disconnected
 * @get_plane: optional: the function has a display. Fill in drm_format, width,
 *	height, stride, size and region_index of the picture, which begins at
 *	offset 0 of that region; leave all of them zero while there is none
 * @dma_revoke: needed by drivers that pin guest memory: the pages of @pin go,
 *	because the VMM unmaps them, the function is reset, its guest switches bus
 *	mastering off or puts it into D3hot, or the driver unpins them. When it
 *	returns nobody uses them, and nobody finds them any more.
 *	vpci_device.dma_lock is held
 * @regions: optional: regions that are no part of PCI, see struct vpci_region
 * @nr_regions: how many
 * @disconnect: optional: give back what the registered instance had, such as what
 *	stood behind its BARs. Nobody can reach that any more, and @reset has run.
 *	Called once, and last; vpci_device.open_lock is held
 *
 * All may sleep. @bar_read, @bar_write, @fault_backing and @get_plane run
 * concurrently with each other: the driver brings its own lock. All but
 * @get_plane may call vpci_bar_back() and vpci_bar_revoke(). A lock that
 * @fault_backing takes must never be held while user memory is touched or
 * pinned. After vpci_device_disconnect() none of them runs or is called any more.
 */
struct vpci_ops {
	u64 (*bar_read)(struct vpci_device *vpci, unsigned int bar, u64 offset,
			unsigned int width);
	void (*bar_write)(struct vpci_device *vpci, unsigned int bar,
			  u64 offset, unsigned int width, u64 value);
	void (*reset)(struct vpci_device *vpci);
	int (*fault_backing)(struct vpci_device *vpci, unsigned int bar,
			     u64 offset);
	void (*irq_listen)(struct vpci_device *vpci, bool listening);
	void (*get_plane)(struct vpci_device *vpci,
			  struct vfio_device_gfx_plane_info *plane);
	void (*dma_revoke)(struct vpci_device *vpci, struct vpci_pin *pin);
	const struct vpci_region *regions;
	unsigned int nr_regions;
	void (*disconnect)(struct vpci_device *vpci);
};

/**
 * struct vpci_registers - what traps into the parent driver, in one BAR
 * @end: size of the trapped area that a memory BAR begins with, if it is the
 *	driver's, else 0
 * @banked: accesses go to @banks, not to the driver's ops
 * @nr_banks: as described
 * @banks: likewise
 *
 * All that a single access needs to know, side by side.
 */
struct vpci_registers {
	u64 end;
	bool banked;
	unsigned int nr_banks;
	const struct vpci_bank *banks;
};

/**
 * struct vpci_device - one virtual PCI function
 * @vdev: the VFIO device; must stay first, VFIO allocates the whole
 * @function: what kind it is
 * @ops: the parent driver's part
 * @config_lock: serialises config writes and resets
 * @config: the config space; users write it under @config_lock, the function
 *	itself changes its own bits at any time
 * @registers: by BAR, what accesses need of @function most; the last one is the
 *	expansion ROM
 * @trap_lock: held for reading around each trapped access, for writing to
 *	wait until there are none; costs readers next to nothing, and a writer
 *	a grace period of RCU
 * @touch_lock: held for reading around @ops->fault_backing, for writing to wait
 *	until it does not run
 * @memory_lock: held for reading while a fault looks up and inserts a frame,
 *	for writing while @backings or @decode change and mappings are removed
 * @backings: frames by page of the VFIO region space; under @memory_lock
 * @has_giants: a leaf of 1 GiB was mapped; set under @memory_lock
 * @decode: what it answers to, of enum vpci_decode; changes under all four
 *	locks, so each of them is enough to read it
 * @windows: the kernel's own mappings of frames of a device, for read(2) and
 *	write(2), see vpci_copy.c; they go with @memory_lock held for writing
 * @window_lock: the tree's lock
 * @open_lock: held while it is opened, closed or given up, and while its user is
 *	asked to close it
 * @dead: the parent has given it up for ever; set under @open_lock and, when
 *	somebody may use it, @config_lock too, so that either is enough to
 *	read it
 * @self_reset: the guest has reset it since it wrote what decodes; under @config_lock
 * @disconnected: vpci_ops.disconnect has been called; under @open_lock
 * @carrier: reaches guest memory
 * @dma_lock: held while @pins change
 * @pins: of guest memory, by page of the IOVA; under @dma_lock
 * @irqs: its interrupts
 * @asked: jiffies when the user was asked last to give it up; under @open_lock
 * @open: somebody has it open; under @open_lock
 * @holder_pid: who opened it, while @open; under @open_lock
 * @holder_comm: ditto
 * @sink: stands behind mapped pages without a backing, all ones at first
 * @block: the memory behind a BAR, if the parent driver took it from a pool
 * @display: its display, if the parent driver gave it one; constant once the
 *	instance is registered
 * @stats: per-CPU counters, see enum vpci_stat
 *
 * The fields are the library's. Parent drivers use the functions below.
 */
struct vpci_device {
	struct vfio_device vdev;
	struct vpci_function *function;
	const struct vpci_ops *ops;

	struct mutex config_lock;
	struct vpci_config config;
	struct vpci_registers registers[VPCI_NUM_BARS + 1];
	struct percpu_rw_semaphore trap_lock;
	struct rw_semaphore touch_lock;
	struct rw_semaphore memory_lock;
	struct maple_tree backings;
	bool has_giants;
	struct mutex window_lock;
	struct maple_tree windows;
	unsigned int decode;
	struct mutex open_lock;
	bool dead;
	bool self_reset;
	bool disconnected;

	struct vpci_carrier carrier;
	struct mutex dma_lock;
	struct rb_root_cached pins;

	struct vpci_irqs irqs;
	unsigned long asked;

	bool open;
	pid_t holder_pid;
	char holder_comm[TASK_COMM_LEN];

	struct page *sink;
	struct vpci_block *block;
	struct vpci_display *display;
	struct vpci_stats __percpu *stats;
};

struct vpci_function *vpci_function_create(struct device *dev,
					   const struct vpci_desc *desc);
void vpci_function_free(struct vpci_function *function);
struct vpci_function *devm_vpci_function_create(struct device *dev,
						const struct vpci_desc *desc);

struct vpci_device *vpci_device_alloc(size_t size, struct device *dev,
				      struct vpci_function *function,
				      const struct vpci_ops *ops);
int vpci_device_register(struct vpci_device *vpci);
int vpci_device_retire(struct vpci_device *vpci, unsigned int attempt);
void vpci_device_disconnect(struct vpci_device *vpci);
void vpci_device_unregister(struct vpci_device *vpci);

static inline void vpci_device_put(struct vpci_device *vpci)
{
	vfio_put_device(&vpci->vdev);
}

static inline struct vpci_device *to_vpci_device(struct vpci_config *cfg)
{
	return container_of(cfg, struct vpci_device, config);
}

void vpci_device_set_config(struct vpci_device *vpci, unsigned int offset,
			    u32 mask, u32 value);
void vpci_device_set_serial(struct vpci_device *vpci, u64 serial);

int vpci_bar_back(struct vpci_device *vpci, unsigned int bar, u64 offset,
		  phys_addr_t phys, u64 size, enum vpci_cache cache);
void vpci_bar_revoke(struct vpci_device *vpci, unsigned int bar, u64 offset,
		     u64 size);
void vpci_bar_move(struct vpci_device *vpci, unsigned int bar, u64 offset,
		   phys_addr_t phys, u64 size, enum vpci_cache cache,
		   void (*copy)(void *data), void *data);

void vpci_irq_signal(struct vpci_device *vpci, unsigned int vector);
void vpci_irq_lower(struct vpci_device *vpci);
void vpci_irq_error(struct vpci_device *vpci);

extern const struct attribute_group vpci_stats_group;

#endif /* _LINUX_VFIO_VPCI_H */
