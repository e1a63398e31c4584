// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's driver for the vertical-blank interrupt of mgpu, for a test
 *
 * It sets a mode, counts interrupts by MSI-X, and tells in its parameter
 * "millihertz" how many came in a thousand seconds of the guest's own clock: 0
 * until there were enough to tell, then the highest rate so far. A busy host
 * leaves interrupts out, but one that makes up for them is wrong.
 */
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/pci.h>

#define REGS_BAR	2
#define DISPI(n)	(0x500 + 2 * (n))
#define DISPI_XRES	1
#define DISPI_YRES	2
#define DISPI_BPP	3
#define DISPI_ENABLE	4

static unsigned int enough = 300;
module_param(enough, uint, 0444);

static unsigned long count;
module_param(count, ulong, 0444);

static unsigned long millihertz;
module_param(millihertz, ulong, 0444);

static ktime_t first;

static irqreturn_t vblank_interrupt(int irq, void *data)
{
	ktime_t now = ktime_get();
	unsigned long rate;

	if (count && count % enough == 0) {
		rate = div64_u64(enough * 1000000000000ULL,
				 ktime_to_ns(ktime_sub(now, first)));
		WRITE_ONCE(millihertz, max(rate, millihertz));
	}
	if (count % enough == 0)
		first = now;
	WRITE_ONCE(count, count + 1);
	return IRQ_HANDLED;
}

static int vblank_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void __iomem *regs;
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	pci_set_master(pdev);
	regs = pcim_iomap(pdev, REGS_BAR, 0);
	if (!regs)
		return -ENOMEM;
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_MSIX);
	if (ret < 0)
		return ret;
	ret = request_irq(pci_irq_vector(pdev, 0), vblank_interrupt, 0,
			  KBUILD_MODNAME, pdev);
	if (ret) {
		pci_free_irq_vectors(pdev);
		return ret;
	}

	writew(640, regs + DISPI(DISPI_XRES));
	writew(480, regs + DISPI(DISPI_YRES));
	writew(32, regs + DISPI(DISPI_BPP));
	writew(1, regs + DISPI(DISPI_ENABLE));
	pci_set_drvdata(pdev, regs);
	return 0;
}

static void vblank_remove(struct pci_dev *pdev)
{
	writew(0, pci_get_drvdata(pdev) + DISPI(DISPI_ENABLE));
	free_irq(pci_irq_vector(pdev, 0), pdev);
	pci_free_irq_vectors(pdev);
}

static const struct pci_device_id vblank_ids[] = {
	{ PCI_DEVICE(0x1234, 0x1111) },
	{}
};

static struct pci_driver vblank_driver = {
	.name		= "vblank_guest",
	.id_table	= vblank_ids,
	.probe		= vblank_probe,
	.remove		= vblank_remove,
};
module_pci_driver(vblank_driver);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Counts vertical-blank interrupts, for a test");
