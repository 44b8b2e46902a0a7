# What is here, collectives, kernels, and the bandwidth of sums. Sourced by run.sh.
worlds=(1 2 4 8)

# Finds $devices, $gpus, $version and whether the devices are simulated: those of tests have UUIDs of sixteen equal bytes.
see_the_machine() {
  local cards seen
  version=$("$program" --version 2> /dev/null | head -n 1)
  job doctor "$program" doctor
  gpus=$(sed -n 's/^GPUs *//p' "$home/logs/doctor.out")
  seen=$(sed -n 's/^[^:]*: \([0-9]*\), .*/\1/p' <<< "$gpus")
  ! grep -qE 'GPU-(a[0-9a-f])\1{15}(,|$)' <<< "$gpus" || simulated=true
  if [ "$code" -ne 0 ]; then
    row doctor 1 fail "ends with $code: $(said doctor)"
  elif [ -z "$seen" ]; then
    row doctor 1 'not here' "$(sed -n 's/^device *//p' "$home/logs/doctor.out")"
  else
    devices=$((seen < most_devices ? seen : most_devices))
    cards=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2> /dev/null | sort | uniq -c | sed 's/^ *\([0-9]*\) /\1 × /' | paste -sd ';')
    gpus=${cards:+$cards; }$gpus
    row doctor 1 pass "$devices of $seen devices are used${cards:+: $cards}"
  fi
}

# The folder of LibTorch's libraries, which test programs without LibTorch do not look into.
torch_libraries() { ldd "$program" | sed -n 's/.*=> \(.*\)\/libtorch_cpu\.so .*/\1/p'; }

# test_program NAME TARGET RANKS ARGUMENTS… With a launcher for one rank too: it tells that ranks are processes.
test_program() {
  local name=$1 target=$2 launcher
  launcher_of "$3"
  shift 3
  job "$name" env LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$(torch_libraries)" "${launcher[@]}" "$tests/$target" "$@"
}

# tested CHECK NAME RANKS [NOTE]: a row from how GoogleTest ended; where it ran nothing on devices that are here, it failed.
tested() {
  local ran skipped
  skipped=$(sed -n 's/.*\[  SKIPPED \] \([0-9]*\) tests\{0,1\}, listed below.*/\1/p' "$home/logs/$2.out" | tail -n 1)
  ran=$(sed -n 's/.*\[  PASSED  \][^0-9]*\([0-9]*\) tests\{0,1\}\..*/\1/p' "$home/logs/$2.out" | tail -n 1)
  if [ "$code" -ne 0 ]; then
    row "$1" "$3" fail "ends with $code: $(said "$2")"
  elif [ "${ran:-0}" -eq 0 ]; then
    row "$1" "$3" fail "no test ran: $(grep -m 1 -iE 'skip|not' "$home/logs/$2.out" | cut -c1-120)"
  else
    row "$1" "$3" pass "$ran tests${skipped:+, $skipped skipped}${4:-}" tests="$ran"
  fi
}

has_program() {
  [ -x "$tests/$2" ] && return
  row "$1" "$3" 'not here' "the test program $2 is not built"
  return 1
}

check_collectives() {
  local ranks
  for ranks in "${worlds[@]}"; do
    may_run 'collectives' "$ranks" && has_program 'collectives' comm/test_comm "$ranks" || continue
    test_program "collectives-$ranks" comm/test_comm "$ranks" --gtest_color=no --gtest_filter='Worlds/*/nccl'
    tested collectives "collectives-$ranks" "$ranks"
  done
}

check_kernels() {
  may_run "kernels against the CPU's" 1 && has_program "kernels against the CPU's" device/test_device 1 || return
  local filter='*'
  # Minutes on a simulated device.
  [ -z "$small" ] || filter='-*AnyLength:*AnyMask*:DeviceBlocks.Attention*'
  test_program kernels device/test_device 1 --gtest_color=no --gtest_filter="$filter"
  tested "kernels against the CPU's" kernels 1 "${small:+; those that take long are left out}"
}

# As NCCL's tests count it, from doctor; no bound is put on it.
check_bandwidth() {
  local ranks told launcher
  for ranks in "${worlds[@]:1}"; do
    may_run 'bus bandwidth of sums' "$ranks" || continue
    on_ranks "$ranks"
    job "doctor-$ranks" "${launcher[@]}" "$program" doctor
    told=$(sed -n 's/^bus bandwidth *//p' "$home/logs/doctor-$ranks.out")
    if [ "$code" -eq 0 ] && [[ $told == *GB/s ]]; then
      row 'bus bandwidth of sums' "$ranks" pass "$(sed 's/^.*, \(.*B at\)/\1/' <<< "$told") (measured; all sizes in the JSON)" \
        all="$(json_text "$told")" links="$(json_text "$(sed -n 's/^links *//p' "$home/logs/doctor-$ranks.out")")"
    else
      row 'bus bandwidth of sums' "$ranks" fail "ends with $code: $(said "doctor-$ranks")"
    fi
  done
}
