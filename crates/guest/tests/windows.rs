//! What Windows guests run, as far as it can be seen without Windows: the plan of a disk on recorded layouts, that the scripts
//! are PowerShell, and that no value leaves its place. None of it has run on Windows.

use domain::catalogue::Family;
use guest::{
    GuestSetup, JobWay,
    windows::{Layout, Plan, first_boot, grower, plan},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testkit::powershell::fault;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
const BASIC: &str = "{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}";

fn part(offset: u64, size: u64, kind: &str, gpt: &str) -> Value {
    json!({"offset": offset, "size": size, "kind": kind, "gpt_type": gpt})
}

/// As its installer leaves Windows Server on a machine with UEFI: recovery first, in 2019; at the end, in 2022.
fn server_2019() -> Value {
    let mut c = part(615 * MIB, 49 * GIB, "Basic", BASIC);
    c["system"] = true.into();
    json!({"style": "GPT", "file_system": "NTFS", "encrypted": false, "largest": 99 * GIB, "partitions": [
        part(MIB, 499 * MIB, "Recovery", "{de94bba4-06d1-4d40-a16a-bfd50179d6ac}"),
        part(500 * MIB, 99 * MIB, "System", "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}"),
        part(599 * MIB, 16 * MIB, "Reserved", "{e3c9e316-0b5c-4db8-817d-f92df00215ae}"),
        c,
    ]})
}

fn server_2022() -> Value {
    let mut c = part(117 * MIB, 49 * GIB, "Basic", BASIC);
    c["system"] = true.into();
    json!({"style": "GPT", "file_system": "NTFS", "encrypted": false, "largest": 49 * GIB, "partitions": [
        part(MIB, 100 * MIB, "System", "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}"),
        part(101 * MIB, 16 * MIB, "Reserved", "{e3c9e316-0b5c-4db8-817d-f92df00215ae}"),
        c,
        part(117 * MIB + 49 * GIB, 523 * MIB, "Recovery", "{de94bba4-06d1-4d40-a16a-bfd50179d6ac}"),
    ]})
}

/// With a BIOS: a small partition to start from, then the system.
fn mbr() -> Value {
    json!({"style": "MBR", "file_system": "NTFS", "encrypted": false, "largest": 100 * GIB, "partitions": [
        {"offset": MIB, "size": 549 * MIB, "kind": "IFS", "mbr_type": 7},
        {"offset": 550 * MIB, "size": 49 * GIB, "kind": "IFS", "mbr_type": 7, "system": true},
    ]})
}

fn with(mut layout: Value, change: impl FnOnce(&mut Value)) -> Value {
    change(&mut layout);
    layout
}

/// Every layout that was thought of, and what becomes of it.
fn layouts() -> Vec<(&'static str, Value, Plan)> {
    let refuse = Plan::Refuse;
    vec![
        ("2019, disk made larger", server_2019(), Plan::Grow),
        ("2019, as large as it can be", with(server_2019(), |l| l["largest"] = json!(49 * GIB)), Plan::Keep),
        (
            "2019, a few MiB left",
            with(server_2019(), |l| l["largest"] = json!(49 * GIB + 7 * MIB)),
            Plan::Keep,
        ),
        (
            "2019, just worth it",
            with(server_2019(), |l| l["largest"] = json!(49 * GIB + 8 * MIB)),
            Plan::Grow,
        ),
        (
            "2019, smaller than it is: never",
            with(server_2019(), |l| l["largest"] = json!(40 * GIB)),
            Plan::Keep,
        ),
        ("2022, recovery behind it", server_2022(), refuse("recovery-partition-after")),
        (
            "2022, recovery taken away",
            with(server_2022(), |l| {
                l["partitions"].as_array_mut().unwrap().pop();
                l["largest"] = json!(99 * GIB);
            }),
            Plan::Grow,
        ),
        ("MBR, disk made larger", mbr(), Plan::Grow),
        (
            "MBR, recovery behind it",
            with(mbr(), |l| {
                let recovery =
                    json!({"offset": 60 * GIB, "size": 500 * MIB, "kind": "Unknown", "mbr_type": 0x27});
                l["partitions"].as_array_mut().unwrap().push(recovery);
            }),
            refuse("recovery-partition-after"),
        ),
        (
            "data behind it",
            with(server_2019(), |l| {
                l["partitions"].as_array_mut().unwrap().push(part(60 * GIB, 10 * GIB, "Basic", BASIC));
            }),
            refuse("partition-after"),
        ),
        (
            "dynamic disk, GPT",
            with(server_2019(), |l| {
                l["partitions"][3]["gpt_type"] = "{AF9B60A0-1431-4F62-BC68-3311714A69AD}".into()
            }),
            refuse("dynamic-disk"),
        ),
        (
            "dynamic disk, MBR",
            with(mbr(), |l| l["partitions"][1]["mbr_type"] = 0x42.into()),
            refuse("dynamic-disk"),
        ),
        ("BitLocker", with(server_2019(), |l| l["encrypted"] = true.into()), refuse("bitlocker")),
        ("BitLocker is not installed", with(server_2019(), |l| l["encrypted"] = Value::Null), Plan::Grow),
        ("ReFS", with(server_2019(), |l| l["file_system"] = "ReFS".into()), Plan::Grow),
        (
            "another file system",
            with(server_2019(), |l| l["file_system"] = "FAT32".into()),
            refuse("file-system"),
        ),
        ("no volume", with(server_2019(), |l| l["file_system"] = Value::Null), refuse("file-system")),
        ("no size is told", with(server_2019(), |l| l["largest"] = Value::Null), refuse("size-unknown")),
        ("no table", with(server_2019(), |l| l["style"] = "RAW".into()), refuse("no-partition-table")),
        (
            "no system",
            with(server_2019(), |l| l["partitions"][3]["system"] = false.into()),
            refuse("no-system-partition"),
        ),
        ("nothing at all", json!({}), refuse("no-system-partition")),
    ]
}

#[test]
fn every_recorded_layout_grows_or_says_why_not() {
    let all = layouts();
    for (name, layout, expected) in &all {
        let layout: Layout = serde_json::from_value(layout.clone()).unwrap();
        assert_eq!(plan(&layout), *expected, "{name}");
    }
    // What would refuse is asked before what would grow: two reasons at once are one refusal.
    let both = with(server_2022(), |l| l["encrypted"] = true.into());
    assert_eq!(plan(&serde_json::from_value(both).unwrap()), Plan::Refuse("bitlocker"));
    // Each reason of the script is the reason of some layout here, and the other way round.
    let script = grower();
    let said: std::collections::BTreeSet<&str> =
        script.split("Write-Output 'refused ").skip(1).filter_map(|rest| rest.split('\'').next()).collect();
    let met = all.iter().filter_map(|(_, _, p)| if let Plan::Refuse(why) = p { Some(*why) } else { None });
    assert_eq!(said, met.collect());
}

/// Nothing that changes a disk stands before the last question, and there is one such thing.
#[test]
fn the_script_asks_everything_before_it_touches_anything() {
    let script = grower();
    let change = script.find("Resize-Partition").expect("it grows");
    assert_eq!(script.matches("Resize-Partition").count(), 1);
    assert!(script.find("refused ").unwrap() < change);
    let last = script.rfind("Write-Output 'refused ").unwrap();
    assert!(last < change, "something is refused after it");
    for other in
        ["Remove-Partition", "Format-Volume", "New-Partition", "Clear-Disk", "Set-Partition", "diskpart"]
    {
        assert!(!script.contains(other), "{other}");
    }
}

fn setup(login: &str, password: &str, hostname: &str) -> GuestSetup {
    GuestSetup {
        family: Family::Windows,
        hostname: hostname.into(),
        login: login.into(),
        password: Some(password.to_owned().into()),
        ssh_keys: vec![],
        way: Some(JobWay::Account {
            login: "slipway-job".into(),
            password: "Vq7-tRn2xLp9aA1-".to_owned().into(),
        }),
    }
}

#[test]
fn what_is_written_is_powershell() {
    let whole = first_boot(&setup("anna", "Vq7-tRn2xLp9", "web-01"));
    let (batch, inside) = whole.expose_secret().split_once("#:powershell\r\n").unwrap();
    assert_eq!(fault(&inside.replace("\r\n", "\n")), None);
    assert_eq!(fault(&grower()), None);
    let keeper = include_str!("../../../automation/guest/windows/slipway-guest.ps1");
    assert_eq!(fault(keeper), None);
    let command = batch.split("-Command \"").nth(1).and_then(|rest| rest.split("\"\r\n").next()).unwrap();
    assert_eq!(fault(command), None);
    // It can see one that is none.
    assert!(fault(&grower().replacen("exit 3 }", "exit 3", 1)).is_some());
    assert!(whole.expose_secret().len() < 49_000, "{}", whole.expose_secret().len());
    assert!(!whole.expose_secret().contains('@') || !whole.expose_secret().contains("@LOGIN@"));
}

/// Whatever is typed, the script is the same but for its values: words of an alphabet that means nothing to PowerShell.
#[test]
fn no_value_changes_anything_of_the_script_but_itself() {
    let places = |script: &str| -> (Vec<String>, Vec<String>) {
        script
            .lines()
            .map(|line| match line.split_once(" = Decode '").filter(|(name, _)| name.starts_with('$')) {
                Some((name, value)) => (format!("{name} a value"), value.trim_end_matches('\'').to_owned()),
                None => (line.to_owned(), String::new()),
            })
            .unzip()
    };
    let (whole, _) = places(first_boot(&setup("anna", "secret", "web-01")).expose_secret());
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let letters = [
        'a', 'Z', '0', ' ', '\'', '"', '`', '$', '(', ')', '%', '^', '&', '|', '<', '>', '\n', '\r', '@',
        '#', '日',
    ];
    for _ in 0..2_000 {
        let mut typed = || -> String {
            (0..20)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    letters[seed as usize % letters.len()]
                })
                .collect()
        };
        let (login, password, hostname) = (typed(), typed(), typed());
        let (lines, values) = places(first_boot(&setup(&login, &password, &hostname)).expose_secret());
        assert!(lines == whole, "{login:?} {password:?} {hostname:?}");
        assert!(
            values.iter().flat_map(|v| v.chars()).all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
        );
    }
}
