// SPDX-License-Identifier: GPL-2.0-only
/*
 * A parent driver without a device, for tests of interrupts and resets
 *
 * Its function can interrupt in every way there is, when its user asks for it by
 * the registers in irq_lab.h. It has as many messages as it can, or as the parameters say.
 *
 * Not part of the product: no install target knows it.
 */
#include <linux/irq_work.h>
#include <linux/module.h>
#include <linux/vpci_mdev.h>

#include "irq_lab.h"

/**
 * struct irq_lab - one instance
 * @vpci: the PCI function; first
 * @work: runs in a hard interrupt
 * @work_vector: what it signals then
 * @scratch: a register
 * @listening: somebody listens
 */
struct irq_lab {
	struct vpci_device vpci;
	struct irq_work work;
	u32 work_vector;
	u32 scratch;
	bool listening;
};

static struct vpci_function *irq_lab_function;
static struct device *irq_lab_device;

static struct irq_lab *to_irq_lab(struct vpci_device *vpci)
{
	return container_of(vpci, struct irq_lab, vpci);
}

static void irq_lab_work(struct irq_work *work)
{
	struct irq_lab *lab = container_of(work, struct irq_lab, work);

	vpci_irq_signal(&lab->vpci, READ_ONCE(lab->work_vector));
}

static u64 irq_lab_read(struct vpci_device *vpci, unsigned int bar, u64 offset,
			unsigned int width)
{
	struct irq_lab *lab = to_irq_lab(vpci);

	if (bar || width != 4)
		return ~0ULL;
	switch (offset) {
	case IRQ_LAB_LISTENING:
		return READ_ONCE(lab->listening);
	case IRQ_LAB_SCRATCH:
		return READ_ONCE(lab->scratch);
	default:
		return 0;
	}
}

static void irq_lab_write(struct vpci_device *vpci, unsigned int bar,
			  u64 offset, unsigned int width, u64 value)
{
	struct irq_lab *lab = to_irq_lab(vpci);

	if (bar || width != 4)
		return;
	switch (offset) {
	case IRQ_LAB_SIGNAL:
		vpci_irq_signal(vpci, value);
		break;
	case IRQ_LAB_LOWER:
		vpci_irq_lower(vpci);
		break;
	case IRQ_LAB_ERROR:
		vpci_irq_error(vpci);
		break;
	case IRQ_LAB_HARDIRQ:
		WRITE_ONCE(lab->work_vector, value);
		irq_work_queue(&lab->work);
		break;
	case IRQ_LAB_SCRATCH:
		WRITE_ONCE(lab->scratch, value);
		break;
	}
}

static void irq_lab_reset(struct vpci_device *vpci)
{
	struct irq_lab *lab = to_irq_lab(vpci);

	irq_work_sync(&lab->work);
	WRITE_ONCE(lab->scratch, 0);
}

static void irq_lab_listen(struct vpci_device *vpci, bool listening)
{
	WRITE_ONCE(to_irq_lab(vpci)->listening, listening);
}

static void irq_lab_disconnect(struct vpci_device *vpci)
{
	irq_work_sync(&to_irq_lab(vpci)->work);
}

static const struct vpci_ops irq_lab_ops = {
	.bar_read	= irq_lab_read,
	.bar_write	= irq_lab_write,
	.reset		= irq_lab_reset,
	.irq_listen	= irq_lab_listen,
	.disconnect	= irq_lab_disconnect,
};

static int irq_lab_probe(struct mdev_device *mdev)
{
	struct vpci_device *vpci;
	struct irq_lab *lab;
	int ret;

	vpci = vpci_device_alloc(sizeof(*lab), mdev_dev(mdev), irq_lab_function,
				 &irq_lab_ops);
	if (IS_ERR(vpci))
		return PTR_ERR(vpci);

	lab = to_irq_lab(vpci);
	init_irq_work(&lab->work, irq_lab_work);
	ret = vpci_device_register(vpci);
	if (ret)
		vpci_device_put(vpci);
	return ret;
}

static unsigned int irq_lab_get_available(struct mdev_type *mtype)
{
	return 16;
}

static const struct attribute_group *irq_lab_groups[] = {
	&vpci_stats_group,
	NULL,
};

static struct mdev_driver irq_lab_driver = {
	.device_api	= VFIO_DEVICE_API_PCI_STRING,
	.probe		= irq_lab_probe,
	VPCI_MDEV_DRIVER_OPS,
	.get_available	= irq_lab_get_available,
	.driver = {
		.name			= "irq_lab",
		.owner			= THIS_MODULE,
		.mod_name		= KBUILD_MODNAME,
		.dev_groups		= irq_lab_groups,
		.suppress_bind_attrs	= true,
	},
};

static struct mdev_type irq_lab_type = { .sysfs_name = "irqs" };
static struct mdev_type *irq_lab_types[] = { &irq_lab_type };
static struct mdev_parent irq_lab_parent;

/* Places in irq_lab_caps */
enum {
	IRQ_LAB_CAP_MSI = 1,
	IRQ_LAB_CAP_MSIX,
};

static unsigned int msi_vectors = IRQ_LAB_MSI_VECTORS;
module_param(msi_vectors, uint, 0444);
static unsigned int msix_vectors = IRQ_LAB_MSIX_VECTORS;
module_param(msix_vectors, uint, 0444);

static struct vpci_cap_desc irq_lab_caps[] = {
	{ .type = VPCI_CAP_PM, .offset = IRQ_LAB_PM },
	[IRQ_LAB_CAP_MSI] = {
		.type = VPCI_CAP_MSI, .offset = IRQ_LAB_MSI,
		.msi = { .is_64bit = true, .maskable = true },
	},
	[IRQ_LAB_CAP_MSIX] = {
		.type = VPCI_CAP_MSIX, .offset = IRQ_LAB_MSIX,
		.msix = { .table_bar = IRQ_LAB_MSIX_BAR,
			  .table_offset = IRQ_LAB_TABLE,
			  .pba_bar = IRQ_LAB_MSIX_BAR,
			  .pba_offset = IRQ_LAB_PBA },
	},
	{ .type = VPCI_CAP_EXP, .offset = IRQ_LAB_EXP, .exp = { .flr = true } },
};

static const struct vpci_desc irq_lab_desc = {
	.name = "irq_lab",
	.vendor = 0x1af4,
	.device = 0x10fd,
	.class = 0xff0000,
	.config_size = 4096,
	.interrupt_pin = 1,
	.reports_errors = true,
	.bars = {
		[0] = { .size = IRQ_LAB_SIZE },
		[IRQ_LAB_MSIX_BAR] = { .size = IRQ_LAB_MSIX_SIZE },
	},
	.caps = irq_lab_caps,
	.nr_caps = ARRAY_SIZE(irq_lab_caps),
};

static int __init irq_lab_init(void)
{
	int ret;

	irq_lab_caps[IRQ_LAB_CAP_MSI].msi.vectors = msi_vectors;
	irq_lab_caps[IRQ_LAB_CAP_MSIX].msix.vectors = msix_vectors;
	irq_lab_device = root_device_register("irq_lab");
	if (IS_ERR(irq_lab_device))
		return PTR_ERR(irq_lab_device);
	irq_lab_function = vpci_function_create(irq_lab_device, &irq_lab_desc);
	if (IS_ERR(irq_lab_function)) {
		ret = PTR_ERR(irq_lab_function);
		goto err_device;
	}
	ret = mdev_register_driver(&irq_lab_driver);
	if (ret)
		goto err_function;
	ret = mdev_register_parent(&irq_lab_parent, irq_lab_device,
				   &irq_lab_driver, irq_lab_types,
				   ARRAY_SIZE(irq_lab_types));
	if (ret)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&irq_lab_driver);
err_function:
	vpci_function_free(irq_lab_function);
err_device:
	root_device_unregister(irq_lab_device);
	return ret;
}

static void __exit irq_lab_exit(void)
{
	mdev_unregister_parent(&irq_lab_parent);
	mdev_unregister_driver(&irq_lab_driver);
	vpci_function_free(irq_lab_function);
	root_device_unregister(irq_lab_device);
}

module_init(irq_lab_init);
module_exit(irq_lab_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Interrupts without a device, for tests");
