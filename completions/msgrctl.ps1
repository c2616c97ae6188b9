# Completions of msgrctl for PowerShell. Asks the msgrctl that is installed.
if (Get-Command msgrctl -ErrorAction SilentlyContinue) {
    $env:MSGRCTL_COMPLETE = "powershell"
    try {
        msgrctl 2>$null | Out-String | Invoke-Expression
    } finally {
        Remove-Item Env:\MSGRCTL_COMPLETE
    }
}
