# Completions of msgrctl for fish. Asks the msgrctl that is installed.
if command -q msgrctl
    MSGRCTL_COMPLETE=fish msgrctl 2>/dev/null | source
end
