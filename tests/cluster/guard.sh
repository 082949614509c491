#!/bin/sh
# Runs the programs of one test cluster for the process that holds its standard input.
#
# Usage: guard.sh FOLDER, then line by line on standard input:
#   start NAME COMMAND...   runs a command in shell syntax; prints its process ID
#   signal NAME SIGNAL      sends it a signal; prints when that is done
#   stop NAME               asks it to end; prints when it is gone
#   end NAME                kills it; prints when it is gone
#
# At the end of its input, also when the other process was killed, it kills what still runs and removes FOLDER.
set -u
folder=$1

# is_ours PID: whether it is a child of this shell; an ended one's number may be another's by now.
is_ours() {
    grep -q "^PPid:[[:space:]]*$$\$" "/proc/$1/status" 2>/dev/null
}

# send NAME SIGNAL
send() {
    pid=''
    read -r pid 2>/dev/null <"$folder/$1.pid" || return 0
    ! is_ours "$pid" || kill -s "$2" "$pid"
}

while read -r verb name rest; do
    case $verb in
        start)
            (eval "exec $rest") </dev/null >>"$folder/$name.log" 2>&1 &
            echo "$!" >"$folder/$name.pid"
            echo "$!"
            ;;
        signal)
            send "$name" "$rest"
            echo ok
            ;;
        stop | end)
            if [ "$verb" = stop ]; then send "$name" TERM; else send "$name" KILL; fi
            [ -z "$pid" ] || wait "$pid" 2>/dev/null
            rm -f "$folder/$name.pid"
            echo ok
            ;;
    esac
done

for file in "$folder"/*.pid; do
    [ ! -e "$file" ] || send "$(basename "$file" .pid)" KILL
done
wait
rm -rf "$folder"
