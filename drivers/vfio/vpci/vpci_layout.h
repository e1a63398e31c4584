/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtual PCI functions: compiling a description into a layout
 *
 *	build = zeroed memory of sizeof(*build), for a while
 *	vpci_layout_compile(build, ...)		finds all that is wrong
 *	layout = memory of vpci_layout_size(build)
 *	vpci_layout_emit(build, layout)		cannot fail
 *
 * While it is compiled, every dword has a struct vpci_build_dword, which would
 * be too much to keep.
 */
#ifndef VPCI_LAYOUT_H
#define VPCI_LAYOUT_H

#include <linux/vpci_config.h>

#define VPCI_MAX_DWORDS		(4096 / 4)
#define VPCI_MAX_CAPS		64

struct vpci_build_dword {
	u32 reset;
	u32 wmask;
	u32 w1c;
	u32 device;
	u32 rsvdp;
	u32 trigger;
	u32 sticky;
	bool saved;
	vpci_reg_adjust adjust;
	vpci_reg_hook hook;
};

/**
 * struct vpci_build - a layout under construction
 * @desc: the description
 * @ops: how it will act on the rest of the function
 * @err: says what is wrong
 * @cap_offsets: where each capability of @desc is
 * @caps: see struct vpci_layout
 * @rebar: see struct vpci_layout
 * @claimed: bytes that the header, a capability or a register of none takes,
 *	one bit each
 * @described: bytes that a register describes, one bit each
 * @dwords: what the registers of each dword add up to
 */
struct vpci_build {
	const struct vpci_desc *desc;
	const struct vpci_config_ops *ops;
	struct vpci_config_error *err;
	u16 cap_offsets[VPCI_MAX_CAPS];
	u16 caps[VPCI_NR_CAP_TYPES];
	u16 rebar[VPCI_NUM_BARS];
	u8 claimed[VPCI_MAX_DWORDS * 4 / 8];
	u8 described[VPCI_MAX_DWORDS * 4 / 8];
	struct vpci_build_dword dwords[VPCI_MAX_DWORDS];
};

/* vpci_layout.c */
int vpci_layout_compile(struct vpci_build *build, const struct vpci_desc *desc,
			const struct vpci_config_ops *ops,
			struct vpci_config_error *err);
size_t vpci_layout_size(const struct vpci_build *build);
void vpci_layout_emit(const struct vpci_build *build,
		      struct vpci_layout *layout);

int vpci_build_refuse(struct vpci_build *build, const char *item,
		      unsigned int index, const char *reason);
bool vpci_build_is_free(const struct vpci_build *build, unsigned int offset,
			unsigned int len);
void vpci_build_claim(struct vpci_build *build, unsigned int offset,
		      unsigned int len);
void vpci_build_save(struct vpci_build *build, unsigned int offset,
		     unsigned int len);
int vpci_build_regs(struct vpci_build *build, unsigned int start,
		    unsigned int end, const struct vpci_reg_desc *regs,
		    unsigned int nr);

bool vpci_build_has_reg(const struct vpci_build *build, unsigned int offset);

/* vpci_caps.c */
int vpci_caps_place(struct vpci_build *build, bool fixed);
int vpci_caps_compile(struct vpci_build *build);

/* vpci_msi.c */
unsigned int vpci_msi_length(const struct vpci_cap_desc *cap);
const char *vpci_msi_check(const struct vpci_desc *desc,
			   const struct vpci_cap_desc *cap);
int vpci_msi_build(struct vpci_build *build, const struct vpci_cap_desc *cap,
		   unsigned int at);
unsigned int vpci_msix_length(const struct vpci_cap_desc *cap);
const char *vpci_msix_check(const struct vpci_desc *desc,
			    const struct vpci_cap_desc *cap);
int vpci_msix_build(struct vpci_build *build, const struct vpci_cap_desc *cap,
		    unsigned int at);

/* vpci_rebar.c */
unsigned int vpci_rebar_length(const struct vpci_cap_desc *cap);
const char *vpci_rebar_check(const struct vpci_desc *desc,
			     const struct vpci_cap_desc *cap);
int vpci_rebar_build(struct vpci_build *build, const struct vpci_cap_desc *cap,
		     unsigned int at);

#endif /* VPCI_LAYOUT_H */
