/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tester of VFIO operations: what a holder of the device's file can do, by many
 * threads at once and in an order that nobody thought of
 *
 * A world is one instance, open, and rooms for mappings of its BARs. Its players each
 * pick one operation after the other. They share the file and the rooms, so what
 * one does meets what another is in the middle of. Room N belongs to one BAR, and an
 * address in it is always that of the same byte there, whoever maps what: so a player
 * knows what may stand at an address, whatever the others do.
 *
 * What a player does follows from the seed, its number and that of the round alone. How it
 * meets the others does not.
 */
#ifndef OPS_H
#define OPS_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfio_client.h"

#define OPS_REGIONS	VFIO_PCI_NUM_REGIONS
#define OPS_PLAYERS	6
#define OPS_ROOMS	3
#define OPS_EVENTFDS	16
/* For DMA: bytes of memory, of which any page may be mapped at the address that is its offset */
#define OPS_MEMORY	(8UL << 20)

/* The administrator's other instance, one of mgpu */
#define OPS_NEIGHBOUR	"bbbbbbbb-0b5f-4333-8333-0123456789ab"

#define PAGE		4096UL
#define LEAF		(2UL << 20)

struct op;
struct player;
struct world;

/**
 * struct target - what kind of device is tested
 * @name: for messages
 * @uuid: name of the instance
 * @create: make it, for mdev_remove(), once its name is free; NULL if it is there already,
 *	and stays
 * @bind: have a driver for the parent, or have none; NULL, its driver stays
 * @bars: the BARs that the rooms are of; -1, no room
 * @room_size: bytes of the rooms, of the whole BAR or of its beginning
 * @word: in each page, where its owner may store what @own says
 * @may_be_there: whether these may be read in the first word of a page and in that of its
 *	owner. All may if NULL. Without memory decode, the first is always ones
 * @own: what the owner of a page may store there
 * @poke: do what only this device can do; NULL, nothing
 * @may_write: whether anything may be written there by write(2); all may if NULL
 */
struct target {
	const char *name;
	const char *uuid;
	int (*create)(const struct target *target);
	int (*bind)(bool bound);
	int bars[OPS_ROOMS];
	size_t room_size[OPS_ROOMS];
	unsigned int word;
	bool (*may_be_there)(struct world *w, unsigned int bar, size_t page, uint64_t first,
			     uint64_t owners);
	uint64_t (*own)(struct world *w, unsigned int bar, size_t page);
	bool (*poke)(struct player *p);
	bool (*may_write)(unsigned int region, uint64_t offset, size_t len);
};

/**
 * struct world - one instance and who plays with it; in memory that forked children share
 * @target: what it is
 * @client: it is open; the file may be replaced at any time by another of the same device
 * @region: of each, as it was when the world began
 * @irqs: likewise, how many interrupts there are
 * @id: number of the instance in what it stores
 * @rooms: where its BARs may be mapped
 * @nothing: a file of which empty room is a mapping
 * @memory: what it may reach by DMA
 * @eventfds: that interrupts may go to; each may be closed and made anew at any time
 * @began: when the first round did
 * @round: which round it is
 * @gone: the parent has no driver any more
 * @stop: players finish
 * @done: by operation, how often, and how often without an error
 * @us: by operation, how long they took, in all and of all players
 * @complaints: how often something was not as it has to be
 */
struct world {
	const struct target *target;
	struct vfio_client client;
	struct vfio_region_info region[OPS_REGIONS];
	uint32_t irqs[VFIO_PCI_NUM_IRQS];
	unsigned int id;
	volatile uint64_t *rooms[OPS_ROOMS];
	int nothing;
	void *memory;
	atomic_int eventfds[OPS_EVENTFDS];
	double began;
	unsigned int round;
	atomic_bool gone;
	atomic_bool stop;
	atomic_size_t done[64][2];
	atomic_size_t us[64];
	atomic_size_t complaints;
};

/**
 * struct player - one thread
 * @world: its world
 * @state: of its random numbers
 * @buf: for reads and writes
 * @op: what it is at
 * @trap: where to go on after SIGSEGV or SIGBUS, while @trapped
 */
struct player {
	struct world *world;
	uint64_t state;
	uint8_t buf[2 * PAGE];
	const struct op *volatile op;
	sigjmp_buf trap;
	volatile bool trapped;
};

/**
 * struct op - an operation
 * @name: for the table at the end
 * @weight: how often, in proportion
 * @run: do it; true if it came to something
 */
struct op {
	const char *name;
	unsigned int weight;
	bool (*run)(struct player *p);
};

extern const struct op ops_region[], ops_ioctl[], ops_memory[];
extern const struct target ops_lab, ops_irq, ops_dma, ops_mgpu;
/* Any other device, "any", once it has a name and its BARs are known */
extern struct target ops_any;

/* Random: any value; below a limit; one of two with odds 1 : @n */
uint64_t ops_roll(struct player *p);
uint64_t ops_below(struct player *p, uint64_t limit);
static inline bool ops_seldom(struct player *p, unsigned int n)
{
	return ops_below(p, n) == 0;
}

/* Values that somebody forgot: around 0, around @limit, around powers of two, and any */
uint64_t ops_near(struct player *p, uint64_t limit);

/* @w->target is made and opened; and, when nobody plays any more, what has to hold is asserted */
void ops_world_open(struct world *w, uint64_t seed);
void ops_world_close(struct world *w, struct player *admin);

/* Something is not as it has to be: say what, where and when; the round will end, and fail */
__attribute__((format(printf, 2, 3)))
void ops_complain(struct player *p, const char *format, ...);

/* What only this target can do */
bool ops_poke(struct player *p);

/* Whether that may be written at @pos of the file */
bool ops_may_write(struct player *p, uint64_t pos, size_t len);

/* Memory decode is off, or the parent gone: nothing that is mapped shows anything */
void ops_expect_nothing(struct player *p);

/* One of the eventfds, or a number that is none */
int ops_eventfd(struct player *p);

#endif /* OPS_H */
