/** What a shell's completion calls dctl with: `__complete SHELL WORDS...`, the last of them the one being written. */
export const completionWord = '__complete';

/** What each shell is told once: to ask dctl itself what could be written. */
export const completionScripts = {
  bash: `_dctl() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done \\
    < <(dctl ${completionWord} bash "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _dctl dctl`,
  zsh: `#compdef dctl
_dctl() {
  local value about
  local -a found
  while IFS=$'\\t' read -r value about; do
    found+=("\${value//:/\\\\:}\${about:+:$about}")
  done < <(dctl ${completionWord} zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe -V dctl found; else _files; fi
}
compdef _dctl dctl`,
  fish: `function __dctl_complete
  set -l found (dctl ${completionWord} fish (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if count $found >/dev/null
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c dctl -f -k -a '(__dctl_complete)'`,
} as const;
