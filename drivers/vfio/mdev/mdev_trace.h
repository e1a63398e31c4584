/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mediated devices: tracepoints
 *
 * An instance is shown as its UUID, of which there is one before and after it
 * has a device. What may take long has two events, the second with the result, 0 or
 * a negative errno as user space gets it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mdev

#if !defined(MDEV_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define MDEV_TRACE_H

#include <linux/mdev.h>
#include <linux/tracepoint.h>

TRACE_EVENT(mdev_create,
	TP_PROTO(struct mdev_type *type, const guid_t *uuid),
	TP_ARGS(type, uuid),
	TP_STRUCT__entry(
		__array(u8, uuid, UUID_SIZE)
		__string(parent, dev_name(type->parent->dev))
		__string(type, kobject_name(&type->kobj))
	),
	TP_fast_assign(
		export_guid(__entry->uuid, uuid);
		__assign_str(parent);
		__assign_str(type);
	),
	TP_printk("%pUl parent %s type %s", __entry->uuid, __get_str(parent),
		  __get_str(type))
);

DECLARE_EVENT_CLASS(mdev_event,
	TP_PROTO(const guid_t *uuid),
	TP_ARGS(uuid),
	TP_STRUCT__entry(
		__array(u8, uuid, UUID_SIZE)
	),
	TP_fast_assign(
		export_guid(__entry->uuid, uuid);
	),
	TP_printk("%pUl", __entry->uuid)
);

DEFINE_EVENT(mdev_event, mdev_remove,
	TP_PROTO(const guid_t *uuid),
	TP_ARGS(uuid)
);

DEFINE_EVENT(mdev_event, mdev_shell_made,
	TP_PROTO(const guid_t *uuid),
	TP_ARGS(uuid)
);

DEFINE_EVENT(mdev_event, mdev_shell_gone,
	TP_PROTO(const guid_t *uuid),
	TP_ARGS(uuid)
);

DECLARE_EVENT_CLASS(mdev_result,
	TP_PROTO(const guid_t *uuid, int result),
	TP_ARGS(uuid, result),
	TP_STRUCT__entry(
		__array(u8, uuid, UUID_SIZE)
		__field(int, result)
	),
	TP_fast_assign(
		export_guid(__entry->uuid, uuid);
		__entry->result = result;
	),
	TP_printk("%pUl result %d", __entry->uuid, __entry->result)
);

DEFINE_EVENT(mdev_result, mdev_create_result,
	TP_PROTO(const guid_t *uuid, int result),
	TP_ARGS(uuid, result)
);

/* What the driver said, which need not be what the writer of "create" gets */
DEFINE_EVENT(mdev_result, mdev_probe_failed,
	TP_PROTO(const guid_t *uuid, int result),
	TP_ARGS(uuid, result)
);

DEFINE_EVENT(mdev_result, mdev_remove_result,
	TP_PROTO(const guid_t *uuid, int result),
	TP_ARGS(uuid, result)
);

TRACE_EVENT(mdev_parent_register,
	TP_PROTO(struct device *dev, int result),
	TP_ARGS(dev, result),
	TP_STRUCT__entry(
		__string(parent, dev_name(dev))
		__field(int, result)
	),
	TP_fast_assign(
		__assign_str(parent);
		__entry->result = result;
	),
	TP_printk("%s result %d", __get_str(parent), __entry->result)
);

DECLARE_EVENT_CLASS(mdev_parent_gone,
	TP_PROTO(struct device *dev),
	TP_ARGS(dev),
	TP_STRUCT__entry(
		__string(parent, dev_name(dev))
	),
	TP_fast_assign(
		__assign_str(parent);
	),
	TP_printk("%s", __get_str(parent))
);

DEFINE_EVENT(mdev_parent_gone, mdev_parent_unregister,
	TP_PROTO(struct device *dev),
	TP_ARGS(dev)
);

DEFINE_EVENT(mdev_parent_gone, mdev_parent_unregistered,
	TP_PROTO(struct device *dev),
	TP_ARGS(dev)
);

#endif /* MDEV_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE mdev_trace
#include <trace/define_trace.h>
