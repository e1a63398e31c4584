// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access of a function to its user's memory: what it pins goes at once when the user
 * unmaps it, when the function is reset or closed, and when its parent goes
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/iommufd.h>
#include <linux/pci_regs.h>

#include "dma_client.h"
#include "sysfs.h"

#define UUID		"dada0000-9e57-4c11-8c11-000000000001"
#define DRIVER		"/sys/bus/platform/drivers/dma_lab"

#define PAGE		4096UL
#define PAGES		16
#define SIZE		(PAGES * PAGE)
#define IOVA		0x100000UL
#define WORDS		(PAGE / sizeof(uint64_t))
#define ROUNDS		2000

static uint64_t *memory;

static int pin_pages(unsigned int pin, uint64_t iova, uint64_t count)
{
	dma_put(DMA_LAB_IOVA, iova);
	dma_put(DMA_LAB_COUNT, count);
	return dma_command(DMA_LAB_PIN, pin);
}

/* Negative errno, or 0 with the page's first word */
static int peek(unsigned int pin, uint64_t page, uint64_t *word)
{
	int ret;

	dma_put(DMA_LAB_COUNT, page);
	ret = dma_command(DMA_LAB_PEEK, pin);
	*word = dma_get(DMA_LAB_VALUE);
	return ret;
}

static void assert_word(unsigned int pin, uint64_t page, uint64_t expected)
{
	uint64_t word;

	assert_int_equal(peek(pin, page, &word), 0);
	assert_int_equal(word, expected);
}

static void assert_gone(unsigned int pin)
{
	uint64_t word;

	assert_int_equal(peek(pin, 0, &word), -ENXIO);
}

static int map(void)
{
	return vfio_client_map(&dma.vfio, memory, IOVA, SIZE, true);
}

static int unmap(void)
{
	return vfio_client_unmap(&dma.vfio, IOVA, SIZE);
}

static void close_client(void)
{
	vfio_client_close(&dma.vfio);
	dma.vfio.device = dma.vfio.group = dma.vfio.iommu = -1;
}

static int setup_type(const char *file)
{
	unsigned int i;

	dma.vfio.device = dma.vfio.group = dma.vfio.iommu = -1;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || mdev_create_in(file, UUID))
		return -1;
	for (i = 0; i < PAGES; i++)
		memory[i * WORDS] = 100 + i;
	dma_open(UUID);
	assert_int_equal(map(), 0);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_type(DMA_TYPES "dma/create");
}

static int setup_forgetful(void **state)
{
	(void)state;
	return setup_type(DMA_TYPES "forgetful/create");
}

static int teardown(void **state)
{
	(void)state;
	close_client();
	munmap(memory, SIZE);
	if (!sysfs_exists(DRIVER "/dma_lab"))
		return sysfs_write("dma_lab", DRIVER "/bind");
	return mdev_exists(UUID) ? mdev_remove(UUID) : 0;
}

/* With the type 1 IOMMU there are none */
static void needs_pins(void)
{
	if (dma.vfio.group >= 0)
		skip();
}

static void test_pin(void **state)
{
	long before = dma_pinned_kib();
	uint64_t word;

	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA + 2 * PAGE, 3), 0);
	assert_true(dma_pinned_kib() > before);
	assert_word(0, 0, 102);
	assert_word(0, 2, 104);
	assert_int_equal(peek(0, 3, &word), -ENXIO);

	dma_put(DMA_LAB_COUNT, 1);
	dma_put(DMA_LAB_VALUE, 0xabcd);
	assert_int_equal(dma_command(DMA_LAB_POKE, 0), 0);
	assert_int_equal(memory[3 * WORDS], 0xabcd);

	assert_int_equal(pin_pages(0, IOVA, 1), -EBUSY);
	assert_int_equal(dma_command(DMA_LAB_UNPIN, 0), 0);
	assert_gone(0);
	assert_int_equal(dma_command(DMA_LAB_UNPIN, 0), 0);
	assert_int_equal(dma_pinned_kib(), before);
}

static void test_overlap(void **state)
{
	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, 4), 0);
	assert_int_equal(pin_pages(1, IOVA + 2 * PAGE, 4), 0);
	assert_int_equal(pin_pages(2, IOVA, 4), 0);
	assert_int_equal(dma_command(DMA_LAB_UNPIN, 0), 0);
	assert_word(1, 0, 102);
	assert_word(2, 3, 103);
}

static void test_copy(void **state)
{
	uint64_t at = IOVA + PAGE - 4;

	(void)state;
	/* Across pages */
	memcpy((char *)memory + PAGE - 4, "abcdefgh", 8);
	dma_put(DMA_LAB_IOVA, at);
	dma_put(DMA_LAB_COUNT, 8);
	assert_int_equal(dma_command(DMA_LAB_READ, 0), 0);
	assert_int_equal(dma_get(DMA_LAB_VALUE), 0x6867666564636261);
	dma_put(DMA_LAB_VALUE, 0x3132333435363738);
	assert_int_equal(dma_command(DMA_LAB_WRITE, 0), 0);
	assert_memory_equal((char *)memory + PAGE - 4, "87654321", 8);
}

static int copy(uint64_t iova, uint64_t len)
{
	dma_put(DMA_LAB_IOVA, iova);
	dma_put(DMA_LAB_COUNT, len);
	return dma_command(DMA_LAB_READ, 0);
}

static void test_copy_after_unmap(void **state)
{
	(void)state;
	assert_int_equal(copy(IOVA, 8), 0);
	assert_int_equal(unmap(), 0);
	assert_true(copy(IOVA, 8) < 0);
	assert_int_equal(map(), 0);
	assert_int_equal(copy(IOVA, 8), 0);
	assert_int_equal(dma_get(DMA_LAB_VALUE), 100);
}

/* What type 1 unmaps could be pinned again until the kernel gives up, see vpci_dma.c */
static void test_no_pins_with_type1(void **state)
{
	long before = dma_pinned_kib();

	(void)state;
	if (dma.vfio.group < 0)
		skip();
	assert_int_equal(pin_pages(0, IOVA, 1), -EOPNOTSUPP);
	assert_gone(0);
	assert_int_equal(dma_command(DMA_LAB_UNPIN, 0), 0);
	assert_int_equal(dma_pinned_kib(), before);
	assert_int_equal(unmap(), 0);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 0);
}

/* Nobody could tell it that the pages go */
static void test_no_pins_without_revocation(void **state)
{
	(void)state;
	assert_int_equal(pin_pages(0, IOVA, 1), -EINVAL);
	assert_gone(0);
	assert_int_equal(copy(IOVA, 8), 0);
}

static void test_nonsense(void **state)
{
	static const struct { uint64_t iova, pages; } bad[] = {
		{ IOVA + 1, 1 }, { IOVA, 0 }, { IOVA, 513 },
		{ ~0UL << 12, 2 }, { ~0UL, 1 }, { 1UL << 63 | 1, 1 },
	};
	/* Well-formed, but nothing is there */
	static const struct { uint64_t iova, pages; } absent[] = {
		{ 0, 1 }, { IOVA - PAGE, 2 }, { IOVA + SIZE, 1 },
		{ IOVA, PAGES + 1 }, { ~0UL << 12, 1 }, { 1UL << 63, 512 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pin_pages(0, bad[i].iova, bad[i].pages), -EINVAL);
	for (i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_true(pin_pages(0, absent[i].iova, absent[i].pages) < 0);
	assert_int_equal(copy(IOVA, 0), -EINVAL);
	assert_int_equal(copy(~0UL - 2, 8), -EINVAL);
	assert_true(copy(IOVA - 4, 8) < 0);
	assert_true(copy(IOVA + SIZE - 4, 8) < 0);
	assert_gone(0);
}

static void test_read_only_memory(void **state)
{
	(void)state;
	assert_int_equal(unmap(), 0);
	assert_int_equal(vfio_client_map(&dma.vfio, memory, IOVA, SIZE, false), 0);
	assert_true(pin_pages(0, IOVA, 1) < 0);
	dma_put(DMA_LAB_COUNT, 8);
	assert_int_equal(dma_command(DMA_LAB_READ, 0), 0);
	assert_true(dma_command(DMA_LAB_WRITE, 0) < 0);
	assert_int_equal(memory[0], 100);
}

static void test_no_access_without_bus_master(void **state)
{
	(void)state;
	vfio_client_put(&dma.vfio, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(pin_pages(0, IOVA, 1), -EPERM);
	dma_put(DMA_LAB_COUNT, 8);
	assert_int_equal(dma_command(DMA_LAB_READ, 0), -EPERM);
	assert_int_equal(dma_command(DMA_LAB_WRITE, 0), -EPERM);
}

/* @offset and @len of a register that takes the right to do DMA away with @off, and gives it back with @on */
static void check_switch(unsigned int offset, unsigned int len, uint32_t off, uint32_t on)
{
	long before = dma_pinned_kib();

	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_int_equal(pin_pages(3, IOVA + SIZE - PAGE, 1), 0);
	vfio_client_put(&dma.vfio, offset, len, off);
	assert_int_equal(dma_pinned_kib(), before);
	vfio_client_put(&dma.vfio, offset, len, on);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 2);
	assert_gone(0);
	assert_gone(3);
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_word(0, 1, 101);
}

static void test_bus_master_off(void **state)
{
	(void)state;
	check_switch(PCI_COMMAND, 2, PCI_COMMAND_MEMORY, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void test_d3hot(void **state)
{
	(void)state;
	check_switch(DMA_LAB_PM + PCI_PM_CTRL, 2, 3, 0);
}

static void test_unmap(void **state)
{
	long before = dma_pinned_kib();

	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_int_equal(pin_pages(1, IOVA + SIZE - PAGE, 1), 0);
	assert_int_equal(unmap(), 0);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 2);
	assert_gone(0);
	assert_gone(1);
	assert_int_equal(dma_pinned_kib(), before);
	assert_true(pin_pages(0, IOVA, 1) < 0);

	assert_int_equal(map(), 0);
	assert_int_equal(pin_pages(0, IOVA, 1), 0);
	assert_word(0, 0, 100);
}

/* What is mapped elsewhere stays */
static void test_unmap_others(void **state)
{
	uint64_t other = IOVA + 16 * SIZE;

	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, PAGES), 0);
	assert_int_equal(vfio_client_map(&dma.vfio, memory, other, SIZE, true), 0);
	assert_int_equal(pin_pages(1, other, 1), 0);
	assert_int_equal(vfio_client_unmap(&dma.vfio, other, SIZE), 0);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 1);
	assert_gone(1);
	assert_word(0, 15, 115);
}

static void test_reset(void **state)
{
	long before = dma_pinned_kib();

	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_int_equal(pin_pages(3, IOVA, 2), 0);
	assert_int_equal(ioctl(dma.vfio.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(dma_pinned_kib(), before);
	dma_enable();
	assert_gone(0);
	assert_gone(3);
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
}

static void test_close(void **state)
{
	long before = dma_pinned_kib();

	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_true(dma_pinned_kib() > before);
	close_client();
	assert_int_equal(dma_pinned_kib(), before);

	dma_open(UUID);
	assert_gone(0);
	assert_true(pin_pages(0, IOVA, 1) < 0);
	assert_int_equal(map(), 0);
	assert_int_equal(pin_pages(0, IOVA, 1), 0);
}

/* The VMM's memory stays mapped for its other devices */
static void test_close_before_unmap(void **state)
{
	long before = dma_pinned_kib();

	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_int_equal(pin_pages(1, IOVA + PAGE, 2), 0);
	close(dma.vfio.device);
	dma.vfio.device = -1;
	assert_int_equal(dma_pinned_kib(), before);
	assert_int_equal(unmap(), 0);
	assert_int_equal(map(), 0);
	assert_int_equal(dma_pinned_kib(), before);
}

/* The parent goes while the VMM has the instance open, with pins */
static void test_unbind(void **state)
{
	long before = dma_pinned_kib();
	uint64_t value;

	(void)state;
	needs_pins();
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_int_equal(pin_pages(3, IOVA + SIZE - PAGE, 1), 0);
	assert_int_equal(sysfs_write("dma_lab", DRIVER "/unbind"), 0);
	assert_int_equal(dma_pinned_kib(), before);
	assert_int_equal(vfio_client_read(&dma.vfio, dma.regs, &value, 8), 8);
	assert_true(value == UINT64_MAX);
	/* The VMM notices later, in whatever order it cleans up */
	assert_int_equal(unmap(), 0);
	assert_int_equal(map(), 0);
	close_client();
	assert_int_equal(dma_pinned_kib(), before);
}

static uint32_t new_ioas(void)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };

	needs_pins();
	assert_int_equal(ioctl(dma.vfio.iommu, IOMMU_IOAS_ALLOC, &ioas), 0);
	return ioas.out_ioas_id;
}

static int attach(uint32_t ioas)
{
	struct vfio_device_attach_iommufd_pt arg = {
		.argsz = sizeof(arg),
		.pt_id = ioas,
	};

	return ioctl(dma.vfio.device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &arg) ?
	       -errno : 0;
}

static int detach(void)
{
	struct vfio_device_detach_iommufd_pt arg = { .argsz = sizeof(arg) };

	return ioctl(dma.vfio.device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &arg) ?
	       -errno : 0;
}

/* Another address space: what was pinned in the one before goes */
static void test_other_ioas(void **state)
{
	uint32_t first = dma.vfio.ioas, second = new_ioas();
	long before = dma_pinned_kib();

	(void)state;
	dma.vfio.ioas = second;
	assert_int_equal(vfio_client_map(&dma.vfio, memory + WORDS, IOVA, PAGE,
					 true), 0);
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_word(0, 0, 100);

	/* What fails changes nothing, nor does the same once more */
	assert_true(attach(~0U) < 0);
	assert_int_equal(attach(first), 0);
	assert_word(0, 1, 101);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 0);

	assert_int_equal(attach(second), 0);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 1);
	assert_gone(0);
	assert_int_equal(dma_pinned_kib(), before);
	assert_true(pin_pages(0, IOVA, 2) < 0);
	assert_int_equal(pin_pages(0, IOVA, 1), 0);
	assert_word(0, 0, 101);

	/* The first one can go, and what is pinned in the second one stays */
	dma.vfio.ioas = first;
	assert_int_equal(unmap(), 0);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 1);
	assert_word(0, 0, 101);
}

static void test_detach(void **state)
{
	uint32_t other = new_ioas();
	long before = dma_pinned_kib();

	(void)state;
	assert_int_equal(pin_pages(0, IOVA, 2), 0);
	assert_int_equal(pin_pages(1, IOVA + PAGE, 2), 0);
	assert_int_equal(detach(), 0);
	assert_int_equal(dma_get(DMA_LAB_REVOKED), 2);
	assert_gone(0);
	assert_gone(1);
	assert_int_equal(dma_pinned_kib(), before);
	assert_true(pin_pages(0, IOVA, 1) < 0);
	assert_true(copy(IOVA, 8) < 0);
	assert_int_equal(detach(), 0);
	assert_int_equal(unmap(), 0);
	assert_int_equal(map(), 0);

	assert_int_equal(attach(other), 0);
	assert_true(pin_pages(0, IOVA, 1) < 0);
	assert_int_equal(attach(dma.vfio.ioas), 0);
	assert_int_equal(pin_pages(0, IOVA, 1), 0);
	assert_word(0, 0, 100);
}

static void *attach_again_and_again(void *stop)
{
	uint32_t other = new_ioas();
	unsigned long failed = 0;

	while (!atomic_load((atomic_bool *)stop))
		failed += attach(other) || detach() || attach(dma.vfio.ioas);
	return (void *)failed;
}

static void *map_and_unmap(void *stop)
{
	unsigned long failed = 0;

	while (!atomic_load((atomic_bool *)stop))
		failed += unmap() || map();
	return (void *)failed;
}

static void *reset_again_and_again(void *stop)
{
	unsigned long failed = 0;

	while (!atomic_load((atomic_bool *)stop)) {
		failed += !!ioctl(dma.vfio.device, VFIO_DEVICE_RESET);
		dma_enable();
	}
	return (void *)failed;
}

/*
 * Pins and copies come while their memory goes: they succeed or fail, an access
 * reads what was there or nothing, and nothing is left. Without decode writes do
 * nothing.
 */
static void race(void *(*rival)(void *))
{
	long before = dma_pinned_kib();
	atomic_bool stop = false;
	uint64_t value = 0, step;
	pthread_t thread;
	void *failed;
	int i;

	assert_int_equal(pthread_create(&thread, NULL, rival, &stop), 0);
	for (i = 0; i < ROUNDS; i++) {
		const uint64_t steps[][2] = {
			{ DMA_LAB_IOVA, IOVA + i % PAGES * PAGE },
			{ DMA_LAB_COUNT, 1 },
			{ DMA_LAB_COMMAND, DMA_LAB_DO(DMA_LAB_PIN, i % DMA_LAB_PINS) },
			{ DMA_LAB_COUNT, 0 },
			{ DMA_LAB_COMMAND, DMA_LAB_DO(DMA_LAB_PEEK, i % DMA_LAB_PINS) },
			{ DMA_LAB_COMMAND, DMA_LAB_DO(DMA_LAB_UNPIN, (i + 2) % DMA_LAB_PINS) },
			{ DMA_LAB_COUNT, 8 },
			{ DMA_LAB_COMMAND, DMA_LAB_DO(DMA_LAB_READ, 0) },
		};

		for (step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
			value = steps[step][1];
			vfio_client_write(&dma.vfio, dma.regs + steps[step][0], &value, 8);
		}
	}
	atomic_store(&stop, true);
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_int_equal(ioctl(dma.vfio.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(dma_pinned_kib(), before);
}

static void test_pin_against_unmap(void **state)
{
	(void)state;
	race(map_and_unmap);
}

static void test_pin_against_reset(void **state)
{
	(void)state;
	race(reset_again_and_again);
}

static void test_pin_against_attach(void **state)
{
	(void)state;
	needs_pins();
	race(attach_again_and_again);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		T(test_pin),
		T(test_overlap),
		T(test_copy),
		T(test_copy_after_unmap),
		T(test_no_pins_with_type1),
		cmocka_unit_test_setup_teardown(test_no_pins_without_revocation, setup_forgetful, teardown),
		T(test_nonsense),
		T(test_read_only_memory),
		T(test_no_access_without_bus_master),
		T(test_bus_master_off),
		T(test_d3hot),
		T(test_unmap),
		T(test_unmap_others),
		T(test_reset),
		T(test_close),
		T(test_close_before_unmap),
		T(test_unbind),
		T(test_other_ioas),
		T(test_detach),
		T(test_pin_against_unmap),
		T(test_pin_against_reset),
		T(test_pin_against_attach),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dma", tests, NULL, NULL);
}
