# Completions of msgrctl for bash. Asks the msgrctl that is installed.
if command -v msgrctl >/dev/null 2>&1; then
    eval "$(MSGRCTL_COMPLETE=bash msgrctl 2>/dev/null)"
fi
