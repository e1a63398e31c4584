// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset, by each of the ways to it, and close: nothing of what the user wrote is
 * left, and no interrupt. On the module irq_lab, which has a capability of each kind
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "irq_client.h"

/* All that can be read */
struct dump {
	uint8_t config[4096];
	uint8_t regs[IRQ_LAB_SIZE];
	uint8_t msix[IRQ_LAB_MSIX_SIZE];
};

static void take_dump(struct dump *dump)
{
	assert_int_equal(vfio_client_read(&irq.vfio, irq.vfio.config, dump->config, 4096), 4096);
	irq_set_command(0);
	assert_int_equal(vfio_client_read(&irq.vfio, irq.bar0, dump->regs, sizeof(dump->regs)),
			 sizeof(dump->regs));
	assert_int_equal(vfio_client_read(&irq.vfio, irq.bar4, dump->msix, sizeof(dump->msix)),
			 sizeof(dump->msix));
	vfio_client_put(&irq.vfio, PCI_COMMAND, 2, 0);
}

static void reset_by_ioctl(void)
{
	assert_int_equal(ioctl(irq.vfio.device, VFIO_DEVICE_RESET), 0);
}

/* The upper byte of DEVCTL alone */
static void reset_by_flr(void)
{
	vfio_client_put(&irq.vfio, IRQ_LAB_EXP + PCI_EXP_DEVCTL + 1, 1,
			PCI_EXP_DEVCTL_BCR_FLR >> 8);
}

static void reset_by_power(void)
{
	vfio_client_put(&irq.vfio, IRQ_LAB_PM + PCI_PM_CTRL, 2, 3);
	vfio_client_put(&irq.vfio, IRQ_LAB_PM + PCI_PM_CTRL, 2, 0);
}

static void reset_by_close(void)
{
	vfio_client_close(&irq.vfio);
	irq_open();
}

/* Writes of any value, width and place; with decode off now and then */
static void scribble(unsigned int *seed)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8 };
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		unsigned int size = sizes[rand_r(seed) % 4];
		unsigned int where = rand_r(seed) % 3;
		uint64_t value = (uint64_t)rand_r(seed) << 33 ^ rand_r(seed);

		if (where == 0)
			vfio_client_write(&irq.vfio, irq.vfio.config + rand_r(seed) % 256, &value, size);
		else if (where == 1)
			vfio_client_write(&irq.vfio, irq.bar0 + rand_r(seed) % (IRQ_LAB_REGS_END - 8),
					  &value, size);
		else
			vfio_client_write(&irq.vfio, irq.bar4 + rand_r(seed) % (IRQ_LAB_MSIX_SIZE - 8),
					  &value, size);
		if (i % 16 == 0)
			irq_set_command(0);
	}
}

static void test_reset_leaves_nothing(void **state)
{
	static void (* const resets[])(void) = {
		reset_by_ioctl, reset_by_flr, reset_by_power, reset_by_close
	};
	struct dump *dumps = calloc(2, sizeof(*dumps));
	unsigned int i, seed = 1;

	(void)state;
	assert_non_null(dumps);
	vfio_client_put(&irq.vfio, PCI_COMMAND, 2, 0);
	take_dump(&dumps[0]);
	for (i = 0; i < 40; i++) {
		assert_int_equal(irq_give(MSIX, 0, NR_FDS, irq.fds), 0);
		scribble(&seed);
		/* Whatever power state it was left in */
		vfio_client_put(&irq.vfio, IRQ_LAB_PM + PCI_PM_CTRL, 2, 0);
		irq_set_command(0);
		irq_signal(7);
		resets[i % 4]();
		if (i % 4 == 3)
			vfio_client_put(&irq.vfio, PCI_COMMAND, 2, 0);
		assert_int_equal(vfio_client_get(&irq.vfio, PCI_COMMAND, 2), 0);
		irq_disable(MSIX);
		take_dump(&dumps[1]);
		assert_memory_equal(&dumps[1], &dumps[0], sizeof(dumps[0]));
	}
	free(dumps);
}

/* The next user gets none of the interrupts that this one has left behind */
static void test_close_leaves_nothing(void **state)
{
	int i;

	(void)state;
	assert_int_equal(irq_give(MSIX, 0, 4, irq.fds), 0);
	irq_mask_entry(0, true);
	irq_signal(0);
	vfio_client_close(&irq.vfio);
	irq_open();
	assert_false(irq_is_pending(0));
	irq_msix_control(PCI_MSIX_FLAGS_ENABLE);
	for (i = 0; i < 4; i++)
		irq_signal(i);
	for (i = 0; i < 4; i++)
		assert_int_equal(irq_count(irq.fds[i]), 0);
	assert_int_equal(irq_get32(irq.bar0 + IRQ_LAB_LISTENING), 0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, irq_setup, irq_teardown)
	const struct CMUnitTest tests[] = {
		T(test_reset_leaves_nothing),
		T(test_close_leaves_nothing),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
