# A run that is killed on all devices goes on with fewer, from its checkpoint. Sourced by run.sh.
check_resume() {
  local most=1 ranks name check fewer lacks=''
  for ranks in "${worlds[@]}"; do [ "$ranks" -gt "$devices" ] || most=$ranks; done
  check="saved on $most, killed, resumed"
  fewer=$((most > 1 ? most / 2 : 1))
  [ "$most" -le 2 ] || fewer+=' 1'
  has_reference text || lacks='the run on CPU cores is missing'
  if [ -z "$lacks" ]; then
    SFT_FAILPOINTS="rank=$((most - 1));trainer.step@7=kill" train whole "$most" text train.max_steps=$parity_updates save.save_strategy=steps save.save_steps=4
    if [ "$code" -ne 137 ] || [ ! -d "$home/runs/whole/checkpoint-4" ]; then
      row "$check" "$most" fail "no checkpoint of a run that was killed; it ends with $code: $(said whole)"
      lacks='there is no checkpoint to go on from'
    fi
  fi
  for ranks in $fewer; do
    may_run "$check" "$ranks" "$lacks" || continue
    name=resumed-$ranks
    cp -r "$home/runs/whole" "$home/runs/$name"
    on_ranks "$ranks"
    job "$name" "${launcher[@]}" "$program" "$home/text.toml" output_dir="$home/runs/$name" train.max_steps=$parity_updates save.save_strategy=steps save.save_steps=4
    if [ "$code" -eq 0 ] && ! grep -q 'resumed from' "$home/logs/$name.err"; then
      row "$check" "$ranks" fail 'it began anew'
    else
      compared "$check" "$name" "$ranks" cpu-text "$(tolerance text float64)"
    fi
  done
}
