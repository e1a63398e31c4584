// SPDX-License-Identifier: GPL-2.0-only
/*
 * Defects on purpose, to see that the lanes with checkers catch them
 *
 * "insmod planted.ko fault=NAME" does the damage while it loads. Not part of the
 * product; it is built and loaded by planted.sh alone.
 */
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>

static char *fault = "none";
module_param(fault, charp, 0);

static DEFINE_MUTEX(planted_a);
static DEFINE_MUTEX(planted_b);
static DEFINE_SPINLOCK(planted_lock);

/* Two locks in both orders: no deadlock happens, one could */
static void planted_inversion(void)
{
	mutex_lock(&planted_a);
	mutex_lock(&planted_b);
	mutex_unlock(&planted_b);
	mutex_unlock(&planted_a);

	mutex_lock(&planted_b);
	mutex_lock(&planted_a);
	mutex_unlock(&planted_a);
	mutex_unlock(&planted_b);
}

/*
 * Many, because kmemleak takes any word in memory that happens to equal an
 * address for a pointer, such as the one that a register was last saved to.
 */
static noinline void planted_leak(void)
{
	int i;

	for (i = 0; i < 64; i++) {
		char *lost = kmalloc(96, GFP_KERNEL);

		/* The compiler must not see that nobody wants it */
		barrier_data(lost);
	}
}

static void planted_use_after_free(void)
{
	char *gone = kmalloc(96, GFP_KERNEL);

	if (!gone)
		return;
	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	WRITE_ONCE(gone[3], 1);
}

static void planted_atomic_sleep(void)
{
	spin_lock(&planted_lock);
	mutex_lock(&planted_a);
	mutex_unlock(&planted_a);
	spin_unlock(&planted_lock);
}

/* What our own functions say of the locks that they want */
static noinline void planted_unheld(void)
{
	lockdep_assert_held(&planted_a);
}

static unsigned long planted_counter;

/* For as long as it takes a checker that takes samples to look here once */
static int planted_count(void *unused)
{
	unsigned long end = jiffies + 5 * HZ;

	while (time_before(jiffies, end)) {
		planted_counter++;
		barrier();
		cond_resched();
	}
	return 0;
}

static void planted_race(void)
{
	struct task_struct *other = kthread_create(planted_count, NULL, "planted");

	if (IS_ERR(other))
		return;
	get_task_struct(other);
	wake_up_process(other);
	planted_count(NULL);
	kthread_stop_put(other);
}

static void planted_uninitialised(void)
{
	char *memory = kmalloc(96, GFP_KERNEL);

	if (!memory)
		return;
	if (memory[3] == 42)
		pr_info("the answer\n");
	kfree(memory);
}

/* To a page of the process that loads us */
static void planted_infoleak(void)
{
	unsigned long page = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, 0);
	char *memory = kmalloc(96, GFP_KERNEL);

	if (memory && !IS_ERR_VALUE(page) &&
	    copy_to_user((void __user *)page, memory, 96))
		pr_info("nothing was copied\n");
	kfree(memory);
}

static int __init planted_init(void)
{
	if (!strcmp(fault, "inversion"))
		planted_inversion();
	else if (!strcmp(fault, "leak"))
		planted_leak();
	else if (!strcmp(fault, "use-after-free"))
		planted_use_after_free();
	else if (!strcmp(fault, "atomic-sleep"))
		planted_atomic_sleep();
	else if (!strcmp(fault, "unheld"))
		planted_unheld();
	else if (!strcmp(fault, "race"))
		planted_race();
	else if (!strcmp(fault, "uninitialised"))
		planted_uninitialised();
	else if (!strcmp(fault, "infoleak"))
		planted_infoleak();
	else
		return -EINVAL;
	return 0;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Defects on purpose");
