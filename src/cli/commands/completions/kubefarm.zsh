#compdef kubefarm
# Completions for kubefarm in zsh. What may follow is asked of kubefarm itself.
_kubefarm() {
    local line value tab=$'\t'
    local -a open open_shown whole whole_shown
    for line in "${(@f)$(command "${words[1]}" __complete zsh -- "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        value=${line%%$tab*}
        [[ -n $value ]] || continue
        if [[ $value == *[/.:=] ]]; then
            open+=("$value")
            open_shown+=("${line/$tab/  -- }")
        else
            whole+=("$value")
            whole_shown+=("${line/$tab/  -- }")
        fi
    done
    (( $#open )) && compadd -S '' -l -d open_shown -a open
    (( $#whole )) && compadd -l -d whole_shown -a whole
    (( $#open + $#whole ))
}
if [[ ${funcstack[1]} == _kubefarm ]]; then
    _kubefarm "$@"
else
    compdef _kubefarm kubefarm
fi
