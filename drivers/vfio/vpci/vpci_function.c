// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: kinds of function
 *
 * A kind is a compiled layout of config space and what else an instance needs to
 * know of the description. It is immutable, and lives as long as its maker or
 * an instance needs it.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/pci_regs.h>
#include <linux/slab.h>

#include "vpci_layout.h"
#include "vpci_private.h"

/* The second half of a BAR's description: what is not in config space */
static int vpci_function_add_bar(struct vpci_function *function,
				 const struct vpci_desc *desc, unsigned int bar,
				 struct vpci_config_error *err)
{
	err->item = "BAR";
	err->index = bar;
	if (desc->bars[bar].size > 1ULL << VPCI_REGION_SHIFT) {
		err->reason = "is larger than 1 TiB, the room for a region";
		return -EINVAL;
	}
	return vpci_areas_compile(&function->bars[bar], &desc->bars[bar], err);
}

static int vpci_function_add_rom(struct vpci_function *function,
				 const struct vpci_desc *desc,
				 struct vpci_config_error *err)
{
	const struct vpci_bar_desc rom = { .size = desc->rom_size };
	int ret;

	ret = vpci_areas_compile(&function->bars[VPCI_ROM], &rom, err);
	function->bars[VPCI_ROM].decode = VPCI_DECODE_ROM;
	return ret;
}

static int vpci_function_add_msix(struct vpci_function *function,
				  const struct vpci_msix_desc *msix,
				  struct vpci_config_error *err)
{
	int ret;

	function->msix_vectors = msix->vectors;
	ret = vpci_area_claim(&function->bars[msix->table_bar],
			      msix->table_offset,
			      msix->vectors * PCI_MSIX_ENTRY_SIZE,
			      &vpci_msix_table_ops);
	if (!ret)
		ret = vpci_area_claim(&function->bars[msix->pba_bar],
				      msix->pba_offset,
				      DIV_ROUND_UP(msix->vectors, 64) * 8,
				      &vpci_msix_pba_ops);
	if (!ret)
		return 0;
	err->item = "MSI-X";
	err->index = msix->table_bar;
	err->reason = "finds no room for one more area in its BAR";
	return -EINVAL;
}

static int vpci_function_add_irqs(struct vpci_function *function,
				  const struct vpci_desc *desc,
				  struct vpci_config_error *err)
{
	unsigned int i;
	int ret = 0;

	function->interrupt_pin = desc->interrupt_pin;
	function->reports_errors = desc->reports_errors;
	function->dma = desc->dma;
	for (i = 0; !ret && i < desc->nr_caps; i++) {
		const struct vpci_cap_desc *cap = &desc->caps[i];

		if (cap->hidden)
			continue;
		if (cap->type == VPCI_CAP_MSI)
			function->msi_vectors = cap->msi.vectors;
		else if (cap->type == VPCI_CAP_MSIX)
			ret = vpci_function_add_msix(function, &cap->msix, err);
	}
	return ret;
}

static int vpci_function_compile(struct vpci_function *function,
				 const struct vpci_desc *desc,
				 struct vpci_config_error *err)
{
	struct vpci_build *build;
	unsigned int i;
	int ret;

	build = kvmalloc(sizeof(*build), GFP_KERNEL);
	if (!build)
		return -ENOMEM;

	ret = vpci_layout_compile(build, desc, &vpci_device_config_ops, err);
	for (i = 0; !ret && i < VPCI_NUM_BARS; i++)
		ret = vpci_function_add_bar(function, desc, i, err);
	if (!ret)
		ret = vpci_function_add_rom(function, desc, err);
	if (!ret)
		ret = vpci_function_add_irqs(function, desc, err);
	if (ret)
		goto out_free;

	function->layout = kvmalloc(vpci_layout_size(build), GFP_KERNEL);
	if (function->layout)
		vpci_layout_emit(build, function->layout);
	else
		ret = -ENOMEM;

out_free:
	kvfree(build);
	return ret;
}

/**
 * vpci_function_create - check and compile the description of a function
 * @dev: the parent device, for the error message
 * @desc: the description; not needed any more afterwards
 *
 * Context: may sleep.
 * Return: the function, or an ERR_PTR: -EINVAL with a log line that names what
 * is wrong, or -ENOMEM.
 */
struct vpci_function *vpci_function_create(struct device *dev,
					   const struct vpci_desc *desc)
{
	struct vpci_function *function;
	struct vpci_config_error err = {};
	int ret;

	function = kvzalloc(sizeof(*function), GFP_KERNEL);
	if (!function)
		return ERR_PTR(-ENOMEM);
	kref_init(&function->refs);

	ret = vpci_function_compile(function, desc, &err);
	if (ret == -EINVAL)
		dev_err(dev, "vpci: %s: %s %#x %s\n", desc->name, err.item,
			err.index, err.reason);
	if (ret) {
		vpci_function_free(function);
		return ERR_PTR(ret);
	}
	return function;
}
EXPORT_SYMBOL_GPL(vpci_function_create);

static void vpci_function_release(struct kref *refs)
{
	struct vpci_function *function =
		container_of(refs, struct vpci_function, refs);

	kvfree(function->layout);
	kvfree(function);
}

/**
 * vpci_function_free - undo vpci_function_create()
 * @function: the function, of no use to the caller any more; NULL is ignored
 *
 * Instances that are left keep it alive.
 */
void vpci_function_free(struct vpci_function *function)
{
	if (function)
		kref_put(&function->refs, vpci_function_release);
}
EXPORT_SYMBOL_GPL(vpci_function_free);

static void vpci_function_devm_free(void *function)
{
	vpci_function_free(function);
}

/**
 * devm_vpci_function_create - vpci_function_create() that undoes itself
 * @dev: the parent device; when its driver is unbound the function is freed
 * @desc: the description
 *
 * Context: may sleep.
 * Return: as vpci_function_create().
 */
struct vpci_function *devm_vpci_function_create(struct device *dev,
						const struct vpci_desc *desc)
{
	struct vpci_function *function = vpci_function_create(dev, desc);
	int ret;

	if (IS_ERR(function))
		return function;
	ret = devm_add_action_or_reset(dev, vpci_function_devm_free, function);
	return ret ? ERR_PTR(ret) : function;
}
EXPORT_SYMBOL_GPL(devm_vpci_function_create);
