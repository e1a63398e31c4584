// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long an access to config space takes, without VFIO around it
 *
 * A function with 64 registers, each with a hook, is read and written through
 * the engine and, to compare, through a list of the same registers that is
 * sorted by offset and searched from its head. The registers are taken in a
 * random order that is the same for both. The best of many rounds counts, because
 * other work on the machine can only make a round longer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <linux/pci_regs.h>

#include "vpci_layout.h"

#define NR_REGS		64
#define FIRST		0x40
#define ACCESSES	(1 << 18)
#define ROUNDS		40

struct node {
	struct node *next;
	unsigned int offset;
	u32 wmask;
	u32 value;
	void (*hook)(struct node *node, u32 old, u32 new);
};

static struct node *list;
static struct vpci_config config;
static unsigned int offsets[ACCESSES];
static volatile u32 sink;

static void engine_hook(struct vpci_config *cfg, unsigned int offset, u32 old,
			u32 new, u32 enables)
{
	(void)cfg;
	(void)offset;
	(void)enables;
	sink = old ^ new;
}

static void list_hook(struct node *node, u32 old, u32 new)
{
	(void)node;
	sink = old ^ new;
}

static void nothing(struct vpci_config *cfg)
{
	(void)cfg;
}

static const struct vpci_config_ops ops = { .decode = nothing, .reset = nothing };

static void make_engine(void)
{
	static struct vpci_reg_desc regs[NR_REGS];
	static struct vpci_build build;
	const struct vpci_desc desc = { .config_size = 4096, .regs = regs,
					.nr_regs = NR_REGS };
	struct vpci_config_error err;
	struct vpci_layout *layout;
	unsigned int i;

	for (i = 0; i < NR_REGS; i++)
		regs[i] = (struct vpci_reg_desc) { "register", FIRST + 4 * i, 4,
			.wmask = ~0U, .hook = engine_hook };
	if (vpci_layout_compile(&build, &desc, &ops, &err))
		abort();
	layout = malloc(vpci_layout_size(&build));
	vpci_layout_emit(&build, layout);
	vpci_config_init(&config, layout, malloc(layout->nr_slots * sizeof(u32)));
}

static void make_list(void)
{
	unsigned int i;

	for (i = NR_REGS; i--;) {
		struct node *node = malloc(sizeof(*node));

		*node = (struct node) { list, FIRST + 4 * i, ~0U, 0, list_hook };
		list = node;
	}
}

static struct node *find(unsigned int offset)
{
	struct node *node;

	for (node = list; node && node->offset <= offset; node = node->next) {
		if (node->offset == offset)
			return node;
	}
	return NULL;
}

static __attribute__((noinline)) u32 list_read(unsigned int offset)
{
	struct node *node = find(offset);

	return node ? node->value : 0;
}

static __attribute__((noinline)) void list_write(unsigned int offset, u32 value)
{
	struct node *node = find(offset);
	u32 old;

	if (!node)
		return;
	old = node->value;
	node->value = (old & ~node->wmask) | (value & node->wmask);
	node->hook(node, old, node->value);
}

static void read_engine(unsigned int i)
{
	u32 value;

	vpci_config_read(&config, offsets[i], (u8 *)&value, 4);
	sink = value;
}

static void write_engine(unsigned int i)
{
	u32 value = i;

	vpci_config_write(&config, offsets[i], (const u8 *)&value, 4);
}

static void read_list(unsigned int i)
{
	sink = list_read(offsets[i]);
}

static void write_list(unsigned int i)
{
	list_write(offsets[i], i);
}

/* Nanoseconds for one access; inlined, so that @access is known */
static inline __attribute__((always_inline)) double
measure(void (*access)(unsigned int i))
{
	double best = 1e9;
	unsigned int round, i;

	for (round = 0; round < ROUNDS; round++) {
		struct timespec from, to;
		double ns;

		clock_gettime(CLOCK_MONOTONIC, &from);
		for (i = 0; i < ACCESSES; i++)
			access(i);
		clock_gettime(CLOCK_MONOTONIC, &to);
		ns = (to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec;
		if (ns / ACCESSES < best)
			best = ns / ACCESSES;
	}
	return best;
}

int main(void)
{
	unsigned int i;

	make_engine();
	make_list();
	srandom(1);
	for (i = 0; i < ACCESSES; i++)
		offsets[i] = FIRST + 4 * (random() % NR_REGS);

	printf("64 registers, 4 bytes each time    read     write with hook\n");
	printf("engine                             %5.2f ns %5.2f ns (goal: 2 and 5)\n",
	       measure(read_engine), measure(write_engine));
	printf("sorted list                        %5.2f ns %5.2f ns\n",
	       measure(read_list), measure(write_list));
	return 0;
}
