/**
 * What a shell has to be told to complete command lines. The scripts know nothing of fleche: they hand it the words so far,
 * and what it prints, a word and its meaning a line, they give to the shell. A line without a word asks for names of files or
 * folders, which the shell finds itself. What goes wrong is not shown: somebody is typing.
 */

const BASH = String.raw`# Completes fleche in bash. In ~/.bashrc:  source <(fleche completion bash)
_fleche() {
  local IFS=$'\n' i line word prefix last n=0
  local words=("")
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    # For bash = and : are words of their own.
    if ((i > 1)) && [[ $word == [=:]* || \${words[n]} == *[=:] ]]; then
      words[n]+=$word
    else
      ((i > 1)) && ((n += 1))
      words[n]=$word
    fi
  done
  last=\${COMP_WORDS[COMP_CWORD]}
  [[ $last == [=:] ]] && last=
  prefix=\${words[n]%"$last"}
  COMPREPLY=()
  while read -r line; do
    case $line in
      $'\t'*)
        compopt -o filenames 2>/dev/null
        [[ $line == *folders ]] && word=-d || word=-f
        COMPREPLY+=($(compgen $word -- "$last"))
        ;;
      *)
        word=\${line%%$'\t'*}
        COMPREPLY+=("\${word#"$prefix"}")
        ;;
    esac
  done < <("$1" __complete -- "\${words[@]}" 2>/dev/null)
}
complete -F _fleche fleche
`;

const ZSH = String.raw`#compdef fleche
# Completes fleche in zsh. In ~/.zshrc, after compinit:  source <(fleche completion zsh)
_fleche() {
  local line paths
  local -a before offers
  before=("\${(@Q)words[2,CURRENT-1]}")
  ((CURRENT > 2)) || before=()
  for line in "\${(@f)$("\${(Q)words[1]}" __complete -- "\${before[@]}" "\${(Q)PREFIX}" 2>/dev/null)}"; do
    case $line in
      $'\t'*) paths=\${line#$'\t'} ;;
      ?*) offers+=("\${\${line%%$'\t'*}//:/\\:}:\${line#*$'\t'}") ;;
    esac
  done
  ((\${#offers})) && _describe -V 'fleche' offers
  [[ -n $paths ]] || return
  compset -P '*='
  if [[ $paths == folders ]]; then _files -/; else _files; fi
}
if [[ $funcstack[1] == _fleche ]]; then _fleche; else compdef _fleche fleche; fi
`;

const FISH = String.raw`# Completes fleche in fish:  fleche completion fish > ~/.config/fish/completions/fleche.fish
function __fleche_offers
    set -l words (commandline -opc)
    set -l command $words[1]
    set -e words[1]
    set -l last (commandline -ct)
    for line in ($command __complete -- $words "$last" 2>/dev/null)
        switch $line
            case \tfolders
                __fish_complete_directories "$last" ''
            case \tfiles
                __fish_complete_path "$last" ''
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c fleche -f -a '(__fleche_offers)'
`;

/** By the name of the shell. */
export const SCRIPTS: Readonly<Record<string, string>> = {
  bash: plain(BASH),
  zsh: plain(ZSH),
  fish: plain(FISH),
};

/** In the texts above `${` of the shell is written `\${`. */
function plain(text: string): string {
  return text.replaceAll('\\${', '${');
}
