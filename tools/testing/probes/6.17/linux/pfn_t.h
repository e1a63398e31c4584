/* SPDX-License-Identifier: GPL-2.0-only */
#error "from 6.17 on there is no such file"
