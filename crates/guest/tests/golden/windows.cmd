@echo off
rem Runs inside a Windows guest while it is customized: makes the login, lets it in by remote desktop, and leaves behind what keeps
rem name, address and disk right at each later start. Every value is base64, so nothing a customer typed can leave its place. The
rem platform calls this twice, before and after its own work; only the second call does anything. A second run changes nothing.
if not "%1"=="postcustomization" exit /b 0
powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass -Command "$all = [IO.File]::ReadAllText('%~f0'); Invoke-Expression (($all -split '(?m)^#:powershell\s*$')[1])"
exit /b %errorlevel%
#:powershell
$ErrorActionPreference = 'Stop'
function Decode([string]$value) { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($value)) }
$hostname = Decode 'd2ViLTAx'
$login = Decode 'YW5uYQ=='
$password = Decode 'VnE3LXRSbjJ4THA5'
$account = Decode 'c2xpcHdheS1qb2I='
$account_password = Decode 'eA=='
$folder = Join-Path $env:ProgramData 'Slipway'

# Who may sign in. A group is named by its number: its name is another one in other languages.
function Set-Administrator([string]$name, [string]$secret) {
    $sealed = ConvertTo-SecureString $secret -AsPlainText -Force
    if (Get-LocalUser | Where-Object { $_.Name -eq $name }) {
        Set-LocalUser -Name $name -Password $sealed -PasswordNeverExpires $true
    } else {
        New-LocalUser -Name $name -Password $sealed -PasswordNeverExpires | Out-Null
    }
    Enable-LocalUser -Name $name
    try {
        Add-LocalGroupMember -SID 'S-1-5-32-544' -Member $name
    } catch [Microsoft.PowerShell.Commands.MemberExistsException] {
        Write-Output "kept $name"
    }
}
$builtin = Get-LocalUser | Where-Object { $_.SID.Value -like 'S-1-5-21-*-500' }
if ($password -ne '') {
    if ($login -eq 'Administrator') {
        Set-Administrator $builtin.Name $password
    } else {
        Set-Administrator $login $password
        Disable-LocalUser -SID $builtin.SID
    }
}
Set-ItemProperty -Path 'HKLM:\System\CurrentControlSet\Control\Terminal Server' -Name fDenyTSConnections -Value 0
Enable-NetFirewallRule -Group '@FirewallAPI.dll,-28752'

# What stays: only the system and administrators may write where the system runs things from.
New-Item -ItemType Directory -Path $folder -Force | Out-Null
& icacls $folder /inheritance:r /grant '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
function Install-Program([string]$name, [string]$text, $triggers) {
    $file = Join-Path $folder "$name.ps1"
    [IO.File]::WriteAllText($file, (Decode $text))
    $run = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$file`""
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $run
    Register-ScheduledTask -TaskName $name -Action $action -Trigger $triggers -User 'S-1-5-18' -RunLevel Highest -Force | Out-Null
}
$start = New-ScheduledTaskTrigger -AtStartup
# A disk may be made larger while the system runs.
$often = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval (New-TimeSpan -Minutes 2)
Install-Program 'slipway-guest' '<a program that begins with: $ErrorActionPreference = 'Stop'>' @($start)
Install-Program 'slipway-grow' '<a program that begins with: $ErrorActionPreference = 'Stop'>' @($start, $often)

# The way in of a job of ours, which takes it out again: an account of its own, over an encrypted door of its own.
if ($account -ne '') {
    Set-Administrator $account $account_password
    Set-Service -Name WinRM -StartupType Automatic
    Start-Service -Name WinRM
    $certificate = New-SelfSignedCertificate -DnsName $hostname -CertStoreLocation 'Cert:\LocalMachine\My' -FriendlyName 'slipway-job'
    if (-not (Get-ChildItem WSMan:\localhost\Listener | Where-Object { $_.Keys -contains 'Transport=HTTPS' })) {
        New-Item -Path WSMan:\localhost\Listener -Transport HTTPS -Address * -CertificateThumbPrint $certificate.Thumbprint -Force | Out-Null
    }
    if (-not (Get-NetFirewallRule -Name 'slipway-job' -ErrorAction SilentlyContinue)) {
        New-NetFirewallRule -Name 'slipway-job' -DisplayName 'slipway-job' -Direction Inbound -Protocol TCP -LocalPort 5986 -Action Allow | Out-Null
    }
    # Without it an account other than the built-in one comes in with half of its rights. Where it was there, it stays there.
    $policy = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
    if (-not $policy.LocalAccountTokenFilterPolicy) { New-Item -ItemType File -Path (Join-Path $folder 'policy') -Force | Out-Null }
    Set-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System' -Name LocalAccountTokenFilterPolicy -Value 1
}
