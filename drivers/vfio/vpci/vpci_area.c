// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: areas of BARs
 *
 * A BAR is a row of areas without gaps, each of one kind: mapped, trapped into
 * the parent driver, or trapped into the library. It begins as one trapped area
 * in which the described mapped areas and, later, what the library claims for
 * itself are set. So there is no byte that nobody answers for.
 *
 * Mapped areas consist of whole pages. Where the library claims bytes of a
 * mapped page, the rest of that page traps into the parent driver.
 *
 * No service of the kernel is called here: the file is compiled as it is in
 * user space as well, for tests.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <asm/page.h>
#include <linux/vpci_area.h>

static bool vpci_area_same_kind(const struct vpci_area *a,
				const struct vpci_area *b)
{
	return a->mapped == b->mapped && a->library == b->library;
}

/* Append an area; it becomes part of the one before if that is of its kind */
static void vpci_areas_append(struct vpci_area *areas, unsigned int *nr,
			      const struct vpci_area *area, u64 start, u64 last)
{
	struct vpci_area *before = *nr ? &areas[*nr - 1] : NULL;

	if (before && vpci_area_same_kind(before, area)) {
		before->last = last;
		return;
	}
	areas[*nr] = *area;
	areas[*nr].start = start;
	areas[(*nr)++].last = last;
}

/* Replace what is in the range of @new, which lies inside the BAR */
static int vpci_areas_set(struct vpci_bar *bar, const struct vpci_area *new)
{
	struct vpci_area areas[VPCI_MAX_AREAS + 2];
	unsigned int i, nr = 0;

	for (i = 0; i < bar->nr_areas; i++) {
		const struct vpci_area *area = &bar->areas[i];

		if (area->start < new->start)
			vpci_areas_append(areas, &nr, area, area->start,
					  min(area->last, new->start - 1));
		if (area->start <= new->last && area->last >= new->last)
			vpci_areas_append(areas, &nr, new, new->start,
					  new->last);
		if (area->last > new->last)
			vpci_areas_append(areas, &nr, area,
					  max(area->start, new->last + 1),
					  area->last);
	}
	if (nr > VPCI_MAX_AREAS)
		return -ENOSPC;

	memcpy(bar->areas, areas, nr * sizeof(areas[0]));
	bar->nr_areas = nr;
	return 0;
}

static int vpci_area_refuse(struct vpci_config_error *err, const char *reason)
{
	err->reason = reason;
	return -EINVAL;
}

static int vpci_areas_add_mapped(struct vpci_bar *bar,
				 const struct vpci_area_desc *desc,
				 struct vpci_config_error *err)
{
	const struct vpci_area area = {
		.start = desc->offset,
		.last = desc->offset + desc->size - 1,
		.mapped = true,
	};

	if (!desc->size || (desc->offset | desc->size) % PAGE_SIZE)
		return vpci_area_refuse(err, "has a mapped area that is not of whole pages");
	if (desc->size > bar->size || desc->offset > bar->size - desc->size)
		return vpci_area_refuse(err, "has a mapped area beyond its end");
	if (vpci_areas_set(bar, &area))
		return vpci_area_refuse(err, "has too many areas");
	return 0;
}

/* Banks are looked up with each access, so nothing of them is checked there */
static int vpci_areas_add_banks(struct vpci_bar *bar,
				const struct vpci_bar_desc *desc,
				struct vpci_config_error *err)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < desc->nr_banks; i++) {
		const struct vpci_bank *bank = &desc->banks[i];
		const struct vpci_area *area;

		if (bank->width != 1 && bank->width != 2 && bank->width != 4)
			return vpci_area_refuse(err, "has registers not of 1, 2 or 4 bytes");
		if (!bank->read)
			return vpci_area_refuse(err, "has registers that nothing can read");
		if (bank->end <= bank->start ||
		    (bank->end - bank->start) % bank->width)
			return vpci_area_refuse(err, "has a bank that is not of whole registers");
		if (bank->start < end)
			return vpci_area_refuse(err, "has banks of registers not in order");
		end = bank->end;
		if (end > bar->size)
			return vpci_area_refuse(err, "has registers beyond its end");
		area = vpci_area_find(bar, bank->start);
		if (area->mapped || end - 1 > area->last)
			return vpci_area_refuse(err, "has registers where it is mapped");
	}
	bar->banks = desc->banks;
	bar->nr_banks = desc->nr_banks;
	return 0;
}

/*
 * Cut a BAR into the areas that are described. On -EINVAL @err has the reason;
 * which BAR it is, is the caller's to say.
 */
int vpci_areas_compile(struct vpci_bar *bar, const struct vpci_bar_desc *desc,
		       struct vpci_config_error *err)
{
	const struct vpci_area_desc whole = { .size = desc->size };
	u64 end = 0;
	unsigned int i;
	int ret;

	memset(bar, 0, sizeof(*bar));
	if (!desc->size)
		return desc->mapped || desc->nr_areas || desc->nr_banks ?
		       vpci_area_refuse(err, "has areas or registers but no size") : 0;
	if (desc->is_io && desc->nr_areas)
		return vpci_area_refuse(err, "is in I/O space, which cannot be mapped");
	if (desc->mapped && desc->nr_areas)
		return vpci_area_refuse(err, "is mapped as a whole and in areas");

	bar->size = desc->size;
	bar->cache = desc->cache;
	bar->decode = desc->is_io ? VPCI_DECODE_IO : VPCI_DECODE_MEMORY;
	bar->nr_areas = 1;
	bar->areas[0].last = desc->size - 1;
	if (desc->mapped) {
		ret = vpci_areas_add_mapped(bar, &whole, err);
		if (ret)
			return ret;
	}

	for (i = 0; i < desc->nr_areas; i++) {
		const struct vpci_area_desc *area = &desc->areas[i];

		if (area->offset < end)
			return vpci_area_refuse(err, "has mapped areas not in order");
		ret = vpci_areas_add_mapped(bar, area, err);
		if (ret)
			return ret;
		end = area->offset + area->size;
	}
	return vpci_areas_add_banks(bar, desc, err);
}

/*
 * Make a range of a BAR the library's own, such as the table of MSI-X. -EINVAL:
 * it is not inside the BAR, or is the library's already; -ENOSPC: too many
 * areas.
 */
int vpci_area_claim(struct vpci_bar *bar, u64 offset, u64 size,
		    const struct vpci_area_ops *ops)
{
	struct vpci_area claim = {
		.start = offset,
		.last = offset + size - 1,
		.library = ops,
	};
	struct vpci_bar tried = *bar;
	unsigned int i;
	int ret;

	if (!size || size > bar->size || offset > bar->size - size)
		return -EINVAL;

	for (i = 0; i < bar->nr_areas; i++) {
		struct vpci_area trapped = {
			.start = max(bar->areas[i].start,
				     claim.start / PAGE_SIZE * PAGE_SIZE),
			.last = min(bar->areas[i].last,
				    claim.last | (PAGE_SIZE - 1)),
		};

		if (trapped.start > trapped.last)
			continue;
		if (bar->areas[i].library &&
		    bar->areas[i].start <= claim.last &&
		    bar->areas[i].last >= claim.start)
			return -EINVAL;
		if (!bar->areas[i].mapped)
			continue;
		ret = vpci_areas_set(&tried, &trapped);
		if (ret)
			return ret;
	}
	ret = vpci_areas_set(&tried, &claim);
	if (!ret)
		*bar = tried;
	return ret;
}

/* Whether a range, of any values, lies in one mapped area; whole pages only */
bool vpci_area_is_mapped(const struct vpci_bar *bar, u64 offset, u64 size)
{
	const struct vpci_area *area;

	if (!size || (offset | size) % PAGE_SIZE || size > bar->size ||
	    offset > bar->size - size)
		return false;
	area = vpci_area_find(bar, offset);
	return area->mapped && size - 1 <= area->last - offset;
}

unsigned int vpci_areas_count_mapped(const struct vpci_bar *bar)
{
	unsigned int i, count = 0;

	for (i = 0; i < bar->nr_areas; i++)
		count += bar->areas[i].mapped;
	return count;
}
