// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts while several threads change all that can be changed about them, on
 * the module irq_lab
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "irq_client.h"

#define ROUNDS 10000

static atomic_bool stop;

/* Masks and unmasks by all means, and takes the eventfd away and gives it back */
static void *disturb(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	int none = -1;

	while (!stop) {
		switch (rand_r(&seed) % 6) {
		case 0:
			irq_mask_entry(0, true);
			break;
		case 1:
			irq_mask_entry(0, false);
			break;
		case 2:
			irq_msix_control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
			break;
		case 3:
			irq_msix_control(PCI_MSIX_FLAGS_ENABLE);
			break;
		case 4:
			irq_give(MSIX, 0, 1, &none);
			break;
		case 5:
			irq_give(MSIX, 0, 1, irq.fds);
			break;
		}
	}
	return NULL;
}

/* Each signal comes exactly once, whatever happens meanwhile */
static void test_nothing_is_lost_or_doubled(void **state)
{
	pthread_t threads[3];
	uintptr_t i;
	int round;

	(void)state;
	assert_int_equal(irq_give(MSIX, 0, 1, irq.fds), 0);
	stop = false;
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, disturb, (void *)(i + 1));
	for (round = 0; round < ROUNDS; round++) {
		irq_signal(0);
		if (irq_wait(irq.fds[0]) != 1)
			break;
	}
	stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(round, ROUNDS);
	assert_int_equal(irq_count(irq.fds[0]), 0);
}

/* Enables, triggers, disables and resets, in whatever order */
static void *hammer(void *arg)
{
	unsigned int round, seed = (uintptr_t)arg;
	int fd;

	for (round = 0; round < ROUNDS / 4; round++) {
		unsigned int index = rand_r(&seed) % 3;
		uint32_t vector = rand_r(&seed) % 8;

		switch (rand_r(&seed) % 8) {
		case 0:
			irq_give(index, 0, index ? NR_FDS : 1, irq.fds);
			break;
		case 1:
			irq_disable(index);
			break;
		case 2:
			irq_set(TRIGGER | NONE, index, 0, 1, NULL);
			break;
		case 3:
			fd = rand_r(&seed) % 4 ? irq.fds[rand_r(&seed) % NR_FDS] : -1;
			irq_set(UNMASK | EVENTFD, INTX, 0, 1, &fd);
			break;
		case 4:
			irq_set(UNMASK | NONE, INTX, 0, 1, NULL);
			break;
		case 5:
			ioctl(irq.vfio.device, VFIO_DEVICE_RESET);
			break;
		case 6:
			/* With the pin, or without */
			vfio_client_write(&irq.vfio, irq.vfio.config + PCI_COMMAND,
					  rand_r(&seed) % 2 ? "\6\0" : "\6\4", 2);
			vfio_client_write(&irq.vfio, irq.bar0 + IRQ_LAB_HARDIRQ, &vector, 4);
			break;
		case 7:
			vfio_client_write(&irq.vfio, irq.bar0 + IRQ_LAB_SIGNAL, &vector, 4);
			break;
		}
	}
	return NULL;
}

static void test_hammer(void **state)
{
	pthread_t threads[4];
	uintptr_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hammer, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 3; i++)
		irq_disable(i);
	assert_int_equal(ioctl(irq.vfio.device, VFIO_DEVICE_RESET), 0);
	irq_set_command(0);
	for (i = 0; i < NR_FDS; i++)
		irq_count(irq.fds[i]);
	assert_int_equal(irq_give(MSIX, 0, 1, irq.fds), 0);
	irq_signal(0);
	assert_int_equal(irq_count(irq.fds[0]), 1);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, irq_setup, irq_teardown)
	const struct CMUnitTest tests[] = {
		T(test_nothing_is_lost_or_doubled),
		T(test_hammer),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("irq-race", tests, NULL, NULL);
}
