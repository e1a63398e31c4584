/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process can do to a part of a mapping that is one leaf of 1 GiB
 *
 * The kernel has no way to cut such a leaf. Some of these calls split the VMA above it, so
 * that the leaf belongs to two; others move the border between two VMAs; others only look.
 * Each is made in a process of its own, since what is sealed stays until the end of it.
 */
#ifndef LEAF_SPLIT_H
#define LEAF_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPLIT_PLACES 6

/**
 * struct split_op - a call on a part of a mapping
 * @name: for messages
 * @may_fail: kernels differ in whether they do it to memory of devices
 * @takes_it: the part is not there any more afterwards
 * @act: 0 or -1 with errno
 */
struct split_op {
	const char *name;
	bool may_fail;
	bool takes_it;
	long (*act)(char *at, size_t size);
};

struct split_part {
	size_t offset, size;
};

extern const struct split_op split_ops[];
extern const size_t split_nr_ops;
extern const struct split_part split_parts[];
extern const size_t split_nr_parts;

/**
 * struct split_run - how it is tried
 * @device: the file
 * @pos: where in it 1 GiB begins that a touch maps by one leaf
 * @rounds: how often each time, in a new mapping
 * @touched: a thread touches what stays, meanwhile
 * @check: if set, whether all is well afterwards; @at are places that can be read
 */
struct split_run {
	int device;
	uint64_t pos;
	unsigned int rounds;
	bool touched;
	bool (*check)(const struct split_run *run, volatile uint64_t *const at[], size_t nr);
	void *arg;
};

/* Room for 1 GiB at an address that is a multiple of it, and before and behind that */
char *split_room(void);
/* Have the kernel walk through all that this process has mapped */
bool split_look(const char *map, size_t size);
/* The call on the part, in a process of its own; false if anything was not as it should be */
bool split(const struct split_run *run, const struct split_op *op,
	   const struct split_part *part);

#endif /* LEAF_SPLIT_H */
