# The table, a row printed when it is known, and the same as JSON. Sourced by run.sh.
passed=0 failed=0 absent=0
devices=0 simulated=false gpus='' version=''

# A folder of that name that an earlier check has not made is somebody's.
begin_report() {
  home=$output/gpu_check_work
  if [ -e "$home" ] && [ ! -e "$home/made_by_gpu_check" ]; then
    echo "gpu-check: $home is there and not of an earlier check; give another --output" >&2
    exit 2
  fi
  rm -rf "$home" "$output/gpu_check.json"
  mkdir -p "$home/logs" "$home/runs" && : > "$home/made_by_gpu_check" || exit 2
  json_rows=$home/rows.json began=$SECONDS
  : > "$json_rows"
  printf '%-36s %-6s %-9s %8s  %s\n' check ranks result seconds 'what was seen'
}

json_text() {
  local text=${1//\\/\\\\}
  text=${text//\"/\\\"}
  printf '"%s"' "$(printf '%s' "$text" | tr '\n\t' '  ' | tr -d '\000-\037' | iconv -c -f UTF-8 -t UTF-8 2> /dev/null)"
}

# row CHECK RANKS RESULT DETAIL [NAME=NUMBER…]: RESULT is pass, fail or not here, as a failure is where the minutes were over; numbers go into the JSON alone. $took: seconds of the job behind it.
row() {
  local check=$1 ranks=$2 result=$3 detail=$4 values='' pair
  shift 4
  [ -z "$cut" ] || [ "$result" != fail ] || result='not here' detail="the $minutes minutes were over meanwhile"
  cut=''
  case $result in
    pass) passed=$((passed + 1)) ;;
    fail) failed=$((failed + 1)) ;;
    *) absent=$((absent + 1)) took=0 ;;
  esac
  printf '%-36s %-6s %-9s %8.1f  %s\n' "$check" "$ranks" "$result" "$took" "$detail"
  for pair in "$@"; do values+="${values:+, }$(json_text "${pair%%=*}"): ${pair#*=}"; done
  printf '%s{"check": %s, "ranks": %d, "result": "%s", "seconds": %.1f, "detail": %s, "values": {%s}}' "$([ -s "$json_rows" ] && printf ',\n    ')" \
    "$(json_text "$check")" "$ranks" "$result" "$took" "$(json_text "$detail")" "$values" >> "$json_rows"
}

# may_run CHECK RANKS [LACKS]: whether there are devices and time for it, and nothing lacks; where not, that is the row.
may_run() {
  if [ -n "${3:-}" ]; then
    row "$1" "$2" 'not here' "$3"
  elif [ "$2" -gt "$devices" ]; then
    row "$1" "$2" 'not here' "needs $2 devices, $devices $([ "$devices" -eq 1 ] && echo is || echo are) here"
  elif [ "$(seconds_left)" -le 0 ]; then
    row "$1" "$2" 'not here' "the $minutes minutes were over"
  else
    return 0
  fi
  return 1
}

end_report() {
  {
    printf '{\n  "by": "sft-dist gpu-check 1",\n  "date": "%s",\n  "version": %s,\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(json_text "$version")"
    printf '  "devices": %d,\n  "simulated": %s,\n  "small": %s,\n  "gpus": %s,\n' "$devices" "$simulated" "$([ -n "$small" ] && echo true || echo false)" "$(json_text "$gpus")"
    printf '  "seconds": %d,\n  "passed": %d,\n  "failed": %d,\n  "not_here": %d,\n  "rows": [\n    ' $((SECONDS - began)) "$passed" "$failed" "$absent"
    cat "$json_rows"
    printf '\n  ]\n}\n'
  } > "$output/gpu_check.json"
  printf '\n%d passed, %d failed, %d not here, on %d %s in %d s: %s/gpu_check.json\n' "$passed" "$failed" "$absent" "$devices" \
    "$([ "$simulated" = true ] && echo 'simulated devices' || echo devices)" $((SECONDS - began)) "$output"
  [ "$failed" -eq 0 ] || exit 1
  [ "$passed" -gt 0 ] || exit 77
}
