# How fast updates are on more devices, with the same work a device and with the same work in all. Sourced by run.sh.

# speed NAME RANKS BATCH KEY=VALUE…: leaves $milliseconds of an update, the median of the lines behind the first; "" where the run failed.
speed() {
  local name=$1 batch=$3
  train "$name" "$2" speed model.dtype=bfloat16 train.max_steps="$speed_updates" train.global_batch_size="$batch" "${@:4}"
  milliseconds=''
  [ "$code" -eq 0 ] || return
  milliseconds=$(sed -n 's/.*"loss":.*"samples_per_second":\([0-9.e+]*\).*/\1/p' "$home/runs/$name/metrics.jsonl" | sed 1d | sort -g |
    awk -v batch="$batch" '{ rate[NR] = $1 } END { if (NR) printf "%.3f", 1e3 * batch / rate[int((NR + 1) / 2)] }')
}

# What is waited for of sums: the time of an update beside that of one device with the same rows, both where buckets leave during the backward pass
# and where one bucket holds all gradients and leaves behind it. No bound is put on either.
check_scaling() {
  local ranks alone='' beside behind ended lacks=''
  if may_run 'weak scaling' 1; then
    speed "speed-1" 1 "$speed_batch"
    alone=$milliseconds
    if [ -z "$alone" ]; then
      row 'weak scaling' 1 fail "ends with $code: $(said speed-1)"
    else
      row 'weak scaling' 1 pass "$alone ms an update of $speed_batch rows (measured)" milliseconds="$alone"
    fi
  fi
  [ -n "$alone" ] || lacks='there is no time of one device to compare with'
  for ranks in "${worlds[@]:1}"; do
    may_run 'weak scaling' "$ranks" "$lacks" || continue
    speed "weak-$ranks" "$ranks" $((speed_batch * ranks))
    beside=$milliseconds ended=$code
    speed "behind-$ranks" "$ranks" $((speed_batch * ranks)) comm.bucket_bytes=4000000000
    behind=$milliseconds
    if [ -z "$beside" ] || [ -z "$behind" ]; then
      row 'weak scaling' "$ranks" fail "ends with $ended and $code: $(said "weak-$ranks")$(said "behind-$ranks")"
      continue
    fi
    row 'weak scaling' "$ranks" pass "$beside ms an update: $(share "$alone" "$beside") % of $ranks × 1; exposed $(minus "$beside" "$alone") ms, $(minus "$behind" "$alone") in one bucket (measured)" \
      milliseconds="$beside" one_bucket_milliseconds="$behind" exposed_milliseconds="$(minus "$beside" "$alone")"
  done
  for ranks in "${worlds[@]:1}"; do
    may_run 'strong scaling' "$ranks" "$lacks" || continue
    speed "strong-$ranks" "$ranks" "$speed_batch"
    if [ -z "$milliseconds" ]; then
      row 'strong scaling' "$ranks" fail "ends with $code: $(said "strong-$ranks")"
    else
      row 'strong scaling' "$ranks" pass "$milliseconds ms an update of $speed_batch rows: $(awk -v a="$alone" -v b="$milliseconds" 'BEGIN { printf "%.2f", a / b }') × one device (measured)" \
        milliseconds="$milliseconds"
    fi
  done
}

share() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", 100 * a / b }'; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'; }
