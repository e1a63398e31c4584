// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output.
 *
 * Results are collected in memory and written at the end, in one place that checks the result:
 * a command that fails half way prints nothing to stdout, and a full disk or a closed pipe is a
 * failure of the command, not a truncated listing with exit code 0.
 *
 * A report on stderr has up to three parts. The first two have the form that mdevctl gives
 * them, so that whoever reads mdevctl's messages can read ours; the hint is ours.
 *
 *	Error: what failed, with the object's name
 *
 *	Caused by:
 *	    the kernel's reason (os error N)
 *
 *	Hint: what to do next
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <json-c/json.h>

#include "json.h"
#include "out.h"

static char *text;
static size_t text_size;
static FILE *stream;

FILE *out_stream(void)
{
	if (!stream)
		stream = open_memstream(&text, &text_size);
	if (!stream)
		out_of_memory();
	return stream;
}

void out_printf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vfprintf(out_stream(), fmt, ap) < 0)
		out_of_memory();
	va_end(ap);
}

void out_json(struct json_object *value)
{
	if (fputs(json_text(value, JSON_PRETTY), out_stream()) == EOF)
		out_of_memory();
	json_object_put(value);
}

int out_write(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= n;
	}
	return 0;
}

int out_flush_to(int fd)
{
	int err;

	if (!stream)
		return EXIT_OK;
	if (ferror(stream) | fclose(stream))
		out_of_memory();
	stream = NULL;
	err = out_write(fd, text, text_size);
	free(text);
	if (err)
		return out_error(err, "Unable to write the output");
	return EXIT_OK;
}

int out_flush(void)
{
	return out_flush_to(STDOUT_FILENO);
}

static const char *subject;
static int to_syslog;
static char *further_reason;

void out_subject(const char *name)
{
	subject = name;
}

void out_use_syslog(void)
{
	openlog("mdev-ctl", LOG_PID, LOG_DAEMON);
	to_syslog = 1;
}

void out_reason(const char *reason)
{
	free(further_reason);
	further_reason = reason ? strdup(reason) : NULL;
}

static char *format(const char *fmt, va_list ap)
{
	char *line;

	if (vasprintf(&line, fmt, ap) < 0)
		out_of_memory();
	return line;
}

/* mdevctl's variable for how much it says; its default are warnings */
static int wants_warnings(void)
{
	const char *level = getenv("MDEVCTL_LOG");

	return !level || (strcmp(level, "off") && strcmp(level, "error"));
}

static void print_line(int priority, const char *kind, const char *line)
{
	if (priority == LOG_INFO || wants_warnings())
		fprintf(stderr, "%s%s\n", kind, line);
	if (to_syslog)
		syslog(priority, "%s", line);
}

static void print_causes(int err)
{
	if (!err && !further_reason)
		return;
	fputs("\nCaused by:\n", stderr);
	if (!further_reason)
		fprintf(stderr, "    %s (os error %d)\n", strerror(abs(err)), abs(err));
	else if (!err)
		fprintf(stderr, "    %s\n", further_reason);
	else
		fprintf(stderr, "    0: %s\n    1: %s (os error %d)\n", further_reason,
			strerror(abs(err)), abs(err));
}

/* The same in one line */
static void print_warning(int err, const char *message)
{
	char line[2048];
	int len = snprintf(line, sizeof(line), "%s: %s", subject, message);

	if (further_reason && len < (int)sizeof(line))
		len += snprintf(line + len, sizeof(line) - len, ": %s", further_reason);
	if (err && len < (int)sizeof(line))
		snprintf(line + len, sizeof(line) - len, ": %s (os error %d)", strerror(abs(err)),
			 abs(err));
	print_line(LOG_WARNING, "Warning: ", line);
}

int out_error(int err, const char *fmt, ...)
{
	char *message;
	va_list ap;

	va_start(ap, fmt);
	message = format(fmt, ap);
	va_end(ap);
	if (subject) {
		print_warning(err, message);
	} else {
		fprintf(stderr, "Error: %s\n", message);
		print_causes(err);
		if (to_syslog)
			syslog(LOG_ERR, "%s", message);
	}
	out_reason(NULL);
	free(message);
	return EXIT_FAILED;
}

static void print_formatted(int priority, const char *kind, const char *fmt, va_list ap)
{
	char *line = format(fmt, ap);

	print_line(priority, kind, line);
	free(line);
}

void out_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_formatted(LOG_WARNING, "Warning: ", fmt, ap);
	va_end(ap);
}

void out_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_formatted(LOG_INFO, "", fmt, ap);
	va_end(ap);
}

void out_hint(const char *fmt, ...)
{
	va_list ap;

	if (subject)
		return;
	va_start(ap, fmt);
	fputs("\nHint: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

void out_of_memory(void)
{
	fputs("Error: Out of memory\n", stderr);
	exit(EXIT_FAILED);
}
