/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sequences of system calls of which one allocation after the other fails, by the
 * kernel's fault injection (CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC and /proc/PID/fail-nth)
 *
 * All of them start from, and come back to, a state that can be counted: what is
 * created, open, pinned and held, see nth_state.c.
 */
#ifndef NTH_H
#define NTH_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct nth_sequence - what is done again and again while an allocation fails
 * @name: what it is
 * @prepare: once, before all; asserts success
 * @run: system calls, and nothing else that could allocate. 0 or a negative errno, and
 *	after that all is as before
 * @undo: after a run that has passed; asserts success
 * @check: likewise before @undo, that what has passed is there; or NULL
 * @works: in the place of @check, in the end; or NULL
 * @kept: after a run that has failed, what the user had before and has still; or NULL
 * @finish: balances @prepare, also after a test that has failed
 * @thread: whose allocations fail: one of this process of that name; NULL, those of the caller
 * @within: only allocations inside of this function of the kernel's fail; NULL, any
 * @without: none of these do, because the kernel itself cannot bear it; NULL, of no function
 * @errnos: what it may fail with, beside ENOMEM. Why is said where they are
 * @frugal: it may well need no memory at all
 * @opens: it uses an open instance, and so goes both ways to open one
 * @pins: it needs iommufd
 */
struct nth_sequence {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	void (*undo)(void);
	void (*check)(void);
	void (*works)(void);
	void (*kept)(void);
	void (*finish)(void);
	const char *thread;
	const char *within;
	const char *without;
	int errnos[3];
	bool frugal;
	bool opens;
	bool pins;
};

/* Tables that end with a sequence without a name */
extern const struct nth_sequence nth_life[];
extern const struct nth_sequence nth_open[];
extern const struct nth_sequence nth_irqs[];
extern const struct nth_sequence nth_memory[];
extern const struct nth_sequence nth_backing[];
extern const struct nth_sequence nth_dma[];

/* For cmocka: switch the facility on, and to what it was */
int nth_setup(void **state);
int nth_teardown(void **state);

/* Fail the 1st, the 2nd, ... allocation of the sequence until it passes without */
void nth_sweep(const struct nth_sequence *sequence);
/* No allocation fails any more, whatever a failed test has left */
void nth_stop(void);

/* What is there, in numbers; a "struct nth_state" is opaque */
struct nth_state;
struct nth_state *nth_state_new(void);
void nth_state_read(struct nth_state *state);
/*
 * Wait until all is as it was; what goes a moment later has time for that. NULL, or what
 * is not, in words that are valid until the next call
 */
const char *nth_state_differs(const struct nth_state *before);

#endif /* NTH_H */
