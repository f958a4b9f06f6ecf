# slipway-guest: puts right what this system is called and where it stands in the network, as the platform says it is to be.
#
# Runs at each start. What is wanted comes with the machine (its OVF properties `slipway.*`), and is never a secret. What does not
# look like a name or an address is not taken; without any wish nothing is touched. A second run changes nothing. Another name
# counts only after a restart: it makes one, once for each name. It says, a line each: `kept WHAT`, `mended WHAT`, `refused WHAT`.
$ErrorActionPreference = 'Stop'
$folder = Join-Path $env:ProgramData 'Slipway'
$tools = Join-Path $env:ProgramFiles 'VMware\VMware Tools\vmtoolsd.exe'
$environment = [xml](& $tools --cmd 'info-get guestinfo.ovfEnv' | Out-String)
$namespace = 'http://schemas.dmtf.org/ovf/environment/1'

# A property's value, if it looks as it should.
function Wanted([string]$name, [string]$pattern) {
    foreach ($property in $environment.GetElementsByTagName('Property', $namespace)) {
        if ($property.GetAttribute('key', $namespace) -ceq "slipway.$name") {
            $value = $property.GetAttribute('value', $namespace)
            if ($value -cmatch "\A(?:$pattern)\z") { return $value }
            Write-Output "refused $name" | Out-Host
        }
    }
    return ''
}
$octet = '[0-9]{1,3}'
$ip = "$octet\.$octet\.$octet\.$octet"
$hostname = Wanted 'hostname' '[a-z0-9-]{1,15}'
$address = Wanted 'address' $ip
$prefix = Wanted 'prefix' '[0-9]{1,2}'
$gateway = Wanted 'gateway' $ip
$dns = Wanted 'dns' "$ip(?:,$ip)*"

if ($address -ne '' -and $prefix -ne '') {
    $card = Get-NetAdapter -Physical | Sort-Object -Property ifIndex | Select-Object -First 1
    $index = $card.ifIndex
    $there = @(Get-NetIPAddress -InterfaceIndex $index -AddressFamily IPv4 -ErrorAction SilentlyContinue)
    $right = $there.Count -eq 1 -and $there[0].IPAddress -eq $address -and $there[0].PrefixLength -eq [int]$prefix
    $route = @(Get-NetRoute -InterfaceIndex $index -DestinationPrefix '0.0.0.0/0' -ErrorAction SilentlyContinue)
    if ($gateway -ne '') { $right = $right -and $route.Count -eq 1 -and $route[0].NextHop -eq $gateway }
    if ($right) {
        Write-Output 'kept address'
    } else {
        Set-NetIPInterface -InterfaceIndex $index -AddressFamily IPv4 -Dhcp Disabled
        $route | Remove-NetRoute -Confirm:$false
        $there | Remove-NetIPAddress -Confirm:$false
        $new = @{ InterfaceIndex = $index; IPAddress = $address; PrefixLength = [int]$prefix }
        if ($gateway -ne '') { $new.DefaultGateway = $gateway }
        New-NetIPAddress @new | Out-Null
        Write-Output 'mended address'
    }
    if ($dns -ne '') {
        $servers = $dns.Split(',')
        $now = @((Get-DnsClientServerAddress -InterfaceIndex $index -AddressFamily IPv4).ServerAddresses)
        if (($now -join ',') -eq $dns) {
            Write-Output 'kept dns'
        } else {
            Set-DnsClientServerAddress -InterfaceIndex $index -ServerAddresses $servers
            Write-Output 'mended dns'
        }
    }
}

if ($hostname -ne '') {
    $renamed = Join-Path $folder 'renamed'
    if ($env:COMPUTERNAME -eq $hostname) {
        Remove-Item -Path $renamed -ErrorAction SilentlyContinue
        Write-Output 'kept hostname'
    } elseif ((Test-Path $renamed) -and [IO.File]::ReadAllText($renamed) -eq $hostname) {
        # It was tried and did not last: no restart after restart.
        Write-Output 'refused hostname'
    } else {
        [IO.File]::WriteAllText($renamed, $hostname)
        Rename-Computer -NewName $hostname -Force
        Write-Output 'mended hostname'
        Restart-Computer -Force
    }
}
