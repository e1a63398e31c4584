// SPDX-License-Identifier: GPL-2.0-only
/*
 * mgpu: split QEMU's display adapter (PCI 1234:1111) into many
 *
 * The parent is a bochs-display or secondary-vga device bound to this driver, or
 * system memory (soft_vram). Its VRAM (BAR 0) is a pool, of which each instance
 * has a block of the size of its type. Each instance is a bochs-display itself,
 * which the guest's stock bochs driver drives; but it has an interrupt, too, the
 * vertical blank:
 *
 *	BAR 0	the instance's VRAM, mapped, write-combining. 32-bit, as a bochs-display's:
 *		UEFI counts the halves of one that is 64-bit as one BAR, and its driver of
 *		this adapter would look for the registers in BAR 3
 *	BAR 2	display registers, trapped:
 *		0x000	EDID, bytes
 *		0x400	VGA registers; a bochs-display has none
 *		0x500	VBE DISPI registers, 16 bits each
 *		0x600	size and byte order of the QEMU extension, 32 bits each
 *	BAR 3	the table and the pending bits of MSI-X
 *
 * Layout of the registers: docs/specs/standard-vga.rst of QEMU. A bochs-display
 * stores whatever is written to them; only a mode that makes sense is shown.
 *
 * The physical screen shows the instance that the administrator has chosen, by
 * pointing the adapter's scanout at that part of the VRAM. An adapter cannot be
 * told to show nothing, it goes on with what it has. So black is a picture, too:
 * the smallest one there is, at the end of the VRAM, which is borrowed for it.
 *
 * mgpu_instance.lock protects the registers. The library's locks come after it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/aperture.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/vpci_display.h>
#include <linux/vpci_mdev.h>
#include <linux/vpci_pool.h>
#include <drm/drm_fourcc.h>

#define MGPU_NAME		"mgpu"
#define MGPU_VENDOR_ID		0x1234
#define MGPU_DEVICE_ID		0x1111

/* BAR numbers, of the physical device and of an instance */
#define MGPU_VRAM_BAR		0
#define MGPU_REGS_BAR		2
#define MGPU_MSIX_BAR		3

#define MGPU_REGS_SIZE		SZ_4K
#define MGPU_MSIX_SIZE		SZ_64K
#define MGPU_MSIX_PBA		SZ_32K
#define MGPU_EDID_END		0x100
#define MGPU_VGA_ATTRIBUTES	0x400
#define MGPU_VGA_MISC		0x402
#define MGPU_VGA_STATUS		0x41a
#define MGPU_DISPI_BASE		0x500
#define MGPU_QEXT_BASE		0x600
#define MGPU_QEXT_BYTES		8

#define MGPU_DISPI_ID5		0xb0c5
#define MGPU_DISPI_ENABLED	0x01
#define MGPU_DISPI_LFB		0x40
#define MGPU_DISPI_NOCLEAR	0x80
#define MGPU_ENDIAN_LITTLE	0x1e1e1e1e
#define MGPU_ENDIAN_BIG		0xbebebebe
#define MGPU_VGA_COLOUR		0x01
#define MGPU_VGA_SHOW		0x20

/* The most that QEMU makes a bochs-display of. What is larger may not fit below 4 GiB */
#define MGPU_VRAM_32BIT		SZ_256M

/* What a bochs-display shows, pixels */
#define MGPU_MIN_SIZE		64

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

enum mgpu_qext {
	QEXT_SIZE,
	QEXT_ENDIAN,
};

/* The smallest type */
#define MGPU_UNIT		SZ_4M
#define MGPU_NR_TYPES		(ilog2(VPCI_POOL_MAX / MGPU_UNIT) + 1)

/* Bytes; 0, there is no such parent */
static unsigned long long soft_vram;

/* With more than these memparse() could wrap around, and come to a size that is allowed */
#define SOFT_VRAM_CHARS		10

static int soft_vram_set(const char *text, const struct kernel_param *kp)
{
	char *end;
	u64 bytes = memparse(text, &end);

	if (strlen(text) > SOFT_VRAM_CHARS || *end || !bytes ||
	    bytes % MGPU_UNIT || bytes > VPCI_POOL_MAX) {
		pr_err("soft_vram=%s is not a multiple of %uM from %uM to %uM, such as soft_vram=64M\n",
		       text, MGPU_UNIT / SZ_1M, MGPU_UNIT / SZ_1M,
		       VPCI_POOL_MAX / SZ_1M);
		return -EINVAL;
	}
	soft_vram = bytes;
	return 0;
}

static const struct kernel_param_ops soft_vram_ops = {
	.set = soft_vram_set,
	.get = param_get_ullong,
};

module_param_cb(soft_vram, &soft_vram_ops, &soft_vram, 0444);
MODULE_PARM_DESC(soft_vram,
		 "system memory to make a parent of, a multiple of 4M up to 1024M, such as 64M");

/**
 * struct mgpu_type - a size of VRAM
 * @type: the mdev core's part
 * @size: bytes of VRAM
 * @function: the PCI function that its instances show
 */
struct mgpu_type {
	struct mdev_type type;
	u32 size;
	struct vpci_function *function;
};

/**
 * struct mgpu - a parent
 * @parent: the mdev core's part
 * @dev: the adapter
 * @types: sizes on offer, ascending; those that fit into the VRAM
 * @type_ptrs: the same, as the mdev core wants them
 * @vram: the VRAM
 * @regs: the adapter's display registers; NULL if it is only memory
 * @screen: the physical screen, if there are registers
 */
struct mgpu {
	struct mdev_parent parent;
	struct device *dev;
	struct mgpu_type types[MGPU_NR_TYPES];
	struct mdev_type *type_ptrs[MGPU_NR_TYPES];
	struct vpci_pool vram;
	void __iomem *regs;
	struct vpci_screen screen;
};

/**
 * struct mgpu_instance - one virtual adapter
 * @vpci: the PCI function; first
 * @vram: its VRAM
 * @display: its display
 * @lock: held to write to @dispi and @big_endian, and to read several of them that
 *	belong together
 * @dispi: the VBE DISPI registers
 * @big_endian: byte order of the framebuffer
 */
struct mgpu_instance {
	struct vpci_device vpci;
	struct vpci_block vram;
	struct vpci_display display;
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

static u32 mgpu_format(const struct mgpu_instance *inst)
{
	if (inst->dispi[DISPI_BPP] == 16)
		return DRM_FORMAT_RGB565;
	return inst->big_endian ? DRM_FORMAT_BGRX8888 : DRM_FORMAT_XRGB8888;
}

/* Tell the display what picture the registers ask for, if any */
static void mgpu_mode_changed(struct mgpu_instance *inst)
{
	const u16 *dispi = inst->dispi;
	u32 bytes = dispi[DISPI_BPP] / 8;
	u64 stride = max(dispi[DISPI_VIRT_WIDTH], dispi[DISPI_XRES]) * bytes;
	u64 offset = dispi[DISPI_Y_OFFSET] * stride +
		     dispi[DISPI_X_OFFSET] * bytes;
	struct vpci_mode mode = {};

	lockdep_assert_held(&inst->lock);

	if ((dispi[DISPI_ENABLE] & MGPU_DISPI_ENABLED) &&
	    (dispi[DISPI_BPP] == 16 || dispi[DISPI_BPP] == 32) &&
	    dispi[DISPI_XRES] >= MGPU_MIN_SIZE &&
	    dispi[DISPI_YRES] >= MGPU_MIN_SIZE &&
	    offset + stride * dispi[DISPI_YRES] <= inst->vram.size)
		mode = (struct vpci_mode) {
			.offset = offset,
			.width = dispi[DISPI_XRES],
			.height = dispi[DISPI_YRES],
			.stride = stride,
			.format = mgpu_format(inst),
			.bytes = bytes,
		};
	vpci_display_set_mode(&inst->display, &mode);
}

static void mgpu_hw_write(struct mgpu *mgpu, enum mgpu_dispi reg, u32 value)
{
	writew(value, mgpu->regs + MGPU_DISPI_BASE + 2 * reg);
}

/* Switch the screen of a secondary-vga on or off; a bochs-display ignores it */
static void mgpu_hw_blank(struct mgpu *mgpu, bool blank)
{
	writeb(MGPU_VGA_COLOUR, mgpu->regs + MGPU_VGA_MISC);
	/* What is written next is an index */
	readb(mgpu->regs + MGPU_VGA_STATUS);
	writeb(blank ? 0 : MGPU_VGA_SHOW, mgpu->regs + MGPU_VGA_ATTRIBUTES);
}

/*
 * Show a picture of the physical VRAM, or black. A bochs-display takes the mode
 * over when it is enabled. A secondary-vga clears some registers then, and adapts
 * others to its liking: false.
 */
static bool mgpu_hw_set(struct mgpu *mgpu, const struct vpci_mode *mode)
{
	const u32 values[] = {
		[DISPI_XRES]		= mode->width,
		[DISPI_YRES]		= mode->height,
		[DISPI_BPP]		= mode->bytes * 8,
		[DISPI_VIRT_WIDTH]	= mode->stride / mode->bytes,
		[DISPI_X_OFFSET]	= mode->offset % mode->stride / mode->bytes,
		[DISPI_Y_OFFSET]	= mode->offset / mode->stride,
	};
	bool big_endian = mode->format == DRM_FORMAT_BGRX8888;
	unsigned int i;

	mgpu_hw_blank(mgpu, true);
	mgpu_hw_write(mgpu, DISPI_ENABLE, 0);
	writel(big_endian ? MGPU_ENDIAN_BIG : MGPU_ENDIAN_LITTLE,
	       mgpu->regs + MGPU_QEXT_BASE + 4 * QEXT_ENDIAN);
	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i] > U16_MAX)
			return false;
	for (i = 0; i < ARRAY_SIZE(values); i++)
		mgpu_hw_write(mgpu, i, values[i]);
	mgpu_hw_write(mgpu, DISPI_ENABLE, MGPU_DISPI_ENABLED | MGPU_DISPI_LFB |
					  MGPU_DISPI_NOCLEAR);
	for (i = DISPI_VIRT_WIDTH; i < ARRAY_SIZE(values); i++)
		mgpu_hw_write(mgpu, i, values[i]);

	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i] &&
		    readw(mgpu->regs + MGPU_DISPI_BASE + 2 * i) != values[i])
			return false;
	return true;
}

static void mgpu_screen_black(struct vpci_screen *screen)
{
	struct mgpu *mgpu = container_of(screen, struct mgpu, screen);
	const struct vpci_mode black = {
		.offset = mgpu->vram.size - VPCI_POOL_SPARE,
		.width = MGPU_MIN_SIZE,
		.height = MGPU_MIN_SIZE,
		/* Large: a secondary-vga counts up to 12000 lines */
		.stride = VPCI_POOL_SPARE / MGPU_MIN_SIZE,
		.format = DRM_FORMAT_XRGB8888,
		.bytes = 4,
	};

	vpci_pool_borrow(&mgpu->vram);
	if (mgpu_hw_set(mgpu, &black))
		mgpu_hw_blank(mgpu, false);
}

static bool mgpu_screen_show(struct vpci_screen *screen,
			     const struct vpci_mode *mode)
{
	struct mgpu *mgpu = container_of(screen, struct mgpu, screen);

	if (!mgpu_hw_set(mgpu, mode))
		return false;
	/* Only a picture that needs it makes the contents move */
	if (vpci_mode_end(mode) > mgpu->vram.size - VPCI_POOL_SPARE)
		vpci_pool_give_back(&mgpu->vram);
	mgpu_hw_blank(mgpu, false);
	return true;
}

static const struct vpci_screen_ops mgpu_screen_ops = {
	.show	= mgpu_screen_show,
	.black	= mgpu_screen_black,
};

/* A register is read whole and without a lock: several of them are several reads */
static u64 mgpu_dispi_read(struct vpci_device *vpci, unsigned int reg)
{
	struct mgpu_instance *inst = to_instance(vpci);

	switch (reg) {
	case DISPI_ID:
		return MGPU_DISPI_ID5;
	case DISPI_VIDEO_MEMORY_64K:
		return inst->vram.size / SZ_64K;
	default:
		return READ_ONCE(inst->dispi[reg]);
	}
}

static void mgpu_dispi_write(struct vpci_device *vpci, unsigned int reg,
			     u32 value)
{
	struct mgpu_instance *inst = to_instance(vpci);

	mutex_lock(&inst->lock);
	WRITE_ONCE(inst->dispi[reg], value);
	mgpu_mode_changed(inst);
	mutex_unlock(&inst->lock);
}

static u64 mgpu_qext_read(struct vpci_device *vpci, unsigned int reg)
{
	if (reg == QEXT_SIZE)
		return MGPU_QEXT_BYTES;
	return READ_ONCE(to_instance(vpci)->big_endian) ? MGPU_ENDIAN_BIG :
							  MGPU_ENDIAN_LITTLE;
}

static void mgpu_qext_write(struct vpci_device *vpci, unsigned int reg,
			    u32 value)
{
	struct mgpu_instance *inst = to_instance(vpci);

	if (reg != QEXT_ENDIAN ||
	    (value != MGPU_ENDIAN_BIG && value != MGPU_ENDIAN_LITTLE))
		return;
	mutex_lock(&inst->lock);
	WRITE_ONCE(inst->big_endian, value == MGPU_ENDIAN_BIG);
	mgpu_mode_changed(inst);
	mutex_unlock(&inst->lock);
}

static const struct vpci_bank mgpu_banks[] = {
	{ 0, MGPU_EDID_END, 1, false, vpci_display_edid_read, NULL },
	{ MGPU_DISPI_BASE, MGPU_DISPI_BASE + 2 * DISPI_NR, 2, false,
	  mgpu_dispi_read, mgpu_dispi_write },
	{ MGPU_QEXT_BASE, MGPU_QEXT_BASE + MGPU_QEXT_BYTES, 4, true,
	  mgpu_qext_read, mgpu_qext_write },
};

static void mgpu_reset(struct vpci_device *vpci)
{
	struct mgpu_instance *inst = to_instance(vpci);

	mutex_lock(&inst->lock);
	memset(inst->dispi, 0, sizeof(inst->dispi));
	inst->big_endian = false;
	mgpu_mode_changed(inst);
	mutex_unlock(&inst->lock);

	vpci_block_scrub(&inst->vram);
}

/* The VRAM was scrubbed by the reset before */
static void mgpu_disconnect(struct vpci_device *vpci)
{
	struct mgpu_instance *inst = to_instance(vpci);

	vpci_display_leave(&inst->display);
	vpci_block_free(&inst->vram);
}

static const struct vpci_ops mgpu_vpci_ops = {
	.reset		= mgpu_reset,
	.irq_listen	= vpci_display_listen,
	.get_plane	= vpci_display_get_plane,
	.regions	= vpci_display_regions,
	.nr_regions	= VPCI_DISPLAY_NR_REGIONS,
	.disconnect	= mgpu_disconnect,
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
	mutex_init(&inst->lock);
	ret = vpci_block_alloc(&inst->vram, &mgpu->vram, type->size,
			       dev_name(mdev_dev(mdev)));
	if (ret)
		goto err_put;

	ret = vpci_block_back(&inst->vram, vpci, MGPU_VRAM_BAR);
	if (ret)
		goto err_vram;
	vpci_display_init(&inst->display, vpci, &inst->vram,
			  mgpu->regs ? &mgpu->screen : NULL);
	ret = vpci_device_register(vpci);
	if (ret)
		goto err_vram;
	return 0;

err_vram:
	vpci_block_free(&inst->vram);
err_put:
	vpci_device_put(vpci);
	return ret;
}

static unsigned int mgpu_mdev_get_available(struct mdev_type *mtype)
{
	return vpci_pool_available(&type_to_mgpu(mtype)->vram,
				   to_mgpu_type(mtype)->size);
}

static ssize_t mgpu_mdev_show_description(struct mdev_type *mtype, char *buf)
{
	u32 size = to_mgpu_type(mtype)->size;
	unsigned int width, height;

	vpci_edid_largest(size, &width, &height);
	return sysfs_emit(buf,
			  "display adapter %04x:%04x with %u MiB of VRAM, 1 head, up to %ux%u, 1 interrupt vector\n",
			  MGPU_VENDOR_ID, MGPU_DEVICE_ID, size / (u32)SZ_1M,
			  width, height);
}

static const struct attribute_group mgpu_instance_group = {
	.name = MGPU_NAME,
	.attrs = vpci_block_attrs,
};

static const struct attribute_group *mgpu_instance_groups[] = {
	&mgpu_instance_group,
	&vpci_display_group,
	&vpci_stats_group,
	NULL,
};

static struct mdev_driver mgpu_mdev_driver = {
	.device_api		= VFIO_DEVICE_API_PCI_STRING,
	.probe			= mgpu_mdev_probe,
	VPCI_MDEV_DRIVER_OPS,
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

/*
 * Where QEMU's adapter has it. Not power management: a D3hot in each suspend of the guest
 * would cost the picture.
 */
#define MGPU_EXP_OFFSET		0x80

static const struct vpci_cap_desc mgpu_caps[] = {
	{ .type = VPCI_CAP_EXP, .offset = MGPU_EXP_OFFSET, .exp.flr = true },
	{ .type = VPCI_CAP_MSIX,
	  .msix = { .vectors = VPCI_DISPLAY_VECTOR + 1,
		    .table_bar = MGPU_MSIX_BAR, .pba_bar = MGPU_MSIX_BAR,
		    .pba_offset = MGPU_MSIX_PBA } },
};

static struct vpci_function *mgpu_function_create(struct mgpu *mgpu,
						  const char *name, u32 size)
{
	const struct vpci_desc desc = {
		.name			= name,
		.vendor			= MGPU_VENDOR_ID,
		.device			= MGPU_DEVICE_ID,
		.subsystem_vendor	= PCI_SUBVENDOR_ID_REDHAT_QUMRANET,
		.subsystem		= PCI_SUBDEVICE_ID_QEMU,
		.class			= PCI_CLASS_DISPLAY_OTHER << 8,
		/* 2: the registers at 0x600 are there */
		.revision		= 2,
		.config_size		= PCI_CFG_SPACE_EXP_SIZE,
		.bars = {
			[MGPU_VRAM_BAR] = {
				.size		= size,
				.is_64bit	= size > MGPU_VRAM_32BIT,
				.prefetchable	= true,
				.mapped		= true,
				.cache		= mgpu->regs ?
					VPCI_CACHE_WRITE_COMBINE :
					VPCI_CACHE_WRITE_BACK,
			},
			[MGPU_REGS_BAR] = {
				.size		= MGPU_REGS_SIZE,
				.banks		= mgpu_banks,
				.nr_banks	= ARRAY_SIZE(mgpu_banks),
			},
			[MGPU_MSIX_BAR] = { .size = MGPU_MSIX_SIZE },
		},
		.caps			= mgpu_caps,
		.nr_caps		= ARRAY_SIZE(mgpu_caps),
	};

	return devm_vpci_function_create(mgpu->dev, &desc);
}

static int mgpu_type_init(struct mgpu *mgpu, struct mgpu_type *type, u32 size)
{
	type->size = size;
	type->type.sysfs_name = devm_kasprintf(mgpu->dev, GFP_KERNEL, "%uM",
					       size / (u32)SZ_1M);
	type->type.pretty_name = devm_kasprintf(mgpu->dev, GFP_KERNEL,
						"display with %u MiB",
						size / (u32)SZ_1M);
	if (!type->type.sysfs_name || !type->type.pretty_name)
		return -ENOMEM;

	type->function = mgpu_function_create(mgpu, type->type.sysfs_name, size);
	return PTR_ERR_OR_ZERO(type->function);
}

static struct mgpu *mgpu_alloc(struct device *dev)
{
	struct mgpu *mgpu = devm_kzalloc(dev, sizeof(*mgpu), GFP_KERNEL);

	if (!mgpu)
		return NULL;
	mgpu->dev = dev;
	dev_set_drvdata(dev, mgpu);
	return mgpu;
}

static void mgpu_unregister(void *mgpu)
{
	mdev_unregister_parent(&((struct mgpu *)mgpu)->parent);
}

/* The VRAM and the screen are there. Undone when the driver is unbound */
static int mgpu_register(struct mgpu *mgpu)
{
	unsigned int i;
	int ret;

	for (i = 0; mgpu->vram.size >> i >= MGPU_UNIT; i++) {
		ret = mgpu_type_init(mgpu, &mgpu->types[i], MGPU_UNIT << i);
		if (ret)
			return ret;
		mgpu->type_ptrs[i] = &mgpu->types[i].type;
	}
	ret = mdev_register_parent(&mgpu->parent, mgpu->dev, &mgpu_mdev_driver,
				   mgpu->type_ptrs, i);
	if (ret)
		return ret;
	return devm_add_action_or_reset(mgpu->dev, mgpu_unregister, mgpu);
}

static int mgpu_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mgpu *mgpu = mgpu_alloc(&pdev->dev);
	int ret;

	if (!mgpu)
		return -ENOMEM;

	/* The console of a host that was booted by UEFI, no driver of a PCI device, draws there */
	ret = aperture_remove_conflicting_pci_devices(pdev, MGPU_NAME);
	if (ret)
		return ret;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_request_all_regions(pdev, MGPU_NAME);
	if (ret)
		return dev_err_probe(&pdev->dev, ret,
				     "its memory is in use, /proc/iomem says by whom\n");
	mgpu->regs = pcim_iomap(pdev, MGPU_REGS_BAR, MGPU_REGS_SIZE);
	if (!mgpu->regs)
		return -ENOMEM;
	ret = vpci_pool_init_device(&mgpu->vram, pdev, MGPU_VRAM_BAR,
				    MGPU_UNIT);
	if (ret)
		return ret;

	/* The console that was here must not show an instance's memory */
	vpci_screen_init(&mgpu->screen, &mgpu_screen_ops);
	return mgpu_register(mgpu);
}

/* An adapter that has slept has forgotten its registers, but not its memory */
static int mgpu_pci_resume(struct device *dev)
{
	struct mgpu *mgpu = dev_get_drvdata(dev);

	vpci_screen_resume(&mgpu->screen);
	return 0;
}

/* So has one that was off, and in its memory is what the kernel drew that loaded the image */
static int mgpu_pci_restore(struct device *dev)
{
	struct mgpu *mgpu = dev_get_drvdata(dev);

	vpci_pool_lost(&mgpu->vram);
	vpci_screen_resume(&mgpu->screen);
	return 0;
}

/*
 * Nothing for freeze, thaw and poweroff: the adapter does nothing by itself that would have to
 * be stopped, and forgets nothing while an image is made of the machine that goes on.
 */
static const struct dev_pm_ops mgpu_pci_pm_ops = {
	.resume		= pm_sleep_ptr(mgpu_pci_resume),
	.restore	= pm_sleep_ptr(mgpu_pci_restore),
};

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
	.driver.pm	= pm_sleep_ptr(&mgpu_pci_pm_ops),
};

static int mgpu_soft_probe(struct platform_device *pdev)
{
	struct mgpu *mgpu = mgpu_alloc(&pdev->dev);
	int ret;

	if (!mgpu)
		return -ENOMEM;
	ret = vpci_pool_init_memory(&mgpu->vram, &pdev->dev, soft_vram,
				    MGPU_UNIT);
	if (ret)
		return ret;
	return mgpu_register(mgpu);
}

static struct platform_driver mgpu_soft_driver = {
	.driver.name	= MGPU_NAME,
};

static struct platform_device *mgpu_soft;

/* Without that parent there still are adapters to be served */
static void __init mgpu_soft_init(void)
{
	struct platform_device *soft;

	if (!soft_vram)
		return;
	soft = platform_create_bundle(&mgpu_soft_driver, mgpu_soft_probe,
				      NULL, 0, NULL, 0);
	if (IS_ERR(soft))
		pr_err("soft_vram=%lluM: no parent of system memory, see above why; adapters can be bound\n",
		       soft_vram / SZ_1M);
	else
		mgpu_soft = soft;
}

static void mgpu_soft_exit(void)
{
	if (!mgpu_soft)
		return;
	platform_device_unregister(mgpu_soft);
	platform_driver_unregister(&mgpu_soft_driver);
}

static int __init mgpu_init(void)
{
	int ret;

	ret = mdev_register_driver(&mgpu_mdev_driver);
	if (ret)
		return ret;
	mgpu_soft_init();
	ret = pci_register_driver(&mgpu_pci_driver);
	if (ret) {
		mgpu_soft_exit();
		mdev_unregister_driver(&mgpu_mdev_driver);
	}
	return ret;
}

static void __exit mgpu_exit(void)
{
	pci_unregister_driver(&mgpu_pci_driver);
	mgpu_soft_exit();
	mdev_unregister_driver(&mgpu_mdev_driver);
}

module_init(mgpu_init);
module_exit(mgpu_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Splits QEMU's display adapter into mediated devices");
MODULE_VERSION(MGPU_VERSION);
