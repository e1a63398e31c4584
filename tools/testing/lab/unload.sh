#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: unload what load.sh has loaded, whichever core that is. What is not loaded is no error.

set -euo pipefail

for module in mgpu vfio_vpci mdev_core mdev; do
	[[ ! -d /sys/module/$module ]] || rmmod $module
done
