# Runs an engine and ends it when nobody uses it any more.
#
#   sh bgecs-engine-guard.sh DIR LINGER ENGINE [ARG...]
#
# Every user holds a shared lock on DIR/engine.users, which the kernel lets go
# however the user ends. So the guard needs no one to tell it: it waits for the
# exclusive lock. LINGER seconds without a user are left, because test programs
# that run one after the other would else start the engine anew each time.
dir=$1
linger=$2
shift 2
waiting=

"$@" &
engine=$!
echo "$$ $engine" >"$dir/engine.pid"

finish() {
    trap '' TERM INT HUP
    kill -TERM "$engine" $waiting 2>/dev/null
    wait "$engine"
    # After a crash of this engine the file may be that of the next one.
    [ "$(cat "$dir/engine.pid")" = "$$ $engine" ] && rm -f "$dir/engine.pid"
    exit 0
}
trap finish TERM INT HUP

# A shell runs its trap only between commands, and at once in `wait`: so
# whatever takes time runs in the background and is waited for.
while kill -0 "$engine" 2>/dev/null; do
    flock --exclusive "$dir/engine.users" true &
    waiting=$!
    wait $waiting
    sleep "$linger" &
    waiting=$!
    wait $waiting
    [ -e "$dir/engine.kept" ] && continue
    # Whoever wants to use the engine takes this lock first: none can come in
    # between the last look and the end.
    exec 9>>"$dir/engine.lock"
    flock --exclusive 9 &
    waiting=$!
    wait $waiting
    waiting=
    flock --nonblock --exclusive "$dir/engine.users" true && finish
    exec 9>&-
done
finish
