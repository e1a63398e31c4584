// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tester of operations, see ops.h: rounds of some seconds, each with an instance of its
 * own, while an administrator creates, removes and unbinds
 *
 *	OPS_SECONDS	of each test (default 20)
 *	OPS_SEED	to play the same again
 *	OPS_DEVICE	test this instance, or PCI device of vfio-pci, and nothing else
 *
 * What must hold: the kernel complains of nothing, which the lab looks at; what is read from
 * a mapping may be there; all players come to an end; and afterwards the device works and
 * can be removed, with all that it had.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "../modules/vpci_lab.h"
#include "fixture.h"
#include "ops.h"
#include "sysfs.h"

#define OPS_SECONDS	20
#define ROUND_SECONDS	5
#define PATIENCE	60	/* seconds */
/* Where nothing comes by itself, and leaves of 1 GiB fit */
#define ROOM(n)		((void *)((1UL << 44) + (n) * (64UL << 30)))
#define GUEST_UUID	"bbbbbbbb-0b5f-4333-8333-0123456789ab"

static uint64_t ops_seed;
static __thread struct player *player;

uint64_t ops_roll(struct player *p)
{
	uint64_t z = p->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t ops_below(struct player *p, uint64_t limit)
{
	return limit ? ops_roll(p) % limit : 0;
}

uint64_t ops_near(struct player *p, uint64_t limit)
{
	switch (ops_below(p, 5)) {
	case 0:
		return ops_below(p, 4);
	case 1:
		return limit - 4 + ops_below(p, 9);
	case 2:
		return (1ULL << ops_below(p, 64)) - ops_below(p, 2);
	case 3:
		return ops_below(p, limit);
	default:
		return ops_roll(p);
	}
}

int ops_eventfd(struct player *p)
{
	switch (ops_below(p, 8)) {
	case 0:
		return -1;
	case 1:
		return ops_near(p, 1 << 20);
	default:
		return p->world->eventfds[ops_below(p, OPS_EVENTFDS)];
	}
}

/* A mapping that went under the touch, or was never there */
static void on_trap(int signal)
{
	if (player && player->trapped)
		siglongjmp(player->trap, 1);
	_exit(128 + signal);
}

static const struct op *const groups[] = { ops_region, ops_ioctl, ops_memory };
#define NR_GROUPS (sizeof(groups) / sizeof(groups[0]))

static bool poke(struct player *p)
{
	return p->world->target->poke && p->world->target->poke(p);
}

static const struct op op_poke = { "poke", 0, poke };

static const struct op *op_number(size_t number)
{
	size_t g, i;

	for (g = 0; g < NR_GROUPS; g++)
		for (i = 0; groups[g][i].run; i++)
			if (!number--)
				return &groups[g][i];
	return number ? NULL : &op_poke;
}

static unsigned int weight_of(struct world *w, const struct op *op)
{
	return op == &op_poke && w->target->poke ? 4 : op->weight;
}

static size_t pick_op(struct player *p)
{
	const struct op *op;
	unsigned int all = 0, left;
	size_t i;

	for (i = 0; (op = op_number(i)); i++)
		all += weight_of(p->world, op);
	left = ops_below(p, all);
	for (i = 0; left >= weight_of(p->world, op_number(i)); i++)
		left -= weight_of(p->world, op_number(i));
	return i;
}

static void *play(void *arg)
{
	struct player *p = arg;

	player = p;
	while (!p->world->stop) {
		size_t number = pick_op(p);

		p->op = op_number(number);
		p->world->done[number][p->op->run(p)]++;
	}
	return NULL;
}

static void world_open(struct world *w)
{
	const struct target *target = w->target;
	uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	unsigned int i;

	if (target->create)
		assert_int_equal(target->create(target), 0);
	assert_int_equal(vfio_client_open(&w->client, target->uuid), 0);
	for (i = 0; i < OPS_REGIONS; i++)
		if (vfio_client_region(&w->client, i, &w->region[i]))
			w->region[i].size = 0;
	assert_int_equal(vfio_client_write(&w->client, w->client.config + PCI_COMMAND,
					   &command, 2), 2);
	w->nothing = memfd_create("nothing", MFD_CLOEXEC);
	for (i = 0; i < OPS_ROOMS; i++) {
		w->rooms[i] = NULL;
		if (target->bars[i] < 0)
			continue;
		w->rooms[i] = mmap(ROOM(i), target->room_size[i], PROT_NONE,
				   MAP_SHARED | MAP_FIXED_NOREPLACE, w->nothing, 0);
		assert_ptr_equal(w->rooms[i], ROOM(i));
	}
	for (i = 0; i < OPS_EVENTFDS; i++)
		w->eventfds[i] = -1;
	if (target == &ops_lab) {
		uint64_t id;

		assert_int_equal(vfio_client_read(&w->client, w->region[LAB_MIXED_BAR].offset +
						  LAB_ID, &id, 8), 8);
		w->id = id;
	}
}

/* Whatever was done to it, a reset makes it work again */
static void expect_it_works(struct world *w)
{
	uint16_t command = PCI_COMMAND_MEMORY;
	uint64_t corrupt;
	uint32_t id;

	assert_int_equal(ioctl(w->client.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(vfio_client_read(&w->client, w->client.config, &id, 4), 4);
	assert_int_not_equal(id, ~0U);
	if (w->target != &ops_lab)
		return;
	assert_int_equal(vfio_client_write(&w->client, w->client.config + PCI_COMMAND,
					   &command, 2), 2);
	assert_int_equal(vfio_client_read(&w->client, w->region[LAB_MIXED_BAR].offset +
					  LAB_CORRUPT, &corrupt, 8), 8);
	assert_int_equal(corrupt, 0);
}

static void world_close(struct world *w, bool gone)
{
	unsigned int i;

	if (!gone)
		expect_it_works(w);
	for (i = 0; i < OPS_ROOMS; i++)
		if (w->rooms[i])
			munmap((void *)w->rooms[i], w->target->room_size[i]);
	close(w->nothing);
	vfio_client_close(&w->client);
	for (i = 0; i < OPS_EVENTFDS; i++)
		if (w->eventfds[i] >= 0)
			close(w->eventfds[i]);
	if (!gone && w->target->create)
		assert_int_equal(mdev_remove(w->target->uuid), 0);
}

/* Removal of mgpu's instances is refused while they are in use; vpci_lab would wait for the user */
static void administrate(struct world *w, struct player *p)
{
	if (!w->target->create)
		return;
	if (w->target == &ops_mgpu && ops_seldom(p, 2))
		mdev_remove(w->target->uuid);
	if (ops_seldom(p, 2))
		mdev_create(ops_seldom(p, 2) ? "4M" : "8M", GUEST_UUID);
	else
		mdev_remove(GUEST_UUID);
	mdev_stat(w->target->uuid, "resets");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* One that does not come to an end says in what, and where in the kernel it is */
static void join(pthread_t thread, struct player *p)
{
	struct timespec end;
	char command[64];

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE;
	if (!pthread_timedjoin_np(thread, NULL, &end))
		return;
	printf("# a player does not come back from \"%s\"\n", p->op->name);
	fflush(stdout);
	snprintf(command, sizeof(command), "tail -n +1 /proc/%d/task/*/stack", getpid());
	if (system(command))
		printf("# nor is it known where it is\n");
	fail();
}

static void world_round(struct world *w, unsigned int round)
{
	static struct player players[OPS_PLAYERS + 1];
	pthread_t threads[OPS_PLAYERS];
	struct player *admin = &players[OPS_PLAYERS];
	double end = now() + ROUND_SECONDS;
	bool gone = false;
	int i;

	world_open(w);
	w->stop = false;
	for (i = 0; i <= OPS_PLAYERS; i++) {
		players[i].world = w;
		players[i].state = ops_seed ^ (uint64_t)round << 32 ^ (uint64_t)i << 16;
	}
	for (i = 0; i < OPS_PLAYERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, play, &players[i]), 0);
	while (now() < end) {
		administrate(w, admin);
		if (w->target == &ops_mgpu && !gone && end - now() < 1 && round % 2) {
			mdev_remove(GUEST_UUID);
			assert_int_equal(parent_unbind(), 0);
			gone = true;
		}
		/* So that the players have the processor */
		usleep(1000);
	}
	w->stop = true;
	for (i = 0; i < OPS_PLAYERS; i++)
		join(threads[i], &players[i]);
	mdev_remove(GUEST_UUID);
	world_close(w, gone);
	if (!gone)
		return;
	assert_int_equal(parent_bind(), 0);
	/* For who can make an instance of that name, nothing is left of the one before */
	assert_int_equal(w->target->create(w->target), 0);
	assert_int_equal(mdev_remove(w->target->uuid), 0);
}

/* Some can be refused always, by what the device is; but most of them come to something */
static void report(struct world *w)
{
	size_t i, useful = 0;
	const struct op *op;

	for (i = 0; (op = op_number(i)); i++) {
		if (!weight_of(w, op))
			continue;
		printf("# %-14s %8zu, of them %8zu came to something\n", op->name,
		       w->done[i][0] + w->done[i][1], w->done[i][1]);
		useful += !!w->done[i][1];
	}
	assert_true(useful > i / 2);
}

static void run(const struct target *target)
{
	static struct world world;
	/* cmocka has handlers of its own in each test */
	struct sigaction act = { .sa_handler = on_trap };
	const char *seconds = getenv("OPS_SECONDS");
	double end = now() + (seconds && *seconds ? atof(seconds) : OPS_SECONDS);
	unsigned int round = 0;

	assert_int_equal(sigaction(SIGSEGV, &act, NULL) | sigaction(SIGBUS, &act, NULL), 0);
	memset(&world, 0, sizeof(world));
	world.target = target;
	printf("# %s: OPS_SEED=%#llx\n", target->name, (unsigned long long)ops_seed);
	fflush(stdout);
	while (now() < end)
		world_round(&world, round++);
	report(&world);
	assert_int_equal(world.stale, 0);
}

static long timeout;

static int setup(void **state)
{
	const char *seed = getenv("OPS_SEED");

	(void)state;
	ops_seed = seed && *seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL) * 1000003;
	timeout = sysfs_read_long("/sys/module/mdev_core/parameters/remove_timeout");
	if (timeout >= 0)
		sysfs_write("0", "/sys/module/mdev_core/parameters/remove_timeout");
	return 0;
}

static int teardown(void **state)
{
	char text[32];

	(void)state;
	snprintf(text, sizeof(text), "%ld", timeout);
	if (timeout >= 0)
		sysfs_write(text, "/sys/module/mdev_core/parameters/remove_timeout");
	return 0;
}

static void test_lab(void **state)
{
	(void)state;
	run(&ops_lab);
}

static void test_mgpu(void **state)
{
	long free_before = mdev_available("4M");

	(void)state;
	run(&ops_mgpu);
	assert_int_equal(mdev_available("4M"), free_before);
}

/* The largest BARs that can be mapped */
static void test_any(void **state)
{
	struct vfio_region_info info;
	struct vfio_client client;
	unsigned int bar, room = 0;

	(void)state;
	ops_any.uuid = getenv("OPS_DEVICE");
	assert_int_equal(vfio_client_open(&client, ops_any.uuid), 0);
	for (bar = 0; bar < VFIO_PCI_ROM_REGION_INDEX && room < OPS_ROOMS; bar++) {
		if (vfio_client_region(&client, bar, &info) ||
		    !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
			continue;
		ops_any.bars[room] = bar;
		ops_any.room_size[room++] = info.size;
	}
	vfio_client_close(&client);
	run(&ops_any);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest ours[] = {
		cmocka_unit_test_setup_teardown(test_lab, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mgpu, setup, teardown),
	};
	const struct CMUnitTest any[] = {
		cmocka_unit_test_setup_teardown(test_any, setup, teardown),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (getenv("OPS_DEVICE"))
		return cmocka_run_group_tests_name("ops", any, NULL, NULL);
	return cmocka_run_group_tests_name("ops", ours, NULL, NULL);
}
