// SPDX-License-Identifier: GPL-2.0-only
/*
 * mgpu: split QEMU's display adapter (PCI 1234:1111) into many
 *
 * The parent is a bochs-display or secondary-vga device bound to this driver.
 * Its VRAM (BAR 0) is cut into blocks, one for each instance; a block has the
 * size of the instance's type, a power of two, and is aligned to it. Each
 * instance is a 1234:1111 itself, which the guest's stock bochs driver drives:
 *
 *	BAR 0	the instance's VRAM, mapped, write-combining
 *	BAR 2	display registers, trapped:
 *		0x400	VGA registers, for blanking: writes are ignored
 *		0x500	VBE DISPI registers, 16 bits each
 *		0x600	size and byte order of the QEMU extension, 32 bits each
 *
 * Layout of the registers: docs/specs/standard-vga.rst of QEMU.
 *
 * mgpu.lock protects the map of blocks; mgpu_instance.lock the registers.
 * Neither is held while the other is taken.
 */
#include <linux/bitmap.h>
#include <linux/io.h>
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/vfio_vpci.h>
#include <drm/drm_fourcc.h>

#define MGPU_NAME		"mgpu"
#define MGPU_VENDOR_ID		0x1234
#define MGPU_DEVICE_ID		0x1111

/* BAR numbers, of the physical device and of an instance */
#define MGPU_VRAM_BAR		0
#define MGPU_REGS_BAR		2

#define MGPU_REGS_SIZE		SZ_4K
#define MGPU_DISPI_BASE		0x500
#define MGPU_QEXT_SIZE		0x600
#define MGPU_QEXT_ENDIAN	0x604
#define MGPU_QEXT_BYTES		8

#define MGPU_DISPI_ID5		0xb0c5
#define MGPU_DISPI_ENABLED	0x01
#define MGPU_ENDIAN_LITTLE	0x1e1e1e1e
#define MGPU_ENDIAN_BIG		0xbebebebe

enum mgpu_dispi {
	DISPI_ID,
	DISPI_XRES,
	DISPI_YRES,
	DISPI_BPP,
	DISPI_ENABLE,
	DISPI_BANK,
	DISPI_VIRT_WIDTH,
	DISPI_VIRT_HEIGHT,
	DISPI_X_OFFSET,
	DISPI_Y_OFFSET,
	DISPI_VIDEO_MEMORY_64K,
	DISPI_NR,
};

/* The smallest type, and the unit of the map of blocks */
#define MGPU_UNIT		SZ_4M
#define MGPU_NR_TYPES		7
#define MGPU_MAX_VRAM		SZ_1G

/**
 * struct mgpu_type - a size of VRAM
 * @type: the mdev core's part
 * @size: bytes of VRAM
 * @sysfs_name: such as "8M"
 * @pretty_name: for people
 * @function: the PCI function that its instances show
 */
struct mgpu_type {
	struct mdev_type type;
	u32 size;
	char sysfs_name[8];
	char pretty_name[32];
	struct vpci_function *function;
};

/**
 * struct mgpu - a physical adapter
 * @parent: the mdev core's part
 * @pdev: the adapter
 * @types: sizes on offer, ascending; those that fit into the VRAM
 * @type_ptrs: the same, as the mdev core wants them
 * @nr_types: how many
 * @vram_phys: where the VRAM lies
 * @vram: write-combining mapping of it; for scrubbing, and because on x86 it
 *	makes the instances' mappings write-combining too
 * @nr_units: size of the VRAM in units
 * @lock: protects @used
 * @used: one bit for each unit that belongs to an instance
 */
struct mgpu {
	struct mdev_parent parent;
	struct pci_dev *pdev;
	struct mgpu_type types[MGPU_NR_TYPES];
	struct mdev_type *type_ptrs[MGPU_NR_TYPES];
	unsigned int nr_types;
	phys_addr_t vram_phys;
	void __iomem *vram;
	unsigned int nr_units;
	struct mutex lock;
	unsigned long *used;
};

/**
 * struct mgpu_instance - one virtual adapter
 * @vpci: the PCI function; first
 * @mgpu: the physical adapter; NULL once it has gone
 * @vram_offset: of its block in the physical VRAM, bytes
 * @vram_size: of its block, bytes
 * @lock: held to write to @dispi and @big_endian, and to read several of them that
 *	belong together
 * @dispi: the VBE DISPI registers
 * @big_endian: byte order of the framebuffer
 */
struct mgpu_instance {
	struct vpci_device vpci;
	struct mgpu *mgpu;
	u32 vram_offset;
	u32 vram_size;
	struct mutex lock;
	u16 dispi[DISPI_NR];
	bool big_endian;
};

static struct mgpu_instance *to_instance(struct vpci_device *vpci)
{
	return container_of(vpci, struct mgpu_instance, vpci);
}

static struct mgpu_type *to_mgpu_type(struct mdev_type *type)
{
	return container_of(type, struct mgpu_type, type);
}

static struct mgpu *type_to_mgpu(struct mdev_type *type)
{
	return container_of(type->parent, struct mgpu, parent);
}

/*
 * Blocks are powers of two and aligned to their size, so the free blocks of a
 * size are exactly the instances of it that can still be made.
 */
static unsigned int mgpu_count_free_blocks(struct mgpu *mgpu, unsigned int units)
{
	unsigned int start, count = 0;

	lockdep_assert_held(&mgpu->lock);

	for (start = 0; start + units <= mgpu->nr_units; start += units) {
		if (find_next_bit(mgpu->used, start + units, start) ==
		    start + units)
			count++;
	}
	return count;
}

static unsigned int mgpu_largest_free_block(struct mgpu *mgpu)
{
	unsigned int units = rounddown_pow_of_two(mgpu->nr_units);

	while (units && !mgpu_count_free_blocks(mgpu, units))
		units /= 2;
	return units;
}

static void mgpu_log_full(struct mgpu *mgpu, struct mdev_device *mdev, u32 size)
{
	unsigned int free = mgpu->nr_units -
			    bitmap_weight(mgpu->used, mgpu->nr_units);
	unsigned int largest = mgpu_largest_free_block(mgpu);

	pci_warn(mgpu->pdev,
		 "%s: no %u MiB of VRAM: %u of %u MiB are free, the largest free block has %u MiB\n",
		 dev_name(mdev_dev(mdev)), size / SZ_1M,
		 free * (MGPU_UNIT / SZ_1M),
		 mgpu->nr_units * (MGPU_UNIT / SZ_1M),
		 largest * (MGPU_UNIT / SZ_1M));
}

/* -ENOSPC with a log line that says what was free */
static int mgpu_vram_alloc(struct mgpu *mgpu, struct mdev_device *mdev,
			   u32 size, u32 *offset)
{
	unsigned int units = size / MGPU_UNIT;
	unsigned long start;
	int ret = 0;

	mutex_lock(&mgpu->lock);
	start = bitmap_find_next_zero_area(mgpu->used, mgpu->nr_units, 0,
					   units, units - 1);
	if (start + units <= mgpu->nr_units) {
		bitmap_set(mgpu->used, start, units);
		*offset = start * MGPU_UNIT;
	} else {
		mgpu_log_full(mgpu, mdev, size);
		ret = -ENOSPC;
	}
	mutex_unlock(&mgpu->lock);
	return ret;
}

static void mgpu_vram_free(struct mgpu *mgpu, u32 offset, u32 size)
{
	mutex_lock(&mgpu->lock);
	bitmap_clear(mgpu->used, offset / MGPU_UNIT, size / MGPU_UNIT);
	mutex_unlock(&mgpu->lock);
}

static void mgpu_vram_scrub(struct mgpu_instance *inst)
{
	u32 done;

	for (done = 0; done < inst->vram_size; done += SZ_1M) {
		memset_io(inst->mgpu->vram + inst->vram_offset + done, 0, SZ_1M);
		cond_resched();
	}
}

static bool mgpu_is_dispi(u64 offset)
{
	return offset >= MGPU_DISPI_BASE &&
	       offset < MGPU_DISPI_BASE + 2 * DISPI_NR;
}

static u16 mgpu_dispi_read(struct mgpu_instance *inst, unsigned int reg)
{
	switch (reg) {
	case DISPI_ID:
		return MGPU_DISPI_ID5;
	case DISPI_VIDEO_MEMORY_64K:
		return inst->vram_size / SZ_64K;
	default:
		return READ_ONCE(inst->dispi[reg]);
	}
}

/* All registers as 16-bit words; what is not there reads 0 */
static u16 mgpu_word_read(struct mgpu_instance *inst, u64 offset)
{
	u32 endian = READ_ONCE(inst->big_endian) ? MGPU_ENDIAN_BIG : MGPU_ENDIAN_LITTLE;

	if (mgpu_is_dispi(offset))
		return mgpu_dispi_read(inst, (offset - MGPU_DISPI_BASE) / 2);

	switch (offset) {
	case MGPU_QEXT_SIZE:
		return MGPU_QEXT_BYTES;
	case MGPU_QEXT_ENDIAN:
	case MGPU_QEXT_ENDIAN + 2:
		return endian;
	default:
		return 0;
	}
}

/* Words are read whole, without a lock: several of them are several reads */
static u64 mgpu_bar_read(struct vpci_device *vpci, unsigned int bar, u64 offset,
			 unsigned int width)
{
	struct mgpu_instance *inst = to_instance(vpci);
	u64 value = 0;
	unsigned int i;

	if (width == 1)
		value = mgpu_word_read(inst, offset & ~1ULL) >> (offset % 2 * 8);
	for (i = 0; i + 2 <= width; i += 2)
		value |= (u64)mgpu_word_read(inst, offset + i) << (8 * i);
	return value;
}

static void mgpu_bar_write(struct vpci_device *vpci, unsigned int bar,
			   u64 offset, unsigned int width, u64 value)
{
	struct mgpu_instance *inst = to_instance(vpci);
	unsigned int i;

	mutex_lock(&inst->lock);
	if (offset == MGPU_QEXT_ENDIAN && width == 4)
		WRITE_ONCE(inst->big_endian, value == MGPU_ENDIAN_BIG);
	for (i = 0; i + 2 <= width; i += 2) {
		u64 at = offset + i - MGPU_DISPI_BASE;

		if (mgpu_is_dispi(offset + i))
			WRITE_ONCE(inst->dispi[at / 2], value >> (8 * i));
	}
	mutex_unlock(&inst->lock);
}

static void mgpu_reset(struct vpci_device *vpci)
{
	struct mgpu_instance *inst = to_instance(vpci);

	mutex_lock(&inst->lock);
	memset(inst->dispi, 0, sizeof(inst->dispi));
	inst->big_endian = false;
	mutex_unlock(&inst->lock);

	mgpu_vram_scrub(inst);
}

/*
 * VFIO shows a plane from the start of a region only; a framebuffer elsewhere
 * in the VRAM has no picture.
 */
static void mgpu_get_plane(struct vpci_device *vpci,
			   struct vfio_device_gfx_plane_info *plane)
{
	struct mgpu_instance *inst = to_instance(vpci);
	const u16 *dispi = inst->dispi;
	u32 stride, size;

	mutex_lock(&inst->lock);
	stride = max(dispi[DISPI_VIRT_WIDTH], dispi[DISPI_XRES]) * 4;
	size = stride * dispi[DISPI_YRES];
	if ((dispi[DISPI_ENABLE] & MGPU_DISPI_ENABLED) &&
	    dispi[DISPI_BPP] == 32 && !inst->big_endian &&
	    !dispi[DISPI_X_OFFSET] && !dispi[DISPI_Y_OFFSET] &&
	    dispi[DISPI_XRES] && size && size / dispi[DISPI_YRES] == stride &&
	    size <= inst->vram_size) {
		plane->drm_format = DRM_FORMAT_XRGB8888;
		plane->width = dispi[DISPI_XRES];
		plane->height = dispi[DISPI_YRES];
		plane->stride = stride;
		plane->size = size;
		plane->region_index = MGPU_VRAM_BAR;
	}
	mutex_unlock(&inst->lock);
}

static const struct vpci_ops mgpu_vpci_ops = {
	.bar_read	= mgpu_bar_read,
	.bar_write	= mgpu_bar_write,
	.reset		= mgpu_reset,
	.get_plane	= mgpu_get_plane,
};

static int mgpu_mdev_probe(struct mdev_device *mdev)
{
	struct mgpu_type *type = to_mgpu_type(mdev->type);
	struct mgpu *mgpu = type_to_mgpu(mdev->type);
	struct mgpu_instance *inst;
	struct vpci_device *vpci;
	int ret;

	vpci = vpci_device_alloc(sizeof(*inst), mdev_dev(mdev), type->function,
				 &mgpu_vpci_ops);
	if (IS_ERR(vpci))
		return PTR_ERR(vpci);

	inst = to_instance(vpci);
	inst->mgpu = mgpu;
	inst->vram_size = type->size;
	mutex_init(&inst->lock);
	ret = mgpu_vram_alloc(mgpu, mdev, inst->vram_size, &inst->vram_offset);
	if (ret)
		goto err_put;
	mgpu_vram_scrub(inst);

	ret = vpci_bar_back(vpci, MGPU_VRAM_BAR, 0,
			    mgpu->vram_phys + inst->vram_offset,
			    inst->vram_size, VPCI_CACHE_WRITE_COMBINE);
	if (ret)
		goto err_vram;

	ret = vpci_device_register(vpci);
	if (ret)
		goto err_vram;
	return 0;

err_vram:
	mgpu_vram_free(mgpu, inst->vram_offset, inst->vram_size);
err_put:
	vpci_device_put(vpci);
	return ret;
}

/* Nobody uses the VRAM any more; it was scrubbed when the last one did */
static void mgpu_instance_leave(struct mgpu_instance *inst)
{
	vpci_bar_revoke(&inst->vpci, MGPU_VRAM_BAR, 0, inst->vram_size);
	mgpu_vram_free(inst->mgpu, inst->vram_offset, inst->vram_size);
	WRITE_ONCE(inst->mgpu, NULL);
}

static void mgpu_mdev_remove(struct mdev_device *mdev)
{
	struct vpci_device *vpci = dev_get_drvdata(mdev_dev(mdev));
	struct mgpu_instance *inst = to_instance(vpci);

	vpci_device_unregister(vpci);
	if (inst->mgpu)
		mgpu_instance_leave(inst);
	vpci_device_put(vpci);
}

#ifdef MDEV_HAVE_PREPARE_REMOVE
static int mgpu_mdev_prepare_remove(struct mdev_device *mdev,
				    unsigned int attempt)
{
	return vpci_device_retire(dev_get_drvdata(mdev_dev(mdev)), attempt);
}
#endif

#ifdef MDEV_HAVE_DISCONNECT
static void mgpu_mdev_disconnect(struct mdev_device *mdev)
{
	struct vpci_device *vpci = dev_get_drvdata(mdev_dev(mdev));

	vpci_device_disconnect(vpci);
	mgpu_instance_leave(to_instance(vpci));
}
#endif

static unsigned int mgpu_mdev_get_available(struct mdev_type *mtype)
{
	struct mgpu *mgpu = type_to_mgpu(mtype);
	unsigned int count;

	mutex_lock(&mgpu->lock);
	count = mgpu_count_free_blocks(mgpu,
				       to_mgpu_type(mtype)->size / MGPU_UNIT);
	mutex_unlock(&mgpu->lock);
	return count;
}

static ssize_t mgpu_mdev_show_description(struct mdev_type *mtype, char *buf)
{
	return sysfs_emit(buf, "display adapter %04x:%04x with %u MiB of VRAM\n",
			  MGPU_VENDOR_ID, MGPU_DEVICE_ID,
			  to_mgpu_type(mtype)->size / (u32)SZ_1M);
}

static ssize_t vram_offset_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	struct mgpu_instance *inst = to_instance(dev_get_drvdata(dev));

	/* The block may be somebody else's by now */
	if (!READ_ONCE(inst->mgpu))
		return -ENODEV;
	return sysfs_emit(buf, "%u\n", inst->vram_offset);
}
static DEVICE_ATTR_RO(vram_offset);

static ssize_t vram_size_show(struct device *dev,
			      struct device_attribute *attr, char *buf)
{
	struct mgpu_instance *inst = to_instance(dev_get_drvdata(dev));

	return sysfs_emit(buf, "%u\n", inst->vram_size);
}
static DEVICE_ATTR_RO(vram_size);

static struct attribute *mgpu_instance_attrs[] = {
	&dev_attr_vram_offset.attr,
	&dev_attr_vram_size.attr,
	NULL,
};

static const struct attribute_group mgpu_instance_group = {
	.name = MGPU_NAME,
	.attrs = mgpu_instance_attrs,
};

static const struct attribute_group *mgpu_instance_groups[] = {
	&mgpu_instance_group,
	&vpci_stats_group,
	NULL,
};

static struct mdev_driver mgpu_mdev_driver = {
	.device_api		= VFIO_DEVICE_API_PCI_STRING,
	.probe			= mgpu_mdev_probe,
	.remove			= mgpu_mdev_remove,
#ifdef MDEV_HAVE_PREPARE_REMOVE
	.prepare_remove		= mgpu_mdev_prepare_remove,
#endif
#ifdef MDEV_HAVE_DISCONNECT
	.disconnect		= mgpu_mdev_disconnect,
#endif
	.get_available		= mgpu_mdev_get_available,
	.show_description	= mgpu_mdev_show_description,
	.driver = {
		.name			= MGPU_NAME,
		.owner			= THIS_MODULE,
		.mod_name		= KBUILD_MODNAME,
		.dev_groups		= mgpu_instance_groups,
		/* Instances leave by their "remove" file, which can refuse */
		.suppress_bind_attrs	= true,
	},
};

static int mgpu_type_init(struct mgpu *mgpu, struct mgpu_type *type, u32 size)
{
	const struct vpci_desc desc = {
		.name			= type->sysfs_name,
		.vendor			= MGPU_VENDOR_ID,
		.device			= MGPU_DEVICE_ID,
		.subsystem_vendor	= PCI_SUBVENDOR_ID_REDHAT_QUMRANET,
		.subsystem		= PCI_SUBDEVICE_ID_QEMU,
		.class			= PCI_CLASS_DISPLAY_OTHER << 8,
		/* 2: the registers at 0x600 are there */
		.revision		= 2,
		.config_size		= PCI_CFG_SPACE_SIZE,
		.bars = {
			[MGPU_VRAM_BAR] = {
				.size		= size,
				.is_64bit	= true,
				.prefetchable	= true,
				.mapped		= true,
				.cache		= VPCI_CACHE_WRITE_COMBINE,
			},
			[MGPU_REGS_BAR] = { .size = MGPU_REGS_SIZE },
		},
	};

	type->size = size;
	snprintf(type->sysfs_name, sizeof(type->sysfs_name), "%uM",
		 size / (u32)SZ_1M);
	snprintf(type->pretty_name, sizeof(type->pretty_name),
		 "display with %u MiB", size / (u32)SZ_1M);
	type->type.sysfs_name = type->sysfs_name;
	type->type.pretty_name = type->pretty_name;

	type->function = vpci_function_create(&mgpu->pdev->dev, &desc);
	return PTR_ERR_OR_ZERO(type->function);
}

static void mgpu_types_destroy(struct mgpu *mgpu)
{
	while (mgpu->nr_types)
		vpci_function_free(mgpu->types[--mgpu->nr_types].function);
}

static int mgpu_types_init(struct mgpu *mgpu, u64 vram_size)
{
	unsigned int i;
	int ret;

	for (i = 0; i < MGPU_NR_TYPES; i++) {
		u32 size = MGPU_UNIT << i;

		if (size > vram_size)
			break;
		ret = mgpu_type_init(mgpu, &mgpu->types[i], size);
		if (ret) {
			mgpu_types_destroy(mgpu);
			return ret;
		}
		mgpu->type_ptrs[i] = &mgpu->types[i].type;
		mgpu->nr_types++;
	}
	return 0;
}

static int mgpu_vram_init(struct mgpu *mgpu)
{
	struct pci_dev *pdev = mgpu->pdev;
	u64 size = pci_resource_len(pdev, MGPU_VRAM_BAR);

	if (!(pci_resource_flags(pdev, MGPU_VRAM_BAR) & IORESOURCE_MEM) ||
	    size < MGPU_UNIT || size > MGPU_MAX_VRAM) {
		pci_err(pdev, "BAR 0 has %llu bytes of VRAM, not between %u and %u\n",
			size, (u32)MGPU_UNIT, (u32)MGPU_MAX_VRAM);
		return -ENODEV;
	}

	mgpu->vram_phys = pci_resource_start(pdev, MGPU_VRAM_BAR);
	mgpu->vram = devm_ioremap_wc(&pdev->dev, mgpu->vram_phys, size);
	if (!mgpu->vram)
		return -ENOMEM;

	mgpu->nr_units = size / MGPU_UNIT;
	mgpu->used = devm_bitmap_zalloc(&pdev->dev, mgpu->nr_units, GFP_KERNEL);
	if (!mgpu->used)
		return -ENOMEM;
	return 0;
}

/* The console that was on the adapter must not show an instance's memory */
static int mgpu_scanout_off(struct pci_dev *pdev)
{
	void __iomem *regs = pcim_iomap(pdev, MGPU_REGS_BAR, MGPU_REGS_SIZE);

	if (!regs)
		return -ENOMEM;
	writew(0, regs + MGPU_DISPI_BASE + 2 * DISPI_ENABLE);
	return 0;
}

static int mgpu_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mgpu *mgpu;
	int ret;

	mgpu = devm_kzalloc(&pdev->dev, sizeof(*mgpu), GFP_KERNEL);
	if (!mgpu)
		return -ENOMEM;
	mgpu->pdev = pdev;
	mutex_init(&mgpu->lock);
	pci_set_drvdata(pdev, mgpu);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_request_all_regions(pdev, MGPU_NAME);
	if (ret)
		return ret;
	ret = mgpu_scanout_off(pdev);
	if (ret)
		return ret;
	ret = mgpu_vram_init(mgpu);
	if (ret)
		return ret;

	ret = mgpu_types_init(mgpu, pci_resource_len(pdev, MGPU_VRAM_BAR));
	if (ret)
		return ret;
	ret = mdev_register_parent(&mgpu->parent, &pdev->dev,
				   &mgpu_mdev_driver, mgpu->type_ptrs,
				   mgpu->nr_types);
	if (ret)
		mgpu_types_destroy(mgpu);
	return ret;
}

static void mgpu_pci_remove(struct pci_dev *pdev)
{
	struct mgpu *mgpu = pci_get_drvdata(pdev);

	mdev_unregister_parent(&mgpu->parent);
	mgpu_types_destroy(mgpu);
}

/*
 * Bound by driver_override only, and without a module alias: the adapter may
 * be somebody's console.
 */
static const struct pci_device_id mgpu_pci_ids[] = {
	{ PCI_DEVICE(MGPU_VENDOR_ID, MGPU_DEVICE_ID), .override_only = 1 },
	{}
};

static struct pci_driver mgpu_pci_driver = {
	.name		= MGPU_NAME,
	.id_table	= mgpu_pci_ids,
	.probe		= mgpu_pci_probe,
	.remove		= mgpu_pci_remove,
};

static int __init mgpu_init(void)
{
	int ret;

	ret = mdev_register_driver(&mgpu_mdev_driver);
	if (ret)
		return ret;

	ret = pci_register_driver(&mgpu_pci_driver);
	if (ret)
		mdev_unregister_driver(&mgpu_mdev_driver);
	return ret;
}

static void __exit mgpu_exit(void)
{
	pci_unregister_driver(&mgpu_pci_driver);
	mdev_unregister_driver(&mgpu_mdev_driver);
}

module_init(mgpu_init);
module_exit(mgpu_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Splits QEMU's display adapter into mediated devices");
