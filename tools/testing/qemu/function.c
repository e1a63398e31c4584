// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function of config space alone, driven from standard input:
 *
 *	function NAME
 *	r OFFSET LENGTH		prints the bytes
 *	w OFFSET BYTES		prints "ok"
 *
 * All numbers are hexadecimal. The names are those of QEMU's devices, whose
 * config space the descriptions follow as far as they can, and "all", which has
 * everything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <linux/pci_regs.h>

#include "vpci_layout.h"

/* What every device in QEMU lets a guest write */
#define QEMU_COMMAND	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | \
			 PCI_COMMAND_MASTER | PCI_COMMAND_SERR | \
			 PCI_COMMAND_INTX_DISABLE)
#define QEMU_SUBSYSTEM	.subsystem_vendor = 0x1af4, .subsystem = 0x1100

static const struct vpci_cap_desc bochs_caps[] = {
	{ .type = VPCI_CAP_EXP, .offset = 0x80 },
};

static const struct vpci_desc bochs = {
	.name = "bochs-display", .vendor = 0x1234, .device = 0x1111,
	QEMU_SUBSYSTEM, .class = 0x038000, .revision = 2,
	.command = QEMU_COMMAND, .config_size = 4096, .rom_size = 32 << 10,
	.bars = { [0] = { .size = 16 << 20, .prefetchable = true },
		  [2] = { .size = 4096 } },
	.caps = bochs_caps, .nr_caps = ARRAY_SIZE(bochs_caps),
};

static const struct vpci_cap_desc edu_caps[] = {
	{ .type = VPCI_CAP_MSI, .offset = 0x40,
	  .msi = { .vectors = 1, .is_64bit = true } },
};

static const struct vpci_desc edu = {
	.name = "edu", .vendor = 0x1234, .device = 0x11e8,
	QEMU_SUBSYSTEM, .class = 0x00ff00, .revision = 0x10,
	.interrupt_pin = 1, .command = QEMU_COMMAND, .config_size = 256,
	.bars = { [0] = { .size = 1 << 20 } },
	.caps = edu_caps, .nr_caps = ARRAY_SIZE(edu_caps),
};

static const struct vpci_cap_desc nvme_caps[] = {
	{ .type = VPCI_CAP_MSIX, .offset = 0x40,
	  .msix = { .vectors = 65, .table_offset = 0x2000,
		    .pba_offset = 0x3000 } },
	{ .type = VPCI_CAP_EXP, .offset = 0x80, .exp = { .flr = true } },
	{ .type = VPCI_CAP_PM, .offset = 0x60, .pm = { .no_soft_reset = true } },
};

static const struct vpci_desc nvme = {
	.name = "nvme", .vendor = 0x1b36, .device = 0x0010,
	QEMU_SUBSYSTEM, .class = 0x010802, .revision = 2,
	.interrupt_pin = 1, .command = QEMU_COMMAND, .config_size = 4096,
	.bars = { [0] = { .size = 16 << 10, .is_64bit = true } },
	.caps = nvme_caps, .nr_caps = ARRAY_SIZE(nvme_caps),
};

static const struct vpci_cap_desc igb_caps[] = {
	{ .type = VPCI_CAP_PM, .offset = 0x40, .pm = { .no_soft_reset = true } },
	{ .type = VPCI_CAP_MSI, .offset = 0x50,
	  .msi = { .vectors = 1, .is_64bit = true, .maskable = true } },
	{ .type = VPCI_CAP_MSIX, .offset = 0x70,
	  .msix = { .vectors = 10, .table_bar = 3, .pba_bar = 3,
		    .pba_offset = 0x2000 } },
	{ .type = VPCI_CAP_EXP, .offset = 0xa0, .exp = { .flr = true } },
	{ .type = VPCI_EXT_CAP_AER, .offset = 0x100 },
};

static const struct vpci_desc igb = {
	.name = "igb", .vendor = 0x8086, .device = 0x10c9,
	QEMU_SUBSYSTEM, .class = 0x020000, .revision = 1,
	.interrupt_pin = 1, .command = QEMU_COMMAND, .config_size = 4096,
	.bars = { [0] = { .size = 128 << 10 }, [1] = { .size = 128 << 10 },
		  [2] = { .size = 32, .is_io = true },
		  [3] = { .size = 16 << 10, .is_64bit = true } },
	.caps = igb_caps, .nr_caps = ARRAY_SIZE(igb_caps),
};

static const struct vpci_cap_desc all_caps[] = {
	{ .type = VPCI_CAP_PM },
	{ .type = VPCI_CAP_MSI, .msi = { .vectors = 4, .is_64bit = true,
					 .maskable = true } },
	{ .type = VPCI_CAP_MSIX, .msix = { .vectors = 65, .table_bar = 2,
					   .pba_bar = 2, .pba_offset = 0x800 } },
	{ .type = VPCI_CAP_EXP, .exp = { .flr = true } },
	{ .type = VPCI_CAP_VENDOR, .vendor = { .length = 12 } },
	{ .type = VPCI_EXT_CAP_AER },
	{ .type = VPCI_EXT_CAP_DSN, .dsn = { .serial = 0x1122334455667788 } },
	{ .type = VPCI_EXT_CAP_VENDOR,
	  .vendor = { .length = 16, .id = 0x1234, .revision = 5 } },
	{ .type = VPCI_EXT_CAP_REBAR, .rebar = { .sizes = { [0] = 0x1c } } },
};

static const struct vpci_desc all = {
	.name = "all", .vendor = 0x1234, .device = 0x1111, QEMU_SUBSYSTEM,
	.class = 0x038000, .revision = 2, .interrupt_pin = 1,
	.config_size = 4096, .rom_size = 64 << 10,
	.bars = { [0] = { .size = 16 << 20, .is_64bit = true,
			  .prefetchable = true },
		  [2] = { .size = 4096 },
		  [3] = { .size = 32, .is_io = true } },
	.caps = all_caps, .nr_caps = ARRAY_SIZE(all_caps),
};

static const struct vpci_desc *const descs[] = { &bochs, &edu, &nvme, &igb,
						 &all };

static void nothing(struct vpci_config *cfg)
{
	(void)cfg;
}

static const struct vpci_config_ops ops = {
	.decode = nothing,
	.reset = vpci_config_reset,
};

static const struct vpci_desc *find_desc(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(descs); i++) {
		if (!strcmp(descs[i]->name, name))
			return descs[i];
	}
	fprintf(stderr, "function: there is no '%s'\n", name);
	exit(2);
}

static void function_make(struct vpci_config *cfg, const struct vpci_desc *desc)
{
	struct vpci_build *build = malloc(sizeof(*build));
	struct vpci_config_error err;
	struct vpci_layout *layout;

	if (vpci_layout_compile(build, desc, &ops, &err)) {
		fprintf(stderr, "function: %s: %s %#x %s\n", desc->name,
			err.item, err.index, err.reason);
		exit(1);
	}
	layout = malloc(vpci_layout_size(build));
	vpci_layout_emit(build, layout);
	vpci_config_init(cfg, layout, malloc(layout->nr_slots * sizeof(u32)));
	free(build);
}

static void serve_read(struct vpci_config *cfg, unsigned int offset,
		       unsigned int len)
{
	u8 buf[4096];
	unsigned int i;

	vpci_config_read(cfg, offset, buf, len);
	for (i = 0; i < len; i++)
		printf("%02x", buf[i]);
	putchar('\n');
}

static void serve_write(struct vpci_config *cfg, unsigned int offset,
			const char *hex)
{
	unsigned int len = strlen(hex) / 2, i, byte;
	u8 buf[4096];

	for (i = 0; i < len; i++) {
		sscanf(hex + 2 * i, "%2x", &byte);
		buf[i] = byte;
	}
	vpci_config_write(cfg, offset, buf, len);
	puts("ok");
}

int main(int argc, char **argv)
{
	unsigned int offset, len;
	struct vpci_config cfg;
	char line[8300], hex[8200];

	if (argc != 2) {
		fprintf(stderr, "usage: function NAME\n");
		return 2;
	}
	function_make(&cfg, find_desc(argv[1]));

	while (fgets(line, sizeof(line), stdin)) {
		bool read = sscanf(line, "r %x %x", &offset, &len) == 2;

		if (!read && sscanf(line, "w %x %8199s", &offset, hex) == 2)
			len = strlen(hex) / 2;
		else if (!read)
			return 2;
		if (offset > cfg.layout->size || len > cfg.layout->size - offset)
			return 2;
		if (read)
			serve_read(&cfg, offset, len);
		else
			serve_write(&cfg, offset, hex);
		fflush(stdout);
	}
	free((void *)cfg.layout);
	free(cfg.dwords);
	return 0;
}
