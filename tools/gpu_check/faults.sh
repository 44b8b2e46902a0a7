# Ranks that stop, that die, and whose buckets do not fit: how the job ends, when, and whom it names. Sourced by run.sh.
fault_limit=$([ -n "$small" ] && echo 3 || echo 20)  # comm.timeout_seconds, which is for connecting too
fault_slack=8  # seconds more until the launcher has ended all

# broken CHECK NAME CODE PATTERN: a row from how the job ended, and what it said.
broken() {
  local check=$1 name=$2 wanted=$3 pattern=$4 seconds=${after_stop:-$took}
  if [ "$code" != "$wanted" ]; then
    row "$check" 2 fail "ends with $code, not $wanted: $(said "$name")"
  elif ! grep -qE "$pattern" "$home/logs/$name.err"; then
    row "$check" 2 fail "$wanted, but nobody is named: $(said "$name")"
  elif [ -n "$after_stop" ] && ! at_most "$after_stop" $((fault_limit + fault_slack)); then
    row "$check" 2 fail "$wanted, but only after $after_stop s"
  else
    row "$check" 2 pass "$wanted after $seconds s: $(grep -hoE "$pattern" "$home/logs/$name.err" | head -n 1)" exit_code="$code" seconds="$seconds"
  fi
}

check_faults() {
  local launcher check
  on_ranks 2
  local run=("$program" -q "$home/text.toml" train.max_steps=1000 comm.timeout_seconds=$fault_limit)
  check='a rank is stopped (SIGSTOP)'
  if may_run "$check" 2; then
    watch_for_stop=yes
    SFT_FAILPOINTS='rank=1;trainer.step@4=stop' job stopped "${launcher[@]}" "${run[@]}" output_dir="$home/runs/stopped"
    watch_for_stop=
    [ "$code" -ne 76 ] || [ -n "$after_stop" ] || code='76 though no rank was seen to stop'
    broken "$check" stopped 76 'late: rank 1, host [^,]*'
  fi
  check='a rank is killed (SIGKILL)'
  if may_run "$check" 2; then
    SFT_FAILPOINTS='rank=1;trainer.step@4=kill' job killed "${launcher[@]}" "${run[@]}" output_dir="$home/runs/killed"
    broken "$check" killed 137 'process rank 1 .* signal 9'
  fi
  check='buckets of two sizes, by config'
  if may_run "$check" 2; then
    job buckets mpirun --oversubscribe --bind-to none -np 1 "${run[@]}" output_dir="$home/runs/buckets" : \
      -np 1 "${run[@]}" output_dir="$home/runs/buckets" comm.bucket_bytes=4096
    broken "$check" buckets 78 'rank 1.*bucket_bytes|bucket_bytes.*rank 1'
  fi
  # The devices wait for one another; all have queued the same calls, so nobody can be named.
  check='a bucket that is short on a rank'
  if may_run "$check" 2 && has_program "$check" comm/comm_faults 2; then
    test_program short comm/comm_faults 2 short_bucket_on_gpus "$fault_limit"
    broken "$check" short 76 '(late|hang): .* step 1 in train'
  fi
}
