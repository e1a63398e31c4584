/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: tracepoints
 *
 * A place in the region space is shown as number of the BAR and offset in it.
 *
 * The names of constants stand in the "format" files, where programs read them that know
 * numbers only; the kernel puts these there for what TRACE_DEFINE_ENUM() names.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vpci

#if !defined(VPCI_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VPCI_TRACE_H

#include <linux/tracepoint.h>

#include "vpci_private.h"

TRACE_DEFINE_ENUM(VPCI_CACHE_UNCACHED);
TRACE_DEFINE_ENUM(VPCI_CACHE_WRITE_COMBINE);
TRACE_DEFINE_ENUM(VPCI_CACHE_WRITE_BACK);
TRACE_DEFINE_ENUM(VPCI_DECODE_MEMORY);
TRACE_DEFINE_ENUM(VPCI_DECODE_IO);
TRACE_DEFINE_ENUM(VPCI_DECODE_ROM);
TRACE_DEFINE_ENUM(VPCI_IRQ_INTX);
TRACE_DEFINE_ENUM(VPCI_IRQ_MSI);
TRACE_DEFINE_ENUM(VPCI_IRQ_MSIX);

TRACE_EVENT(vpci_fault,
	TP_PROTO(struct vpci_device *vpci, u64 pos, unsigned long pfn,
		 unsigned int order, unsigned int pages),
	TP_ARGS(vpci, pos, pfn, order, pages),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
		__field(u64, pos)
		__field(unsigned long, pfn)
		__field(unsigned int, order)
		__field(unsigned int, pages)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->pos = pos;
		__entry->pfn = pfn;
		__entry->order = order;
		__entry->pages = pages;
	),
	TP_printk("%s BAR %llu offset 0x%llx pfn 0x%lx order %u pages %u",
		  __get_str(name), __entry->pos >> VPCI_REGION_SHIFT,
		  __entry->pos & VPCI_REGION_MASK, __entry->pfn,
		  __entry->order, __entry->pages)
);

TRACE_EVENT(vpci_sink_fault,
	TP_PROTO(struct vpci_device *vpci, u64 pos),
	TP_ARGS(vpci, pos),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
		__field(u64, pos)
		__field(bool, decode)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->pos = pos;
		__entry->decode = vpci->decode & VPCI_DECODE_MEMORY;
	),
	TP_printk("%s BAR %llu offset 0x%llx decode %d", __get_str(name),
		  __entry->pos >> VPCI_REGION_SHIFT,
		  __entry->pos & VPCI_REGION_MASK, __entry->decode)
);

TRACE_EVENT(vpci_back,
	TP_PROTO(struct vpci_device *vpci, u64 pos, u64 size, phys_addr_t phys,
		 enum vpci_cache cache),
	TP_ARGS(vpci, pos, size, phys, cache),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
		__field(u64, pos)
		__field(u64, size)
		__field(u64, phys)
		__field(unsigned int, cache)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->pos = pos;
		__entry->size = size;
		__entry->phys = phys;
		__entry->cache = cache;
	),
	TP_printk("%s BAR %llu offset 0x%llx size 0x%llx phys 0x%llx %s",
		  __get_str(name), __entry->pos >> VPCI_REGION_SHIFT,
		  __entry->pos & VPCI_REGION_MASK, __entry->size, __entry->phys,
		  __print_symbolic(__entry->cache,
				   { VPCI_CACHE_UNCACHED, "uncached" },
				   { VPCI_CACHE_WRITE_COMBINE, "write-combining" },
				   { VPCI_CACHE_WRITE_BACK, "write-back" }))
);

TRACE_EVENT(vpci_revoke,
	TP_PROTO(struct vpci_device *vpci, u64 pos, u64 size),
	TP_ARGS(vpci, pos, size),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
		__field(u64, pos)
		__field(u64, size)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->pos = pos;
		__entry->size = size;
	),
	TP_printk("%s BAR %llu offset 0x%llx size 0x%llx", __get_str(name),
		  __entry->pos >> VPCI_REGION_SHIFT,
		  __entry->pos & VPCI_REGION_MASK, __entry->size)
);

TRACE_EVENT(vpci_decode,
	TP_PROTO(struct vpci_device *vpci, unsigned int decode),
	TP_ARGS(vpci, decode),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
		__field(unsigned int, decode)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->decode = decode;
	),
	TP_printk("%s %s", __get_str(name),
		  __entry->decode ? __print_flags(__entry->decode, "|",
						  { VPCI_DECODE_MEMORY, "memory" },
						  { VPCI_DECODE_IO, "io" },
						  { VPCI_DECODE_ROM, "rom" }) : "off")
);

DECLARE_EVENT_CLASS(vpci_trap,
	TP_PROTO(struct vpci_device *vpci, unsigned int bar, u64 offset,
		 unsigned int width, u64 value),
	TP_ARGS(vpci, bar, offset, width, value),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
		__field(u64, offset)
		__field(u64, value)
		__field(unsigned int, bar)
		__field(unsigned int, width)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->offset = offset;
		__entry->value = value;
		__entry->bar = bar;
		__entry->width = width;
	),
	TP_printk("%s BAR %u offset 0x%llx width %u value 0x%llx",
		  __get_str(name), __entry->bar, __entry->offset,
		  __entry->width, __entry->value)
);

DEFINE_EVENT(vpci_trap, vpci_trap_read,
	TP_PROTO(struct vpci_device *vpci, unsigned int bar, u64 offset,
		 unsigned int width, u64 value),
	TP_ARGS(vpci, bar, offset, width, value)
);

DEFINE_EVENT(vpci_trap, vpci_trap_write,
	TP_PROTO(struct vpci_device *vpci, unsigned int bar, u64 offset,
		 unsigned int width, u64 value),
	TP_ARGS(vpci, bar, offset, width, value)
);

TRACE_EVENT(vpci_interrupt,
	TP_PROTO(struct vpci_device *vpci, enum vpci_irq_mode mode,
		 unsigned int vector),
	TP_ARGS(vpci, mode, vector),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
		__field(unsigned int, mode)
		__field(unsigned int, vector)
	),
	TP_fast_assign(
		__assign_str(name);
		__entry->mode = mode;
		__entry->vector = vector;
	),
	TP_printk("%s %s vector %u", __get_str(name),
		  __print_symbolic(__entry->mode,
				   { VPCI_IRQ_INTX, "pin" },
				   { VPCI_IRQ_MSI, "MSI" },
				   { VPCI_IRQ_MSIX, "MSI-X" }),
		  __entry->vector)
);

TRACE_EVENT(vpci_reset,
	TP_PROTO(struct vpci_device *vpci),
	TP_ARGS(vpci),
	TP_STRUCT__entry(
		__string(name, dev_name(vpci->vdev.dev))
	),
	TP_fast_assign(
		__assign_str(name);
	),
	TP_printk("%s", __get_str(name))
);

#endif /* VPCI_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vpci_trace
#include <trace/define_trace.h>
