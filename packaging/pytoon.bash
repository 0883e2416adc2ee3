# bash completion for pytoon(1)
_pytoon() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-} words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="serve api worker render submit watch mcp doctor presets version config jobs keys drain capacity purge backup restore"
  elif [ "$command" = jobs ] && [ "$COMP_CWORD" -eq 2 ]; then
    words="list show cancel fail retry redeliver"
  elif [ "$command" = keys ] && [ "$COMP_CWORD" -eq 2 ]; then
    words="list create rotate revoke"
  elif [ "$command" = config ] && [ "$COMP_CWORD" -eq 2 ]; then
    words="check show page"
  elif [[ "$word" == -* ]]; then
    case "$command" in
      render | watch) words="--out --help" ;;
      submit) words="--watch --out --help" ;;
      jobs | keys) words="--json --help" ;;
      presets | capacity | config) words="--json --help" ;;
      drain) words="--resume --help" ;;
      purge) words="--tenant --json --help" ;;
      restore) words="--force --help" ;;
      *) words="--help" ;;
    esac
  else
    COMPREPLY=($(compgen -f -- "$word"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _pytoon pytoon
