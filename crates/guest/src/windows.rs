//! What a Windows guest runs: its first boot, what stays there, and the plan by which its disk grows.
//!
//! The plan is one table: facts, each of which is a question in PowerShell and the same question of a recorded layout, and rules
//! over them, the first of which that holds is what is done. The script is generated from it ([`grower`]), and tests ask it of
//! layouts ([`plan`]). None of this has run on Windows here; docs/guests.md says what that leaves open.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{GuestSetup, JobWay};

const FIRST_BOOT: &str = include_str!("../../../automation/guest/windows/first-boot.cmd");
const KEEPER: &str = include_str!("../../../automation/guest/windows/slipway-guest.ps1");
const GROWER: &str = include_str!("../../../automation/guest/windows/slipway-grow.ps1");

/// Renders the first-boot script: a batch file, as the platform wants it, that carries PowerShell. Every value goes in as
/// base64: it is data whatever it holds.
pub fn first_boot(setup: &GuestSetup) -> SecretString {
    let (account, account_password) = match &setup.way {
        Some(JobWay::Account { login, password }) => (login.as_str(), password.expose_secret()),
        _ => ("", ""),
    };
    let value = |text: &str| STANDARD.encode(text.as_bytes());
    let script = FIRST_BOOT
        .replace("@GUEST@", &value(&without_comments(KEEPER)))
        .replace("@GROW@", &value(&without_comments(&grower())))
        .replace("@HOSTNAME@", &value(&setup.hostname))
        .replace("@LOGIN@", &value(&setup.login))
        .replace("@PASSWORD@", &value(setup.password.as_ref().map_or("", |p| p.expose_secret())))
        .replace("@ACCOUNT@", &value(account))
        .replace("@ACCOUNT_PASSWORD@", &value(account_password));
    // A batch file has lines as Windows has them.
    SecretString::from(script.replace('\n', "\r\n"))
}

fn without_comments(script: &str) -> String {
    script.lines().filter(|l| !l.trim_start().starts_with('#')).map(|l| format!("{l}\n")).collect()
}

/// A disk as Windows describes it: what the script reads, recorded.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layout {
    /// Of the disk that the system is on: `GPT`, `MBR`, `RAW`.
    pub style: String,
    pub partitions: Vec<Partition>,
    /// File system of the system's volume; nothing where there is no such volume.
    pub file_system: Option<String>,
    /// Whether the volume is encrypted, or being: `None` where nobody could say.
    pub encrypted: Option<bool>,
    /// How large the system's partition may be made, bytes; `None` where Windows does not say.
    pub largest: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Partition {
    pub offset: u64,
    pub size: u64,
    /// As Windows calls it: `Basic`, `Recovery`, `System`, `Reserved`, `IFS`, `Logical`, `Unknown`, …
    pub kind: String,
    /// The type in a GPT, with braces.
    pub gpt_type: Option<String>,
    /// The type in an MBR.
    pub mbr_type: Option<u32>,
    /// It carries the running system.
    pub system: bool,
}

/// What becomes of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// It is as large as it can be.
    Keep,
    /// The partition and its file system become as large as they can be.
    Grow,
    /// Nothing is touched, and this is why.
    Refuse(&'static str),
}

impl Layout {
    fn system(&self) -> Option<&Partition> {
        self.partitions.iter().find(|p| p.system)
    }

    fn after(&self) -> impl Iterator<Item = &Partition> {
        let from = self.system().map_or(u64::MAX, |s| s.offset);
        self.partitions.iter().filter(move |p| p.offset > from)
    }

    fn is_dynamic(&self) -> bool {
        let ldm = |p: &Partition| {
            p.gpt_type.as_deref().is_some_and(|t| LDM.contains(&t.to_lowercase().as_str()))
                || p.mbr_type == Some(0x42)
        };
        self.partitions.iter().any(ldm)
    }

    fn is_recovery(p: &Partition) -> bool {
        p.kind == "Recovery"
            || p.gpt_type.as_deref().is_some_and(|t| t.eq_ignore_ascii_case(RECOVERY))
            || p.mbr_type == Some(0x27)
    }
}

/// Partitions of dynamic disks: their data and their metadata.
const LDM: [&str; 2] = ["{af9b60a0-1431-4f62-bc68-3311714a69ad}", "{5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}"];
const RECOVERY: &str = "{de94bba4-06d1-4d40-a16a-bfd50179d6ac}";
/// What is smaller than this is not worth a change: Windows keeps some of it for itself.
const WORTH: u64 = 8 << 20;

/// A question with two forms: in the guest, and of a recorded layout.
struct Fact {
    name: &'static str,
    powershell: &'static str,
    holds: fn(&Layout) -> bool,
}

/// The first rule whose fact holds is what is done.
struct Rule {
    fact: &'static str,
    plan: Plan,
}

const FACTS: &[Fact] = &[
    Fact { name: "missing", powershell: "-not $system", holds: |l| l.system().is_none() },
    Fact {
        name: "dynamic",
        powershell: "@($partitions | Where-Object { $_.GptType -in '{af9b60a0-1431-4f62-bc68-3311714a69ad}', \
                     '{5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}' -or $_.MbrType -eq 0x42 }).Count -gt 0",
        holds: Layout::is_dynamic,
    },
    Fact {
        name: "raw",
        powershell: "$disk.PartitionStyle -notin 'GPT', 'MBR'",
        holds: |l| !["GPT", "MBR"].contains(&l.style.as_str()),
    },
    Fact {
        name: "encrypted",
        powershell: "$sealed -and ($sealed | Invoke-CimMethod -MethodName GetConversionStatus).ConversionStatus -ne 0",
        holds: |l| l.encrypted == Some(true),
    },
    Fact {
        name: "foreign",
        powershell: "-not $volume -or $volume.FileSystem -notin 'NTFS', 'ReFS'",
        holds: |l| !l.file_system.as_deref().is_some_and(|f| ["NTFS", "ReFS"].contains(&f)),
    },
    Fact {
        name: "recovery_after",
        powershell: "@($after | Where-Object { $_.Type -eq 'Recovery' -or $_.GptType -eq \
                     '{de94bba4-06d1-4d40-a16a-bfd50179d6ac}' -or $_.MbrType -eq 0x27 }).Count -gt 0",
        holds: |l| l.after().any(Layout::is_recovery),
    },
    Fact { name: "other_after", powershell: "$after.Count -gt 0", holds: |l| l.after().next().is_some() },
    Fact { name: "unknown_size", powershell: "-not $largest", holds: |l| l.largest.is_none_or(|n| n == 0) },
    Fact {
        name: "larger",
        powershell: "$largest -ge $system.Size + 8388608",
        holds: |l| l.largest.zip(l.system()).is_some_and(|(n, s)| n >= s.size + WORTH),
    },
];

const RULES: &[Rule] = &[
    Rule { fact: "missing", plan: Plan::Refuse("no-system-partition") },
    Rule { fact: "dynamic", plan: Plan::Refuse("dynamic-disk") },
    Rule { fact: "raw", plan: Plan::Refuse("no-partition-table") },
    Rule { fact: "encrypted", plan: Plan::Refuse("bitlocker") },
    Rule { fact: "foreign", plan: Plan::Refuse("file-system") },
    Rule { fact: "recovery_after", plan: Plan::Refuse("recovery-partition-after") },
    Rule { fact: "other_after", plan: Plan::Refuse("partition-after") },
    Rule { fact: "unknown_size", plan: Plan::Refuse("size-unknown") },
    Rule { fact: "larger", plan: Plan::Grow },
];

/// What becomes of a layout, by the table.
pub fn plan(layout: &Layout) -> Plan {
    let holds = |name: &str| FACTS.iter().any(|f| f.name == name && (f.holds)(layout));
    RULES.iter().find(|r| holds(r.fact)).map_or(Plan::Keep, |r| r.plan)
}

/// The script that carries the plan out, by the same table. A fact is only asked for once those before it do not hold.
pub fn grower() -> String {
    let facts: String =
        FACTS.iter().map(|f| format!("function Test-{} {{ {} }}\n", f.name, f.powershell)).collect();
    let rules: String = RULES
        .iter()
        .map(|rule| {
            let then = match rule.plan {
                Plan::Keep => "Write-Output \"kept $($system.Size)\"; exit 0".to_owned(),
                Plan::Refuse(why) => format!("Write-Output 'refused {why}'; exit 3"),
                Plan::Grow => "$before = $system.Size; Resize-Partition -DriveLetter $letter -Size $largest; \
                               Write-Output \"grown $before $((Get-Partition -DriveLetter $letter).Size)\"; exit 0"
                    .to_owned(),
            };
            format!("if (Test-{}) {{ {then} }}\n", rule.fact)
        })
        .collect();
    let rules = format!("{rules}Write-Output \"kept $($system.Size)\"\nexit 0");
    GROWER.replace("@FACTS@", facts.trim_end()).replace("@RULES@", &rules)
}
