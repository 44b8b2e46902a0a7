# The memory that tensors have on a device, beside what `plan` says of it. Sourced by run.sh.
memory_bound=0.1  # of what was measured; the allocator rounds blocks up

# A number of plan's JSON, of the strategy that gives every rank all: the larger of its start and its peak, in MiB.
planned_mib() {
  tr -d '\n ' < "$1" | sed 's/.*"replicated":{\([^}]*\)}.*/\1/' | tr ',' '\n' |
    awk -F: '/"(start|peak)"/ { if ($2 > most) most = $2 } END { printf "%.2f", most / 1048576 }'
}

check_memory() {
  local ranks launcher planned measured
  for ranks in "${worlds[@]}"; do
    may_run 'memory beside plan' "$ranks" || continue
    job "plan-$ranks" "$program" plan "$home/speed.toml" --gpus "$ranks" --json model.dtype=float32 train.global_batch_size=$((speed_batch * ranks)) output_dir="$home/runs/plan"
    if [ "$code" -ne 0 ]; then
      row 'memory beside plan' "$ranks" fail "plan ends with $code: $(said "plan-$ranks")"
      continue
    fi
    planned=$(planned_mib "$home/logs/plan-$ranks.out")
    on_ranks "$ranks"
    job "check-$ranks" "${launcher[@]}" "$program" check "$home/speed.toml" model.dtype=float32 train.global_batch_size=$((speed_batch * ranks)) output_dir="$home/runs/check"
    measured=$(sed -n 's/^GPU memory .*(\([0-9]*\) bytes).*/\1/p' "$home/logs/check-$ranks.out" | awk '{ printf "%.2f", $1 / 1048576 }')
    if [ "$code" -ne 0 ]; then
      row 'memory beside plan' "$ranks" fail "check ends with $code: $(said "check-$ranks")"
    elif awk -v p="$planned" -v m="$measured" -v b=$memory_bound 'BEGIN { exit !(m + 0 > 0 && p >= (1 - b) * m && p <= (1 + b) * m) }'; then
      row 'memory beside plan' "$ranks" pass "planned $planned MiB of tensors, had $measured" planned_mib="$planned" measured_mib="$measured"
    else
      row 'memory beside plan' "$ranks" fail "planned $planned MiB of tensors, had $measured: more than $memory_bound apart"
    fi
  done
}
