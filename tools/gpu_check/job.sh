# Runs programs on ranks, each with a limit. Sourced by run.sh.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
code=0 took=0 job_limit=120 watch_for_stop='' after_stop=''
cut=''  # a job since the last row was ended because the minutes were over

seconds_left() { echo $((60 * minutes - (SECONDS - began))); }

now() { echo "${EPOCHREALTIME/,/.}"; }

since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }

launcher_of() { launcher=(mpirun -np "$1" --oversubscribe --bind-to none); }

# The same, but nothing for one rank.
on_ranks() { launcher_of "$1"; [ "$1" -gt 1 ] || launcher=(); }

# Processes of a launcher. Not every kernel has the first.
children() { cat "/proc/$1/task/$1/children" 2> /dev/null || ps -o pid= --ppid "$1" 2> /dev/null; }

one_is_stopped() {
  local each
  for each in $(children "$1"); do ! grep -q '^State:.T' "/proc/$each/status" 2> /dev/null || return 0; done
  return 1
}

# Ends a launcher and its ranks, which outlive it where they are stopped, and what these have started.
end_job() {
  local each
  for each in $(children "$1"); do end_job "$each"; done
  kill -KILL "$1" 2> /dev/null
}

# job NAME COMMAND…: its words are in $home/logs/NAME.out and .err; leaves $code, 124 where it was ended at its limit, $took, and where
# $watch_for_stop is set $after_stop, the seconds from the moment when one of its ranks stood still.
job() {
  local name=$1 limit=$job_limit start stopped='' pid last is_short=''
  shift
  [ "$limit" -le "$(seconds_left)" ] || limit=$(seconds_left) is_short=yes
  start=$(now) last=$((SECONDS + limit)) code=''
  "$@" > "$home/logs/$name.out" 2> "$home/logs/$name.err" < /dev/null &
  pid=$!
  while kill -0 "$pid" 2> /dev/null; do
    if [ -n "$watch_for_stop" ] && [ -z "$stopped" ] && one_is_stopped "$pid"; then stopped=$(now); fi
    if [ "$SECONDS" -ge "$last" ]; then
      end_job "$pid"
      code=124 cut=${is_short:-$cut}
      break
    fi
    sleep 0.1
  done
  wait "$pid" 2> /dev/null || code=${code:-$?}
  code=${code:-0} took=$(since "$start") after_stop=${stopped:+$(since "$stopped")}
}

# train NAME RANKS KIND KEY=VALUE…: a run of a kind of materials.sh, with its directory at $home/runs/NAME.
train() {
  local name=$1 launcher config=$home/$3.toml
  on_ranks "$2"
  shift 3
  job "$name" "${launcher[@]}" "$program" -q "$config" output_dir="$home/runs/$name" "$@"
}

# The first that a job said of an error, in one line.
said() {
  cat "$home/logs/$1.err" "$home/logs/$1.out" | grep -m 1 -E 'error:|late:|hang:|: Failure|FAILED|terminate called|what\(\)|ends with|signal [0-9]' |
    sed 's/^.*\[sft-dist\] //' | cut -c1-200
}

# "step loss" of a run, the last word on each step, in order.
losses() {
  sed -n 's/^{"step":\([0-9]*\),.*"loss":\([^,]*\),.*/\1 \2/p' "$home/runs/$1/metrics.jsonl" 2> /dev/null |
    awk '{ loss[$1] = $2 } END { for (step in loss) print step, loss[step] }' | sort -n
}

# worst_difference A B: the largest |a - b| / |b| of their losses; "none" where steps differ, or where one is no number.
worst_difference() {
  join -a1 -a2 -e none -o 1.2,2.2 <(losses "$1" | sort) <(losses "$2" | sort) | awk '
    $1 !~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ || $2 !~ /^-?[0-9.]+(e[-+]?[0-9]+)?$/ { bad = 1; exit }
    $2 == 0 { bad = 1; exit }
    { d = $1 - $2; d = (d < 0 ? -d : d) / ($2 < 0 ? -$2 : $2); if (d > worst) worst = d; ++count }
    END { if (bad || count == 0) print "none"; else printf "%.2g\n", worst }'
}

at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a ~ /^-?[0-9]/ && a + 0 <= b + 0) }'; }
