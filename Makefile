# SPDX-License-Identifier: GPL-2.0-only
# People's targets; the module build itself is in Kbuild. Try "make help".

# Kernels that the modules have been tested with, and when; README.md has them, too.
# A later one of the same series is taken to be as good, any other from 6.12 on is
# built for if its interfaces are known, see drivers/vfio/probes.
TESTED := 6.12.117 7.3.4
TESTED_IN := 2026-11
SERIES := $(sort $(foreach version,$(TESTED),$(basename $(version))))

# The running kernel if its headers are here and it is not from before 6.12, else the
# newest tested series, else the newest. The flavours for real-time and cloud kernels
# have to be asked for by KDIR.
LIB_MODULES := /lib/modules
RUNNING := $(LIB_MODULES)/$(shell uname -r)/build
HEADERS := $(shell cd $(LIB_MODULES) 2>/dev/null && ls -d */build/include/config/kernel.release 2>/dev/null | \
	cut -d/ -f1 | grep -v -e -rt- -e -cloud- | { cat; echo 6.12; } | sort -V | sed '0,/^6\.12$$/d')
HEADERS := $(HEADERS:%=$(LIB_MODULES)/%/build)
KDIR ?= $(or $(filter $(RUNNING),$(HEADERS)),$(lastword \
	$(filter $(SERIES:%=$(LIB_MODULES)/%.%/build),$(HEADERS))),$(lastword $(HEADERS)),$(RUNNING))

# Kernels that "make check" tests with, see tools/testing/lab/kernel.sh
LANES := stock stock-kernel-mdev stock-new debug-6.12 debug-7.2 debug-new kcsan-new kmsan-new
LANE ?= stock stock-kernel-mdev stock-new debug-new

PREFIX ?= /usr/local
O := build

# "kernel": use the kernel's own mdev.ko instead of ours. Those builds are beside
# the tree, see tools/testing/lab/lane.sh, so nothing stale is ever mixed in.
MDEV_CORE ?=
export MDEV_CORE

all: modules tools

help:
	@echo 'make all        build the modules against KDIR, and mdev-ctl (the default)'
	@echo 'make demo       split one display adapter between two running guests, in a VM'
	@echo 'make check      all tests; ends with "N passed, N failed[, N skipped]"'
	@echo 'make check T=vpci                only one suite'
	@echo 'make check T="vpci test_reset"   only one test of it'
	@echo 'make check ALSO="lint fresh-bookworm fresh-trixie"   these, too, side by side with the rest'
	@echo 'make check LANE=stock            only on one kernel, of: $(LANES)'
	@echo 'make check-all  the tests on all of these kernels'
	@echo 'make lint       static checks: sparse, clang, checkpatch, shellcheck and more'
	@echo 'make bench-mdev what instances cost on our mdev core and on the one of the kernel'
	@echo 'make bench-irq  what it costs to signal an interrupt, beside vfio-pci'
	@echo 'make bench-mmio what accesses of BARs cost, beside vfio-pci and the sample mbochs'
	@echo 'make bench-mgpu how fast guests write to shared VRAM, beside vfio-pci'
	@echo 'make bench-ctl  how long mdev-ctl takes, beside mdevctl of Debian'
	@echo 'make build-all  the modules for every kernel from 6.12 on whose headers are here'
	@echo 'make supported  which kernels have been tested, and when'
	@echo 'make version    what the modules and mdev-ctl say, too'
	@echo 'make unit       only the tests that need no kernel and no VM'
	@echo 'make fresh      the same, and the demo, on new machines: roots of Debian 12 and 13 with nothing in them;'
	@echo '                SUITE=trixie: only one; FULL=1: all tests (root)'
	@echo 'make stress     do with the devices what nobody thought of; MINUTES=60'
	@echo 'make ops-faults whether that finds faults which are put in on purpose; on LANE, T="FAULT..."'
	@echo 'make fuzz       look for a fault in the config space engine; FUZZ_SECONDS=600'
	@echo 'make coverage   which part of the config space engine its tests run'
	@echo 'make bench-config   how long an access to config space takes'
	@echo 'make lab-shell  a root shell in the lab VM, modules built and at hand'
	@echo 'make lab-gdb    the same with a debug kernel that gdb can attach to'
	@echo 'make setup      install what building and testing need (Debian 12, 13)'
	@echo 'make ... QEMU=backports          the same with QEMU and libvirt of the backports'
	@echo 'make ... MDEV_CORE=kernel        the same with the mdev.ko that the kernel brings'
	@echo 'make install    install modules and mdev-ctl on this machine (root)'
	@echo 'make clean      remove what was built'
	@echo
	@echo 'KDIR=$(KDIR)'

kernel-release = $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)

check-kdir:
	@test -n "$(kernel-release)" -a -e $(KDIR)/Makefile || { echo \
	 'KDIR=$(KDIR): no kernel headers there. Leave KDIR out, "make setup" installs some.' \
	 >&2; exit 1; }
	@case "$(kernel-release)" in $(subst $() ,|,$(SERIES:%=%.*))) ;; *) echo \
	 'KDIR=$(KDIR): kernel $(kernel-release) is not tested, $(TESTED) are. It is built for as far as its' \
	 'interfaces are known.' >&2;; esac

ifneq ($(filter-out kernel,$(MDEV_CORE)),)
$(error MDEV_CORE=$(MDEV_CORE): it is "kernel" for the mdev.ko that the kernel brings, or empty for ours)
endif

check-mdev-core: check-kdir
	@test -z "$(MDEV_CORE)" || \
	 grep -qs '[[:space:]]mdev_register_parent[[:space:]]' $(KDIR)/Module.symvers || { echo \
	 'KDIR=$(KDIR): this kernel has no mdev core of its own (CONFIG_VFIO_MDEV).' \
	 'Leave out MDEV_CORE=kernel.' >&2; exit 1; }

# A line for each: its version, and when it was tested
supported:
	@printf '%s $(TESTED_IN)\n' $(TESTED)

version:
	@tools/version.sh

# Where the modules are built
MODULES_DIR = $(CURDIR)$(if $(MDEV_CORE),/$(O)/lanes/$(kernel-release)-$(MDEV_CORE)-mdev)

modules: check-mdev-core
	+@$(if $(MDEV_CORE),tools/testing/lab/lane.sh $(kernel-release) $(KDIR), \
		$(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) W=1 modules)

tools:
	@$(MAKE) --no-print-directory -C tools/mdev-ctl

tests:
	@$(MAKE) --no-print-directory -C tools/testing/unit O=$(CURDIR)/$(O)/unit
	@$(MAKE) --no-print-directory -C tools/testing/fuzz O=$(CURDIR)/$(O)/fuzz
	@$(MAKE) --no-print-directory -C tools/testing/cli/fuzz O=$(CURDIR)/$(O)/ctl-fuzz
	@$(MAKE) --no-print-directory -C tools/testing/qemu O=$(CURDIR)/$(O)/qemu
	@$(MAKE) --no-print-directory -C tools/testing/selftests O=$(CURDIR)/$(O)/selftests KDIR=$(KDIR)

setup:
	@tools/testing/lab/setup.sh

# What is missing gets installed first; only then can KDIR be chosen.
demo check lab-shell lab-gdb bench-mdev bench-mmio bench-mgpu bench-irq bench-config: setup
	@$(MAKE) --no-print-directory with-setup-$@

with-setup-demo: all
	@tools/testing/demo/demo.sh $(kernel-release)

with-setup-check:
	+@KVER=$(kernel-release) tools/testing/check.sh "$(LANE)" "$(T)"

unit:
	+@tools/testing/check.sh "" "$(T)"

fresh:
	@FULL='$(FULL)' tools/testing/fresh/fresh.sh $(foreach suite,$(SUITE),'$(suite)')

# How long "make stress" goes on, a quarter of it with each of its four devices
MINUTES ?= 60

stress:
	@OPS_SECONDS=$$(($(MINUTES) * 15)) $(MAKE) --no-print-directory check T=ops

# Those of tools/testing/ops/faults, on the first of the lanes
ops-faults: setup
	@tools/testing/ops/faults.sh $(firstword $(LANE)) $(T)

# How long "make fuzz" looks
FUZZ_SECONDS ?= 600

fuzz: setup
	@$(MAKE) --no-print-directory -C tools/testing/fuzz O=$(CURDIR)/$(O)/fuzz
	@FUZZ_SECONDS=$(FUZZ_SECONDS) tools/testing/fuzz/fuzz.sh

coverage: setup
	@tools/testing/unit/coverage.sh

check-all:
	@$(MAKE) --no-print-directory check LANE="$(LANES)"

with-setup-lab-shell: all tests
	@tools/testing/lab/run.sh --kver $(kernel-release) --shell

with-setup-bench-config: modules tests
	@$(MAKE) --no-print-directory -C tools/testing/bench O=$(CURDIR)/$(O)/bench
	@$(O)/bench/config_bench
	@tools/testing/lab/run.sh --name bench --kver $(kernel-release) \
		--out $(CURDIR)/$(O)/bench/lab -- tools/testing/bench/vfio.sh

# The first of the lanes, unless one is named, that has debug information
GDB_LANE := $(if $(filter command line,$(origin LANE)),$(LANE),debug-new)

with-setup-lab-gdb: tests
	@kver=$$(tools/testing/lab/kernel.sh $(GDB_LANE)) && \
	tools/testing/lab/lane.sh $$kver && \
	tools/testing/lab/run.sh --kver $$kver --gdb --shell

bench-ctl: tools
	@tools/testing/lab/setup.sh libvirt
	@tools/testing/cli/bench.sh

# The order of the cores; one may come twice
BENCH ?= kernel ours

with-setup-bench-mdev: modules
	@tools/testing/bench/mdev.sh $(kernel-release) $(BENCH)

with-setup-bench-mmio: all tests
	@tools/testing/bench/mmio.sh $(kernel-release)

with-setup-bench-mgpu: all tests
	@tools/testing/bench/mgpu.sh $(kernel-release)

with-setup-bench-irq: all tests
	@tools/testing/bench/irq.sh $(kernel-release)

lint:
	@tools/testing/lab/setup.sh
	@tools/testing/lab/setup.sh lint
	@tools/testing/lint.sh $(KDIR) $(T)

build-all:
	@tools/testing/build_all.sh

# What the core was called up to 0.2: it hid the mdev.ko of the kernel
FORMER_CORE = /lib/modules/$(kernel-release)/updates/drivers/vfio/mdev/mdev.ko

# Nobody but the distribution has the key that its kernels sign modules with
install: all
	@rm -f $(FORMER_CORE) $(FORMER_CORE).*
	@$(MAKE) --no-print-directory -C $(KDIR) M=$(MODULES_DIR) CONFIG_MODULE_SIG_ALL= modules_install
	@$(MAKE) --no-print-directory -C tools/mdev-ctl install PREFIX=$(PREFIX)
	depmod $(kernel-release)
	@test '$(KDIR)' -ef '$(RUNNING)' || echo \
	 'These modules are for $(kernel-release). For the kernel that is running: make install KDIR=$(RUNNING)'

clean:
	@test ! -d $(KDIR) || $(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) clean
	@$(MAKE) --no-print-directory -C tools/mdev-ctl clean
	@rm -rf $(O)

.PHONY: all help supported version check-all lint build-all lab-gdb with-setup-lab-gdb check-kdir check-mdev-core modules tools tests setup demo check lab-shell unit fresh \
	install clean with-setup-demo with-setup-check with-setup-lab-shell bench-mdev with-setup-bench-mdev \
	bench-mmio with-setup-bench-mmio bench-mgpu with-setup-bench-mgpu bench-irq with-setup-bench-irq stress ops-faults fuzz coverage bench-config with-setup-bench-config bench-ctl
