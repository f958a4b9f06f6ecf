//! The script that a Linux guest runs while it is customized, and what it leaves behind there.
//!
//! All of it is `automation/guest`, in languages that a guest has. Deliberately not here: Windows.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};

use crate::provider::{GuestSettings, GuestSetup};

const FIRST_BOOT: &str = include_str!("../../../automation/guest/first-boot.sh");
/// Keeps name and address right at each start.
const KEEPER: &str = include_str!("../../../automation/guest/slipway-guest");
/// Gives the root file system all of its disk.
const GROWER: &str = include_str!("../../../automation/guest/slipway-grow");

/// Renders the first-boot script. Every value goes in as base64: it is data whatever it holds.
pub fn first_boot(setup: &GuestSetup) -> SecretString {
    let password = setup.password.as_ref().map_or("", |p| p.expose_secret());
    let script = FIRST_BOOT
        .replace("@GUEST@", &STANDARD.encode(without_comments(KEEPER)))
        .replace("@GROW@", &STANDARD.encode(without_comments(GROWER)))
        .replace("@HOSTNAME@", &STANDARD.encode(setup.hostname.as_bytes()))
        .replace("@LOGIN@", &STANDARD.encode(setup.login.as_bytes()))
        .replace("@PASSWORD@", &STANDARD.encode(password.as_bytes()))
        .replace("@KEYS@", &STANDARD.encode(setup.ssh_keys.join("\n").as_bytes()));
    SecretString::from(script)
}

/// A customization script may be 49,000 characters long (vcd-api.md §3.7): what only explains stays here.
fn without_comments(script: &str) -> String {
    let explains = |line: &str| line.trim_start().starts_with('#') && !line.starts_with("#!");
    script.lines().filter(|l| !explains(l)).map(|l| format!("{l}\n")).collect()
}

/// The OVF properties that the installed script reads at each start. Never a secret.
pub(crate) fn properties(settings: &GuestSettings) -> [(&'static str, String); 5] {
    [
        ("slipway.hostname", settings.hostname.clone()),
        ("slipway.address", settings.address.clone()),
        ("slipway.prefix", settings.prefix_length.to_string()),
        ("slipway.gateway", settings.gateway.clone()),
        ("slipway.dns", settings.dns.join(",")),
    ]
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
        };
        let script = first_boot(&setup);
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
        };
        let length = first_boot(&setup).expose_secret().len();
        assert!(length < 49_000, "{length}");
    }

    #[test]
    fn nothing_a_customer_typed_leaves_its_place() {
        for nasty in ["'; touch /tmp/x; '", "$(id)", "`id`", "a\\'b", "@PASSWORD@", "\"\n\t|&"] {
            assert_eq!(decoded(nasty, nasty), format!("{nasty}|{nasty}"));
        }
    }
}
