/* SPDX-License-Identifier: GPL-2.0-only */
	u8 noiommu:1;
