// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instances and parents go away while somebody uses them
 *
 * A removal takes effect or leaves everything as it was; unbinding the parent
 * leaves a shell behind, in which nothing of the parent can be reached.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fixture.h"
#include "sysfs.h"

#define SHELL "/sys/devices/mdev/" UUID_A
#define TIMEOUT "/sys/module/mdev_core/parameters/remove_timeout"

/* A kernel with checkers in an emulated machine needs its time */
#define PATIENCE 60

/* Signalled when the open instance should be given up; closed by teardown */
static int request = -1;

static int teardown(void **state)
{
	if (request >= 0)
		close(request);
	request = -1;
	sysfs_write("30", TIMEOUT);
	return fixture_teardown(state);
}

static void open_instance(void)
{
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	assert_int_equal(vfio_client_open(&fixture_client, UUID_A), 0);
}

static void open_and_listen(void)
{
	open_instance();
	request = eventfd(0, EFD_CLOEXEC);
	assert_true(request >= 0);
	assert_int_equal(vfio_client_listen(&fixture_client, request), 0);
}

/* How often it was asked for; waits for the first time */
static uint64_t wait_for_request(void)
{
	struct pollfd pollfd = { .fd = request, .events = POLLIN };
	uint64_t count;

	assert_int_equal(poll(&pollfd, 1, PATIENCE * 1000), 1);
	assert_int_equal(read(request, &count, sizeof(count)), sizeof(count));
	return count;
}

static bool request_is_pending(void)
{
	struct pollfd pollfd = { .fd = request, .events = POLLIN };

	return poll(&pollfd, 1, 0) == 1;
}

static void assert_works(void)
{
	assert_int_equal(vfio_client_get(&fixture_client, 0, 4), 0x11111234);
	assert_true(sysfs_exists("/sys/bus/mdev/devices/" UUID_A "/remove"));
	assert_true(sysfs_exists("/sys/bus/mdev/devices/" UUID_A "/mdev_type"));
	assert_int_equal(mdev_available("4M"), 3);
}

/* It reads ones and ignores writes, at every place of the region, and never fails */
static void assert_region_absent(unsigned int index)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8, 256 };
	uint8_t ones[256], seen[256];
	struct vfio_region_info info;
	unsigned int i;

	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(vfio_client_region(&fixture_client, index, &info), 0);
	for (i = 0; info.size && i < 5; i++) {
		memset(seen, 0, sizeof(seen));
		if (info.flags & VFIO_REGION_INFO_FLAG_WRITE)
			assert_int_equal(vfio_client_write(&fixture_client, info.offset, seen, sizes[i]), sizes[i]);
		assert_int_equal(vfio_client_read(&fixture_client, info.offset, seen, sizes[i]), sizes[i]);
		assert_memory_equal(seen, ones, sizes[i]);
	}
}

/*
 * Nothing can be reached by the file that is still open. It is as a device that was
 * unplugged: what a guest can do is no error, of which its VMM would tell each time
 */
static void assert_dead(void)
{
	struct vfio_device_info device = { .argsz = sizeof(device) };
	struct vfio_irq_info irq = { .argsz = sizeof(irq), .index = VFIO_PCI_MSIX_IRQ_INDEX };
	struct vfio_device_gfx_plane_info plane = {
		.argsz = sizeof(plane), .flags = VFIO_GFX_PLANE_TYPE_REGION,
	};
	unsigned int index;
	int fd = eventfd(0, EFD_CLOEXEC);

	for (index = 0; index <= VFIO_PCI_CONFIG_REGION_INDEX; index++)
		assert_region_absent(index);
	assert_int_equal(vfio_client_get(&fixture_client, 0, 4), 0xffffffff);
	vfio_client_decode(&fixture_client, 1);

	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_GET_INFO, &device), 0);
	assert_int_equal(device.num_irqs, VFIO_PCI_NUM_IRQS);
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_GET_IRQ_INFO, &irq), 0);
	assert_int_equal(irq.count, 1);
	assert_int_equal(vfio_client_give(&fixture_client, VFIO_PCI_MSIX_IRQ_INDEX, fd), 0);
	assert_int_equal(vfio_client_give(&fixture_client, VFIO_PCI_MSIX_IRQ_INDEX, -1), 0);
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_QUERY_GFX_PLANE, &plane), 0);
	assert_int_equal(plane.width, 0);
	assert_int_equal(ioctl(fixture_client.device, VFIO_DEVICE_RESET), 0);
	assert_region_absent(VFIO_PCI_CONFIG_REGION_INDEX);
	close(fd);
}

static void test_user_that_cannot_be_asked(void **state)
{
	char who[128];
	int log;

	(void)state;
	open_instance();
	log = klog_open();
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	snprintf(who, sizeof(who),
		 UUID_A ": in use by removal_test (pid %d), which cannot be asked", getpid());
	assert_int_equal(klog_count(log, who), 1);
	assert_works();
	fixture_close();
	assert_int_equal(mdev_remove(UUID_A), 0);
	assert_all_free();
}

static void test_user_gives_it_up(void **state)
{
	char who[128];
	pid_t pid;
	int log;

	(void)state;
	open_and_listen();
	log = klog_open();
	pid = fixture_fork(mdev_remove, UUID_A);
	assert_int_equal(wait_for_request(), 1);
	/* Until it is closed nothing has changed */
	assert_works();
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);

	fixture_close();
	assert_int_equal(fixture_wait(pid), 0);
	assert_false(mdev_exists(UUID_A));
	assert_all_free();
	snprintf(who, sizeof(who),
		 UUID_A ": in use by removal_test (pid %d), which was asked", getpid());
	assert_int_equal(klog_count(log, who), 1);
}

static void test_user_does_not_give_it_up(void **state)
{
	int log;

	(void)state;
	open_and_listen();
	assert_int_equal(sysfs_write("1", TIMEOUT), 0);
	log = klog_open();
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	assert_int_equal(klog_count(log, UUID_A ": not removed: still in use after 1 s"), 1);
	assert_int_equal(wait_for_request(), 1);
	assert_works();

	/* The user is not pressed, but whoever tries again gets a reason again */
	log = klog_open();
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	assert_int_equal(klog_count(log, UUID_A ": in use by"), 1);
	assert_false(request_is_pending());
}

/* Somebody else may open it after it was given up */
static void test_asked_anew_after_close(void **state)
{
	(void)state;
	open_and_listen();
	assert_int_equal(sysfs_write("0", TIMEOUT), 0);
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	assert_int_equal(wait_for_request(), 1);
	fixture_close();
	assert_int_equal(vfio_client_open(&fixture_client, UUID_A), 0);
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	assert_false(request_is_pending());
	assert_int_equal(vfio_client_listen(&fixture_client, request), 0);
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	assert_int_equal(wait_for_request(), 1);
}

static void test_writer_is_interrupted(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	open_and_listen();
	pid = fixture_fork(mdev_remove, UUID_A);
	wait_for_request();
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_works();
	fixture_close();
	assert_int_equal(mdev_remove(UUID_A), 0);
}

static void test_two_writers(void **state)
{
	pid_t pids[2];
	int results[2];

	(void)state;
	open_and_listen();
	pids[0] = fixture_fork(mdev_remove, UUID_A);
	pids[1] = fixture_fork(mdev_remove, UUID_A);
	wait_for_request();
	fixture_close();
	results[0] = fixture_wait(pids[0]);
	results[1] = fixture_wait(pids[1]);
	/* One has removed it, and the other finds it going or gone */
	assert_true(!results[0] != !results[1]);
	assert_true(results[0] + results[1] == -ENODEV ||
		    results[0] + results[1] == -ENOENT);
	assert_all_free();
}

/* A device node that is open, but not bound to an iommufd, is in use as well */
static void test_open_node(void **state)
{
	char path[256];
	char *name;
	int fd;

	(void)state;
	if (!vfio_client_has_cdev())
		skip();
	assert_int_equal(sysfs_write("0", TIMEOUT), 0);
	assert_int_equal(mdev_create("4M", UUID_A), 0);
	name = sysfs_child_name("/sys/bus/mdev/devices/" UUID_A "/vfio-dev");
	assert_non_null(name);
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", name);
	free(name);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(mdev_remove(UUID_A), -EBUSY);
	close(fd);
	assert_int_equal(mdev_remove(UUID_A), 0);
}

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 +
	       (now.tv_nsec - since->tv_nsec) / 1000000;
}

static void timed_unbind(void)
{
	struct timespec start;

	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(parent_unbind(), 0);
	printf("# unbound in %ld ms\n", elapsed_ms(&start));
}

/* A word of the physical device's memory */
static uint32_t physical_vram(long offset)
{
	volatile uint32_t *map;
	char path[128];
	uint32_t value;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", getenv("LAB_PARENT"));
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, offset);
	close(fd);
	assert_ptr_not_equal(map, MAP_FAILED);
	value = map[0];
	munmap((void *)map, 4096);
	return value;
}

static void test_unbind_leaves_a_shell(void **state)
{
	long offset;
	char who[128];
	char *name;
	int log, uevents;

	(void)state;
	open_and_listen();
	fixture_map();
	fixture_vram[0] = 0x5ec7e7;
	assert_int_equal(fixture_vram[0], 0x5ec7e7);
	offset = sysfs_read_long("/sys/bus/mdev/devices/" UUID_A "/mgpu/vram_offset");
	assert_true(offset >= 0);

	log = klog_open();
	uevents = uevent_open();
	timed_unbind();

	assert_dead();
	assert_int_equal(fixture_vram[0], 0xffffffff);
	assert_int_equal(wait_for_request(), 1);
	/* As a VMM does when it lets go of it */
	assert_int_equal(vfio_client_listen(&fixture_client, -1), 0);
	snprintf(who, sizeof(who),
		 UUID_A ": disconnected, but still open in removal_test (pid %d)", getpid());
	assert_int_equal(klog_count(log, who), 1);

	/* The parent is free, with no secret left, and the shell is where it belongs */
	assert_int_equal(physical_vram(offset), 0);
	assert_false(sysfs_exists("/sys/class/mdev_bus/%s", getenv("LAB_PARENT")));
	assert_false(sysfs_exists("/sys/bus/pci/devices/%s/" UUID_A, getenv("LAB_PARENT")));
	assert_int_equal(uevent_wait(uevents, "move", UUID_A, PATIENCE), 0);
	assert_true(sysfs_exists(SHELL));
	assert_true(mdev_exists(UUID_A));
	assert_false(sysfs_exists(SHELL "/remove"));
	assert_false(sysfs_exists(SHELL "/mdev_type"));
	assert_int_equal(sysfs_read_long(SHELL "/mgpu/vram_offset"), -1);
	name = sysfs_link_name(SHELL "/driver");
	assert_string_equal(name, "mgpu");
	free(name);

	fixture_close();
	assert_int_equal(uevent_wait(uevents, "remove", UUID_A, PATIENCE), 0);
	close(uevents);
	assert_false(mdev_exists(UUID_A));
}

/* The parent comes back while the shell is there: all is free, nothing is shared */
static void test_shell_and_new_instance(void **state)
{
	volatile uint32_t *dead;
	struct vfio_client shell;
	int uevents;

	(void)state;
	open_instance();
	fixture_map();
	fixture_vram[0] = 0x5ec7e7;
	timed_unbind();
	assert_int_equal(parent_bind(), 0);
	assert_all_free();
	assert_int_equal(mdev_create("4M", UUID_A), -EEXIST);

	shell = fixture_client;
	dead = fixture_vram;
	fixture_vram = NULL;
	assert_int_equal(mdev_create("16M", UUID_B), 0);
	assert_int_equal(vfio_client_open(&fixture_client, UUID_B), 0);
	fixture_map();
	assert_int_equal(fixture_vram[0], 0);
	fixture_vram[0] = 0xb0b;
	dead[0] = 0xdead;
	assert_int_equal(fixture_vram[0], 0xb0b);

	uevents = uevent_open();
	munmap((void *)dead, 4096);
	vfio_client_close(&shell);
	assert_int_equal(uevent_wait(uevents, "remove", UUID_A, PATIENCE), 0);
	close(uevents);
	fixture_close();
	assert_int_equal(mdev_remove(UUID_B), 0);
	/* The name is free again */
	assert_int_equal(mdev_create("4M", UUID_A), 0);
}

/* Nobody waits for one VM while another still has its mappings */
static void test_unbind_several_in_use(void **state)
{
	static const char * const uuids[] = { UUID_A, UUID_B, UUID_C };
	struct vfio_client clients[3];
	volatile uint32_t *vram[3];
	int i, log, uevents;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(mdev_create("4M", uuids[i]), 0);
		assert_int_equal(vfio_client_open(&fixture_client, uuids[i]), 0);
		fixture_map();
		clients[i] = fixture_client;
		vram[i] = fixture_vram;
		vram[i][0] = i;
	}
	log = klog_open();
	uevents = uevent_open();
	timed_unbind();
	assert_int_equal(klog_count(log, "disconnected, but still open"), 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(vram[i][0], 0xffffffff);
		fixture_client = clients[i];
		fixture_vram = vram[i];
		fixture_close();
		assert_int_equal(uevent_wait(uevents, "remove", uuids[i], PATIENCE), 0);
	}
	close(uevents);
}

static void test_unbind_wakes_writer(void **state)
{
	pid_t pid;

	(void)state;
	open_and_listen();
	pid = fixture_fork(mdev_remove, UUID_A);
	wait_for_request();
	timed_unbind();
	assert_int_equal(fixture_wait(pid), -ENODEV);
	assert_dead();
}

static int hold(const char *uuid)
{
	char c;

	if (vfio_client_open(&fixture_client, uuid))
		return 1;
	puts("open");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_user_that_cannot_be_asked),
		T(test_user_gives_it_up),
		T(test_user_does_not_give_it_up),
		T(test_asked_anew_after_close),
		T(test_writer_is_interrupted),
		T(test_two_writers),
		T(test_open_node),
		T(test_unbind_leaves_a_shell),
		T(test_shell_and_new_instance),
		T(test_unbind_several_in_use),
		T(test_unbind_wakes_writer),
	};

	/* For scripts: have it open until the input ends */
	if (argc == 3 && !strcmp(argv[1], "--hold"))
		return hold(argv[2]);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("removal", tests, NULL, NULL);
}
