# Completion for bash: commands, the options that a command's own --help names, and files.
_sft_dist() {
  local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]}
  if [ "$COMP_CWORD" -eq 1 ] && [[ $word != -* ]]; then
    local commands
    commands=$("$program" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word"; compgen -f -- "$word")
  elif [[ $word == -* ]]; then
    local options
    options=$("$program" "${COMP_WORDS[1]}" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*')
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _sft_dist sft-dist
