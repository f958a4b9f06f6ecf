//! Disks that were made larger grow by themselves: the script that ships, under a real kernel, over the layouts there are.
//!
//! Tables are made on a small image, which then becomes larger; file systems and volumes are made under the kernel, and
//! the script runs: to plan, to do, and again, which changes nothing. `LAYOUT=swap` tries only those with this in their names.

#![allow(clippy::print_stdout, reason = "sizes before and after are what this is read for")]

use std::{collections::BTreeMap, fmt::Write, path::Path, process::Command};

use testkit::machine::{Disk, Machine, copied};

/// One way a disk may be laid out. `small` is its size in MiB when its table was made, `large` what it has become.
struct Layout {
    name: &'static str,
    disks: &'static [(u64, u64, &'static str)],
    at: At,
    /// Makes the file system and mounts it at `/t`. `$d` is the disk, `$p` what its partitions' names begin with, `$e` a second disk.
    made: &'static str,
    becomes: Becomes,
    /// Has to hold afterwards.
    holds: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Scsi,
    Large,
    Nvme,
}

#[derive(Clone, Copy)]
enum Becomes {
    /// As large as this at least, in MiB.
    Larger(u64),
    Full,
    Refused(&'static str),
}

const LAYOUTS: &[Layout] = &[
    layout("gpt ext4", &[(256, 640, "label: gpt\nsize=64MiB, type=U\ntype=L")], "mkfs.ext4 -q ${p}2; mount ${p}2 /t", Becomes::Larger(540)),
    layout("mbr ext4", &[(256, 640, "label: dos\nsize=64MiB, type=83\ntype=83")], "mkfs.ext4 -q ${p}2; mount ${p}2 /t", Becomes::Larger(540)),
    layout("gpt xfs", &[(512, 1024, "label: gpt\nsize=64MiB\ntype=L")], "mkfs.xfs -q ${p}2; mount ${p}2 /t", Becomes::Larger(940)),
    layout("mbr xfs", &[(512, 1024, "label: dos\nsize=64MiB, type=83\ntype=83")], "mkfs.xfs -q ${p}2; mount ${p}2 /t", Becomes::Larger(940)),
    layout("one partition", &[(128, 512, "label: dos\ntype=83, bootable")], "mkfs.ext4 -q ${p}1; mount ${p}1 /t", Becomes::Larger(490)),
    Layout { at: At::Nvme, ..layout("nvme", &[(128, 512, "label: gpt\nsize=32MiB\ntype=L")], "mkfs.ext4 -q ${p}2; mount ${p}2 /t", Becomes::Larger(450)) },
    Layout {
        at: At::Large,
        ..layout(
            "blocks of 4 kB",
            &[(512, 512, "")],
            "printf 'label: gpt\\nsize=64MiB\\nsize=128MiB\\n' | sfdisk -q $d; partx -u $d; mkfs.ext4 -q ${p}2; mount ${p}2 /t",
            Becomes::Larger(420),
        )
    },
    layout("no table", &[(128, 512, "")], "mkfs.ext4 -q $d 100M; mount $d /t", Becomes::Larger(480)),
    layout(
        "gpt lvm",
        &[(256, 640, "label: gpt\nsize=64MiB\ntype=V")],
        "pvcreate -q ${p}2; vgcreate -q vg ${p}2; lvcreate -q -y -l 100%FREE -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t",
        Becomes::Larger(530),
    ),
    Layout {
        holds: "[ $(blockdev --getsize64 /dev/vg/home) = 33554432 ] && [ $(blockdev --getsize64 /dev/vg/swap) = 33554432 ]",
        ..layout(
            "gpt lvm, three volumes, xfs",
            &[(640, 1024, "label: gpt\nsize=64MiB\ntype=V")],
            "pvcreate -q ${p}2; vgcreate -q vg ${p}2; lvcreate -q -y -L 32M -n home vg; lvcreate -q -y -L 32M -n swap vg
             lvcreate -q -y -l 100%FREE -n root vg; mkfs.xfs -q /dev/vg/root; mount /dev/vg/root /t",
            Becomes::Larger(860),
        )
    },
    layout(
        "lvm on two partitions of one disk",
        &[(256, 640, "label: gpt\nsize=100MiB, type=V\ntype=V")],
        "pvcreate -q ${p}1 ${p}2; vgcreate -q vg ${p}1 ${p}2; lvcreate -q -y -l 100%FREE -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t",
        Becomes::Larger(590),
    ),
    layout(
        "lvm on two disks, one without a table",
        &[(128, 256, "label: gpt\ntype=V"), (128, 256, "")],
        "pvcreate -q ${p}1; pvcreate -q --setphysicalvolumesize 100M -y $e; vgcreate -q vg ${p}1 $e
         lvcreate -q -y -l 100%FREE -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t",
        Becomes::Larger(470),
    ),
    layout(
        "mbr lvm in an extended partition",
        &[(256, 640, "label: dos\nsize=64MiB, type=83\ntype=5\ntype=8e")],
        "pvcreate -q ${p}5; vgcreate -q vg ${p}5; lvcreate -q -y -l 100%FREE -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t",
        Becomes::Larger(530),
    ),
    Layout {
        holds: SWAP_STAYS,
        ..layout(
            "mbr, swap at the end in an extended partition",
            &[(256, 640, "label: dos\nsize=190MiB, type=83, bootable\ntype=5\ntype=82")],
            "mkfs.ext4 -q ${p}1; mount ${p}1 /t; s=${p}5; mkswap -L swp $s; swapon $s; blkid -p -s UUID -o value $s >/uuid",
            Becomes::Larger(550),
        )
    },
    Layout {
        holds: SWAP_STAYS,
        ..layout(
            "gpt, swap at the end",
            &[(256, 640, "label: gpt\nsize=16MiB\nsize=170MiB\ntype=S")],
            "mkfs.ext4 -q ${p}2; mount ${p}2 /t; s=${p}3; mkswap -L swp $s; swapon $s; blkid -p -s UUID -o value $s >/uuid",
            Becomes::Larger(520),
        )
    },
    Layout {
        holds: SWAP_STAYS,
        ..layout(
            "swap at the end, and making it anew fails once",
            &[(256, 640, "label: gpt\nsize=190MiB\ntype=S")],
            "mkfs.ext4 -q ${p}1; mount ${p}1 /t; s=${p}2; mkswap -L swp $s; swapon $s; blkid -p -s UUID -o value $s >/uuid
             broken mkswap",
            Becomes::Larger(540),
        )
    },
    layout(
        "lvm, and making the volume larger fails once",
        &[(256, 640, "label: gpt\ntype=V")],
        "pvcreate -q ${p}1; vgcreate -q vg ${p}1; lvcreate -q -y -l 100%FREE -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t
         broken lvextend",
        Becomes::Larger(590),
    ),
    layout(
        "the file system could not be made larger once",
        &[(256, 640, "label: gpt\ntype=L")],
        "mkfs.ext4 -q ${p}1; mount ${p}1 /t; broken resize2fs",
        Becomes::Larger(590),
    ),
    layout("grows while it runs", &[(256, 256, "label: gpt\ntype=L")], "mkfs.ext4 -q ${p}1; mount ${p}1 /t; echo resize $n 671088640; sleep 1", Becomes::Larger(590)),
    layout("full", &[(256, 256, "label: gpt\ntype=L")], "mkfs.ext4 -q ${p}1; mount ${p}1 /t", Becomes::Full),
    layout("full, another partition at the end", &[(256, 256, "label: dos\nsize=128MiB\ntype=83")], "mkfs.ext4 -q ${p}1; mount ${p}1 /t", Becomes::Full),
    Layout {
        holds: "[ $(vgs --noheadings -o vg_free_count vg) -gt 20 ]",
        ..layout(
            "room that somebody keeps in the group",
            &[(256, 256, "label: gpt\ntype=V")],
            "pvcreate -q ${p}1; vgcreate -q vg ${p}1; lvcreate -q -y -L 128M -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t",
            Becomes::Full,
        )
    },
    layout(
        "another partition behind it",
        &[(256, 640, "label: gpt\nsize=128MiB\ntype=L")],
        "mkfs.ext4 -q ${p}1; mkfs.ext4 -q ${p}2; mount ${p}1 /t",
        Becomes::Refused("partition"),
    ),
    layout(
        "an empty partition behind it",
        &[(256, 640, "label: gpt\nsize=128MiB\ntype=L")],
        "mkfs.ext4 -q ${p}1; mount ${p}1 /t",
        Becomes::Refused("partition"),
    ),
    layout(
        "lvm, another partition behind it",
        &[(256, 640, "label: gpt\nsize=128MiB, type=V\ntype=L")],
        "pvcreate -q ${p}1; vgcreate -q vg ${p}1; lvcreate -q -y -l 100%FREE -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t",
        Becomes::Refused("partition"),
    ),
    layout(
        "a striped volume",
        &[(256, 640, "label: gpt\nsize=100MiB, type=V\ntype=V")],
        "pvcreate -q ${p}1 ${p}2; vgcreate -q vg ${p}1 ${p}2; lvcreate -q -y -i 2 -l 40 -n root vg; mkfs.ext4 -q /dev/vg/root; mount /dev/vg/root /t",
        Becomes::Refused("volume"),
    ),
    layout(
        "a volume with a snapshot",
        &[(256, 640, "label: gpt\ntype=V")],
        "pvcreate -q ${p}1; vgcreate -q vg ${p}1; lvcreate -q -y -L 64M -n root vg; mkfs.ext4 -q /dev/vg/root
         lvcreate -q -y -s -L 32M -n kept vg/root; mount /dev/vg/root /t",
        Becomes::Refused("volume"),
    ),
    layout(
        "an encrypted disk",
        &[(256, 640, "label: gpt\ntype=L")],
        // What the kernel shows of one: a mapping that is named as the encryption's own are.
        "DM_DISABLE_UDEV=1 dmsetup create -u CRYPT-LUKS2-00000000000000000000000000000000-root --table \"0 200000 linear ${p}1 0\" root
         mkfs.ext4 -q /dev/mapper/root; mount /dev/mapper/root /t",
        Becomes::Refused("encrypted"),
    ),
    layout("another file system", &[(64, 64, "")], "mount -t tmpfs none /t", Becomes::Refused("filesystem")),
    layout("nothing mounted", &[(64, 64, "")], "true", Becomes::Refused("mount")),
    layout(
        "a disk of 3 TiB with an old table",
        &[(256, 3 << 20, "label: dos\ntype=83")],
        // What it would do: a table of this kind has 32 bits for a size. Making that much file system takes too long here.
        "mkfs.ext4 -q ${p}1; mount ${p}1 /t; slipway-grow --plan /t | grep -q \"plan partition ${p}1 [0-9]* 2199021158400\" && echo fits >/fits; umount /t; mount -t tmpfs none /t",
        Becomes::Refused("filesystem"),
    ),
];

/// The swap that was there is there, under its name, in use, at the end of the disk.
const SWAP_STAYS: &str = "[ $(blkid -p -s UUID -o value $s) = $(cat /uuid) ] && [ $(blkid -p -s LABEL -o value $s) = swp ] && grep -q ^$s /proc/swaps";

const fn layout(
    name: &'static str,
    disks: &'static [(u64, u64, &'static str)],
    made: &'static str,
    becomes: Becomes,
) -> Layout {
    Layout { name, disks, at: At::Scsi, made, becomes, holds: "true" }
}

const PROGRAMS: &[&str] = &[
    "sfdisk",
    "partx",
    "lsblk",
    "findmnt",
    "blkid",
    "blockdev",
    "mkswap",
    "swapon",
    "swapoff",
    "mkfs.ext4",
    "resize2fs",
    "tune2fs",
    "mkfs.xfs",
    "xfs_growfs",
    "xfs_info",
    "xfs_spaceman",
    "xfs_db",
    "lvm",
    "dmsetup",
    "mawk",
    "mount",
    "umount",
];
const LVM: &[&str] =
    &["lvs", "vgs", "pvs", "pvresize", "lvextend", "pvcreate", "vgcreate", "lvcreate", "vgchange"];
const MODULES: &[&str] =
    &["virtio_pci", "vmw_pvscsi", "sd_mod", "nvme", "dm-mod", "dm-snapshot", "ext4", "xfs"];

const FRAME: &str = r#"
mkdir -p /etc/lvm /t /usr/sbin
ln -sf mawk /usr/bin/awk
echo 'activation { udev_sync=0 udev_rules=0 } devices { use_devicesfile=0 } global { use_lvmlockd=0 }' >/etc/lvm/lvm.conf
scsi() { for b in /sys/block/sd*; do case $(readlink -f $b/device) in */$(($1 / 16)):0:$(($1 % 16)):0) echo /dev/${b##*/};; esac; done; }
# This program fails the first time.
broken() {
    where=$(command -v $1); mv $where $where.kept
    touch /failing
    printf '#!/bin/sh\nmv %s.kept %s\nexit 1\n' $where $where >$where; chmod +x $where
}
says() { while read -r line; do echo "= $1 $line"; done; }
grown() {
    mkdir -p /state/$n; export SLIPWAY_STATE=/state/$n
    echo kept >/t/file
    slipway-grow --plan /t | says plan
    slipway-grow /t | says first
    slipway-grow /t | says second
    # One that failed is gone on with; what that did is not done again.
    [ ! -f /failing ] || slipway-grow /t | says third
    rm -f /failing
    [ "$(cat /t/file)" = kept ] || echo "= lost the file"
}
cleared() { swapoff -a; umount /t; vgchange -q -an vg; dmsetup remove -f root; for b in $d $e; do [ ! -b $b ] || dd if=/dev/zero of=$b bs=1M count=4; partx -d $b; done; } >/dev/null 2>&1
"#;

#[test]
fn partitions_and_file_systems_grow_whatever_the_layout() {
    try_layouts(|layout| !layout.made.contains("pvcreate"));
}

#[test]
fn volumes_grow_whatever_the_layout() {
    try_layouts(|layout| layout.made.contains("pvcreate"));
}

fn try_layouts(these: impl Fn(&Layout) -> bool) {
    let dir = tempfile::tempdir().unwrap();
    let (mut disks, mut script, mut nvmes) = (Vec::new(), FRAME.to_owned(), 0);
    let only = std::env::var("LAYOUT").unwrap_or_default();
    let layouts = || LAYOUTS.iter().filter(|l| these(l) && l.name.contains(&only));
    for (at, layout) in layouts().enumerate() {
        let first = disks.len();
        for (n, (small, large, table)) in layout.disks.iter().enumerate() {
            let file = dir.path().join(format!("{at}-{n}"));
            image(&file, *small, *large, table);
            disks.push(match layout.at {
                At::Scsi => Disk::Scsi(file),
                At::Large => Disk::Large(file),
                At::Nvme => Disk::Nvme(file),
            });
        }
        let d =
            if layout.at == At::Nvme { format!("/dev/nvme{nvmes}n1") } else { format!("$(scsi {first})") };
        let p = if layout.at == At::Nvme { "${d}p" } else { "$d" };
        nvmes += usize::from(layout.at == At::Nvme);
        let e = if layout.disks.len() > 1 { format!("$(scsi {})", first + 1) } else { String::new() };
        writeln!(script, "echo '# {}'; n={first}; d={d}; p={p}; e={e}", layout.name).unwrap();
        writeln!(script, "{{ {}\n}} >/log 2>&1 || cat /log; grep '^resize' /log", layout.made).unwrap();
        writeln!(script, "sleep 0.2; grown 2>&1").unwrap();
        writeln!(
            script,
            "if {}; then echo '= holds'; else echo '= does not hold'; cat /log; sfdisk -d $d; fi; cleared",
            layout.holds
        )
        .unwrap();
    }
    let mut files: Vec<_> =
        LVM.iter().map(|name| (format!("/usr/bin/{name}"), 0o755, lvm_as(name))).collect();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../automation/guest/slipway-grow");
    files.push(copied(&shipped, "/usr/bin/slipway-grow"));
    files.push(copied(Path::new("/etc/mke2fs.conf"), "/etc/mke2fs.conf"));
    let said = Machine { programs: PROGRAMS.to_vec(), modules: MODULES.to_vec(), files, disks, script }.run();
    let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut name = "";
    for line in said.lines() {
        match line.split_once(' ') {
            Some(("#", rest)) => name = rest,
            _ => by_name.entry(name).or_default().push(line),
        }
    }
    let mut faults = Vec::new();
    for layout in layouts() {
        let lines = by_name.get(layout.name).cloned().unwrap_or_default();
        if let Err(fault) = judge(layout, &lines) {
            faults.push(format!("{}: {fault}\n  {}", layout.name, lines.join("\n  ")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// An image of a disk with its table, made when it was small.
fn image(file: &Path, small: u64, large: u64, table: &str) {
    let disk = std::fs::File::create(file).unwrap();
    disk.set_len(small << 20).unwrap();
    if !table.is_empty() {
        let mut sfdisk = Command::new("/sbin/sfdisk");
        let mut sfdisk = sfdisk.arg("-q").arg(file).stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut sfdisk.stdin.take().unwrap(), table.as_bytes()).unwrap();
        assert!(sfdisk.wait().unwrap().success(), "{table}");
    }
    disk.set_len(large << 20).unwrap();
}

/// LVM is one program that goes by the name it is called by.
fn lvm_as(name: &str) -> Vec<u8> {
    format!("#!/bin/sh\nexec lvm {name} \"$@\"\n").into_bytes()
}

fn judge(layout: &Layout, lines: &[&str]) -> Result<(), String> {
    let said = |run: &str| -> Vec<&str> {
        lines.iter().filter_map(|l| l.strip_prefix("= ")?.strip_prefix(run)?.strip_prefix(' ')).collect()
    };
    let (plan, first, second, third) = (said("plan"), said("first"), said("second"), said("third"));
    let fails = layout.made.contains("broken ");
    if lines.contains(&"= lost the file") && !matches!(layout.becomes, Becomes::Refused("mount")) {
        return Err("the file is lost".into());
    }
    if !lines.contains(&"= holds") {
        return Err("what has to hold afterwards does not".into());
    }
    let starts = |said: &[&str], word: &str| said.last().is_some_and(|l| l.starts_with(word));
    match layout.becomes {
        Becomes::Larger(mib) => {
            let done = |said: &[&str]| -> Option<(u64, u64)> {
                let mut words = said.last()?.strip_prefix("done /t ")?.split(' ');
                Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
            };
            if fails && !starts(&first, "failed") && done(&first).is_some() {
                return Err("nothing failed the first time".into());
            }
            let (from, to) = done(if fails { &second } else { &first }).ok_or("it was not done")?;
            if to <= from || to >> 20 < mib {
                return Err(format!("from {} to {} MiB, expected {mib}", from >> 20, to >> 20));
            }
            if plan.is_empty() || !plan.iter().all(|l| l.starts_with("plan ")) {
                return Err("the plan is no plan".into());
            }
            println!("{:50} {:5} -> {:5} MiB", layout.name, from >> 20, to >> 20);
            if !starts(if fails { &third } else { &second }, "full") {
                Err("another run found something to do".into())
            } else {
                Ok(())
            }
        }
        Becomes::Full => {
            let all = [plan, first, second];
            if all.iter().all(|said| said.len() == 1 && starts(said, "full")) {
                Ok(())
            } else {
                Err("it is not full".into())
            }
        }
        Becomes::Refused(reason) => {
            let all = [plan, first, second];
            let refused = format!("refused {reason} ");
            if all.iter().all(|said| said.len() == 1 && starts(said, &refused)) {
                Ok(())
            } else {
                Err("it is not refused".into())
            }
        }
    }
}
