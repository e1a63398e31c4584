# SPDX-License-Identifier: GPL-2.0-only
# Builds the kernel-free files of vfio-vpci.ko in user space, unmodified, for
# the Makefiles that include this; O and UNIT, the way to this folder, are
# theirs. pci_regs.h is the system's; our own headers come before it.
TOP := $(UNIT)/../../..
VPCI := $(TOP)/drivers/vfio/vpci

ENGINE := vpci_config vpci_layout vpci_caps vpci_msi vpci_rebar
ENGINE_OBJECTS := $(ENGINE:%=$(O)/%.o)

SANITIZE ?= -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS := -std=gnu11 -g -O1 -Wall -Wextra -Werror $(SANITIZE)
# The kernel spells tables with missing initialisers, which are zero, and lets
# a function of a table ignore a parameter
CFLAGS += -Wno-missing-field-initializers
# -MMD would leave out what -idirafter finds: our own headers
CPPFLAGS := -I$(UNIT)/shim -idirafter $(TOP)/include -I$(VPCI) -MD -MP

all:

$(O)/%.o: %.c | $(O)
	$(CC) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

$(ENGINE_OBJECTS): $(O)/%.o: $(VPCI)/%.c | $(O)
	$(CC) $(CFLAGS) -Wno-unused-parameter $(CPPFLAGS) -c -o $@ $<

$(O):
	mkdir -p $@

-include $(ENGINE_OBJECTS:.o=.d)

.PHONY: all
