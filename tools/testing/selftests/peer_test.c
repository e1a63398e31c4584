// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an instance answers, beside vfio-pci in the same run: errnos and lengths
 *
 * The peer is the PCI device $LAB_NIC, an e1000e, which vfio-pci has. The instance is of
 * the module irq_lab with as many interrupts. Each call is made on both, and both must
 * answer the same. What they do not, is_known() and test_known_differences() say;
 * the reasons are in Documentation/driver-api/vpci.rst.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "irq_client.h"

#define MSIX_VECTORS 5
#define NOTHING VFIO_PCI_NUM_IRQS

static struct vfio_client peer;

static int setup(void **state)
{
	int ret = irq_setup(state);

	if (!ret)
		ret = vfio_client_open(&peer, getenv("LAB_NIC"));
	return ret;
}

static int teardown(void **state)
{
	vfio_client_close(&peer);
	return irq_teardown(state);
}

static void on_both(uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
		    const void *data, int result[2])
{
	result[0] = irq_set(flags, index, start, count, data);
	result[1] = vfio_client_set_irqs(&peer, flags, index, start, count, data);
}

/* Enable one index, with one eventfd, or none */
static void be_in_state(uint32_t enabled)
{
	int result[2];
	uint32_t i;

	for (i = INTX; i <= MSIX; i++)
		on_both(TRIGGER | NONE, i, 0, 0, NULL, result);
	on_both(TRIGGER | EVENTFD, VFIO_PCI_ERR_IRQ_INDEX, 0, 1, (int[]){ -1 }, result);
	on_both(TRIGGER | EVENTFD, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, (int[]){ -1 }, result);
	if (enabled == NOTHING)
		return;
	on_both(TRIGGER | EVENTFD, enabled, 0, 1, irq.fds, result);
	assert_int_equal(result[0], 0);
	assert_int_equal(result[1], 0);
}

/*
 * Eventfds for no message of what is not enabled: the kernel cannot enable less than one
 * message for vfio-pci, and enables @start of them without an eventfd
 */
static bool is_known(uint32_t enabled, uint32_t flags, uint32_t index,
		     uint32_t count, const int result[2])
{
	return flags == (TRIGGER | EVENTFD) && !count && enabled == NOTHING &&
	       (index == MSI || index == MSIX) && result[0] == -EINVAL &&
	       (result[1] == -ERANGE || !result[1]);
}

static unsigned int compare(uint32_t enabled, uint32_t flags, uint32_t index,
			    uint32_t start, uint32_t count, const void *data)
{
	int result[2];

	on_both(flags, index, start, count, data, result);
	if ((flags & TRIGGER) && (!result[0] || !result[1]))
		be_in_state(enabled);
	if (result[0] == result[1] || is_known(enabled, flags, index, count, result))
		return 0;
	printf("# with %u: index %u flags %#x start %u count %u: %d, vfio-pci %d\n",
	       enabled, index, flags, start, count, result[0], result[1]);
	return 1;
}

/* Every index, action, kind of data, start and count, whatever is enabled */
static void test_set_irqs(void **state)
{
	static const uint32_t actions[] = { 0, MASK, UNMASK, TRIGGER, MASK | TRIGGER, 1 << 6 };
	static const uint32_t kinds[] = { 0, NONE, BOOL, EVENTFD, NONE | BOOL };
	static const uint32_t starts[] = { 0, 1, MSIX_VECTORS - 1, MSIX_VECTORS, ~0U };
	static const uint32_t counts[] = { 0, 1, 2, MSIX_VECTORS, MSIX_VECTORS + 1 };
	uint32_t enabled, index, action, kind, start, count;
	unsigned int calls = 0, wrong = 0;
	/* Of unmasking there can be one for vfio-pci, see test_unmask_eventfd */
	int fds[MSIX_VECTORS + 1] = { -1, -1, -1, -1, -1, -1 };
	uint8_t bools[MSIX_VECTORS + 1] = {};

	(void)state;
	for (enabled = INTX; enabled <= NOTHING; enabled++) {
		if (enabled > MSIX && enabled < NOTHING)
			continue;
		be_in_state(enabled);
		for (index = 0; index <= NOTHING; index++)
		for (action = 0; action < 6; action++)
		for (kind = 0; kind < 5; kind++)
		for (start = 0; start < 5; start++)
		for (count = 0; count < 5; count++, calls++)
			wrong += compare(enabled, actions[action] | kinds[kind], index,
					 starts[start], counts[count],
					 kinds[kind] == BOOL ? (void *)bools : (void *)fds);
	}
	printf("# %u calls\n", calls);
	assert_int_equal(wrong, 0);
}

/* REQ and ERR: with an eventfd they can be signalled, and without not */
static void test_single(void **state)
{
	static const uint32_t indices[] = { VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_REQ_IRQ_INDEX };
	int result[2], none = -1, bad = -2, i;
	uint8_t yes = 1;

	(void)state;
	for (i = 0; i < 2; i++) {
		const struct step {
			uint32_t flags, count;
			const void *data;
			int expected;
		} steps[] = {
			{ TRIGGER | NONE, 1, NULL, -EINVAL },
			{ TRIGGER | NONE, 0, NULL, -EINVAL },
			{ TRIGGER | BOOL, 1, &yes, 0 },
			{ TRIGGER | EVENTFD, 1, irq.fds, 0 },
			{ TRIGGER | NONE, 1, NULL, 0 },
			{ TRIGGER | EVENTFD, 1, &bad, -EINVAL },
			{ TRIGGER | NONE, 0, NULL, 0 },
			{ TRIGGER | NONE, 0, NULL, -EINVAL },
			{ TRIGGER | EVENTFD, 1, &none, 0 },
			{ MASK | NONE, 1, NULL, -ENOTTY },
		};
		unsigned int step;

		for (step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
			on_both(steps[step].flags, indices[i], 0, steps[step].count,
				steps[step].data, result);
			assert_int_equal(result[0], steps[step].expected);
			assert_int_equal(result[1], steps[step].expected);
		}
	}
}

static ssize_t transfer(struct vfio_client *client, bool write, uint64_t pos, size_t len)
{
	static uint8_t buf[64];

	assert_true(len <= sizeof(buf));
	return write ? vfio_client_write(client, pos, buf, len) :
		       vfio_client_read(client, pos, buf, len);
}

/* Accesses around the end of a region, of which the last bytes mean nothing to both */
static unsigned int compare_ends(unsigned int index)
{
	struct vfio_region_info ours, theirs;
	unsigned int len, wrong = 0;
	int from, write;

	assert_int_equal(vfio_client_region(&irq.vfio, index, &ours), 0);
	assert_int_equal(vfio_client_region(&peer, index, &theirs), 0);
	assert_int_equal(!ours.size, !theirs.size);
	for (write = 0; write < 2; write++)
	for (from = ours.size ? -20 : 0; from < 20; from++)
	for (len = 0; len < 40; len++) {
		ssize_t a = transfer(&irq.vfio, write, ours.offset + ours.size + from, len);
		ssize_t b = transfer(&peer, write, theirs.offset + theirs.size + from, len);

		if (a == b)
			continue;
		printf("# region %u: %s of %u at the end %+d: %zd, vfio-pci %zd\n", index,
		       write ? "write" : "read", len, from, a, b);
		wrong++;
	}
	return wrong;
}

static void test_ends_of_regions(void **state)
{
	static const unsigned int indices[] = { 0, 5, VFIO_PCI_ROM_REGION_INDEX,
		VFIO_PCI_CONFIG_REGION_INDEX };
	unsigned int i, on, wrong = 0;
	uint64_t beyond = (uint64_t)20 << 40;

	(void)state;
	for (on = 0; on < 2; on++) {
		vfio_client_decode(&irq.vfio, on);
		vfio_client_decode(&peer, on);
		for (i = 0; i < 4; i++)
			wrong += compare_ends(indices[i]);
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(transfer(&irq.vfio, false, beyond, 4), transfer(&peer, false, beyond, 4));
}

/* Of COMMAND, BARs, line and cache line size: what vfio-pci gives back, ours does */
static void test_reset(void **state)
{
	static const struct { unsigned int at, len; uint32_t value; } regs[] = {
		{ PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER },
		{ PCI_BASE_ADDRESS_0, 4, 0xfe000000 },
		{ PCI_INTERRUPT_LINE, 1, 7 },
		{ PCI_CACHE_LINE_SIZE, 1, 0x10 },
	};
	struct vfio_client *clients[] = { &irq.vfio, &peer };
	unsigned int i, c;

	(void)state;
	for (c = 0; c < 2; c++) {
		for (i = 0; i < 4; i++)
			vfio_client_put(clients[c], regs[i].at, regs[i].len, regs[i].value);
		assert_int_equal(vfio_client_give(clients[c], MSIX, irq.fds[c]), 0);
		assert_int_equal(ioctl(clients[c]->device, VFIO_DEVICE_RESET), 0);
		for (i = 0; i < 4; i++)
			assert_int_equal(vfio_client_get(clients[c], regs[i].at, regs[i].len), regs[i].value);
		/* What was set up can be signalled, and undone */
		assert_int_equal(vfio_client_set_irqs(clients[c], TRIGGER | NONE, MSIX, 0, 1, NULL), 0);
		assert_int_equal(irq_count(irq.fds[c]), 1);
		assert_int_equal(vfio_client_set_irqs(clients[c], TRIGGER | NONE, MSIX, 0, 0, NULL), 0);
	}
}

/* In what vfio-pci refuses or forgets, ours serves its users; see the table */
static void test_known_differences(void **state)
{
	int result[2], bad = -2;

	(void)state;
	/* An eventfd that cannot be one */
	on_both(TRIGGER | EVENTFD, INTX, 0, 1, &bad, result);
	assert_int_equal(result[0], -EINVAL);
	assert_int_equal(result[1], 0);
	/* A second one to unmask */
	be_in_state(INTX);
	on_both(UNMASK | EVENTFD, INTX, 0, 1, irq.fds + 1, result);
	assert_int_equal(result[0], 0);
	assert_int_equal(result[1], 0);
	on_both(UNMASK | EVENTFD, INTX, 0, 1, irq.fds + 2, result);
	assert_int_equal(result[0], 0);
	assert_int_equal(result[1], -EBUSY);
	/* Eventfds for no message of what is not enabled */
	be_in_state(NOTHING);
	on_both(TRIGGER | EVENTFD, MSIX, 0, 0, NULL, result);
	assert_int_equal(result[0], -EINVAL);
	assert_int_equal(result[1], -ERANGE);
	on_both(TRIGGER | EVENTFD, MSIX, 2, 0, NULL, result);
	assert_int_equal(result[0], -EINVAL);
	assert_int_equal(result[1], 0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_set_irqs),
		T(test_single),
		T(test_ends_of_regions),
		T(test_reset),
		T(test_known_differences),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
