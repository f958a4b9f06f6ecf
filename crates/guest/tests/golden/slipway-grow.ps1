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
function Test-missing { -not $system }
function Test-dynamic { @($partitions | Where-Object { $_.GptType -in '{af9b60a0-1431-4f62-bc68-3311714a69ad}', '{5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}' -or $_.MbrType -eq 0x42 }).Count -gt 0 }
function Test-raw { $disk.PartitionStyle -notin 'GPT', 'MBR' }
function Test-encrypted { $sealed -and ($sealed | Invoke-CimMethod -MethodName GetConversionStatus).ConversionStatus -ne 0 }
function Test-foreign { -not $volume -or $volume.FileSystem -notin 'NTFS', 'ReFS' }
function Test-recovery_after { @($after | Where-Object { $_.Type -eq 'Recovery' -or $_.GptType -eq '{de94bba4-06d1-4d40-a16a-bfd50179d6ac}' -or $_.MbrType -eq 0x27 }).Count -gt 0 }
function Test-other_after { $after.Count -gt 0 }
function Test-unknown_size { -not $largest }
function Test-larger { $largest -ge $system.Size + 8388608 }
if (Test-missing) { Write-Output 'refused no-system-partition'; exit 3 }
if (Test-dynamic) { Write-Output 'refused dynamic-disk'; exit 3 }
if (Test-raw) { Write-Output 'refused no-partition-table'; exit 3 }
if (Test-encrypted) { Write-Output 'refused bitlocker'; exit 3 }
if (Test-foreign) { Write-Output 'refused file-system'; exit 3 }
if (Test-recovery_after) { Write-Output 'refused recovery-partition-after'; exit 3 }
if (Test-other_after) { Write-Output 'refused partition-after'; exit 3 }
if (Test-unknown_size) { Write-Output 'refused size-unknown'; exit 3 }
if (Test-larger) { $before = $system.Size; Resize-Partition -DriveLetter $letter -Size $largest; Write-Output "grown $before $((Get-Partition -DriveLetter $letter).Size)"; exit 0 }
Write-Output "kept $($system.Size)"
exit 0
