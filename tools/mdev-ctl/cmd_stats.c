// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-ctl stats: the counters of active devices.
 *
 * They are files with a number each, in a directory of the device, and their names are the
 * driver's. A device of another driver has none. The columns are all names that occur.
 *
 * --watch shows what is added in each second. In a terminal it redraws the table; elsewhere it
 * prints one table, or one line of JSON, after the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "commands.h"
#include "json.h"
#include "names.h"
#include "out.h"
#include "sysfs.h"

#define COUNTERS "vpci"
#define COLUMNS_MAX 32
#define WIDTH 9

struct row {
	char uuid[UUID_TEXT_SIZE];
	struct sysfs_instance instance;		/* of a shell: NULLs */
	uint64_t value[COLUMNS_MAX];
	unsigned int has;			/* which of them, a bit set */
};

struct table {
	struct row *row;			/* by UUID */
	size_t rows;
	char *column[COLUMNS_MAX];
	unsigned int columns;
};

static int find_column(struct table *table, const char *name)
{
	for (unsigned int i = 0; i < table->columns; i++)
		if (!strcmp(table->column[i], name))
			return i;
	if (table->columns == COLUMNS_MAX)
		return -1;
	table->column[table->columns] = names_copy(name);
	return table->columns++;
}

static void read_counters(struct table *table, struct row *row)
{
	struct names names;

	if (sysfs_list(&names, SYSFS_INSTANCE "/" COUNTERS, row->uuid))
		return;
	for (size_t i = 0; i < names.count; i++) {
		int column = find_column(table, names.name[i]);
		char *text;

		if (column < 0 || sysfs_read_string(&text, SYSFS_INSTANCE "/" COUNTERS "/%s",
						    row->uuid, names.name[i]))
			continue;
		row->value[column] = strtoull(text, NULL, 10);
		row->has |= 1U << column;
		free(text);
	}
	names_free(&names);
}

static void read_row(struct table *table, const char *name)
{
	struct row *row = &table->row[table->rows];
	struct uuid uuid;

	if (uuid_parse(&uuid, name))
		return;
	uuid_format(&uuid, row->uuid);
	if (sysfs_read_instance(&row->instance, row->uuid) && !sysfs_is_shell(row->uuid))
		return;
	read_counters(table, row);
	table->rows++;
}

static void free_table(struct table *table)
{
	for (size_t i = 0; i < table->rows; i++)
		sysfs_free_instance(&table->row[i].instance);
	free(table->row);
	for (unsigned int i = 0; i < table->columns; i++)
		free(table->column[i]);
	*table = (struct table){ 0 };
}

/* On failure there is no table, and why has been reported. */
static int read_table(struct table *table, const char *uuid)
{
	struct names names = { 0 };
	int err = 0;

	*table = (struct table){ 0 };
	if (!uuid)
		err = sysfs_list(&names, SYSFS_INSTANCES);
	if (err && !sysfs_vanished(err)) {
		out_error(err, "Unable to list the mediated devices");
		return EXIT_FAILED;
	}
	table->row = calloc(names.count + 1, sizeof(*table->row));
	if (!table->row)
		out_of_memory();
	for (size_t i = 0; i < names.count; i++)
		read_row(table, names.name[i]);
	names_free(&names);
	if (!uuid)
		return EXIT_OK;
	read_row(table, uuid);
	if (table->rows)
		return EXIT_OK;
	free_table(table);
	out_error(0, "No active mediated device %s", uuid);
	out_hint("'mdev-ctl list' shows the active ones.");
	return EXIT_FAILED;
}

static const struct row *find_row(const struct table *table, const char *uuid)
{
	for (size_t i = 0; i < table->rows; i++)
		if (!strcmp(table->row[i].uuid, uuid))
			return &table->row[i];
	return NULL;
}

/* What was added since. The columns are in the order of the first device that has them. */
static void subtract(struct table *table, const struct table *before)
{
	for (size_t i = 0; i < table->rows; i++) {
		struct row *row = &table->row[i];
		const struct row *old = find_row(before, row->uuid);

		for (unsigned int c = 0; old && c < table->columns; c++)
			for (unsigned int b = 0; b < before->columns; b++)
				if (!strcmp(table->column[c], before->column[b]) &&
				    row->value[c] >= old->value[b])
					row->value[c] -= old->value[b];
	}
}

/* Names are words that "_" joins: one word per line, so that the columns can be narrow. */
static void print_header(const struct table *table)
{
	for (int line = 0; line < 2; line++) {
		out_printf("%-36s", line ? "UUID" : "");
		for (unsigned int i = 0; i < table->columns; i++) {
			const char *name = table->column[i];
			size_t first = strcspn(name, "_");

			if (!name[first])
				out_printf(" %*s", WIDTH, line ? name : "");
			else if (line)
				out_printf(" %*s", WIDTH, name + first + 1);
			else
				out_printf(" %*.*s", WIDTH, (int)first, name);
		}
		out_printf("\n");
	}
}

static void print_text(const struct table *table)
{
	if (!table->rows)
		return;
	print_header(table);
	for (size_t i = 0; i < table->rows; i++) {
		const struct row *row = &table->row[i];

		out_printf("%s", row->uuid);
		for (unsigned int c = 0; c < table->columns; c++) {
			if (row->has & 1U << c)
				out_printf(" %*" PRIu64, WIDTH, row->value[c]);
			else
				out_printf(" %*s", WIDTH, "-");
		}
		out_printf("\n");
	}
}

static struct json_object *to_json(const struct table *table)
{
	struct json_object *array = json_array();

	for (size_t i = 0; i < table->rows; i++) {
		const struct row *row = &table->row[i];
		struct json_object *object = json_new_object(), *counters = json_new_object();

		json_put_string(object, "uuid", row->uuid);
		json_put_string(object, "parent", row->instance.parent);
		json_put_string(object, "type", row->instance.type);
		for (unsigned int c = 0; c < table->columns; c++)
			if (row->has & 1U << c)
				json_put(counters, table->column[c],
					 json_object_new_uint64(row->value[c]));
		json_put(object, "counters", counters);
		json_add(array, object);
	}
	return array;
}

enum { STATS_UUID = ARGS_HELP + 1, STATS_WATCH, STATS_JSON };
static const struct args_option stats_options[] = {
	ARGS_HELP_ROW,
	{ .letter = 'u', .name = "uuid", .metavar = "UUID", .help = "Only this device",
	  .check = args_check_uuid },
	{ .letter = 'w', .name = "watch", .help = "Show what each second adds, until stopped" },
	{ .name = "json", .help = "Print JSON" },
};

static int print_once(const char *uuid, int json)
{
	struct table table;

	if (read_table(&table, uuid))
		return EXIT_FAILED;
	if (json) {
		out_json(to_json(&table));
		out_printf("\n");
	} else {
		print_text(&table);
	}
	free_table(&table);
	return out_flush();
}

static void print_frame(const struct table *table, int json)
{
	struct json_object *array;

	if (json) {
		array = to_json(table);
		out_printf("%s\n", json_text(array, JSON_COMPACT));
		json_object_put(array);
		return;
	}
	if (isatty(STDOUT_FILENO))
		out_printf("\033[H\033[J");
	out_printf("per second:\n");
	print_text(table);
}

static void sleep_until(struct timespec *next)
{
	next->tv_sec++;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL) == EINTR)
		;
}

static int watch(const char *uuid, int json)
{
	struct table before, now;
	struct timespec next;
	int err = read_table(&before, uuid);

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!err) {
		struct table added;

		sleep_until(&next);
		/* Once as it is, for the next time, and once to subtract from */
		err = read_table(&now, uuid);
		if (err)
			break;
		added = now;
		added.row = calloc(now.rows + 1, sizeof(*now.row));
		if (!added.row)
			out_of_memory();
		memcpy(added.row, now.row, now.rows * sizeof(*now.row));
		subtract(&added, &before);
		print_frame(&added, json);
		free(added.row);
		free_table(&before);
		before = now;
		err = out_flush();
	}
	free_table(&before);
	return err;
}

static int run_stats(const struct args_command *cmd, const struct args *args)
{
	char text[UUID_TEXT_SIZE];
	const char *uuid = args_uuid(args, STATS_UUID, text);
	int json = !!args->value[STATS_JSON];

	(void)cmd;
	if (sysfs_require())
		return EXIT_FAILED;
	return args->value[STATS_WATCH] ? watch(uuid, json) : print_once(uuid, json);
}

const struct args_command cmd_stats = {
	.name = "stats",
	.usage = "mdev-ctl stats [-u <UUID>] [--watch] [--json]",
	.summary = "Show the counters of active devices",
	ARGS_OPTIONS(stats_options),
	.run = run_stats,
};
