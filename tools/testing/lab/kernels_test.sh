#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which kernel a lane resolves to, for archives that have, lose or never had one; prints TAP. Arguments: names of tests.
#
# The scripts of the lab run in a copy, with a cache of their own and with stand-ins for apt, which know the packages
# that a test says. A "kernel source" is a real package with a makefile in it that builds nothing in no time.

# shellcheck disable=SC2016 # what the stand-ins expand

set -u
# shellcheck source=tools/testing/tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
last=kernel.sh

export VFIO_MDEV_CACHE=$work/cache PACKAGES=$work/packages STORE=$work/store
lab=$work/tree/tools/testing/lab
kernels=$VFIO_MDEV_CACHE/kernels

# What apt knows is in the file $PACKAGES, lines "name version": without a version it is only a name that another
# package depends on. The files are in $STORE; what is not there cannot be downloaded.
stand_ins() {
	mkdir -p "$work/bin" "$STORE"
	cat > "$work/bin/apt-cache" <<'APT'
#!/bin/bash
case $1 in
pkgnames) sed -n "s/^\($2[^ ]*\).*/\1/p" "$PACKAGES" ;;
policy)
	version=$(sed -n "s/^$2 //p" "$PACKAGES" | head -n 1)
	printf '%s:\n  Installed: (none)\n  Candidate: %s\n' "$2" "${version:-(none)}"
	;;
esac
APT
	cat > "$work/bin/apt-get" <<'APT'
#!/bin/bash
echo "$*" >> "$PACKAGES.asked"
for last; do :; done
case $* in
*--print-uris*)
	file=$STORE/${last/=/_}_all.deb
	echo "'copy:$file' ${file##*/} 1 SHA256:$(sha256sum "$file" 2>/dev/null | cut -d " " -f 1)"
	;;
*indextargets*) echo known ;;
*update*) [[ ! -e $PACKAGES.offline ]] || { echo "E: no network"; exit 100; } ;;
esac
APT
	printf '#!/bin/sh\n[ "$1" != -n ] || shift\nexec "$@"\n' > "$work/bin/sudo"
	chmod +x "$work"/bin/*
	PATH=$work/bin:$PATH
}

setup() {
	rm -rf "${work:?}"/{cache,tree,store,packages*,etc}
	mkdir -p "$lab" "$work/etc/sources.list.d" "$VFIO_MDEV_CACHE"
	cp "$here"/*.sh "$here"/*.config "$lab/"
	printf '#!/bin/sh\n' > "$lab/setup.sh"
	# it unpacks nothing, but what it was asked for is there then
	printf '#!/bin/bash\n[[ ! -e $PACKAGES.no-image ]] || exit 77\n%s\n' \
		'd=$VFIO_MDEV_CACHE/kernels/$1; mkdir -p "$d"/boot "$d/lib/modules/$1/build"' \
		'touch "$d/boot/vmlinuz-$1" "$d/lib/modules/$1/"{modules.dep,build/Makefile}' > "$lab/image.sh"
	echo 'deb http://localhost/debian bookworm main' > "$work/etc/sources.list"
	echo 'VERSION_CODENAME=bookworm' > "$work/os-release"
	export LAB_APT_ETC=$work/etc LAB_OS_RELEASE=$work/os-release
	: > "$PACKAGES"
	stand_ins
}

# source_package SERIES VERSION: in the store; its options are all that check_config() wants
source_package() {
	local version=$2 name=linux-source-$1 tree=$work/build/linux-source-$1
	rm -rf "$work/build"
	mkdir -p "$tree/scripts/kconfig" "$tree/drivers" "$tree/arch/x86" "$work/build/deb/"{DEBIAN,usr/src}
	cat > "$tree/Makefile" <<MAKE
tinyconfig modules:
olddefconfig:; sed -n 's/=m/=y/;/^CONFIG/p' merged > .config
bzImage:; echo "\$(LLVM)" > llvm; mkdir -p arch/x86/boot; echo > arch/x86/boot/bzImage; echo > vmlinux
kernelrelease:; @echo ${version%%-*}\$\$(cat local)
modules_install:; d=\$(INSTALL_MOD_PATH)/lib/modules/${version%%-*}\$\$(cat local); mkdir -p \$\$d; touch \$\$d/modules.dep
MAKE
	printf '#!/bin/sh\ncp "$3" merged\n' > "$tree/scripts/kconfig/merge_config.sh"
	printf '#!/bin/sh\nprintf %%s "$5" > "${2%%/.config}/local"\n' > "$tree/scripts/config"
	chmod +x "$tree/scripts/config" "$tree/scripts/kconfig/merge_config.sh"
	tar -C "$work/build" -cJf "$work/build/deb/usr/src/$name.tar.xz" "$name"
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: none <none@localhost>\nDescription: none\n' \
		"$name" "$version" > "$work/build/deb/DEBIAN/control"
	dpkg-deb -b --root-owner-group "$work/build/deb" "$STORE/${name}_${version}_all.deb" > /dev/null
}

# has SERIES VERSION: the archive has a source package
has() {
	source_package "$@"
	echo "linux-source-$1 $2" >> "$PACKAGES"
}

drops() { sed -i "/^linux-source-$1 /d" "$PACKAGES"; rm -f "$STORE/linux-source-$1"_*; }

has_image() { printf 'linux-image-%s 1\nlinux-headers-%s 1\n' "$1" "$1" >> "$PACKAGES"; }

# resolve STATUS VERSION ARGUMENT...: what kernel.sh prints and ends with; the hash of a debug kernel is left out
resolve() {
	local want=$1 version=$2 status=0
	shift 2
	"$lab/kernel.sh" "$@" > "$work/out" 2> "$work/err" || status=$?
	expect_equal "$want" "$status" "exit status of $*"
	expect_equal "$version" "$(sed -E 's/(-lab-).*/\1/' "$work/out")" "$*"
	((status == want)) || show stderr: "$work/err"
}

expect_silence_about() { ! grep -F -e "$1" "$work/err" || fail "$last: it says '$1'"; }

test_newest_of_the_archive() {
	has 96.1 96.1.3-1
	has 96.10 96.10.2-1
	has 96.9 96.9.4-1
	has 5.10 5.10.1-1
	resolve 0 96.10.2-lab- debug-new
	expect_has err 'downloading linux-source-96.10 96.10.2-1'
	expect_silence_about 'any more'
	resolve 0 96.9.4-lab- debug-96.9
}

test_a_name_without_a_package() {
	has 96.1 96.1.3-1
	echo linux-source-96.2 >> "$PACKAGES"
	resolve 0 96.1.3-lab- debug-new
	expect_silence_about 96.2
}

test_vanished_and_cached() {
	has 96.2 96.2.1-1
	has 96.3 96.3.1-1
	resolve 0 96.3.1-lab- debug-new
	drops 96.3
	resolve 0 96.3.1-lab- debug-new
	expect_has err 'the archive has no linux-source-96.3 any more; the one in the cache serves'
	# and is built anew from the cached source
	echo 'CONFIG_NEW=y' >> "$lab/debug.config"
	resolve 0 96.3.1-lab- debug-new
	expect_has err 'unpacking linux-source-96.3_96.3.1-1'
	# or is there without its source
	rm "$VFIO_MDEV_CACHE/sources/"*
	resolve 0 96.3.1-lab- debug-new
	expect_silence_about unpacking
	resolve 0 96.3.1-lab- debug-96.3
}

test_vanished_and_not_cached() {
	has 96.2 96.2.1-1
	resolve 0 96.2.1-lab- debug-new
	expect_silence_about 'any more'
	resolve 77 '' debug-96.3
	expect_has err 'linux-source-96.3 cannot be had, neither from apt nor from the cache'
}

# The lists name what is no longer on the server
test_no_download() {
	has 96.2 96.2.1-1
	echo 'linux-source-96.3 96.3.1-1' >> "$PACKAGES"
	resolve 0 96.2.1-lab- debug-new
	expect_has err 'linux-source-96.3 cannot be had'
}

test_an_archive_that_names_nothing() {
	resolve 1 '' debug-new
	expect_has err 'apt knows no linux-source of 6.12 or newer, and the cache has none'
	expect_equal 1 "$(grep -vc -e ': adding ' -e ': asking ' "$work/err")" 'lines of the message'
	has 96.2 96.2.1-1
	resolve 0 96.2.1-lab- debug-new
	drops 96.2
	resolve 0 96.2.1-lab- debug-new
	resolve 0 96.2.1-lab- debug-96.2
}

test_offline() {
	touch "$PACKAGES.offline"
	has 96.2 96.2.1-1
	resolve 0 96.2.1-lab- debug-new
	expect_has err 'going on with what apt knew before'
}

asked() { grep -c update "$PACKAGES.asked"; }

test_the_archive_is_asked_once_a_day() {
	has 96.2 96.2.1-1
	resolve 0 96.2.1-lab- debug-new
	resolve 0 96.2.1-lab- debug-new
	resolve 77 '' stock-new
	expect_equal 1 "$(asked)" 'questions'
	resolve 0 96.2.1-lab- --refresh debug-new
	expect_equal 2 "$(asked)" 'questions with --refresh'
	touch -d '25 hours ago' "$VFIO_MDEV_CACHE/apt-asked"
	resolve 0 96.2.1-lab- debug-new
	expect_equal 3 "$(asked)" 'questions after a day'
}

# A mirror that is down for a minute is not taken for the archive of a day
test_an_archive_that_was_down_is_asked_again_soon() {
	has 96.1 96.1.3-1
	touch "$PACKAGES.offline"
	resolve 0 96.1.3-lab- debug-new
	rm "$PACKAGES.offline"
	resolve 0 96.1.3-lab- debug-new
	expect_equal 1 "$(asked)" 'questions within the hour'
	[[ -n $(find "$VFIO_MDEV_CACHE/apt-asked" -mmin +1375 -mmin -1385) ]] || fail 'the next question is not due in an hour'
}

# Who comes second must not take the lists of yesterday
test_two_ask_at_once() {
	local lock=$VFIO_MDEV_CACHE/.apt-asked.lock
	mkfifo "$work/asking" "$work/answer"
	mv "$work/bin/apt-get" "$work/bin/real"
	printf '#!/bin/bash\ncase $* in *update*) if mkdir "%s"; then echo > "%s"; read -r _ < "%s"; fi; esac\nexec "%s" "$@"\n' \
		"$work/once" "$work/asking" "$work/answer" "$work/bin/real" > "$work/bin/apt-get"
	chmod +x "$work/bin/apt-get"
	"$lab/kernel.sh" debug-new > "$work/first" 2>&1 &
	read -r _ < "$work/asking"
	(resolve 0 96.2.9+deb13-amd64 stock-new; touch "$work/second") &
	until [[ -e $work/second ]] || grep -q -e "-> FLOCK .*:$(stat -c %i "$lock") " /proc/locks; do :; done
	has_image 96.2.9+deb13-amd64
	has 96.2 96.2.1-1
	echo > "$work/answer"
	wait
	expect_has first 96.2.1-lab-
}

test_suites() {
	has 96.2 96.2.1-1
	resolve 0 96.2.1-lab- debug-new
	expect_equal 'bookworm-backports.list trixie-backports.list' "$(cd "$work/etc/sources.list.d" && echo *)" 'on bookworm'
	rm "$work/etc/sources.list.d"/*
	sed -i s/bookworm/trixie/ "$work/etc/sources.list" "$work/os-release"
	resolve 0 96.2.1-lab- --refresh debug-new
	expect_equal trixie-backports.list "$(cd "$work/etc/sources.list.d" && echo *)" 'on trixie'
}

test_refresh() {
	has 96.2 96.2.1-1
	resolve 0 96.2.1-lab- debug-new
	resolve 0 96.2.1-lab- --refresh debug-new
	expect_silence_about unpacking
	drops 96.2
	has 96.2 96.2.5-1
	resolve 0 96.2.1-lab- debug-new
	resolve 0 96.2.5-lab- --refresh debug-new
}

# What is built again, and what is not
test_what_a_kernel_is_known_by() {
	has 96.2 96.2.1-1
	resolve 0 96.2.1-lab- debug-96.2
	cp "$work/out" "$work/first"
	echo '# a comment' | tee -a "$lab/debug.config" >> "$lab/kernel.sh"
	resolve 0 96.2.1-lab- debug-96.2
	differ 'a comment counts' "$work/first" "$work/out"
	echo '# CONFIG_NEW is not set' >> "$lab/debug.config"
	resolve 0 96.2.1-lab- debug-96.2
	! cmp -s "$work/first" "$work/out" || fail "$last: an option does not count"
	printf '#!/bin/sh\necho "gcc (none) 99"\n' > "$work/bin/gcc"
	chmod +x "$work/bin/gcc"
	cp "$work/out" "$work/first"
	resolve 0 96.2.1-lab- debug-96.2
	rm "$work/bin/gcc"
	! cmp -s "$work/first" "$work/out" || fail "$last: the compiler does not count"
}

# compiler NAME FLAG: a stand-in that knows that flag of a checker, or none
compiler() {
	printf '#!/bin/sh\ncase "$*" in %s) echo "%s (none) 99" ;; *"%s"*) ;; *) exit 1 ;; esac\n' \
		--version "$1" "$2" > "$work/bin/$1"
	chmod +x "$work/bin/$1"
}

# its options, and those of debug.config that it does not speak of
test_lanes_with_a_checker_of_their_own() {
	local kver
	has 96.2 96.2.1-1
	compiler clang-19 -fsanitize=kernel-memory
	resolve 0 96.2.1-lab- debug-96.2
	resolve 0 96.2.1-lab- kcsan-96.2
	kver=$(<"$work/out")
	expect_equal 96.2.1-lab-kcsan- "${kver%????????}" kcsan-96.2
	cp "$kernels/$kver/boot/config-$kver" "$work/config"
	expect_has config CONFIG_KCSAN=y
	expect_has config CONFIG_IOMMUFD=y
	! grep -E '^CONFIG_(KASAN|UBSAN|PROVE_LOCKING)=' "$work/config" || fail 'kcsan-96.2: it has what it should not'
	! grep -r . "$kernels/$kver/source/llvm" || fail 'kcsan-96.2: built by clang'
	resolve 0 96.2.1-lab- kmsan-new
	kver=$(<"$work/out")
	expect_equal 96.2.1-lab-kmsan- "${kver%????????}" kmsan-new
	expect_equal -19 "$(<"$kernels/$kver/source/llvm")" 'the clang that kmsan-new is built by'
	# and each is known by its own options
	echo CONFIG_NEW=y >> "$lab/kmsan.config"
	resolve 0 96.2.1-lab- kcsan-new
	expect_silence_about unpacking
	resolve 0 96.2.1-lab- kmsan-new
	expect_has err unpacking
}

test_no_compiler_for_a_checker() {
	has 96.2 96.2.1-1
	compiler gcc -fnone
	compiler clang-19 -fnone
	resolve 77 '' kcsan-new
	expect_equal "kernel.sh: kcsan-new: gcc (none) 99 does not know -fsanitize=thread --param tsan-distinguish-volatile=1" \
		"$(tail -n 1 "$work/err")" 'the reason'
	resolve 77 '' kmsan-new
	rm "$work/bin/"{gcc,clang-19}
	expect_equal "kernel.sh: kmsan-new: no clang-19 that knows -fsanitize=kernel-memory is here or can be installed" \
		"$(tail -n 1 "$work/err")" 'the reason'
}

test_an_option_that_is_lost() {
	has 96.2 96.2.1-1
	sed -i '/CONFIG_KASAN=/d' "$lab/debug.config"
	resolve 1 '' debug-new
	expect_has err 'lost CONFIG_KASAN'
}

# While it goes on, not in lumps of some kilobytes
test_a_build_says_that_it_goes_on() {
	has 96.2 96.2.1-1
	cat > "$work/bin/make" <<-MAKE
		#!/bin/bash
		if [[ "\$*" == *bzImage* ]]; then
		    end=\$((SECONDS + 30))
		    for i in 1 2; do echo "  CC      x\$i.o"; done
		    until grep -q '2 objects after' "$work/err"; do ((SECONDS < end)) || exit 2; done
		fi
		exec /usr/bin/make "\$@"
	MAKE
	chmod +x "$work/bin/make"
	LAB_PROGRESS_SECONDS=0 resolve 0 96.2.1-lab- debug-new
	rm "$work/bin/make"
	expect_has err 'debug-new: 2 objects after'
}

test_a_build_that_fails() {
	has 96.2 96.2.1-1
	has 96.1 96.1.1-1
	sed -i '1i CONFIG_X="$(error)' "$lab/debug.config"
	printf '#!/bin/sh\ncase "$*" in *bzImage*) echo "x.c: error" >&2; exit 2; esac\nexec /usr/bin/make "$@"\n' > "$work/bin/make"
	chmod +x "$work/bin/make"
	resolve 1 '' debug-new
	rm "$work/bin/make"
	expect_has err 'the kernel does not build'
	expect_silence_about 96.1
	expect_equal '' "$(find "$kernels" -name '.tmp*')" 'what is left over'
}

test_stock_new() {
	resolve 77 '' stock-new
	expect_has err 'apt has no kernel that is newer'
	has_image 6.12.99+deb13-amd64
	resolve 77 '' stock-new
	has_image 96.2.9+deb13-amd64
	has_image 96.2.10+deb13-amd64
	has_image 96.2.11+deb13-rt-amd64
	# images without headers are left over
	printf '%s\n' 'linux-image-96.3.1+deb13-amd64 1' linux-headers-96.3.1+deb13-amd64 >> "$PACKAGES"
	resolve 0 96.2.10+deb13-amd64 stock-new
	has_image 96.2.12+deb13-amd64
	resolve 0 96.2.10+deb13-amd64 stock-new
	resolve 0 96.2.12+deb13-amd64 --refresh stock-new
	sed -i /96.3/d "$PACKAGES"
	has_image 96.3.1+deb13-amd64
	resolve 0 96.3.1+deb13-amd64 stock-new
	sed -i /96.3/d "$PACKAGES"
	resolve 0 96.3.1+deb13-amd64 stock-new
	expect_has err 'the archive has no linux-image-96.3 any more'
	has_image 96.4.1+deb13-amd64
	touch "$PACKAGES.no-image"
	resolve 0 96.3.1+deb13-amd64 stock-new
}

# The package is downloaded and unpacked by the lab's own means
test_kernel_of_a_guest() {
	local kver=6.1.0-9-amd64 deb=$work/build/deb
	resolve 77 '' guest-6.1
	cp "$here/image.sh" "$lab/"
	rm -rf "$work/build"
	mkdir -p "$deb"/{DEBIAN,boot} "$deb/lib/modules/$kver"
	touch "$deb/boot/"{vmlinuz,config}-$kver "$deb/lib/modules/$kver/modules."{order,builtin}
	printf 'Package: linux-image-%s\nVersion: 1\nArchitecture: all\nMaintainer: none <none@localhost>\nDescription: none\n' \
		$kver > "$deb/DEBIAN/control"
	dpkg-deb -b --root-owner-group "$deb" "$STORE/linux-image-${kver}_all.deb" > /dev/null
	has_image $kver
	resolve 0 $kver --refresh guest-6.1
	expect_equal "$kver" "$(cd "$kernels/$kver/lib/modules" && echo *)" 'its modules'
	resolve 0 $kver guest-6.1
}

test_names_of_lanes() {
	local name
	for name in debug-6.1 debug- debug-x debug-7.2.1 kcsan-6.1 kmsan- stock-7.2 ''; do
		resolve 1 '' "$name"
		expect_has err "there is no lane '$name'"
		expect_equal 1 "$(wc -l < "$work/err")" 'lines'
	done
}

tap_main "$@"
