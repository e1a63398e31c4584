/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the life of instances begin and end with: all capacity is
 * free, nothing is open
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vfio_client.h"

#define UUID_A "11111111-aaaa-4aaa-8aaa-0123456789ab"
#define UUID_B "22222222-bbbb-4bbb-8bbb-0123456789ab"
#define UUID_C "33333333-cccc-4ccc-8ccc-0123456789ab"

/* For cmocka_unit_test_setup_teardown() */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Seconds, from some moment on */
double fixture_now(void);

/* For a parent of 16 MiB */
void assert_all_free(void);

/* Bind or unbind the parent; 0 or a negative errno */
int parent_bind(void);
int parent_unbind(void);

/*
 * Here, so that teardown closes what a failed test left open: nothing that
 * waits for a close must wait for ever.
 */
extern struct vfio_client fixture_client;
extern volatile uint32_t *fixture_vram;

/* Map the first page of the open instance's BAR 0, decode on */
void fixture_map(void);
void fixture_close(void);

/*
 * Run @fn(@arg) in a child process with nothing of the fixture open; its result,
 * 0 or a negative errno, comes back by fixture_wait().
 */
pid_t fixture_fork(int (*fn)(const char *arg), const char *arg);
int fixture_wait(pid_t pid);
/* Whether the child ends in time, which is long; it is still to be waited for */
bool fixture_ends(pid_t pid);

#endif /* FIXTURE_H */
