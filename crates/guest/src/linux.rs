//! The script that a Linux guest runs while it is customized, and what it leaves behind there.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

use crate::{GuestSetup, Identity, JobWay};

const FIRST_BOOT: &str = include_str!("../../../automation/guest/first-boot.sh");
/// Keeps name and address right at each start.
const KEEPER: &str = include_str!("../../../automation/guest/slipway-guest");
/// Gives the root file system all of its disk.
const GROWER: &str = include_str!("../../../automation/guest/slipway-grow");
/// Lends a disguised system its own identity.
const IDENTITY: &str = include_str!("../../../automation/guest/slipway-identity");

/// Renders the first-boot script. Every value goes in as base64: it is data whatever it holds.
pub fn first_boot(setup: &GuestSetup, rests_as: Identity) -> SecretString {
    let way = match &setup.way {
        Some(JobWay::Key(line)) => line.as_str(),
        _ => "",
    };
    let rests_as = match rests_as {
        Identity::Own => "own",
        Identity::CentOs => "centos",
    };
    let password = setup.password.as_ref().map_or("", |p| p.expose_secret());
    let script = FIRST_BOOT
        .replace("@RESTS@", rests_as)
        .replace("@GUEST@", &STANDARD.encode(without_comments(KEEPER)))
        .replace("@IDENTITY@", &STANDARD.encode(without_comments(IDENTITY)))
        .replace("@GROW@", &STANDARD.encode(without_comments(GROWER)))
        .replace("@HOSTNAME@", &STANDARD.encode(setup.hostname.as_bytes()))
        .replace("@LOGIN@", &STANDARD.encode(setup.login.as_bytes()))
        .replace("@PASSWORD@", &STANDARD.encode(password.as_bytes()))
        .replace("@KEYS@", &STANDARD.encode(setup.ssh_keys.join("\n").as_bytes()))
        .replace("@WAY@", &STANDARD.encode(way.as_bytes()));
    SecretString::from(script)
}

/// A customization script may be 49,000 characters long (vcd-api.md §3.7): what only explains stays here.
fn without_comments(script: &str) -> String {
    let explains = |line: &str| line.trim_start().starts_with('#') && !line.starts_with("#!");
    script.lines().filter(|l| !explains(l)).map(|l| format!("{l}\n")).collect()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use domain::catalogue::Family;

    use super::*;

    /// Runs the values part of the script in a real shell and returns what it decoded.
    fn decoded(login: &str, keys: &str) -> String {
        let setup = GuestSetup {
            family: Family::Linux,
            hostname: "web-01".into(),
            login: login.into(),
            password: None,
            ssh_keys: vec![keys.into()],
            way: None,
        };
        let script = first_boot(&setup, Identity::Own);
        let values: String = script
            .expose_secret()
            .lines()
            .filter(|l| l.starts_with("decode()") || l.contains("=$(decode"))
            .chain(["printf '%s|%s' \"$login\" \"$keys\""])
            .collect::<Vec<_>>()
            .join("\n");
        let out = Command::new("sh").arg("-c").arg(values).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }

    #[test]
    fn the_script_is_as_short_as_the_platform_wants_it() {
        let setup = GuestSetup {
            family: Family::Linux,
            hostname: "h".repeat(253),
            login: "l".repeat(32),
            password: Some("p".repeat(64).into()),
            ssh_keys: vec!["k".repeat(800); 10],
            way: Some(JobWay::Key("w".repeat(100))),
        };
        let length = first_boot(&setup, Identity::Own).expose_secret().len();
        assert!(length < 49_000, "{length}");
    }

    /// What every script is but for its five values: line by line, with a hole where a value stands.
    fn without_values(script: &str) -> (Vec<String>, Vec<String>) {
        let (mut lines, mut values) = (Vec::new(), Vec::new());
        for line in script.lines() {
            let place = ["hostname", "login", "password", "keys", "way"]
                .iter()
                .find_map(|name| line.strip_prefix(&format!("{name}=$(decode '"))?.strip_suffix("')"));
            match place {
                Some(value) => {
                    values.push(value.to_owned());
                    lines.push("a value".to_owned());
                }
                None => lines.push(line.to_owned()),
            }
        }
        (lines, values)
    }

    /// Whatever is typed, the script is the same but for its values: words of an alphabet that means nothing to a shell, which
    /// say what was typed.
    #[test]
    fn no_value_changes_anything_of_the_script_but_itself() {
        const LETTERS: &[char] = &[
            'a', 'Z', '0', ' ', '\'', '"', '`', '$', '(', ')', '{', '}', ';', '&', '|', '<', '>', '\\', '\n',
            '\r', '\t', '@', '#', '!', '*', '?', '~', '-', '/', '\0', 'ä', '日',
        ];
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let mut typed = || -> String {
            let length = random() % 40;
            let pieces = ["@LOGIN@", "@GROW@", "')", "END\n", "$(id)"];
            let mut text: String = (0..length).map(|_| LETTERS[random() as usize % LETTERS.len()]).collect();
            if random() % 4 == 0 {
                text += pieces[random() as usize % pieces.len()];
            }
            text
        };
        let plain = |hostname: &str, login: &str, password: &str, key: &str| {
            let setup = GuestSetup {
                family: Family::Linux,
                hostname: hostname.into(),
                login: login.into(),
                password: Some(password.into()),
                ssh_keys: vec![key.into()],
                way: Some(JobWay::Key("ssh-ed25519 JOB".into())),
            };
            without_values(first_boot(&setup, Identity::Own).expose_secret())
        };
        let (whole, values) = plain("web-01", "anna", "secret", "ssh-ed25519 AAAA");
        assert_eq!(
            values,
            ["d2ViLTAx", "YW5uYQ==", "c2VjcmV0", "c3NoLWVkMjU1MTkgQUFBQQ==", "c3NoLWVkMjU1MTkgSk9C"]
        );
        for _ in 0..10_000 {
            let all = [typed(), typed(), typed(), typed()];
            let (lines, values) = plain(&all[0], &all[1], &all[2], &all[3]);
            assert!(lines == whole, "{all:?}");
            for (value, typed) in values.iter().zip(&all) {
                assert!(value.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)), "{value}");
                assert_eq!(STANDARD.decode(value).unwrap(), typed.as_bytes());
            }
        }
    }

    #[test]
    fn nothing_a_customer_typed_leaves_its_place() {
        for nasty in ["'; touch /tmp/x; '", "$(id)", "`id`", "a\\'b", "@PASSWORD@", "\"\n\t|&"] {
            assert_eq!(decoded(nasty, nasty), format!("{nasty}|{nasty}"));
        }
    }
}
