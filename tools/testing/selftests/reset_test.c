// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset, by each of the ways to it, and close: nothing of what the user wrote is
 * left, and no interrupt; but VFIO_DEVICE_RESET leaves config space and the interrupts
 * as they are set up, as vfio-pci does. On the module irq_lab, which has a capability
 * of each kind
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
		reset_by_flr, reset_by_power, reset_by_close
	};
	struct dump *dumps = calloc(2, sizeof(*dumps));
	unsigned int i, seed = 1;

	(void)state;
	assert_non_null(dumps);
	vfio_client_put(&irq.vfio, PCI_COMMAND, 2, 0);
	take_dump(&dumps[0]);
	for (i = 0; i < 30; i++) {
		assert_int_equal(irq_give(MSIX, 0, NR_FDS, irq.fds), 0);
		scribble(&seed);
		/* Whatever power state it was left in */
		vfio_client_put(&irq.vfio, IRQ_LAB_PM + PCI_PM_CTRL, 2, 0);
		irq_set_command(0);
		irq_signal(7);
		/* Of the link, which the guest's resets leave alone */
		if (resets[i % 3] != reset_by_close)
			vfio_client_put(&irq.vfio, IRQ_LAB_EXP + PCI_EXP_LNKCTL, 2, 0);
		resets[i % 3]();
		if (resets[i % 3] == reset_by_close)
			vfio_client_put(&irq.vfio, PCI_COMMAND, 2, 0);
		assert_int_equal(vfio_client_get(&irq.vfio, PCI_COMMAND, 2), 0);
		irq_disable(MSIX);
		take_dump(&dumps[1]);
		assert_memory_equal(&dumps[1], &dumps[0], sizeof(dumps[0]));
	}
	free(dumps);
}

/* What belongs to the link outlasts the guest's resets, and not its user */
static void test_sticky(void **state)
{
	const unsigned int at = IRQ_LAB_EXP + PCI_EXP_LNKCTL;

	(void)state;
	vfio_client_put(&irq.vfio, at, 2, PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_RCB);
	reset_by_flr();
	reset_by_power();
	reset_by_ioctl();
	assert_int_equal(vfio_client_get(&irq.vfio, at, 2), PCI_EXP_LNKCTL_CCC | PCI_EXP_LNKCTL_RCB);
	reset_by_close();
	assert_int_equal(vfio_client_get(&irq.vfio, at, 2), 0);
}

/* The function's registers and MSI-X table are as new, whatever is in config space */
static void test_user_reset_leaves_no_register(void **state)
{
	struct dump *dumps = calloc(2, sizeof(*dumps));
	unsigned int i, seed = 2;

	(void)state;
	assert_non_null(dumps);
	take_dump(&dumps[0]);
	for (i = 0; i < 10; i++) {
		scribble(&seed);
		vfio_client_put(&irq.vfio, IRQ_LAB_PM + PCI_PM_CTRL, 2, i % 2 ? 3 : 0);
		reset_by_ioctl();
		take_dump(&dumps[1]);
		assert_memory_equal(dumps[1].regs, dumps[0].regs, sizeof(dumps[0].regs));
		assert_memory_equal(dumps[1].msix, dumps[0].msix, sizeof(dumps[0].msix));
	}
	free(dumps);
}

/* What can be written, but for status, which no reset leaves, and power management */
static void set_config_up(void)
{
	irq_set_command(PCI_COMMAND_INTX_DISABLE);
	vfio_client_put(&irq.vfio, PCI_CACHE_LINE_SIZE, 1, 0x10);
	vfio_client_put(&irq.vfio, PCI_BASE_ADDRESS_0, 4, 0xfe000000);
	vfio_client_put(&irq.vfio, PCI_BASE_ADDRESS_4, 4, 0xfd000000);
	vfio_client_put(&irq.vfio, PCI_INTERRUPT_LINE, 1, 11);
	vfio_client_put(&irq.vfio, IRQ_LAB_MSI + PCI_MSI_ADDRESS_LO, 4, 0xfee00000);
	vfio_client_put(&irq.vfio, IRQ_LAB_MSI + PCI_MSI_DATA_64, 2, 0x4021);
	vfio_client_put(&irq.vfio, IRQ_LAB_MSI + PCI_MSI_MASK_64, 4, 0xf0);
	vfio_client_put(&irq.vfio, IRQ_LAB_EXP + PCI_EXP_DEVCTL, 2, 0x2817);
	vfio_client_put(&irq.vfio, IRQ_LAB_EXP + PCI_EXP_DEVCTL2, 2, 0x10);
}

/* A client that enables, resets and goes on */
static void test_user_reset_restores_config(void **state)
{
	static uint8_t before[4096], after[4096];
	unsigned int i;

	(void)state;
	set_config_up();
	assert_int_equal(irq_give(MSIX, 0, NR_FDS, irq.fds), 0);
	irq_msix_control(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(vfio_client_read(&irq.vfio, irq.vfio.config, before, 4096), 4096);
	for (i = 0; i < 4; i++) {
		irq_put32(irq.bar0 + IRQ_LAB_SCRATCH, 0x5ec7e7);
		/* From D3hot it comes back as from D0 */
		vfio_client_put(&irq.vfio, IRQ_LAB_PM + PCI_PM_CTRL, 2, 0);
		reset_by_ioctl();
		assert_int_equal(vfio_client_read(&irq.vfio, irq.vfio.config, after, 4096), 4096);
		assert_memory_equal(after, before, sizeof(after));
		assert_int_equal(irq_get32(irq.bar0 + IRQ_LAB_SCRATCH), 0);
		assert_int_equal(irq_get32(irq.bar0 + IRQ_LAB_LISTENING), 1);
		irq_signal(i);
		assert_int_equal(irq_count(irq.fds[i]), 1);
	}
	vfio_client_put(&irq.vfio, IRQ_LAB_PM + PCI_PM_CTRL, 2, 3);
	reset_by_ioctl();
	assert_int_equal(vfio_client_read(&irq.vfio, irq.vfio.config, after, 4096), 4096);
	assert_memory_equal(after, before, sizeof(after));
}

/* Of the pin, nothing is driven any more, but it is masked until the user unmasks it */
static void test_user_reset_keeps_the_mask_of_the_pin(void **state)
{
	(void)state;
	assert_int_equal(irq_give(INTX, 0, 1, irq.fds), 0);
	irq_signal(0);
	assert_int_equal(irq_count(irq.fds[0]), 1);
	reset_by_ioctl();
	assert_false(irq_status());
	irq_signal(0);
	assert_int_equal(irq_count(irq.fds[0]), 0);
	assert_int_equal(irq_set(UNMASK | NONE, INTX, 0, 1, NULL), 0);
	assert_int_equal(irq_count(irq.fds[0]), 1);
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
		T(test_sticky),
		T(test_user_reset_leaves_no_register),
		T(test_user_reset_restores_config),
		T(test_user_reset_keeps_the_mask_of_the_pin),
		T(test_close_leaves_nothing),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("reset", tests, NULL, NULL);
}
