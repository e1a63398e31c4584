// SPDX-License-Identifier: GPL-2.0-only
#include "fixture.h"

struct recorded recorded;

void record_hook(struct vpci_config *cfg, unsigned int offset, u32 old,
		 u32 new, u32 enables)
{
	recorded.calls++;
	recorded.offset = offset;
	recorded.old = old;
	recorded.new = new;
	recorded.enables = enables;
	(void)cfg;
}

static void decode_called(struct vpci_config *cfg)
{
	((struct function *)cfg)->decode_calls++;
}

static void interrupt_called(struct vpci_config *cfg)
{
	((struct function *)cfg)->interrupt_calls++;
}

static void reset_called(struct vpci_config *cfg)
{
	((struct function *)cfg)->resets++;
	vpci_config_reset(cfg);
}

static const struct vpci_config_ops fixture_ops = {
	.decode = decode_called,
	.interrupt = interrupt_called,
	.reset = reset_called,
};

static const struct vpci_reg_desc own_regs[] = {
	{ "mixed", 0xc0, 4, 0x11223344, 0x0000ffff, 0x00ff0000, record_hook },
	{ "byte 0", 0xc4, 1, 0x12, 0x0f },
	{ "byte 1", 0xc5, 1, 0x34, 0xff },
	{ "word 2", 0xc6, 2, 0x8000, .w1c = 0x8000 },
	{ "read-only", 0xc8, 2, 0xbeef },
	{ "reserved", 0xd0, 4, 0x5a00, .wmask = 0xff0000, .rsvdp = 0xff00,
	  .rsvdz = 0xff },
	{ "trigger", 0xd4, 4, .wmask = 0xffff, .trigger = 0x10000,
	  .hook = record_hook },
	{ "device", 0xd8, 4, 0x77, .wmask = 0xff0000, .device = 0xff },
	{ "last of 256", 0xfc, 4, 0xa5a5a5a5, 0xffffffff },
	{ "last", 0xffc, 4, 0x5a5a5a5a, 0xffffffff },
};

static const struct vpci_reg_desc vendor_regs[] = {
	{ "doorbell", 4, 4, .wmask = 0xffff, .hook = record_hook },
	{ "version", 8, 4, 0x00010002 },
};

static const struct vpci_cap_desc sample_caps[] = {
	{ .type = VPCI_CAP_PM },
	{ .type = VPCI_CAP_MSI, .msi = { .vectors = 4, .is_64bit = true,
					 .maskable = true } },
	{ .type = VPCI_CAP_MSIX, .msix = { .vectors = 65, .table_bar = 2,
					   .pba_bar = 2, .pba_offset = 0x800 } },
	{ .type = VPCI_CAP_EXP, .exp = { .flr = true } },
	{ .type = VPCI_CAP_VENDOR,
	  .vendor = { .length = 12, .regs = vendor_regs, .nr_regs = 2 } },
	{ .type = VPCI_EXT_CAP_AER },
	{ .type = VPCI_EXT_CAP_DSN, .dsn = { .serial = 0x1122334455667788 } },
	{ .type = VPCI_EXT_CAP_VENDOR,
	  .vendor = { .length = 16, .id = 0x1234, .revision = 5,
		      .regs = vendor_regs + 1, .nr_regs = 1 } },
	/* 4, 8 and 16 MiB */
	{ .type = VPCI_EXT_CAP_REBAR, .rebar = { .sizes = { [0] = 0x1c } } },
};

struct vpci_desc sample_desc(void)
{
	return (struct vpci_desc) {
		.name = "sample",
		.vendor = 0x1234,
		.device = 0x1111,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class = 0x038000,
		.revision = 2,
		.interrupt_pin = 1,
		.command = PCI_COMMAND_PARITY | PCI_COMMAND_SERR,
		.config_size = 4096,
		.rom_size = 64 << 10,
		.bars = {
			[0] = { .size = 16 << 20, .is_64bit = true,
				.prefetchable = true, .mapped = true },
			[2] = { .size = 4096 },
			[3] = { .size = 32, .is_io = true },
			[4] = { .size = 8ULL << 30, .is_64bit = true },
		},
		.caps = sample_caps,
		.nr_caps = ARRAY_SIZE(sample_caps),
		.regs = own_regs,
		.nr_regs = ARRAY_SIZE(own_regs),
	};
}

struct function *function_make(const struct vpci_desc *desc,
			       struct vpci_config_error *err)
{
	struct function *f = calloc(1, sizeof(*f));
	struct vpci_layout *layout;

	f->build = malloc(sizeof(*f->build));
	if (vpci_layout_compile(f->build, desc, &fixture_ops, err)) {
		free(f->build);
		free(f);
		return NULL;
	}
	layout = malloc(vpci_layout_size(f->build));
	vpci_layout_emit(f->build, layout);
	vpci_config_init(&f->cfg, layout, malloc(layout->nr_slots * sizeof(u32)));
	memset(&recorded, 0, sizeof(recorded));
	return f;
}

void function_free(struct function *f)
{
	free((void *)f->cfg.layout);
	free(f->cfg.dwords);
	free(f->build);
	free(f);
}

int sample_setup(void **state)
{
	struct vpci_desc desc = sample_desc();
	struct vpci_config_error err;

	*state = function_make(&desc, &err);
	if (!*state)
		print_error("%s %#x %s\n", err.item, err.index, err.reason);
	return *state ? 0 : -1;
}

int sample_teardown(void **state)
{
	function_free(*state);
	return 0;
}

u64 get(struct function *f, unsigned int offset, unsigned int len)
{
	u8 buf[8] = {};
	u64 value = 0;

	vpci_config_read(&f->cfg, offset, buf, len);
	while (len--)
		value = value << 8 | buf[len];
	return value;
}

void put(struct function *f, unsigned int offset, unsigned int len, u64 value)
{
	u8 buf[8];
	unsigned int i;

	for (i = 0; i < len; i++)
		buf[i] = value >> (8 * i);
	vpci_config_write(&f->cfg, offset, buf, len);
}

/* 48 is as many as there can be between 0x40 and 0x100 */
unsigned int find_cap(struct function *f, unsigned int id)
{
	unsigned int at = get(f, PCI_CAPABILITY_LIST, 1), found = 0, limit = 48;

	for (; at; at = get(f, at + PCI_CAP_LIST_NEXT, 1)) {
		assert_in_range(at, 0x40, 0xfc);
		assert_int_equal(at % 4, 0);
		assert_int_not_equal(limit--, 0);
		if (!found && get(f, at, 1) == id)
			found = at;
	}
	return found;
}

unsigned int find_ext_cap(struct function *f, unsigned int id)
{
	unsigned int at = 0x100, found = 0, limit = 960;

	while (at) {
		u32 header = get(f, at, 4);

		if (!found && PCI_EXT_CAP_ID(header) == id)
			found = at;
		at = PCI_EXT_CAP_NEXT(header);
		assert_true(!at || at > 0x100);
		assert_int_not_equal(limit--, 0);
	}
	return found;
}

void refused(const struct vpci_desc *desc, const char *item,
	     const char *reason)
{
	struct vpci_config_error err = {};

	assert_null(function_make(desc, &err));
	assert_string_equal(err.item, item);
	if (!strstr(err.reason, reason))
		fail_msg("%s: refused as \"%s\", not \"%s\"", item, err.reason,
			 reason);
}
