# Shows one wall screen in Edge, for ever: waits for the server, starts the browser again when it ends.
# powershell -ExecutionPolicy Bypass -File kiosk-windows.ps1 -Address "https://ioc.example.gov.vn/wall?screen=man_1&embed=true"
param(
    [Parameter(Mandatory = $true)][string]$Address,
    [string]$TokenFile = ""
)
$ErrorActionPreference = "Stop"
$server = ([uri]$Address).GetLeftPart([System.UriPartial]::Authority)
$name = ([uri]$Address).Host
$edge = @("${env:ProgramFiles(x86)}", "$env:ProgramFiles") |
    ForEach-Object { Join-Path $_ "Microsoft\Edge\Application\msedge.exe" } |
    Where-Object { Test-Path $_ } | Select-Object -First 1
if (-not $edge) { [Console]::Error.WriteLine("error: Microsoft Edge is not installed"); exit 2 }

# The machine must neither sleep nor blank its screen while it is a wall.
foreach ($kind in "monitor", "standby", "hibernate") { powercfg /change "$kind-timeout-ac" 0 }

$userData = Join-Path $env:LOCALAPPDATA "city-wall"
$flags = @(Get-Content (Join-Path $PSScriptRoot "kiosk.flags") | Where-Object { $_ -like "--*" })
$flags += "--edge-kiosk-type=fullscreen"
$flags += "--user-data-dir=`"$userData`""
$flags += "--host-resolver-rules=`"MAP * ~NOTFOUND, EXCLUDE $name`""

while ($true) {
    # Never into the browser's own error page: 503 is a server that is there and has no fresh picture yet.
    while ($true) {
        try { Invoke-WebRequest "$server/api/health" -UseBasicParsing -TimeoutSec 5 | Out-Null; break }
        catch {
            $reply = $_.Exception.Response
            if ($reply -and [int]$reply.StatusCode -eq 503) { break }
            Start-Sleep -Seconds 2
        }
    }
    $opened = $Address
    if ($TokenFile) { $opened += "&token=" + (Get-Content $TokenFile -Raw).Trim() }
    Start-Process -FilePath $edge -ArgumentList ($flags + "`"$opened`"") -Wait
    Start-Sleep -Seconds 1
}
