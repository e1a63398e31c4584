// SPDX-License-Identifier: GPL-2.0-only
/* Large leaves: the processor, or the configuration, has none for frames without a page */
#include <linux/types.h>

#ifdef CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP
#error "there are large leaves"
#endif
