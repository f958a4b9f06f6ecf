# slipway-grow: the system's partition has all of its disk.
#
# Reads the layout, and then takes the first rule that holds: it grows, or nothing is to be done, or it is refused with the reason,
# before anything is touched. Nothing ever shrinks; a second run changes nothing. It says one line: `grown BEFORE AFTER` in bytes,
# `kept BYTES`, or `refused REASON`, and ends with 3 where it is refused. The facts and the rules are made from one table, which is
# also what is tested on recorded layouts.
$ErrorActionPreference = 'Stop'
Update-HostStorageCache -ErrorAction SilentlyContinue
$letter = $env:SystemDrive.TrimEnd(':')
$system = Get-Partition -DriveLetter $letter -ErrorAction SilentlyContinue
$disk = if ($system) { Get-Disk -Number $system.DiskNumber }
$partitions = if ($disk) { @(Get-Partition -DiskNumber $disk.Number) } else { @() }
$volume = Get-Volume -DriveLetter $letter -ErrorAction SilentlyContinue
$after = @($partitions | Where-Object { $_.Offset -gt $system.Offset })
$sealed = Get-CimInstance -Namespace 'root/cimv2/Security/MicrosoftVolumeEncryption' -ClassName Win32_EncryptableVolume -Filter "DriveLetter = '${letter}:'" -ErrorAction SilentlyContinue
$largest = if ($system) { (Get-PartitionSupportedSize -DriveLetter $letter -ErrorAction SilentlyContinue).SizeMax }
@FACTS@
@RULES@
