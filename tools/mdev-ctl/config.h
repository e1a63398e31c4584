/* SPDX-License-Identifier: GPL-2.0-only */
/* What a mediated device is made with: its type, its attributes, and when it starts. */
#ifndef MDEV_CTL_CONFIG_H
#define MDEV_CTL_CONFIG_H

#include <stddef.h>

#include "json_write.h"

#define CONFIG_REASON_SIZE 256

struct config_attr {
	char *name;
	char *value;
};

struct config {
	char *type;
	int autostart;
	struct config_attr *attr;	/* in the order in which they are written */
	size_t attrs;
};

/*
 * text[len] is 0. 0, or -EBADMSG with the reason and an empty config: nothing of the text is
 * taken then.
 */
int config_parse(struct config *config, const char *text, size_t len,
		 char reason[static CONFIG_REASON_SIZE]);
/*
 * Appends the attributes of an array as it stands in a config and as callouts answer it. Those
 * before a bad one stay. 0 or -EBADMSG with the reason.
 */
int config_parse_attrs(struct config *config, struct json_object *array,
		       char reason[static CONFIG_REASON_SIZE]);

void config_write(struct json_writer *writer, const struct config *config);
/* As in the file, or as scripts are given it. To be freed by the caller. */
char *config_to_text(const struct config *config, enum json_format format);

void config_init(struct config *config, const char *type);
void config_copy(struct config *to, const struct config *from);
void config_set_type(struct config *config, const char *type);
/* index <= config->attrs, and for the removal < */
void config_insert_attr(struct config *config, size_t index, const char *name, const char *value);
void config_remove_attr(struct config *config, size_t index);
int config_equal(const struct config *a, const struct config *b);
void config_free(struct config *config);

/* Why no attribute of a device can have this name, or NULL */
const char *config_check_attr_name(const char *name);

#endif
