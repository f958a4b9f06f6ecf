//! The rules of the fields against made-up inputs, compiled for the browser and for the server: both must say the same.
//!
//! What is typed is judged twice, by the page and by the server. The code is the same; what it is compiled to, and the
//! width of its numbers, are not. `cargo xtask test` runs [`verdicts`] in both and compares the lines.
//!
//! Not here: rules that only the server has, such as how easily a password is guessed.

mod inputs;

use std::fmt::Write;

use domain::{
    access::{check_login, check_password},
    catalogue::{Family, Range},
    field::Field,
    hostname::{check_hostname, check_name},
    keys::{check_keys, without_private_keys},
    size::{check_bandwidth, check_number},
};

use inputs::Inputs;

const RULES: [&str; 8] =
    ["name", "hostname", "login", "password", "keys", "private keys", "number", "bandwidth"];

/// Judges so many inputs, the same for the same seed. Per rule a line: how often it was kept, how often broken, and a digest of
/// everything that was said.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn verdicts(seed: u32, count: u32) -> String {
    let mut inputs = Inputs::new(seed);
    let mut tallies = [Tally::default(); RULES.len()];
    for _ in 0..count {
        let rule = inputs.below(RULES.len() as u32) as usize;
        let (kept, said) = judge(RULES[rule], &mut inputs);
        tallies[rule].add(kept, &said);
    }
    let mut out = String::new();
    for (rule, tally) in RULES.iter().zip(tallies) {
        let _ = writeln!(out, "{rule}: {} kept, {} broken, {:016x}", tally.kept, tally.broken, tally.digest);
    }
    out
}

fn judge(rule: &str, inputs: &mut Inputs) -> (bool, String) {
    let family = if inputs.below(2) == 0 { Family::Linux } else { Family::Windows };
    match rule {
        "name" => said(check_name(&inputs.words())),
        "hostname" => said(check_hostname(&inputs.host(), family)),
        "login" => said(check_login(&inputs.login(), family, &inputs.host())),
        "password" => {
            let (login, host) = (inputs.login(), inputs.host());
            let errors = check_password(&inputs.password(&login, &host), &login, &host, family);
            (errors.is_empty(), format!("{errors:?}"))
        }
        "keys" => said(check_keys(&inputs.keys())),
        "private keys" => {
            let pasted = inputs.keys();
            let kept = without_private_keys(&pasted);
            (kept == pasted, kept)
        }
        "number" => {
            let (min, step) = (inputs.below(20), 1 + inputs.below(3) * 4);
            let range = Range { min, max: min + inputs.below(2000), step };
            said(check_number(Field::Disk, &inputs.number(), range))
        }
        _ => {
            let typed = inputs.speed(&["10", "50", "100", " 200", "500", "1000"]);
            said(check_bandwidth(&typed, &[10, 50, 100, 200, 500, 1000]))
        }
    }
}

fn said<T: std::fmt::Debug, E: std::fmt::Debug>(verdict: Result<T, E>) -> (bool, String) {
    (verdict.is_ok(), format!("{verdict:?}"))
}

#[derive(Clone, Copy)]
struct Tally {
    kept: u32,
    broken: u32,
    /// FNV-1a.
    digest: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { kept: 0, broken: 0, digest: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Tally {
    fn add(&mut self, kept: bool, said: &str) {
        if kept {
            self.kept += 1;
        } else {
            self.broken += 1;
        }
        for byte in said.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RULES, verdicts};

    #[test]
    fn every_rule_is_kept_and_broken_often_enough_to_say_something() {
        let all = verdicts(1, 20_000);
        assert_eq!(all, verdicts(1, 20_000));
        assert_ne!(all, verdicts(2, 20_000));
        for line in all.lines() {
            let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
            assert!(matches!(numbers[..], [kept, broken, ..] if kept > 100 && broken > 100), "{line}");
        }
        assert_eq!(all.lines().count(), RULES.len());
    }
}
