#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In the lab VM: how long accesses through VFIO take.

set -euo pipefail
testing=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$testing/lab/load.sh" > /dev/null
exec "$testing/../../build/selftests/vfio_bench"
