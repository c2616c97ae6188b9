# Completions of msgrctl for bash. Asks the msgrctl that is installed.
if command -v msgrctl >/dev/null 2>&1; then
    eval "$(MSGRCTL_COMPLETE=bash msgrctl 2>/dev/null)"
fi

# bash takes "--flag=value" apart at the "=": it is put together before msgrctl is
# asked, and what bash has already is taken off the answers. Names of files are quoted.
_msgrctl() {
    declare -F _clap_complete_msgrctl >/dev/null || return 0
    local -a all=("${COMP_WORDS[@]}") words=()
    local at=$COMP_CWORD index=0 i joined="" value
    for ((i = 0; i < ${#all[@]}; i++)); do
        if [[ ${all[i]} = = && ${#words[@]} -gt 0 && ${words[-1]} = --* ]]; then
            words[-1]+="="
            joined=yes
        elif [[ -n $joined ]]; then
            words[-1]+="${all[i]}"
            joined=""
        else
            words+=("${all[i]}")
        fi
        ((i == at)) && index=$((${#words[@]} - 1))
    done
    local COMP_WORDS=("${words[@]}") COMP_CWORD=$index
    _clap_complete_msgrctl "$1" "${words[index]}" "$3" 2>/dev/null
    if [[ ${words[index]} = --*=* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${words[index]%%=*}="}")
    fi
    for value in "${COMPREPLY[@]}"; do
        [[ $value = *\ * ]] && compopt -o filenames 2>/dev/null
    done
    return 0
}
if declare -F _clap_complete_msgrctl >/dev/null; then
    complete -o nospace -o bashdefault -o nosort -F _msgrctl msgrctl 2>/dev/null ||
        complete -o nospace -o bashdefault -F _msgrctl msgrctl
fi
