/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: what the files of vfio-vpci.ko share
 *
 * A region's place in the file offsets of a VFIO device follows from its
 * index: the index stands above bit 40, as with vfio-pci. User space learns it
 * from VFIO_DEVICE_GET_REGION_INFO. The lock order stands in vfio_vpci.h.
 */
#ifndef VPCI_PRIVATE_H
#define VPCI_PRIVATE_H

#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/vfio_vpci.h>

#define VPCI_REGION_SHIFT	40
#define VPCI_REGION_MASK	((1ULL << VPCI_REGION_SHIFT) - 1)

static inline u64 vpci_region_start(unsigned int index)
{
	return (u64)index << VPCI_REGION_SHIFT;
}

enum vpci_stat {
	VPCI_STAT_CONFIG_READS,
	VPCI_STAT_CONFIG_WRITES,
	VPCI_STAT_TRAPPED_READS,
	VPCI_STAT_TRAPPED_WRITES,
	VPCI_STAT_FAULTS_4K,
	VPCI_STAT_FAULTS_2M,
	VPCI_STAT_FAULTS_1G,
	VPCI_STAT_SINK_FAULTS,
	VPCI_STAT_PAGES_MAPPED,
	VPCI_STAT_REVOKES,
	VPCI_STAT_WINDOWS,
	VPCI_STAT_INTERRUPTS,
	VPCI_STAT_RESETS,
	VPCI_NR_STATS,
};

/* Counters only grow; a sum over processors is exact once they rest */
struct vpci_stats {
	u64 count[VPCI_NR_STATS];
};

static inline void vpci_stat_inc(struct vpci_device *vpci, enum vpci_stat stat)
{
	this_cpu_inc(vpci->stats->count[stat]);
}

static inline void vpci_stat_add(struct vpci_device *vpci, enum vpci_stat stat,
				 unsigned long count)
{
	this_cpu_add(vpci->stats->count[stat], count);
}

static inline struct vpci_device *vdev_to_vpci(struct vfio_device *vdev)
{
	return container_of(vdev, struct vpci_device, vdev);
}

/*
 * For files of an instance. NULL: the driver lists a group for a device that it has not
 * registered, and any user can read the file
 */
static inline struct vpci_device *dev_to_vpci(struct device *dev)
{
	return dev_get_drvdata(dev);
}

/**
 * struct vpci_extent - a backing, as a touch finds it
 * @first: its first page in the region space
 * @last: its last page
 * @pfn: frame of its first page
 * @cache: how it may be cached
 */
struct vpci_extent {
	unsigned long first;
	unsigned long last;
	unsigned long pfn;
	enum vpci_cache cache;
};

/**
 * struct vpci_errand - something that the carrier does in the VMM's memory
 * @node: in vpci_carrier.queue, until it begins
 * @refs: who sent it, and the carrier; kvfree() ends it, so it is the first member of
 *	whatever it is part of
 * @run: what to do; gives back what it had got, if its sender is gone
 * @result: what that returned
 */
struct vpci_errand {
	struct list_head node;
	struct kref refs;
	int (*run)(struct vpci_device *vpci, struct vpci_errand *errand);
	int result;
};

/* vpci_device.c */
extern const struct vpci_config_ops vpci_device_config_ops;

/* vpci_bar.c */
int vpci_bar_init(struct vpci_device *vpci);
void vpci_bar_destroy(struct vpci_device *vpci);
void vpci_bar_reset(struct vpci_device *vpci);
void vpci_bar_set_decode(struct vpci_device *vpci, unsigned int decode);
void vpci_bar_zap(struct vpci_device *vpci, u64 start, u64 size);
bool vpci_backing_touch(struct vpci_device *vpci, unsigned long index,
			struct vpci_extent *extent);

/*
 * An access of what does not decode is an error for VFIO. But a VMM goes by its own copy
 * of COMMAND, and logs each access that fails: none may when the guest has switched decode
 * off behind its back, by a reset, or when the function is gone
 */
static inline int vpci_bar_absent(const struct vpci_device *vpci, void *buf,
				  size_t len, bool write)
{
	if (!READ_ONCE(vpci->dead) && !READ_ONCE(vpci->self_reset))
		return -EIO;
	if (!write)
		memset(buf, 0xff, len);
	return 0;
}

/* vpci_fault.c */
int vpci_bar_mmap(struct vfio_device *vdev, struct vm_area_struct *vma);

/* vpci_copy.c */
void vpci_windows_init(struct vpci_device *vpci);
void vpci_windows_destroy(struct vpci_device *vpci);
void vpci_windows_close(struct vpci_device *vpci, unsigned long first, unsigned long last);
void vpci_windows_close_all(struct vpci_device *vpci);
int vpci_bar_copy(struct vpci_device *vpci, unsigned int bar, u64 offset,
		  void *buf, size_t len, bool write);

/* vpci_region.c */
u64 vpci_region_size(const struct vpci_device *vpci, unsigned int index);
int vpci_region_get_info(struct vfio_device *vdev,
			 struct vfio_region_info *info,
			 struct vfio_info_cap *caps);
unsigned int vpci_access_width(u64 offset, unsigned int len);
u64 vpci_value_get(const u8 *buf, unsigned int width);
void vpci_value_put(u8 *buf, unsigned int width, u64 value);
ssize_t vpci_region_read(struct vfio_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos);
ssize_t vpci_region_write(struct vfio_device *vdev, const char __user *buf,
			  size_t count, loff_t *ppos);

/* vpci_own.c */
int vpci_own_get_info(struct vpci_device *vpci, struct vfio_region_info *info,
		      struct vfio_info_cap *caps);
int vpci_own_check(const struct vpci_device *vpci, unsigned int index, u64 offset,
		   size_t count);
int vpci_own_access(struct vpci_device *vpci, unsigned int index, u32 offset,
		    u8 *buf, unsigned int len, bool write);
void vpci_own_close(struct vpci_device *vpci);

/* vpci_registers.c */
void vpci_registers_init(struct vpci_device *vpci);
u64 vpci_registers_read(struct vpci_device *vpci, unsigned int bar, u64 offset,
			unsigned int width);
void vpci_registers_write(struct vpci_device *vpci, unsigned int bar,
			  u64 offset, unsigned int width, u64 value);

/* vpci_irq.c */
int vpci_irq_init(struct vpci_device *vpci);
void vpci_irq_destroy(struct vpci_device *vpci);
void vpci_irq_reset(struct vpci_device *vpci);
void vpci_irq_update(struct vpci_device *vpci);
void vpci_irq_update_messages(struct vpci_device *vpci, unsigned int first,
			      unsigned int nr);
bool vpci_irq_request(struct vpci_device *vpci);
bool vpci_irq_send_single(struct vpci_device *vpci,
			  struct vpci_trigger __rcu **single);
void vpci_intx_mask(struct vpci_device *vpci, bool masked);
void vpci_intx_update(struct vpci_device *vpci);

/* vpci_irqfd.c */
int vpci_irq_get_info(struct vpci_device *vpci, struct vfio_irq_info *info);
int vpci_irq_set(struct vpci_device *vpci, struct vfio_irq_set *set,
		 const void __user *user);
void vpci_irq_leave(struct vpci_device *vpci);
void vpci_irq_close(struct vpci_device *vpci);

/* vpci_dma.c */
void vpci_dma_unmap(struct vfio_device *vdev, u64 iova, u64 length);
void vpci_dma_stop(struct vpci_device *vpci);

/* vpci_carrier.c */
void vpci_errand_put(struct vpci_errand *errand);
void vpci_carrier_init(struct vpci_device *vpci);
int vpci_carrier_open(struct vpci_device *vpci);
void vpci_carrier_shut(struct vpci_device *vpci);
void vpci_carrier_close(struct vpci_device *vpci);
int vpci_carrier_send(struct vpci_device *vpci, struct vpci_errand *errand);
void vpci_carrier_quiesce(struct vpci_device *vpci);
void vpci_carrier_flush(struct vpci_device *vpci);

/* vpci_display.c */
void vpci_display_own_edid(struct vpci_display *display);

/* vpci_vblank.c */
void vpci_vblank_init(struct vpci_display *display);
void vpci_vblank_update(struct vpci_display *display);

/* vpci_msix.c */
extern const struct vpci_area_ops vpci_msix_table_ops;
extern const struct vpci_area_ops vpci_msix_pba_ops;

#endif /* VPCI_PRIVATE_H */
