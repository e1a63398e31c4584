// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual PCI functions: counters of an instance, in sysfs, and tracepoints
 *
 * The group "vpci" appears below every instance whose driver lists
 * vpci_stats_group in its dev_groups. vpci_device_register() has set the driver
 * data that is needed here. One counter per file, decimal.
 */
#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "vpci_private.h"

#define CREATE_TRACE_POINTS
#include "vpci_trace.h"

/* A file shows the sum of the counters in the set */
struct vpci_stat_attribute {
	struct device_attribute attr;
	unsigned long stats;
};

static ssize_t vpci_stat_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	struct vpci_stat_attribute *sa =
		container_of(attr, struct vpci_stat_attribute, attr);
	struct vpci_device *vpci = dev_to_vpci(dev);
	unsigned int stat;
	u64 sum = 0;
	int cpu;

	if (!vpci)
		return -ENODEV;
	for_each_possible_cpu(cpu)
		for_each_set_bit(stat, &sa->stats, VPCI_NR_STATS)
			sum += READ_ONCE(per_cpu_ptr(vpci->stats, cpu)->count[stat]);
	return sysfs_emit(buf, "%llu\n", sum);
}

#define VPCI_STAT_ATTR(_name, _stats) \
	static struct vpci_stat_attribute vpci_stat_##_name = { \
		.attr = __ATTR(_name, 0444, vpci_stat_show, NULL), \
		.stats = _stats, \
	}

VPCI_STAT_ATTR(config_reads, BIT(VPCI_STAT_CONFIG_READS));
VPCI_STAT_ATTR(config_writes, BIT(VPCI_STAT_CONFIG_WRITES));
VPCI_STAT_ATTR(trapped_reads, BIT(VPCI_STAT_TRAPPED_READS));
VPCI_STAT_ATTR(trapped_writes, BIT(VPCI_STAT_TRAPPED_WRITES));
VPCI_STAT_ATTR(faults, BIT(VPCI_STAT_FAULTS_4K) | BIT(VPCI_STAT_FAULTS_2M) |
	       BIT(VPCI_STAT_FAULTS_1G) | BIT(VPCI_STAT_SINK_FAULTS));
VPCI_STAT_ATTR(faults_4k, BIT(VPCI_STAT_FAULTS_4K));
VPCI_STAT_ATTR(faults_2m, BIT(VPCI_STAT_FAULTS_2M));
VPCI_STAT_ATTR(faults_1g, BIT(VPCI_STAT_FAULTS_1G));
VPCI_STAT_ATTR(sink_faults, BIT(VPCI_STAT_SINK_FAULTS));
VPCI_STAT_ATTR(pages_mapped, BIT(VPCI_STAT_PAGES_MAPPED));
VPCI_STAT_ATTR(revokes, BIT(VPCI_STAT_REVOKES));
VPCI_STAT_ATTR(windows, BIT(VPCI_STAT_WINDOWS));
VPCI_STAT_ATTR(interrupts, BIT(VPCI_STAT_INTERRUPTS));
VPCI_STAT_ATTR(resets, BIT(VPCI_STAT_RESETS));

static struct attribute *vpci_stats_attrs[] = {
	&vpci_stat_config_reads.attr.attr,
	&vpci_stat_config_writes.attr.attr,
	&vpci_stat_trapped_reads.attr.attr,
	&vpci_stat_trapped_writes.attr.attr,
	&vpci_stat_faults.attr.attr,
	&vpci_stat_faults_4k.attr.attr,
	&vpci_stat_faults_2m.attr.attr,
	&vpci_stat_faults_1g.attr.attr,
	&vpci_stat_sink_faults.attr.attr,
	&vpci_stat_pages_mapped.attr.attr,
	&vpci_stat_revokes.attr.attr,
	&vpci_stat_windows.attr.attr,
	&vpci_stat_interrupts.attr.attr,
	&vpci_stat_resets.attr.attr,
	NULL,
};

const struct attribute_group vpci_stats_group = {
	.name = "vpci",
	.attrs = vpci_stats_attrs,
};
EXPORT_SYMBOL_GPL(vpci_stats_group);
