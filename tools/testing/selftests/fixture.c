// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fixture.h"
#include "sysfs.h"

#define PATIENCE_MS	60000

struct vfio_client fixture_client = { .device = -1, .iommu = -1, .group = -1 };
volatile uint32_t *fixture_vram;

double fixture_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void assert_all_free(void)
{
	assert_int_equal(mdev_available("4M"), 4);
	assert_int_equal(mdev_available("8M"), 2);
	assert_int_equal(mdev_available("16M"), 1);
}

int parent_unbind(void)
{
	return sysfs_write(getenv("LAB_PARENT"), "/sys/bus/pci/drivers/mgpu/unbind");
}

int parent_bind(void)
{
	return sysfs_write(getenv("LAB_PARENT"), "/sys/bus/pci/drivers/mgpu/bind");
}

void fixture_map(void)
{
	struct vfio_region_info info;

	assert_int_equal(vfio_client_region(&fixture_client, 0, &info), 0);
	vfio_client_decode(&fixture_client, 1);
	fixture_vram = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fixture_client.device, info.offset);
	assert_ptr_not_equal(fixture_vram, MAP_FAILED);
}

void fixture_close(void)
{
	if (fixture_vram && fixture_vram != MAP_FAILED)
		munmap((void *)fixture_vram, 4096);
	fixture_vram = NULL;
	vfio_client_close(&fixture_client);
	fixture_client.device = fixture_client.group = fixture_client.iommu = -1;
}

pid_t fixture_fork(int (*fn)(const char *arg), const char *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	fixture_close();
	_exit(-fn(arg));
}

int fixture_wait(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

bool fixture_ends(pid_t pid)
{
	struct pollfd pollfd = { .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	bool ends;

	assert_true(pollfd.fd >= 0);
	ends = poll(&pollfd, 1, PATIENCE_MS) == 1;
	close(pollfd.fd);
	return ends;
}

/* Blocks of 4 MiB that the parent has */
static long capacity;

int fixture_setup(void **state)
{
	(void)state;
	if (!capacity)
		capacity = mdev_available("4M");
	return capacity > 0 && mdev_available("4M") == capacity ? 0 : -1;
}

/*
 * A shell goes a moment after its last user, and its name becomes free last of
 * all: for who can make an instance of that name, nothing is left of the shell.
 */
static int wait_for_name(const char *uuid)
{
	return mdev_create_when_free("4M", uuid) ?: mdev_remove(uuid);
}

int fixture_teardown(void **state)
{
	static const char * const uuids[] = { UUID_A, UUID_B, UUID_C };
	size_t i;

	(void)state;
	fixture_close();
	while (wait(NULL) > 0)
		;
	if (!sysfs_exists("/sys/bus/pci/drivers/mgpu/%s", getenv("LAB_PARENT")))
		parent_bind();
	for (i = 0; i < sizeof(uuids) / sizeof(uuids[0]); i++) {
		mdev_remove(uuids[i]);
		if (wait_for_name(uuids[i]))
			return -1;
	}
	return mdev_available("4M") == capacity ? 0 : -1;
}
