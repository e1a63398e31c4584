// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM whose memory never comes: the function's copy waits for a userfaultfd, and
 * nobody else does. The VMM is a child of the test, so that it can be killed. Which of
 * its files it opened first decides which its end closes first.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/pci_regs.h>
#include <linux/userfaultfd.h>

#include "../modules/dma_lab.h"
#include "fixture.h"
#include "sysfs.h"

#define TYPE		"/sys/class/mdev_bus/dma_lab/mdev_supported_types/dma_lab-dma"
#define DRIVER		"/sys/bus/platform/drivers/dma_lab"
#define PAGE		4096UL
#define IOVA		0x100000UL

enum { FAULTS_FIRST = 1, TRAPPED = 2, PINNED = 4 };

static struct vfio_client client;
static uint64_t regs;
static int faults;
static pid_t vmm;

/* In the VMM, where nobody hears an assertion */
static void must(bool right)
{
	if (!right)
		_exit(1);
}

static void put(unsigned int reg, uint64_t value)
{
	must(vfio_client_write(&client, regs + reg, &value, 8) == 8);
}

static void open_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };

	faults = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	must(faults >= 0 && !ioctl(faults, UFFDIO_API, &api));
}

static void open_function(void)
{
	struct vfio_region_info info;

	must(!vfio_client_open(&client, UUID_A) && !vfio_client_region(&client, 0, &info));
	regs = info.offset;
	vfio_client_put(&client, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void map_what_never_comes(void)
{
	void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register area = {
		.range = { .start = (uintptr_t)memory, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	must(memory != MAP_FAILED && !ioctl(faults, UFFDIO_REGISTER, &area));
	must(!vfio_client_map(&client, memory, IOVA, PAGE, true));
}

static void *command(void *what)
{
	put(DMA_LAB_COMMAND, DMA_LAB_DO((uintptr_t)what, 0));
	return NULL;
}

static void copy(unsigned int how)
{
	uintptr_t what = how & PINNED ? DMA_LAB_PIN : how & TRAPPED ? DMA_LAB_READ : DMA_LAB_READ_LATER;
	pthread_t thread;

	put(DMA_LAB_IOVA, IOVA);
	put(DMA_LAB_COUNT, how & PINNED ? 1 : 8);
	must(!pthread_create(&thread, NULL, command, (void *)what));
}

static void __attribute__((noreturn)) be_vmm(unsigned int how, int ready)
{
	struct pollfd pollfd = { .events = POLLIN };

	if (how & FAULTS_FIRST)
		open_faults();
	open_function();
	if (!(how & FAULTS_FIRST))
		open_faults();
	map_what_never_comes();
	copy(how);
	pollfd.fd = faults;
	must(poll(&pollfd, 1, -1) == 1);
	must(write(ready, "", 1) == 1);
	for (;;)
		pause();
}

/* On return it has its function wait for its memory */
static void start_vmm(unsigned int how)
{
	int ready[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	vmm = fork();
	assert_true(vmm >= 0);
	if (!vmm) {
		close(ready[0]);
		be_vmm(how, ready[1]);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void kill_vmm(void)
{
	assert_int_equal(kill(vmm, SIGKILL), 0);
	assert_true(fixture_ends(vmm));
	assert_int_equal(waitpid(vmm, NULL, 0), vmm);
	vmm = 0;
}

static int create(const char *uuid)
{
	return sysfs_write(uuid, TYPE "/create");
}

static int unbind(const char *unused)
{
	(void)unused;
	return sysfs_write("dma_lab", DRIVER "/unbind");
}

/* Of a process of its own, because what should not wait cannot be interrupted if it does */
static int result_of(int (*fn)(const char *arg), const char *arg)
{
	pid_t pid = fixture_fork(fn, arg);

	assert_true(fixture_ends(pid));
	return fixture_wait(pid);
}

/* What an unbound parent leaves of an instance goes a moment after its last user */
static int setup(void **state)
{
	time_t end = time(NULL) + 60;
	int ret;

	(void)state;
	while ((ret = create(UUID_A)) == -EEXIST && time(NULL) < end)
		sched_yield();
	return ret;
}

static int teardown(void **state)
{
	(void)state;
	if (vmm)
		kill_vmm();
	if (!sysfs_exists(DRIVER "/dma_lab"))
		return sysfs_write("dma_lab", DRIVER "/bind");
	return mdev_exists(UUID_A) ? result_of(mdev_remove, UUID_A) : 0;
}

static void check_kill(unsigned int how)
{
	start_vmm(how);
	kill_vmm();
	assert_int_equal(result_of(mdev_remove, UUID_A), 0);
}

static void test_kill_faults_first(void **state)
{
	(void)state;
	check_kill(FAULTS_FIRST);
}

static void test_kill_faults_last(void **state)
{
	(void)state;
	check_kill(0);
}

static void test_kill_trapped_faults_first(void **state)
{
	(void)state;
	check_kill(TRAPPED | FAULTS_FIRST);
}

static void test_kill_trapped_faults_last(void **state)
{
	(void)state;
	check_kill(TRAPPED);
}

static bool has_pins(void)
{
	const char *path = getenv("VFIO_PATH");

	return path && !strcmp(path, "cdev");
}

static void test_kill_pinned(void **state)
{
	(void)state;
	if (!has_pins())
		skip();
	check_kill(PINNED | FAULTS_FIRST);
}

/* The VMM is there afterwards, and its copy has an end all the same */
static void check_unbind(unsigned int how)
{
	start_vmm(how);
	assert_int_equal(result_of(unbind, NULL), 0);
	assert_int_equal(kill(vmm, 0), 0);
}

static void test_unbind(void **state)
{
	(void)state;
	check_unbind(FAULTS_FIRST);
}

static void test_unbind_trapped(void **state)
{
	(void)state;
	check_unbind(TRAPPED | FAULTS_FIRST);
}

static void test_unbind_pinned(void **state)
{
	(void)state;
	if (!has_pins())
		skip();
	check_unbind(PINNED | FAULTS_FIRST);
}

static void test_others_come_and_go(void **state)
{
	(void)state;
	start_vmm(FAULTS_FIRST);
	assert_int_equal(result_of(mdev_remove, UUID_A), -EBUSY);
	assert_int_equal(result_of(create, UUID_B), 0);
	assert_int_equal(result_of(mdev_remove, UUID_B), 0);
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_others_come_and_go),
		T(test_unbind_trapped),
		T(test_unbind_pinned),
		T(test_unbind),
		T(test_kill_trapped_faults_last),
		T(test_kill_trapped_faults_first),
		T(test_kill_pinned),
		T(test_kill_faults_last),
		T(test_kill_faults_first),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("dma-stall", tests, NULL, NULL);
}
