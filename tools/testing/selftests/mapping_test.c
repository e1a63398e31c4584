// SPDX-License-Identifier: GPL-2.0-only
/*
 * BAR 0 of an instance of mgpu in the address spaces of processes: what may be
 * mapped, when pages come, what they show, and to whom
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "instance.h"
#include "sysfs.h"

static void test_mmap_refused(void **state)
{
	struct instance *f = *state;
	const struct {
		uint64_t offset;
		size_t len;
		int prot;
		int flags;
		int error;
	} bad[] = {
		/* a trapped BAR, absent ones, config space */
		{ f->regs, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ 1ULL << 40, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ 6ULL << 40, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->client.config, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		/* beyond the end, by offset or by length */
		{ f->vram + VRAM_SIZE, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->vram, VRAM_SIZE + PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->vram + VRAM_SIZE - PAGE, 2 * PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ 1ULL << 50, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		/* not a page boundary; that is mmap(2) itself */
		{ f->vram + 1, PAGE, PROT_READ, MAP_SHARED, EINVAL },
		{ f->vram, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, EINVAL },
		{ f->vram, PAGE, PROT_READ, MAP_PRIVATE, EINVAL },
		/* newer kernels themselves answer EPERM */
		{ f->vram, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, EACCES },
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_ptr_equal(mmap(NULL, bad[i].len, bad[i].prot, bad[i].flags,
				      f->client.device, bad[i].offset), MAP_FAILED);
		if (bad[i].error != EACCES || errno != EPERM)
			assert_int_equal(errno, bad[i].error);
	}
}

/*
 * What the kernel maps for read(2) and write(2) it keeps, however far apart they are and
 * whether the guest decodes in between. Memory of the system is mapped anyway.
 */
static void test_reads_keep_their_windows(void **state)
{
	struct instance *f = *state;
	uint64_t vram = f->vram;
	uint32_t value;
	long windows;
	int i;

	vfio_client_decode(&f->client, 1);
	for (i = 0; i < 3; i++)
		assert_int_equal(vfio_client_read(&f->client, vram + i * VRAM_SIZE / 4, &value, 4), 4);
	windows = mdev_stat(UUID_A, "windows");
	assert_in_range(windows, 0, 1);
	for (i = 0; i < 300; i++) {
		if (i % 30 == 0) {
			vfio_client_decode(&f->client, 0);
			vfio_client_decode(&f->client, 1);
		}
		value = i;
		assert_int_equal(vfio_client_write(&f->client, vram + i % 3 * VRAM_SIZE / 4, &value, 4), 4);
		assert_int_equal(vfio_client_read(&f->client, vram + i % 3 * VRAM_SIZE / 4, &value, 4), 4);
		assert_int_equal(value, i);
	}
	assert_int_equal(mdev_stat(UUID_A, "windows"), windows);
}

/* Nor can it be made executable or longer afterwards */
static void test_mmap_stays_as_it_is(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram = instance_map(f, PAGE);

	assert_int_equal(mprotect((void *)vram, PAGE, PROT_READ | PROT_EXEC), -1);
	assert_int_equal(errno, EACCES);
	assert_ptr_equal(mremap((void *)vram, PAGE, 2 * PAGE, MREMAP_MAYMOVE), MAP_FAILED);
	assert_int_equal(errno, EFAULT);
	instance_unmap(f);
}

/* Mapping costs nothing; each page comes with its first touch, and only once */
static void test_lazy_mapping(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram;
	size_t i;

	vfio_client_decode(&f->client, 1);
	vram = instance_map(f, VRAM_SIZE);
	assert_int_equal(mdev_stat(UUID_A, "faults"), 0);
	assert_int_equal(mdev_stat(UUID_A, "pages_mapped"), 0);
	for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4)
		vram[i] = i;
	assert_int_equal(mdev_stat(UUID_A, "pages_mapped"), VRAM_SIZE / PAGE);
	assert_in_range(mdev_stat(UUID_A, "faults"), 1, VRAM_SIZE / PAGE);
	for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4)
		assert_int_equal(vram[i], i);
	assert_int_equal(mdev_stat(UUID_A, "pages_mapped"), VRAM_SIZE / PAGE);
	assert_int_equal(mdev_stat(UUID_A, "sink_faults"), 0);
	instance_unmap(f);
}

/*
 * What it must reach: 2 MiB with each fault. While the adapter's screen is black, other
 * memory stands behind the last 2 MiB, cached in another way than the rest: a
 * large leaf can have it by PAT only, otherwise they are 64 KiB each.
 */
static long faults_of_16_mib(void)
{
	if (sysfs_exists("/sys/kernel/debug/x86/pat_memtype_list") ||
	    !sysfs_exists("/sys/bus/pci/drivers/mgpu/%s", getenv("LAB_PARENT")))
		return 8;
	return 7 + 32;
}

/* Page by page, at an aligned address */
static void test_touch_16_mib(void **state)
{
	struct instance *f = *state;
	struct vfio_region_info info;
	volatile uint32_t *vram;
	size_t i;

	instance_close(f);
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_int_equal(mdev_create("16M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&f->client, UUID_B), 0);
	vfio_client_region(&f->client, 0, &info);
	assert_int_equal(info.size, 16 * MIB);
	vfio_client_decode(&f->client, 1);
	f->map_size = 18 * MIB;
	f->map = mmap(NULL, f->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	vram = mmap((void *)(((uintptr_t)f->map + 2 * MIB - 1) & ~(2 * MIB - 1)),
		    info.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    f->client.device, info.offset);
	assert_ptr_not_equal(vram, MAP_FAILED);
	for (i = 0; i < info.size / 4; i += PAGE / 4)
		vram[i] = ~i;
	for (i = 0; i < info.size / 4; i += PAGE / 4)
		assert_int_equal(vram[i], (uint32_t)~i);
	assert_int_equal(mdev_stat(UUID_B, "faults"), faults_of_16_mib());
	assert_int_equal(mdev_stat(UUID_B, "pages_mapped"), 4096);
	instance_unmap(f);
	instance_close(f);
	assert_int_equal(mdev_remove(UUID_B), 0);

	assert_int_equal(mdev_create("8M", UUID_A), 0);
	assert_int_equal(vfio_client_open(&f->client, UUID_A), 0);
}

static void test_partial_mapping(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *page;
	uint32_t value = 0x600d1dea;

	vfio_client_decode(&f->client, 1);
	assert_int_equal(vfio_client_write(&f->client, f->vram + 5 * PAGE, &value, 4), 4);
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, f->client.device,
		    f->vram + 5 * PAGE);
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(page[0], value);
	munmap((void *)page, PAGE);
}

/* Mapping and read(2) show the same memory, over page boundaries too */
static void test_mapping_equals_read(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram;
	uint32_t buf[2048];
	size_t i;

	vfio_client_decode(&f->client, 1);
	vram = instance_map(f, VRAM_SIZE);
	for (i = 0; i < 4096; i++)
		vram[i] = 3 * i + 1;
	assert_int_equal(vfio_client_read(&f->client, f->vram + 1234 * 4, buf,
					  sizeof(buf)), sizeof(buf));
	for (i = 0; i < 2048; i++)
		assert_int_equal(buf[i], 3 * (i + 1234) + 1);
	instance_unmap(f);
}

/* With decode off a touch meets the sink page, and the frame again after */
static void test_decode_and_mapping(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram = instance_map(f, VRAM_SIZE);

	assert_int_equal(vram[0], ONES);
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vram[0], 0);
	vram[0] = 0x12345678;
	vfio_client_decode(&f->client, 0);
	assert_int_equal(vram[0], ONES);
	vram[0] = 0xbad;
	vfio_client_decode(&f->client, 1);
	assert_int_equal(vram[0], 0x12345678);
	assert_int_equal(mdev_stat(UUID_A, "sink_faults"), 2);

	/* What was written to the sink page is gone with a reset */
	vfio_client_decode(&f->client, 0);
	assert_int_equal(vram[0], 0xbad);
	assert_int_equal(ioctl(f->client.device, VFIO_DEVICE_RESET), 0);
	assert_int_equal(vram[0], ONES);
	instance_unmap(f);
}

/* Nor does the next user read what this one wrote to the sink page */
static void test_sink_is_private(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram = instance_map(f, PAGE);
	size_t i;

	for (i = 0; i < PAGE / 4; i++)
		vram[i] = 0x5ec7e7;
	instance_unmap(f);
	instance_reopen(f);
	vram = instance_map(f, PAGE);
	for (i = 0; i < PAGE / 4; i++)
		assert_int_equal(vram[i], ONES);
	instance_unmap(f);
}

static void fill(struct vfio_client *client, uint64_t vram, uint32_t value)
{
	volatile uint32_t *map = mmap(NULL, VRAM_SIZE, PROT_READ | PROT_WRITE,
				      MAP_SHARED, client->device, vram);
	size_t i;

	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < VRAM_SIZE / 4; i++)
		map[i] = value;
	munmap((void *)map, VRAM_SIZE);
}

static void expect_filled(struct vfio_client *client, uint64_t vram,
			  uint32_t value)
{
	volatile uint32_t *map = mmap(NULL, VRAM_SIZE, PROT_READ, MAP_SHARED,
				      client->device, vram);
	size_t i, wrong = 0;

	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < VRAM_SIZE / 4; i++)
		wrong += map[i] != value;
	munmap((void *)map, VRAM_SIZE);
	assert_int_equal(wrong, 0);
}

/* Two instances share the adapter and never each other's memory */
static void test_isolation(void **state)
{
	struct instance *f = *state;
	struct vfio_client other;

	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&other, UUID_B), 0);
	vfio_client_decode(&f->client, 1);
	vfio_client_decode(&other, 1);
	fill(&f->client, f->vram, 0xaaaaaaaa);
	expect_filled(&other, f->vram, 0);
	fill(&other, f->vram, 0xbbbbbbbb);
	expect_filled(&f->client, f->vram, 0xaaaaaaaa);
	vfio_client_close(&other);
	expect_filled(&f->client, f->vram, 0xaaaaaaaa);

	/* The next owner of the block gets it scrubbed */
	assert_int_equal(mdev_remove(UUID_B), 0);
	assert_int_equal(mdev_create("8M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&other, UUID_B), 0);
	vfio_client_decode(&other, 1);
	expect_filled(&other, f->vram, 0);
	vfio_client_close(&other);
}

/* A mapping that outlives the file descriptor keeps the device, not more */
static void test_mapping_outlives_close(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram;

	vfio_client_decode(&f->client, 1);
	vram = instance_map(f, VRAM_SIZE);
	vram[0] = 1;
	instance_close(f);
	assert_int_equal(vram[0], 1);
	/* The kernel's core would wait for us */
	if (mdev_core_is_ours())
		assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	instance_unmap(f);
	assert_int_equal(vfio_client_open(&f->client, UUID_A), 0);
}

static void test_fork(void **state)
{
	struct instance *f = *state;
	volatile uint32_t *vram;
	int status;
	pid_t pid;

	vfio_client_decode(&f->client, 1);
	vram = instance_map(f, VRAM_SIZE);
	vram[0] = 7;
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		vram[PAGE / 4] = vram[0] + 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(vram[PAGE / 4], 8);
	instance_unmap(f);
}

struct racer {
	volatile uint32_t *vram;
	atomic_bool stop;
	atomic_size_t wrong;
	atomic_size_t seen;
};

static void *touch_all(void *arg)
{
	struct racer *racer = arg;
	size_t i;

	while (!atomic_load(&racer->stop)) {
		for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4) {
			uint32_t value = racer->vram[i];

			racer->wrong += value != ONES && value != i + 1;
			racer->seen += value == i + 1;
		}
	}
	return NULL;
}

/* Decode goes off and on under the feet of threads that touch: never SIGBUS */
static void test_decode_race(void **state)
{
	struct instance *f = *state;
	struct racer racer = {};
	size_t i, shown = 0, before;
	pthread_t threads[2];

	vfio_client_decode(&f->client, 1);
	racer.vram = instance_map(f, VRAM_SIZE);
	for (i = 0; i < VRAM_SIZE / 4; i += PAGE / 4)
		racer.vram[i] = i + 1;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, touch_all, &racer), 0);
	for (i = 0; i < 200; i++) {
		vfio_client_decode(&f->client, 0);
		/* Nothing of the frames shows once decode is off */
		shown += racer.vram[(i * PAGE) % VRAM_SIZE / 4] != ONES;
		before = racer.seen;
		vfio_client_decode(&f->client, 1);
		/* Each round, the threads get to see frames again */
		while (racer.seen == before)
			;
	}
	atomic_store(&racer.stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(shown, 0);
	assert_int_equal(racer.wrong, 0);
	instance_unmap(f);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, instance_setup, instance_teardown)
	const struct CMUnitTest tests[] = {
		T(test_mmap_refused),
		T(test_reads_keep_their_windows),
		T(test_mmap_stays_as_it_is),
		T(test_lazy_mapping),
		T(test_touch_16_mib),
		T(test_partial_mapping),
		T(test_mapping_equals_read),
		T(test_decode_and_mapping),
		T(test_sink_is_private),
		T(test_isolation),
		T(test_mapping_outlives_close),
		T(test_fork),
		T(test_decode_race),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
