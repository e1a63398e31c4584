// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vertical-blank interrupt of mgpu: it comes at its rate, and there is a timer
 * for it only while somebody could get it. The kernel lists its timers.
 */
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/pci_regs.h>

#include "display_client.h"
#include "fixture.h"
#include "sysfs.h"

#define HZ		60
#define TICKS		120
#define ATTEMPTS	30
#define PATIENCE	30	/* seconds */
#define NOTHING		(-1)
#define NSEC_PER_SEC	1000000000LL

static int fd = NOTHING;

/* The instances that have a timer running */
static int timers(void)
{
	FILE *list = fopen("/proc/timer_list", "r");
	char line[256];
	int count = 0;

	assert_non_null(list);
	while (fgets(line, sizeof(line), list))
		count += !!strstr(line, "vpci_vblank_tick");
	fclose(list);
	return count;
}

/* A timer that is just ticking is not listed; one that was cancelled is never */
static void expect_timer(bool wanted)
{
	time_t end = time(NULL) + PATIENCE;
	int count;

	while ((count = timers()) != wanted && wanted && time(NULL) < end)
		sched_yield();
	assert_int_equal(count, wanted);
}

static void listen_to(int eventfd)
{
	assert_int_equal(vfio_client_give(&fixture_client,
					  VFIO_PCI_MSIX_IRQ_INDEX, eventfd), 0);
}

static void enable(void)
{
	vfio_client_put(&fixture_client, PCI_COMMAND, 2,
			PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static int setup(void **state)
{
	int ret = fixture_setup(state);

	if (ret)
		return ret;
	fd = eventfd(0, EFD_CLOEXEC);
	open_type("4M", UUID_A);
	enable();
	return 0;
}

static int teardown(void **state)
{
	close(fd);
	return display_teardown(state);
}

static void test_info(void **state)
{
	struct vfio_irq_info info = { .argsz = sizeof(info) };

	(void)state;
	for (info.index = VFIO_PCI_INTX_IRQ_INDEX;
	     info.index <= VFIO_PCI_MSIX_IRQ_INDEX; info.index++) {
		assert_int_equal(ioctl(fixture_client.device,
				       VFIO_DEVICE_GET_IRQ_INFO, &info), 0);
		assert_int_equal(info.count,
				 info.index == VFIO_PCI_MSIX_IRQ_INDEX);
	}
}

static void test_timer_while_it_is_wanted(void **state)
{
	(void)state;
	expect_timer(false);
	set_mode(640, 480);
	expect_timer(false);
	listen_to(fd);
	expect_timer(true);
	dispi_write(ENABLE, 0);
	expect_timer(false);
	set_mode(640, 480);
	expect_timer(true);
	listen_to(NOTHING);
	expect_timer(false);
	listen_to(fd);
	expect_timer(true);
}

/* Whoever listens does so still after a reset, but there is no mode */
static void test_reset(void **state)
{
	(void)state;
	listen_to(fd);
	set_mode(640, 480);
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_RESET), 0);
	expect_timer(false);
	enable();
	set_mode(640, 480);
	expect_timer(true);
}

static void test_close(void **state)
{
	(void)state;
	listen_to(fd);
	set_mode(640, 480);
	fixture_close();
	expect_timer(false);
	assert_int_equal(vfio_client_open(&fixture_client, UUID_A), 0);
	enable();
	set_mode(640, 480);
	expect_timer(false);
}

static void test_unbind(void **state)
{
	(void)state;
	if (!mdev_core_is_ours())
		skip();
	listen_to(fd);
	set_mode(640, 480);
	assert_int_equal(parent_unbind(), 0);
	expect_timer(false);
	fixture_close();
	assert_int_equal(parent_bind(), 0);
}

static uint64_t tick(void)
{
	struct pollfd ticked = { .fd = fd, .events = POLLIN };
	uint64_t count;

	assert_int_equal(poll(&ticked, 1, PATIENCE * 1000), 1);
	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	return count;
}

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* Thousandths of ticks in a second, from one tick to TICKS later */
static int64_t measure(void)
{
	uint64_t count = 0;
	int64_t start;

	tick();
	start = now();
	while (count < TICKS)
		count += tick();
	return count * 1000 * NSEC_PER_SEC / (now() - start);
}

/* A busy machine leaves ticks out, now and then for a minute, but never has too many: the best attempt counts */
static void test_rate(void **state)
{
	int64_t rate = 0, best = 0;
	int i;

	(void)state;
	listen_to(fd);
	set_mode(640, 480);
	for (i = 0; i < ATTEMPTS && best < HZ * 980; i++) {
		rate = measure();
		if (rate > best)
			best = rate;
	}
	print_message("# %ld.%03ld interrupts in a second\n", (long)best / 1000,
		      (long)best % 1000);
	assert_in_range(best, HZ * 980, HZ * 1020);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		T(test_info),
		T(test_timer_while_it_is_wanted),
		T(test_reset),
		T(test_close),
		T(test_unbind),
		T(test_rate),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("vblank", tests, NULL, NULL);
}
