# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the parts of a check side by side, as processors and memory allow; to be sourced.
#
#   job NAME CPUS SECONDS "AFTER..." COMMAND...   tells of a job; nothing runs yet
#   jobs_run DIR                                  runs all; logs and times are in DIR
#   jobs_table DIR                                what took how long
#
# CPUS is how many processors the job keeps busy, or "vm:N" for one that boots a VM with N, one VM at a time; "big-vm:N" is
# one with more memory. SECONDS
# is about how long it takes, and decides only what begins first: what has the longest way to the end of all, itself
# and what comes after it. A job starts when those named by AFTER have ended well. If one of them has not, the job is
# left out, with a line that says so; the other has said by a "not ok" what is wrong.
#
# A job's output is shown when it has ended, in one piece, so that the lines of two are never mixed. That of a job
# that nothing else could run beside is shown as it comes.
#
# The jobs have process groups of their own: whoever ends us, by Ctrl-C or by SIGTERM, ends them.

declare -a job_names=()
declare -A job_cpus=() job_mib=() job_seconds=() job_after=() job_command=() job_state=() job_pid=() job_started=() job_shown=()

# What a lab VM takes: run.sh gives it 3 GiB, and QEMU itself needs some
VM_MIB=3500
BIG_VM_MIB=8700

job() {
	local name=$1
	job_names+=("$name")
	job_cpus[$name]=${2#*vm:} job_seconds[$name]=$3 job_after[$name]=$4 job_state[$name]=waiting
	job_mib[$name]=0
	case $2 in
	vm:*) job_mib[$name]=$VM_MIB ;;
	big-vm:*) job_mib[$name]=$BIG_VM_MIB ;;
	esac
	shift 4
	job_command[$name]=$(printf '%q ' "$@")
}

# Seconds from the start of job $1 to the end of all that waits for it
jobs_way() {
	local name way longest=0
	for name in "${job_names[@]}"; do
		[[ " ${job_after[$name]} " == *" $1 "* ]] || continue
		way=$(jobs_way "$name")
		if ((way > longest)); then longest=$way; fi
	done
	echo $((job_seconds[$1] + longest))
}

# ready NAME: all that comes before has ended well. One that ended badly takes it out.
jobs_ready() {
	local other
	[[ ${job_state[$1]} == waiting ]] || return 1
	for other in ${job_after[$1]}; do
		case ${job_state[$other]-} in
		done) ;;
		failed | out)
			job_state[$1]=out
			echo "# left out: $1, because $other did not succeed"
			return 1
			;;
		# a job that is not asked for is not waited for
		'') ;;
		*) return 1 ;;
		esac
	done
}

jobs_start() {
	local name=$1
	job_started[$name]=$SECONDS
	job_state[$name]=running job_shown[$name]=$2
	if [[ $2 == now ]]; then
		{ eval "${job_command[$name]}" 2>&1 | tee "$jobs_dir/$name.log"; exit "${PIPESTATUS[0]}"; } </dev/null &
	else
		echo "# $(date +%T) started: $name"
		{ eval "${job_command[$name]}"; } </dev/null >"$jobs_dir/$name.log" 2>&1 &
	fi
	job_pid[$name]=$!
}

# Waits for the end of one job
jobs_reap() {
	local pid name status=0
	wait -n -p pid || status=$?
	for name in "${job_names[@]}"; do
		if [[ ${job_state[$name]} == running && ${job_pid[$name]} == "${pid-}" ]]; then break; fi
	done
	job_state[$name]='done'
	if ((status)); then job_state[$name]=failed; fi
	printf '%d %d %s\n' $((SECONDS - job_started[$name])) "${job_started[$name]}" "$name" >>"$jobs_dir/times"
	if [[ ${job_shown[$name]} != now ]]; then
		cat "$jobs_dir/$name.log"
		echo "# $(date +%T) ended: $name, after $((SECONDS - job_started[$name])) s"
	fi
}

# Ends what runs, with all that it has started
jobs_kill() {
	local name
	for name in "${job_names[@]}"; do
		if [[ ${job_state[$name]} == running ]]; then kill -TERM -- "-${job_pid[$name]}" 2>/dev/null; fi
	done
	exit 130
}

# What the running jobs leave free; sets $cpus and $mib of its caller
jobs_free() {
	local name
	cpus=$jobs_cpus mib=$jobs_mib
	for name in "${job_names[@]}"; do
		[[ ${job_state[$name]} == running ]] || continue
		((cpus -= job_cpus[$name], mib -= job_mib[$name], running += 1))
	done
}

# Starts what can start now; sets $running of its caller. What has the longest way is never passed by what is smaller
# and could go on for ever taking the processor that it waits for.
jobs_fill() {
	local name ready=() cpus mib shown
	for name in "${jobs_order[@]}"; do
		if jobs_ready "$name"; then ready+=("$name"); fi
	done
	for name in "${ready[@]}"; do
		running=0
		jobs_free
		# something always runs, however small the machine is
		if ((running && (job_cpus[$name] > cpus || job_mib[$name] > mib))); then break; fi
		shown=later
		if ((!running && ${#ready[@]} == 1)); then shown=now; fi
		jobs_start "$name" $shown
	done
	running=0
	jobs_free
}

jobs_run() {
	local jobs_dir=$1 jobs_cpus jobs_mib jobs_order name running
	mkdir -p "$jobs_dir"
	: >"$jobs_dir/times"
	jobs_cpus=${JOBS_CPUS:-$(nproc)}
	if [[ ! $jobs_cpus =~ ^[1-9][0-9]{0,3}$ ]]; then
		echo "not ok - JOBS_CPUS='$jobs_cpus': it is how many processors the jobs may keep busy, from 1 on"
		return 1
	fi
	jobs_mib=$(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
	readarray -t jobs_order < <(for name in "${job_names[@]}"; do echo "$(jobs_way "$name") $name"; done |
		sort -s -rn -k 1,1 | cut -d ' ' -f 2)
	trap jobs_kill INT TERM HUP
	set -m
	while jobs_fill && ((running)); do jobs_reap; done
	set +m
	trap - INT TERM HUP
}

# jobs_table DIR: when each began and how long it took, in the order of their beginnings
jobs_table() {
	local seconds began name
	[[ -e $1/times ]] || return 0
	printf '# %-24s %8s %8s\n' job began took
	sort -n -k 2,2 "$1/times" | while read -r seconds began name; do
		printf '# %-24s %6d s %6d s\n' "$name" "$began" "$seconds"
	done
}
