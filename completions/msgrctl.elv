# Completions of msgrctl for elvish. Asks the msgrctl that is installed.
if (has-external msgrctl) {
    eval (env MSGRCTL_COMPLETE=elvish msgrctl 2>/dev/null | slurp)
}
