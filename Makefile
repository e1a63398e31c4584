# SPDX-License-Identifier: GPL-2.0-only
# People's targets; the module build itself is in Kbuild. Try "make help".

# Kernel series that the modules are built and tested against
SUPPORTED := 6.12

# The newest supported headers that are installed, else the running kernel's.
# The flavours for real-time and cloud kernels have to be asked for by KDIR.
HEADERS := $(shell ls -d $(SUPPORTED:%=/lib/modules/%.*/build) 2>/dev/null | \
	grep -v -e -rt- -e -cloud- | sort -V)
KDIR ?= $(or $(lastword $(HEADERS)),/lib/modules/$(shell uname -r)/build)

PREFIX ?= /usr/local
O := build

all: modules tools

help:
	@echo 'make all        build the modules against KDIR, and mdev-ctl (the default)'
	@echo 'make demo       split one display adapter between two running guests, in a VM'
	@echo 'make check      all tests; ends with "N passed, N failed"'
	@echo 'make check T=x  only the tests whose suite or name contains x'
	@echo 'make unit       only the tests that need no kernel and no VM'
	@echo 'make lab-shell  a root shell in the lab VM, modules built and at hand'
	@echo 'make setup      install what building and testing need (Debian 12, 13)'
	@echo 'make install    install modules and mdev-ctl on this machine (root)'
	@echo 'make clean      remove what was built'
	@echo
	@echo 'KDIR=$(KDIR)'

kernel-release = $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)

check-kdir:
	@test -n "$(kernel-release)" || { echo \
	 'KDIR=$(KDIR): no kernel headers there. "make setup" installs some.' \
	 >&2; exit 1; }
	@case "$(kernel-release)" in $(subst $() ,|,$(SUPPORTED:%=%.*))) ;; *) echo \
	 'KDIR=$(KDIR): kernel $(kernel-release) is not supported, only $(SUPPORTED).' \
	 '"make setup" installs the headers of one that is.' >&2; exit 1;; esac

modules: check-kdir
	@$(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) W=1 modules

tools:
	@$(MAKE) --no-print-directory -C tools/mdev-ctl

tests:
	@$(MAKE) --no-print-directory -C tools/testing/unit O=$(CURDIR)/$(O)/unit
	@$(MAKE) --no-print-directory -C tools/testing/selftests O=$(CURDIR)/$(O)/selftests

setup:
	@tools/testing/lab/setup.sh

# What is missing gets installed first; only then can KDIR be chosen.
demo check lab-shell: setup
	@$(MAKE) --no-print-directory with-setup-$@

with-setup-demo: all
	@tools/testing/demo/demo.sh $(kernel-release)

with-setup-check:
	@tools/testing/check.sh $(kernel-release) "$(T)"

unit: tools tests
	@tools/testing/check.sh - unit

with-setup-lab-shell: all tests
	@tools/testing/lab/run.sh --kver $(kernel-release) --shell

install: all
	@$(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) modules_install
	@$(MAKE) --no-print-directory -C tools/mdev-ctl install PREFIX=$(PREFIX)
	depmod $(kernel-release)

clean:
	@test ! -d $(KDIR) || $(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) clean
	@$(MAKE) --no-print-directory -C tools/mdev-ctl clean
	@rm -rf $(O)

.PHONY: all help check-kdir modules tools tests setup demo check lab-shell unit \
	install clean with-setup-demo with-setup-check with-setup-lab-shell
