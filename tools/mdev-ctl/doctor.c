// SPDX-License-Identifier: GPL-2.0-only
/* The checks of the system: kernel, modules, VFIO, limits. See doctor_mdev.c for devices. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "doctor_file.h"

/* One that has no number is not older: what is to be had of interfaces, a build finds out */
static bool kernel_is_older(const char *release, unsigned int major, unsigned int minor)
{
	unsigned int is_major, is_minor;

	if (sscanf(release, "%u.%u", &is_major, &is_minor) != 2)
		return false;
	return is_major != major ? is_major < major : is_minor < minor;
}

void doctor_check_kernel(void)
{
	char release[128] = "unknown", mode[128] = "", enforce[8] = "";
	const char *active;

	doctor_read(release, sizeof(release), "/proc/sys/kernel/osrelease");
	if (kernel_is_older(release, 6, 12))
		doctor_tell(DOCTOR_WARN, "kernel",
			    "The modules of this project need what came with 6.12; boot a newer one.",
			    "%s is older than 6.12", release);
	else
		doctor_tell(DOCTOR_OK, "kernel", NULL, "%s", release);

	/* "none [integrity] confidentiality" */
	doctor_read(mode, sizeof(mode), "/sys/kernel/security/lockdown");
	active = strchr(mode, '[');
	doctor_read(enforce, sizeof(enforce), "/sys/module/module/parameters/sig_enforce");
	if ((active && strncmp(active, "[none]", 6)) || *enforce == 'Y')
		doctor_tell(DOCTOR_WARN, "signatures",
			    "Sign the modules with a key that the kernel trusts (mokutil --import), "
			    "or switch off Secure Boot.",
			    "the kernel loads signed modules only%s%s",
			    active ? "; lockdown: " : "", active ? mode : "");
	else
		doctor_tell(DOCTOR_OK, "signatures", NULL,
			    "modules need no signature, lockdown is off");
}

/* The version of a module, or what stands for it */
static void module_version(char *text, size_t size, const char *module)
{
	char version[64] = "", source[64] = "", taint[16] = "";

	doctor_read(version, sizeof(version), "/sys/module/%s/version", module);
	doctor_read(source, sizeof(source), "/sys/module/%s/srcversion", module);
	doctor_read(taint, sizeof(taint), "/sys/module/%s/taint", module);
	snprintf(text, size, "%s%s%s%s%s", *version ? "version " : "", version,
		 *version && *source ? ", " : "", *source ? "source " : "", source);
	if (strchr(taint, 'E') && strlen(text) + 12 < size)
		strcat(text, *text ? ", unsigned" : "unsigned");
}

void doctor_check_modules(void)
{
	char version[256];

	if (!doctor_exists("/sys/bus/mdev")) {
		doctor_tell(DOCTOR_FAIL, "mdev core",
			    "modprobe mdev-core; loading a parent's driver does it, too.",
			    "no module for mediated devices is loaded");
	} else {
		int ours = doctor_exists("/sys/module/mdev_core");

		module_version(version, sizeof(version), ours ? "mdev_core" : "mdev");
		doctor_tell(DOCTOR_OK, "mdev core", NULL, "%s%s%s",
			    ours ? "that of this project" : "the kernel's own",
			    *version ? ", " : "", version);
	}
	if (doctor_exists("/sys/module/vfio_vpci")) {
		module_version(version, sizeof(version), "vfio_vpci");
		doctor_tell(DOCTOR_OK, "vfio-vpci", NULL, "loaded%s%s", *version ? ", " : "",
			    version);
	} else {
		doctor_tell(DOCTOR_OK, "vfio-vpci", NULL,
			    "not loaded; drivers that need it bring it");
	}
}

static void check_container(void)
{
	struct stat st;

	if (!doctor_stat(&st, "/dev/vfio/vfio"))
		doctor_tell(DOCTOR_FAIL, "VFIO container",
			    "modprobe vfio_iommu_type1. libvirt, and QEMU without iommufd, need it.",
			    "/dev/vfio/vfio is not there");
	else if ((st.st_mode & 0666) != 0666)
		doctor_tell(DOCTOR_WARN, "VFIO container",
			    "chmod 666 /dev/vfio/vfio: it gives no rights by itself.",
			    "/dev/vfio/vfio has mode %03o; not everybody can open it",
			    st.st_mode & 0777);
	else if (!doctor_exists("/sys/module/vfio_iommu_type1"))
		doctor_tell(DOCTOR_WARN, "VFIO container", "modprobe vfio_iommu_type1",
			    "/dev/vfio/vfio is there, vfio_iommu_type1 is not loaded");
	else
		doctor_tell(DOCTOR_OK, "VFIO container", NULL,
			    "/dev/vfio/vfio and vfio_iommu_type1 are there");
}

void doctor_check_vfio(void)
{
	if (!doctor_exists("/sys/module/vfio")) {
		doctor_tell(DOCTOR_FAIL, "VFIO", "modprobe vfio", "the module is not loaded");
		return;
	}
	doctor_tell(DOCTOR_OK, "VFIO", NULL, "loaded");
	check_container();
	if (doctor_exists("/dev/iommu") && doctor_exists("/sys/class/vfio-dev"))
		doctor_tell(DOCTOR_OK, "iommufd", NULL,
			    "/dev/iommu is there, and devices have nodes in /dev/vfio/devices");
	else
		doctor_tell(DOCTOR_OK, "iommufd", NULL,
			    "not to be had in this kernel; groups and containers do without");
	if (doctor_count("/sys/class/iommu"))
		doctor_tell(DOCTOR_OK, "IOMMU", NULL, "there is one");
	else
		doctor_tell(DOCTOR_OK, "IOMMU", NULL,
			    "none; mediated devices need none, whole physical devices do");
}

void doctor_check_limits(void)
{
	char limits[4096] = "", word[32] = "";
	const char *line;
	unsigned long long bytes;

	doctor_read(limits, sizeof(limits), "/proc/self/limits");
	line = strstr(limits, "Max locked memory");
	if (!line || sscanf(line, "Max locked memory %31s", word) != 1)
		return;
	bytes = strtoull(word, NULL, 10);
	if (!strcmp(word, "unlimited") || bytes >= 1ULL << 30)
		doctor_tell(DOCTOR_OK, "locked memory", NULL, "%s%s can be locked", word,
			    *word == 'u' ? "" : " bytes");
	else
		/* Of the memory of a VM that has mediated devices only, VFIO pins nothing by itself */
		doctor_tell(DOCTOR_OK, "locked memory", NULL,
			    "%llu MiB can be locked by processes of this user; a VM needs more only "
			    "with a whole physical device, or a driver that pins", bytes >> 20);
}
