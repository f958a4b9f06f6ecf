//! First boots: whatever is typed, nothing of a script changes but its values, and these say what was typed.
#![no_main]

use std::sync::OnceLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::catalogue::Family;
use guest::{GuestSetup, Identity, JobWay, first_boot};
use libfuzzer_sys::fuzz_target;
use secrecy::ExposeSecret;

fn render(family: Family, typed: [&str; 5]) -> String {
    let [hostname, login, password, key, way] = typed.map(str::to_owned);
    let way = match family {
        Family::Linux => JobWay::Key(way),
        Family::Windows => JobWay::Account { login: way, password: "p".to_owned().into() },
    };
    let ssh_keys = if family == Family::Linux { vec![key] } else { vec![] };
    let setup = GuestSetup { family, hostname, login, password: Some(password.into()), ssh_keys, way: Some(way) };
    first_boot(&setup, Identity::Own).expose_secret().to_owned()
}

/// The lines with a hole where a value stands, and the values.
fn holes(script: &str) -> (Vec<&str>, Vec<&str>) {
    let place = |line: &'_ str| line.find("decode '").or_else(|| line.find("= Decode '")).filter(|_| line.len() < 100_000);
    let mut values = Vec::new();
    let lines = script
        .lines()
        .map(|line| match place(line).filter(|_| line.contains("=$(decode '") || line.contains(" = Decode '")) {
            Some(at) => {
                values.push(line[at..].split('\'').nth(1).unwrap_or_default());
                &line[..at]
            }
            None => line,
        })
        .collect();
    (lines, values)
}

fuzz_target!(|typed: [&str; 5]| {
    static WHOLE: OnceLock<[String; 2]> = OnceLock::new();
    let families = [Family::Linux, Family::Windows];
    let whole = WHOLE.get_or_init(|| families.map(|family| render(family, ["a", "b", "c", "d", "e"])));
    for (family, whole) in families.into_iter().zip(whole) {
        let script = render(family, typed);
        let ((lines, values), (expected, _)) = (holes(&script), holes(whole));
        assert!(lines == expected, "the script changed");
        let decoded: Vec<String> =
            values.iter().map(|v| String::from_utf8(STANDARD.decode(v).expect("base64")).expect("text")).collect();
        assert_eq!(decoded[..3], typed[..3].iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
    }
});
