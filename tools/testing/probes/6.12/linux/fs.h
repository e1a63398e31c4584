/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
struct address_space;
struct inode {
	struct address_space *i_mapping;
};
