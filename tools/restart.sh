#!/usr/bin/env bash
# Starts a run again until it is done, where no batch system does:
#
#   tools/restart.sh mpirun -np 2 sft-dist train run.toml
#
# A run that was killed, asked to stop (75), waited in vain (76), found no room (81) or no memory (82), or met a failure of
# a device or of communication (69) is started again, RESTARTS times at most (100). Any other code would come again, and is this
# script's own; so is 93 of the program, which has started three times in a row and got nowhere. INT and TERM stop the run with a checkpoint.
# One that ends within 5 seconds without a word of the program's, three times in a row, cannot be started.
# What a mpirun that was killed leaves in memory and in the temporary directory is removed.
set -uo pipefail
[ $# -gt 0 ] || { sed -n 's/^# \{0,1\}//p' "$0" | sed 1d; exit 2; }
step= asked=
trap 'asked=yes; [ -z "$step" ] || kill -USR2 "$step" 2>/dev/null' INT TERM

# Launchers may change the code of a rank that ends early; the program's own word is in this file.
SFT_EXIT_STATUS=$(mktemp -u "${TMPDIR:-/tmp}/sft-exit-XXXXXX")
export SFT_EXIT_STATUS

# A session of Open MPI 4 names its job in contact.txt, and its shared memory is named by that.
sweep_up() {
  local session number
  for session in "${TMPDIR:-/tmp}"/ompi.*."$(id -u)"/pid."$step"; do
    number=$(sed -n '1s/\..*//p' "$session/contact.txt" 2>/dev/null)
    [ -z "$number" ] || rm -f /dev/shm/*."$(id -u)"."$(printf %x $((number + 1)))".*
    rm -rf "$session"
  done
}

mute=0
for ((start = 0; ; ++start)); do
  rm -f "$SFT_EXIT_STATUS"
  SECONDS=0
  "$@" &
  step=$!
  [ -z "$asked" ] || kill -USR2 "$step" 2>/dev/null
  while kill -0 "$step" 2>/dev/null; do wait "$step"; done  # a signal interrupts `wait`
  wait "$step"; code=$?
  sweep_up
  if [ -f "$SFT_EXIT_STATUS" ]; then
    code=$(cat "$SFT_EXIT_STATUS") mute=0
    rm -f "$SFT_EXIT_STATUS"
  elif [ "$code" -ne 0 ]; then
    [ "$SECONDS" -lt 5 ] && mute=$((mute + 1)) || mute=0
    [ "$mute" -lt 3 ] || exit "$code"
    code=137  # it was killed
  fi
  [[ $code =~ ^(69|75|76|81|82|137)$ ]] && [ -z "$asked" ] && [ "$start" -lt "${RESTARTS:-100}" ] || exit "$code"
  echo "restart: the run ended with $code; start $((start + 2))" >&2
  [ "$code" -eq 75 ] || sleep "${PAUSE:-5}"
done
