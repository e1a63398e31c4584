// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same as leaf_split_test with a BAR of vfio-pci's, of 1 GiB or more: leaf_split_peer DEVICE BAR
 *
 * For the lab VM, and to be run last: where the kernel has the fault, it ends here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leaf_split.h"
#include "vfio_client.h"

#define GIB (1UL << 30)

/* Into the kernel's log, which comes out of a VM that ends: the last one is what it had to do then */
static void tell(const struct split_op *op, const struct split_part *part)
{
	FILE *log = fopen("/dev/kmsg", "w");

	if (!log)
		return;
	fprintf(log, "<4>leaf_split_peer: %s: %#zx at %#zx\n", op->name, part->size, part->offset);
	fclose(log);
}

static bool all_parts(const struct split_run *run, const struct split_op *op)
{
	bool good = true;
	size_t i;

	for (i = 0; i < split_nr_parts; i++) {
		tell(op, &split_parts[i]);
		good &= split(run, op, &split_parts[i]);
	}
	return good;
}

int main(int argc, char **argv)
{
	struct split_run run = { .rounds = 2 };
	struct vfio_region_info info;
	struct vfio_client client;
	int ret;
	size_t i;

	if (argc != 3)
		return 2;
	ret = vfio_client_open(&client, argv[1]);
	if (!ret)
		ret = vfio_client_region(&client, atoi(argv[2]), &info);
	if (ret || info.size < GIB || !(info.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
		printf("not ok - BAR %s of %s: %s\n", argv[2], argv[1],
		       ret ? strerror(-ret) : "cannot be mapped by a leaf of 1 GiB");
		return 2;
	}
	vfio_client_decode(&client, 1);
	run.device = client.device;
	run.pos = info.offset;
	printf("1..%zu\n", split_nr_ops);
	for (i = 0; i < split_nr_ops; i++)
		printf("%sok %zu - vfio-pci: %s\n", all_parts(&run, &split_ops[i]) ? "" : "not ",
		       i + 1, split_ops[i].name);
	vfio_client_close(&client);
	return 0;
}
