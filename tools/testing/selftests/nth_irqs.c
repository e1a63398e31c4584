// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds for interrupts are given while allocations fail: all that a call asks for is
 * there afterwards, or what was there before
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "irq_client.h"
#include "nth.h"

#define VECTORS 3

static void setup(void)
{
	assert_int_equal(irq_setup(NULL), 0);
}

static void finish(void)
{
	irq_teardown(NULL);
}

static int give(uint32_t index, uint32_t count)
{
	return irq_give(index, 0, count, irq.fds);
}

/* Whether an interrupt arrives at one of them */
static bool arrives(unsigned int vector, unsigned int fd)
{
	irq_signal(vector);
	return irq_count(irq.fds[fd]);
}

static int give_msix(void)
{
	return give(MSIX, VECTORS);
}

static void msix_arrive(void)
{
	unsigned int i;

	for (i = 0; i < VECTORS; i++)
		assert_true(arrives(i, i));
}

static void no_msix(void)
{
	assert_int_equal(irq_disable(MSIX), 0);
}

/* Another eventfd in the place of each */
static int change_msix(void)
{
	return irq_give(MSIX, 0, VECTORS, irq.fds + VECTORS);
}

static void msix_arrive_elsewhere(void)
{
	unsigned int i;

	for (i = 0; i < VECTORS; i++)
		assert_true(arrives(i, VECTORS + i));
}

static void setup_msix(void)
{
	setup();
	assert_int_equal(give_msix(), 0);
}

static void must_give_msix(void)
{
	assert_int_equal(give_msix(), 0);
}

static int give_msi(void)
{
	return give(MSI, VECTORS);
}

static void no_msi(void)
{
	assert_int_equal(irq_disable(MSI), 0);
}

static int give_pin(void)
{
	return give(INTX, 1);
}

static void pin_arrives(void)
{
	assert_true(arrives(0, 0));
	irq_lower();
}

static void no_pin(void)
{
	assert_int_equal(irq_disable(INTX), 0);
}

static int unmask_by(int fd)
{
	return irq_set(UNMASK | EVENTFD, INTX, 0, 1, &fd);
}

static int give_unmask(void)
{
	return unmask_by(irq.fds[1]);
}

/* The pin is masked when it was signalled, until somebody writes to @fd */
static void expect_unmask_by(int fd)
{
	uint64_t one = 1;

	pin_arrives();
	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
	irq_signal(0);
	assert_true(irq_wait(irq.fds[0]));
	irq_lower();
	assert_int_equal(irq_set(UNMASK | NONE, INTX, 0, 1, NULL), 0);
}

static void unmasks(void)
{
	expect_unmask_by(irq.fds[1]);
}

static void no_unmask(void)
{
	assert_int_equal(unmask_by(-1), 0);
}

static void setup_pin(void)
{
	setup();
	assert_int_equal(give_pin(), 0);
}

static void setup_unmask(void)
{
	setup_pin();
	assert_int_equal(give_unmask(), 0);
}

static int change_unmask(void)
{
	return unmask_by(irq.fds[2]);
}

static void unmasks_elsewhere(void)
{
	expect_unmask_by(irq.fds[2]);
}

static void must_give_unmask(void)
{
	assert_int_equal(give_unmask(), 0);
}

static int give_request(void)
{
	return give(VFIO_PCI_REQ_IRQ_INDEX, 1);
}

static void request_arrives(void)
{
	assert_int_equal(irq_set(TRIGGER | NONE, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, NULL), 0);
	assert_true(irq_count(irq.fds[0]));
}

static void no_request(void)
{
	assert_int_equal(irq_disable(VFIO_PCI_REQ_IRQ_INDEX), 0);
}

const struct nth_sequence nth_irqs[] = {
	{ .name = "msix", .prepare = setup, .run = give_msix, .check = msix_arrive,
	  .undo = no_msix, .finish = finish },
	{ .name = "msix_changes", .prepare = setup_msix, .run = change_msix, .kept = msix_arrive,
	  .check = msix_arrive_elsewhere, .undo = must_give_msix, .finish = finish },
	{ .name = "msi", .prepare = setup, .run = give_msi, .undo = no_msi, .finish = finish },
	{ .name = "pin", .prepare = setup, .run = give_pin, .check = pin_arrives, .undo = no_pin,
	  .finish = finish },
	{ .name = "unmask", .prepare = setup_pin, .run = give_unmask, .check = unmasks,
	  .undo = no_unmask, .finish = finish },
	{ .name = "unmask_changes", .prepare = setup_unmask, .run = change_unmask, .kept = unmasks,
	  .check = unmasks_elsewhere, .undo = must_give_unmask, .finish = finish },
	{ .name = "request", .prepare = setup, .run = give_request, .check = request_arrives,
	  .undo = no_request, .finish = finish },
	{},
};
