// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random files and answers of scripts for mdev-ctl
 *
 * The first byte of an input says what the rest is: a definition, the attributes that a callout
 * script answers, or its capabilities. What is taken is sane, is the same when it is written and
 * read again, and does not depend on which of two parsers reads it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callout.h"
#include "config.h"
#include "provider.h"

#define must(what) ((what) ? (void)0 : broken(#what, __LINE__))

static void broken(const char *what, int line)
{
	fprintf(stderr, "ctl_fuzz.c:%d: not so: %s\n", line, what);
	abort();
}

static void check_sane(const struct config *config)
{
	must(config->type && *config->type && !strchr(config->type, '/'));
	must(strcmp(config->type, ".") && strcmp(config->type, ".."));
	for (size_t i = 0; i < config->attrs; i++)
		must(!config_check_attr_name(config->attr[i].name));
}

static void check_again(const struct config *config, enum json_format format)
{
	char reason[CONFIG_REASON_SIZE];
	char *text = config_to_text(config, format);
	struct config again;

	must(!config_parse(&again, text, strlen(text), reason));
	must(config_equal(config, &again));
	config_free(&again);
	free(text);
}

/* A space in front keeps it from the parser of what was written by a tool. */
static void check_other_parser(const struct config *config, int err, const char *text, size_t len)
{
	char reason[CONFIG_REASON_SIZE];
	char *spaced = malloc(len + 2);
	struct config other;

	spaced[0] = ' ';
	memcpy(spaced + 1, text, len + 1);
	must(config_parse(&other, spaced, len + 1, reason) == err);
	if (!err) {
		must(config_equal(config, &other));
		config_free(&other);
	}
	free(spaced);
}

static void try_config(const char *text, size_t len)
{
	char reason[CONFIG_REASON_SIZE];
	struct config config;
	int err = config_parse(&config, text, len, reason);

	check_other_parser(&config, err, text, len);
	if (err)
		return;
	check_sane(&config);
	check_again(&config, JSON_PRETTY);
	check_again(&config, JSON_COMPACT);
	config_free(&config);
}

static void try_attrs(const char *text, size_t len)
{
	char reason[CALLOUT_REASON_SIZE];
	struct config config;

	config_init(&config, "type");
	callout_parse_attrs(&config, text, len, reason);
	check_sane(&config);
	check_again(&config, JSON_PRETTY);
	config_free(&config);
}

static void try_capabilities(const char *text, size_t len)
{
	struct provider provider = { 0 };

	if (provider_parse(&provider, text, len))
		return;
	must(!(provider.actions >> ACTIONS) && !(provider.events >> EVENTS));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0]) {
	case 'c':
		try_config(text, size - 1);
		break;
	case 'a':
		try_attrs(text, size - 1);
		break;
	case 'p':
		try_capabilities(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
