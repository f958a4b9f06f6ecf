//! The whole of what a guest is handed, word by word, but for the programs in it, which stand as files beside it. After a change
//! that is meant: `GOLDEN=write cargo test -p guest`.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::catalogue::Family;
use guest::{GuestSetup, Identity, JobWay, first_boot};
use secrecy::ExposeSecret;

/// A value as long as a program is one; its words are not repeated here.
const PROGRAM: usize = 1000;

fn without_programs(script: &str) -> String {
    let mut text = String::new();
    for line in script.replace("\r\n", "\n").lines() {
        let program = line.split('\'').find(|part| part.len() > PROGRAM);
        let line = match program {
            Some(program) => {
                let read = String::from_utf8(STANDARD.decode(program).unwrap()).unwrap();
                let first = read.lines().find(|l| !l.starts_with("#!")).unwrap_or_default();
                line.replace(program, &format!("<a program that begins with: {first}>"))
            }
            None => line.to_owned(),
        };
        text += &line;
        text.push('\n');
    }
    text
}

fn is_golden(name: &str, setup: &GuestSetup) {
    is_the_same(name, &without_programs(first_boot(setup, Identity::Own).expose_secret()));
}

fn is_the_same(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("GOLDEN").is_some_and(|v| v == "write") {
        std::fs::write(&file, text).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap();
    assert!(text == golden, "{name} is not what it was:\n{text}");
}

fn setup(family: Family, login: &str, way: Option<JobWay>) -> GuestSetup {
    let linux = family == Family::Linux;
    GuestSetup {
        family,
        hostname: if linux { "web-01.example.com" } else { "web-01" }.into(),
        login: login.into(),
        password: Some("Vq7-tRn2xLp9".to_owned().into()),
        ssh_keys: if linux { vec!["ssh-ed25519 AAAAC3Nz anna@home".into()] } else { vec![] },
        way,
    }
}

#[test]
fn linux() {
    let key = JobWay::Key("ssh-ed25519 AAAAC3Nz slipway-job".into());
    is_golden("linux.sh", &setup(Family::Linux, "anna", Some(key)));
}

#[test]
fn windows() {
    let account = JobWay::Account { login: "slipway-job".into(), password: "x".to_owned().into() };
    is_golden("windows.cmd", &setup(Family::Windows, "anna", Some(account)));
    is_the_same("slipway-grow.ps1", &guest::windows::grower());
}
