// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tester of operations, see ops.h: rounds of some seconds, each with an instance of its
 * own, while an administrator creates, removes and unbinds
 *
 *	OPS_SECONDS	of each test (default 15)
 *	OPS_SEED	to play the same again
 *	OPS_DEVICE	test this instance, or PCI device of vfio-pci, and nothing else
 *	OPS_WITHOUT	names of operations that are left out, to find out which of them it is
 *
 * What must hold: the kernel complains of nothing, which the lab looks at; what is read from
 * a mapping may be there, and is nothing where memory decode is off or the parent is gone; no
 * access reaches beyond its region, and no interrupt is set up that there is not; all players
 * come to an end, and so does the administrator; and afterwards the device works and can be
 * removed, with all that it had, and be made again.
 *
 * The kernel's log has a line for each round, so that it tells in which one something happened.
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
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fixture.h"
#include "ops.h"
#include "sysfs.h"

#define OPS_SECONDS	15
#define ROUND_SECONDS	5
#define BURST_SECONDS	0.02
#define PATIENCE	60	/* seconds */

static uint64_t ops_seed;
/* Of the test that runs */
static struct world *world;
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

bool ops_poke(struct player *p)
{
	return p->world->target->poke && p->world->target->poke(p);
}

static const struct op op_poke = { "poke", 0, ops_poke };

static const struct op *op_number(size_t number)
{
	size_t g, i;

	for (g = 0; g < NR_GROUPS; g++)
		for (i = 0; groups[g][i].run; i++)
			if (!number--)
				return &groups[g][i];
	return number ? NULL : &op_poke;
}

static const char *left_out;

/* Where nothing can be mapped, there is no room for what is done to mappings */
static bool has_room(struct world *w, const struct op *op)
{
	size_t i;

	for (i = 0; ops_memory[i].run; i++)
		if (op == &ops_memory[i])
			return w->target->bars[0] >= 0;
	return true;
}

static unsigned int weight_of(struct world *w, const struct op *op)
{
	if (!has_room(w, op) || (left_out && strstr(left_out, op->name)))
		return 0;
	return op == &op_poke && w->target->poke ? 12 : op->weight;
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

/*
 * One operation; or now and then the very same for a while, as long as it comes to something:
 * so what takes no time meets others in the middle of theirs
 */
static void play_one(struct player *p)
{
	size_t number = pick_op(p);
	double began = fixture_now(), until = ops_seldom(p, 4) ? began + BURST_SECONDS : 0, now;
	uint64_t state = p->state;
	bool done;

	p->op = op_number(number);
	do {
		p->state = state;
		done = p->op->run(p);
		p->world->done[number][done]++;
		now = fixture_now();
	} while (done && now < until && !p->world->stop);
	p->world->us[number] += (size_t)((now - began) * 1e6);
}

static void *play(void *arg)
{
	struct player *p = arg;

	player = p;
	while (!p->world->stop)
		play_one(p);
	return NULL;
}

/* Removal is refused while somebody has the instance, whoever asks for it */
static void administrate(struct world *w, struct player *p)
{
	static const char *const types[] = { "4M", "8M", "16M" };

	if (!w->target->create)
		return;
	if (ops_seldom(p, 2))
		mdev_remove(w->target->uuid);
	/* For the last one there is no room, which the log says each time */
	if (ops_seldom(p, 2))
		mdev_create(types[ops_seldom(p, 8) ? 2 : ops_below(p, 2)], OPS_NEIGHBOUR);
	else
		mdev_remove(OPS_NEIGHBOUR);
	mdev_stat(w->target->uuid, "resets");
}

/* Where in the kernel they all are */
static void show_stuck(const char *who, const char *what)
{
	char command[64];

	printf("# %s does not come back from \"%s\"\n", who, what);
	fflush(stdout);
	snprintf(command, sizeof(command), "tail -n +1 /proc/%d/task/*/stack", getpid());
	if (system(command))
		printf("# nor is it known where it is\n");
}

static void join(pthread_t thread, struct player *p)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += PATIENCE;
	if (!pthread_timedjoin_np(thread, NULL, &end))
		return;
	show_stuck("a player", p->op->name);
	fail();
}

/* What the administrator is at, and until when he has to be through */
static _Atomic(const char *) doing;
static _Atomic double due;

static void begin(const char *what)
{
	doing = what;
	due = fixture_now() + ROUND_SECONDS + PATIENCE;
}

static void *watch(void *unused)
{
	while (fixture_now() < due)
		sleep(1);
	show_stuck("the administrator", doing);
	_exit(1);
	return unused;
}

static void log_round(struct world *w)
{
	FILE *log = fopen("/dev/kmsg", "w");

	if (!log)
		return;
	fprintf(log, "<6>ops: %s, OPS_SEED=%#llx, round %u, after %.1f s\n", w->target->name,
		(unsigned long long)ops_seed, w->round, fixture_now() - w->began);
	fclose(log);
}

static void play_until(struct world *w, double end, struct player *admin)
{
	while (fixture_now() < end && !w->complaints) {
		administrate(w, admin);
		if (w->target->bind && !w->gone && end - fixture_now() < 1 && w->round % 2) {
			mdev_remove(OPS_NEIGHBOUR);
			assert_int_equal(w->target->bind(false), 0);
			w->gone = true;
		}
		/* So that the players have the processor */
		usleep(1000);
	}
}

static void world_round(struct world *w)
{
	static struct player players[OPS_PLAYERS + 1];
	pthread_t threads[OPS_PLAYERS];
	struct player *admin = &players[OPS_PLAYERS];
	int i;

	log_round(w);
	begin("opening");
	ops_world_open(w, ops_seed);
	for (i = 0; i <= OPS_PLAYERS; i++) {
		players[i].world = w;
		players[i].state = ops_seed ^ (uint64_t)w->round << 32 ^ (uint64_t)i << 16;
	}
	player = admin;
	for (i = 0; i < OPS_PLAYERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, play, &players[i]), 0);
	begin("administrating");
	play_until(w, fixture_now() + ROUND_SECONDS, admin);
	w->stop = true;
	for (i = 0; i < OPS_PLAYERS; i++) {
		begin("joining");
		join(threads[i], &players[i]);
	}
	begin("closing");
	ops_world_close(w, admin);
	w->round++;
}

/* Some can be refused always, by what the device is; but most of them come to something */
static void report(struct world *w)
{
	size_t i, useful = 0, all = 0;
	const struct op *op;

	for (i = 0; (op = op_number(i)); i++) {
		if (!weight_of(w, op))
			continue;
		printf("# %-14s %8zu in %6.1f s, of them %8zu came to something\n", op->name,
		       w->done[i][0] + w->done[i][1], w->us[i] / 1e6, w->done[i][1]);
		useful += !!w->done[i][1];
		all++;
	}
	assert_true(useful > all / 2);
}

static void run(const struct target *target)
{
	/* cmocka has handlers of its own in each test */
	struct sigaction act = { .sa_handler = on_trap };
	const char *seconds = getenv("OPS_SECONDS");
	double end = fixture_now() + (seconds && *seconds ? atof(seconds) : OPS_SECONDS);
	struct world *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_t watcher;

	assert_ptr_not_equal(w, MAP_FAILED);
	assert_int_equal(sigaction(SIGSEGV, &act, NULL) | sigaction(SIGBUS, &act, NULL), 0);
	left_out = getenv("OPS_WITHOUT");
	w->target = target;
	w->began = fixture_now();
	world = w;
	printf("# %s: OPS_SEED=%#llx\n", target->name, (unsigned long long)ops_seed);
	fflush(stdout);
	begin("beginning");
	assert_int_equal(pthread_create(&watcher, NULL, watch, NULL), 0);
	while (fixture_now() < end && !w->complaints)
		world_round(w);
	pthread_cancel(watcher);
	pthread_join(watcher, NULL);
	report(w);
	assert_int_equal(w->complaints, 0);
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
	/* What is left of a test that failed */
	world->stop = true;
	if (world->gone)
		world->target->bind(true);
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

static void test_irq(void **state)
{
	(void)state;
	run(&ops_irq);
}

static void test_dma(void **state)
{
	(void)state;
	run(&ops_dma);
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
		cmocka_unit_test_setup_teardown(test_irq, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dma, setup, teardown),
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
