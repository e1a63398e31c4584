// SPDX-License-Identifier: GPL-2.0-only
/*
 * What config space does to the rest of a function, as a VFIO user sees it, on
 * the function of the module testfn: decode of memory, I/O and ROM, power
 * states, resets by the guest
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <linux/pci_regs.h>
#include <cmocka.h>

#include "vfio_client.h"

#define ONES	0xffffffffU
#define PAGE	4096UL
#define PM	0x40
#define EXP	0x50
#define VENDOR	0xa0

struct function {
	struct vfio_client client;
	uint64_t bars[7];
	volatile uint32_t *map;
};

static int setup(void **state)
{
	struct function *f = calloc(1, sizeof(*f));
	struct vfio_region_info info;
	unsigned int i;

	if (!f || vfio_client_open(&f->client, "testfn"))
		return -1;
	for (i = 0; i < 7; i++) {
		vfio_client_region(&f->client, i, &info);
		f->bars[i] = info.offset;
	}
	f->map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      f->client.device, f->bars[0]);
	*state = f;
	return f->map == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	struct function *f = *state;

	munmap((void *)f->map, PAGE);
	vfio_client_close(&f->client);
	free(f);
	return 0;
}

/* Value of a register of a trapped BAR, or a negative errno */
static int64_t bar_read(struct function *f, unsigned int bar, uint64_t offset)
{
	uint32_t value = 0;
	ssize_t ret = vfio_client_read(&f->client, f->bars[bar] + offset, &value,
				       sizeof(value));

	return ret < 0 ? ret : value;
}

static int64_t bar_write(struct function *f, unsigned int bar, uint64_t offset,
			 uint32_t value)
{
	return vfio_client_write(&f->client, f->bars[bar] + offset, &value,
				 sizeof(value));
}

/*
 * The guest has reset it, of which its VMM may not know: accesses find nothing there, and
 * are no error, of which the VMM would tell each time
 */
static void assert_absent(struct function *f)
{
	static const unsigned int bars[] = { 0, 2, 3, 6 };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(bar_read(f, bars[i], 0), 0xffffffff);
		if (bars[i] != 6)
			assert_int_equal(bar_write(f, bars[i], 0, 0), 4);
	}
}

static void command(struct function *f, unsigned int bits)
{
	vfio_client_put(&f->client, PCI_COMMAND, 2, bits);
}

static void power(struct function *f, unsigned int state)
{
	vfio_client_put(&f->client, PM + PCI_PM_CTRL, 2, state);
}

static void test_rom(void **state)
{
	struct function *f = *state;
	struct vfio_region_info info;

	assert_int_equal(vfio_client_region(&f->client, 6, &info), 0);
	assert_int_equal(info.size, 65536);
	assert_int_equal(info.flags, VFIO_REGION_INFO_FLAG_READ);
	assert_int_equal(bar_read(f, 6, 0), -EIO);
	command(f, PCI_COMMAND_MEMORY);
	assert_int_equal(bar_read(f, 6, 0), -EIO);
	vfio_client_put(&f->client, PCI_ROM_ADDRESS, 4, PCI_ROM_ADDRESS_ENABLE);
	assert_int_equal(bar_read(f, 6, 0x10), 0x13121110);
	assert_int_equal(bar_read(f, 6, 65532), 0xfffefdfc);
	assert_int_equal(bar_read(f, 6, 65533), 0xfffefd);
	assert_int_equal(bar_read(f, 6, 65536), -EINVAL);
	assert_int_equal(bar_write(f, 6, 0, 0), -EINVAL);
	command(f, PCI_COMMAND_IO);
	assert_int_equal(bar_read(f, 6, 0), -EIO);
	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ, MAP_SHARED,
			      f->client.device, f->bars[6]), MAP_FAILED);
}

static void test_io_and_memory(void **state)
{
	struct function *f = *state;

	command(f, PCI_COMMAND_IO);
	assert_int_equal(bar_write(f, 3, 4, 0x1234), 4);
	assert_int_equal(bar_read(f, 3, 4), 0x1234);
	assert_int_equal(bar_read(f, 2, 4), -EIO);
	command(f, PCI_COMMAND_MEMORY);
	assert_int_equal(bar_read(f, 3, 4), -EIO);
	assert_int_equal(bar_write(f, 3, 4, 1), -EIO);
	assert_int_equal(bar_read(f, 2, 4), 0x1234);
	command(f, 0);
	assert_int_equal(bar_read(f, 2, 4), -EIO);
	assert_int_equal(bar_read(f, 3, 4), -EIO);
}

static void test_d3hot(void **state)
{
	struct function *f = *state;
	int64_t resets;

	command(f, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	vfio_client_put(&f->client, PCI_ROM_ADDRESS, 4, PCI_ROM_ADDRESS_ENABLE);
	resets = bar_read(f, 2, 0);
	f->map[0] = 0x11223344;
	bar_write(f, 2, 4, 5);
	power(f, 3);
	assert_int_equal(f->map[0], ONES);
	assert_int_equal(bar_read(f, 0, 0), -EIO);
	assert_int_equal(bar_read(f, 2, 0), -EIO);
	assert_int_equal(bar_read(f, 3, 0), -EIO);
	assert_int_equal(bar_read(f, 6, 0), -EIO);
	assert_int_equal(vfio_client_get(&f->client, PCI_COMMAND, 2), 3);
	/* What is switched on meanwhile stays off */
	command(f, 0);
	command(f, PCI_COMMAND_MEMORY);
	assert_int_equal(f->map[0], ONES);

	/* No_Soft_Reset is not set, so this is a reset */
	power(f, 0);
	assert_int_equal(vfio_client_get(&f->client, PCI_COMMAND, 2), 0);
	assert_absent(f);
	command(f, PCI_COMMAND_MEMORY);
	assert_int_equal(bar_read(f, 2, 0), resets + 1);
	assert_int_equal(bar_read(f, 2, 4), 0);
	assert_int_equal(f->map[0], 0x11223344);
}

static void test_flr(void **state)
{
	struct function *f = *state;
	int64_t resets;
	unsigned int i;

	command(f, PCI_COMMAND_MEMORY);
	resets = bar_read(f, 2, 0);
	for (i = 1; i <= 2; i++) {
		bar_write(f, 2, 4, 5);
		vfio_client_put(&f->client, PCI_BASE_ADDRESS_2, 4, 0xfebff000);
		/* As a word, and the upper byte alone */
		vfio_client_put(&f->client, EXP + PCI_EXP_DEVCTL + i - 1, 3 - i,
				PCI_EXP_DEVCTL_BCR_FLR >> 8 * (i - 1));
		assert_int_equal(vfio_client_get(&f->client, PCI_COMMAND, 2), 0);
		assert_int_equal(vfio_client_get(&f->client, PCI_BASE_ADDRESS_2, 4), 0);
		assert_absent(f);
		assert_int_equal(f->map[0], ONES);
		command(f, PCI_COMMAND_MEMORY);
		assert_int_equal(bar_read(f, 2, 0), resets + i);
		assert_int_equal(bar_read(f, 2, 4), 0);
	}
}

static void test_doorbell(void **state)
{
	struct function *f = *state;

	command(f, PCI_COMMAND_MEMORY);
	vfio_client_put(&f->client, VENDOR + 4, 4, 1);
	vfio_client_put(&f->client, VENDOR + 4, 1, 1);
	vfio_client_put(&f->client, VENDOR + 5, 1, 1);
	assert_int_equal(bar_read(f, 2, 4), 2);
	assert_int_equal(vfio_client_get(&f->client, VENDOR + 4, 4), 0);
}

static void test_extended_space(void **state)
{
	struct function *f = *state;
	char buf[8];

	assert_int_equal(vfio_client_get(&f->client, 0x100, 4), 0x00010003);
	assert_int_equal(vfio_client_get(&f->client, 0x104, 8), 0x1122334455667788);
	vfio_client_put(&f->client, EXP + PCI_EXP_DEVCTL, 2, PCI_EXP_DEVCTL_BCR_FLR);
	assert_int_equal(vfio_client_get(&f->client, 0x104, 8), 0x1122334455667788);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + 4092, buf, 4), 4);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + 4092, buf, 8), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + 4096, buf, 1), -EFAULT);
	assert_int_equal(vfio_client_read(&f->client, f->client.config + 4095, buf, 1), 1);
}

struct racer {
	struct function *f;
	atomic_bool stop;
	atomic_size_t wrong;
};

static void *touch(void *arg)
{
	struct racer *racer = arg;

	while (!atomic_load(&racer->stop)) {
		uint32_t seen = racer->f->map[0];
		int64_t rom = bar_read(racer->f, 6, 4);

		racer->wrong += seen != ONES && seen != 0x55;
		racer->wrong += rom != -EIO && rom != ONES && rom != 0x07060504;
	}
	return NULL;
}

/* Resets by the guest against touches and trapped accesses */
static void test_reset_race(void **state)
{
	struct function *f = *state;
	struct racer racer = { .f = f };
	pthread_t threads[2];
	size_t i, shown = 0;

	command(f, PCI_COMMAND_MEMORY);
	f->map[0] = 0x55;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, touch, &racer), 0);
	for (i = 0; i < 200; i++) {
		command(f, PCI_COMMAND_MEMORY);
		vfio_client_put(&f->client, PCI_ROM_ADDRESS, 4, PCI_ROM_ADDRESS_ENABLE);
		if (i % 2)
			vfio_client_put(&f->client, EXP + PCI_EXP_DEVCTL + 1, 1, 0x80);
		else
			power(f, 3);
		shown += f->map[0] != ONES;
		power(f, 0);
	}
	atomic_store(&racer.stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(shown, 0);
	assert_int_equal(racer.wrong, 0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_rom),
		T(test_io_and_memory),
		T(test_d3hot),
		T(test_flr),
		T(test_doorbell),
		T(test_extended_space),
		T(test_reset_race),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("function", tests, NULL, NULL);
}
