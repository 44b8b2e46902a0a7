# The same training on CPU cores and on 1, 2, 4 and 8 devices. Sourced by run.sh.
parity_updates=8

# Of a loss, relative: in float64 other orders of additions; in the others their own rounding too, after $parity_updates updates.
tolerance() {
  case $1-$2 in
    resnet-float64) echo 1e-7 ;;
    *-float64) echo 1e-9 ;;
    *-float32) echo 1e-3 ;;
    *-bfloat16) echo 0.02 ;;
  esac
}

# A row for a run that has ended, beside the CPU's in float64.
compared() {
  local check=$1 name=$2 ranks=$3 reference=$4 limit=$5 worst
  worst=$(worst_difference "$name" "$reference")
  if [ "$code" -ne 0 ]; then
    row "$check" "$ranks" fail "ends with $code: $(said "$name")"
  elif at_most "$worst" "$limit"; then
    row "$check" "$ranks" pass "losses within $worst of the CPU's in float64, at most $limit" worst="$worst" limit="$limit"
  else
    row "$check" "$ranks" fail "losses differ by $worst from the CPU's in float64, at most $limit is right"
  fi
}

# has_reference KIND: the run on CPU cores, made once; a row where it fails.
has_reference() {
  [ "$(losses "cpu-$1" | wc -l)" -ne $parity_updates ] || return 0
  may_run "$1 on CPU cores" 1 || return 1
  train "cpu-$1" 1 "$1" device=cpu train.max_steps=$parity_updates
  [ "$code" -ne 0 ] || [ "$(losses "cpu-$1" | wc -l)" -ne $parity_updates ] || return 0
  row "$1 on CPU cores" 1 fail "ends with $code: $(said "cpu-$1")"
  return 1
}

# Pictures in bfloat16 are a ViT's: ResNet is not built for it.
check_parity() {
  local kind dtype ranks name check lacks
  for kind in text resnet vit; do
    lacks=''
    has_reference "$kind" || lacks='the run on CPU cores is missing'
    for dtype in float64 float32 bfloat16; do
      [[ $kind-$dtype =~ ^(text-.*|resnet-float.*|vit-bfloat16)$ ]] || continue
      for ranks in "${worlds[@]}"; do
        name=$kind-$dtype-$ranks check="$kind, $dtype"
        may_run "$check" "$ranks" "$lacks" || continue
        train "$name" "$ranks" "$kind" model.dtype="$dtype" train.max_steps=$parity_updates
        compared "$check" "$name" "$ranks" "cpu-$kind" "$(tolerance "$kind" "$dtype")"
      done
    done
  done
}
