# Completions for kubefarm in bash. What may follow is asked of kubefarm itself.
_kubefarm() {
    # bash splits words at `:` and `=`; they are put together again here, up to the cursor.
    local line=${COMP_LINE:0:COMP_POINT} index word blank
    local -a words=()
    for ((index = 0; index <= COMP_CWORD; index++)); do
        blank=${line%%[![:blank:]]*}
        line=${line#"$blank"}
        word=${COMP_WORDS[index]}
        ((index < COMP_CWORD)) || word=$line
        if [[ -z $blank && ${#words[@]} -gt 0 ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        line=${line#"$word"}
    done
    local current=${words[${#words[@]} - 1]} candidate before=''
    # Of a word with such signs, bash replaces only what follows the last of them.
    if [[ $current == *[:=]* ]]; then
        before=${current%"${current##*[:=]}"}
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        candidate=${candidate#"$before"}
        # Inside of quotes it is written as it is.
        [[ $current == [\"\']* || -z $candidate ]] || printf -v candidate %q "$candidate"
        COMPREPLY+=("$candidate")
    done < <(command "${words[0]}" __complete bash -- "${words[@]}" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[/.:=] ]]; then
        compopt -o nospace
    fi
}
complete -F _kubefarm kubefarm
