#!/usr/bin/env bash
# Tries on the GPUs that are here what sft-dist promises of GPUs (`make gpu-check`), in ten minutes at most, without Python and without a network:
# what doctor tells, collectives, kernels, training against a CPU's on 1, 2, 4 and 8 devices, bandwidth, scaling, ranks that stop or die, resuming on
# fewer devices, memory beside `plan`. Leaves a table and gpu_check.json; what could not run is called
# "not here". Ends with 0, with 1 where something failed, with 77 where nothing could be tried. Ranks are started by Open MPI's mpirun.
#
#   tools/gpu_check/run.sh [--program build/sft-dist] [--tests build/tests] [--output build/gpu_check] [--devices 8] [--minutes 10] [--small] [--only TOPIC]
#
#   --tests     folder with the built test programs; without it, as from an installed tree, what needs them is not here
#   --devices   use so many at most
#   --small     models so small that speed means nothing, and no kernel test that takes long: for devices that are simulated
#   --only      collectives, kernels, parity, bandwidth, faults, resume, memory or scaling
set -uo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
program='' tests=$root/build/tests output=$root/build/gpu_check
most_devices=8 minutes=10 small='' only=''
topics=(collectives kernels parity bandwidth faults resume memory scaling)

usage() { sed -n '/^[^#]/q; 2,$s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit "$1"; }
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage 0 ;;
    --small) small=yes; shift; continue ;;
  esac
  [ $# -ge 2 ] || usage 2 >&2
  case $1 in
    --program) program=$2 ;;
    --tests) tests=$2 ;;
    --output) output=$2 ;;
    --devices) most_devices=$2 ;;
    --minutes) minutes=$2 ;;
    --only) only=$2 ;;
    *) usage 2 >&2 ;;
  esac
  shift 2
done
[[ $most_devices =~ ^[1-8]$ && $minutes =~ ^[1-9][0-9]*$ ]] || usage 2 >&2
[ -z "$only" ] || [[ " ${topics[*]} " == *" $only "* ]] || usage 2 >&2
# An installed tree has this folder in share/sft-dist, and the program in bin.
[ -n "$program" ] || program=$root/build/sft-dist
[ -x "$program" ] || [ "$program" != "$root/build/sft-dist" ] || program=$root/../bin/sft-dist
[ -x "$program" ] || { echo "gpu-check: no program at $program; make gpu builds it" >&2; exit 2; }
[ -n "$output" ] || usage 2 >&2
grep -q 'Open MPI\|OpenRTE' <(mpirun --version 2> /dev/null) || { echo "gpu-check: no mpirun of Open MPI on the PATH, which starts the ranks" >&2; exit 2; }
[ -d "$root/build" ] || [ "$output" != "$root/build/gpu_check" ] || output=$PWD/gpu_check

for part in report job materials machine parity scaling faults resume memory; do
  # shellcheck source=/dev/null
  . "$here/$part.sh"
done

begin_report
trap '[ -z "${pid:-}" ] || end_job "$pid"; cut=; row "stopped by a signal" 0 fail "what follows did not run"; end_report' INT TERM
make_materials
see_the_machine
for topic in "${topics[@]}"; do
  [ "$devices" -eq 0 ] || [ "${only:-$topic}" != "$topic" ] || "check_$topic"
done
end_report
