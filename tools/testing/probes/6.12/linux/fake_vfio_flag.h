/* SPDX-License-Identifier: GPL-2.0-only */
/* In the middle of a structure of VFIO; nothing */
