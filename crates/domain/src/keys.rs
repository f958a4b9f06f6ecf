//! SSH public keys, as people paste them.
//!
//! A line that looks like a private key is refused before anything else is read of it, and its text is never part
//! of an error.

use ssh_key::{HashAlg, PublicKey, public::KeyData};

use crate::field::{Code, Field, FieldError};

const LINES_MAX: usize = 10;
const BYTES_MAX: usize = 16 * 1024;
const RSA_MIN_BITS: usize = 2048;

const ACCEPTED: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
];

/// An accepted key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    /// The line as it goes into `authorized_keys`: type, data, comment; nothing else.
    pub line: String,
    pub algorithm: String,
    /// `SHA256:…`
    pub fingerprint: String,
    pub comment: String,
}

/// Reads pasted keys, one a line. Empty lines and `#` comments are passed over.
pub fn check_keys(pasted: &str) -> Result<Vec<SshKey>, Vec<FieldError>> {
    let error = |code, line: usize| FieldError::new(Field::SshKeys, code).with("line", line);
    if let Some(line) = private_key_line(pasted) {
        return Err(vec![error(Code::KeyPrivate, line)]);
    }
    let lines: Vec<(usize, &str)> = pasted
        .lines()
        .enumerate()
        .map(|(i, l)| (i + 1, l.trim()))
        .filter(|(_, l)| !l.is_empty() && !l.starts_with('#'))
        .collect();
    if pasted.len() > BYTES_MAX {
        return Err(vec![FieldError::new(Field::SshKeys, Code::KeysLong).with("max", BYTES_MAX / 1024)]);
    }
    if lines.len() > LINES_MAX {
        return Err(vec![FieldError::new(Field::SshKeys, Code::KeyMany).with("max", LINES_MAX)]);
    }
    let mut keys: Vec<SshKey> = Vec::new();
    let mut errors = Vec::new();
    for (number, line) in lines {
        match check_line(line) {
            Ok(key) if keys.iter().any(|k| k.fingerprint == key.fingerprint) => {}
            Ok(key) => keys.push(key),
            Err(Refused::Weak(bits)) => errors.push(error(Code::KeyWeak, number).with("bits", bits)),
            Err(Refused::Cut) => errors.push(error(Code::KeyCut, number)),
            Err(Refused::Type) => errors.push(error(Code::KeyType, number)),
            Err(Refused::Options) => errors.push(error(Code::KeyOptions, number)),
        }
    }
    if errors.is_empty() { Ok(keys) } else { Err(errors) }
}

/// The number of the first line that belongs to a private key.
pub fn private_key_line(pasted: &str) -> Option<usize> {
    pasted
        .lines()
        .position(|l| {
            l.contains("PRIVATE KEY")
                || l.starts_with("PuTTY-User-Key-File")
                || l.starts_with("Private-Lines:")
        })
        .map(|i| i + 1)
}

/// Replaces private keys by a line without their content, so that the refusal stays and the secret does not. Public keys
/// around them are kept.
pub fn without_private_keys(pasted: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut rest: Vec<&str> = pasted.lines().collect();
    while let Some(first) = private_key_line(&rest.join("\n")) {
        kept.extend(&rest[..first - 1]);
        let after = &rest[first..];
        let end = after.iter().position(|l| l.starts_with("-----END") || l.starts_with("Private-MAC:"));
        // Without an end the rest may be secret too.
        rest = end.map_or_else(Vec::new, |end| after[end + 1..].to_vec());
        if !kept.contains(&REDACTED) {
            kept.push(REDACTED);
        }
    }
    kept.extend(rest);
    kept.join("\n")
}

const REDACTED: &str = "-----BEGIN PRIVATE KEY-----";

enum Refused {
    Weak(usize),
    Cut,
    Type,
    Options,
}

fn check_line(line: &str) -> Result<SshKey, Refused> {
    let kind = line.split_whitespace().next().unwrap_or_default();
    if !ACCEPTED.contains(&kind) {
        let known_later = line.split_whitespace().skip(1).any(|word| ACCEPTED.contains(&word));
        return Err(if known_later { Refused::Options } else { Refused::Type });
    }
    let key = PublicKey::from_openssh(line).map_err(|_| Refused::Cut)?;
    if let KeyData::Rsa(rsa) = key.key_data() {
        let bits = rsa.n.as_positive_bytes().map_or(0, |n| n.len() * 8);
        if bits < RSA_MIN_BITS {
            return Err(Refused::Weak(bits));
        }
    }
    let comment: String = key.comment().chars().filter(|c| !c.is_control()).take(80).collect();
    let data = line.split_whitespace().nth(1).unwrap_or_default();
    Ok(SshKey {
        line: format!("{kind} {data} {comment}").trim_end().to_owned(),
        algorithm: kind.to_owned(),
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        comment,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com";

    fn codes(pasted: &str) -> Vec<Code> {
        check_keys(pasted).err().unwrap_or_default().into_iter().map(|e| e.code).collect()
    }

    #[test]
    fn a_key_is_read_with_its_fingerprint() {
        let keys = check_keys(&format!("# mine\n\n{ED25519}\n{ED25519}\n")).unwrap();
        assert_eq!(keys.len(), 1, "the same key twice is one key");
        assert!(keys[0].fingerprint.starts_with("SHA256:"));
        assert_eq!(keys[0].comment, "user@example.com");
    }

    #[test]
    fn what_is_refused_is_named_with_its_line() {
        assert_eq!(codes("ssh-dss AAAAB3NzaC1kc3M="), [Code::KeyType]);
        assert_eq!(codes(&ED25519[..40]), [Code::KeyCut]);
        assert_eq!(codes(&format!("command=\"x\" {ED25519}")), [Code::KeyOptions]);
        let error =
            &check_keys(&format!("{ED25519}\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n")).unwrap_err()[0];
        assert_eq!((error.code, error.param("line")), (Code::KeyPrivate, Some("2")));
    }

    #[test]
    fn a_comment_cannot_smuggle_a_line() {
        let keys = check_keys(&format!("{ED25519} x\u{7}y")).unwrap();
        assert!(!keys[0].line.contains('\u{7}'));
    }

    #[test]
    fn a_private_key_is_not_kept() {
        let pasted = "ssh-ed25519 AAAA me\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----";
        let kept = without_private_keys(pasted);
        assert!(!kept.contains("b3Blbn"));
        assert_eq!(private_key_line(&kept), Some(2));
        let around = format!("ssh-ed25519 AAAA before\n{}\nssh-ed25519 BBBB after", &pasted[24..]);
        assert_eq!(
            without_private_keys(&around),
            "ssh-ed25519 AAAA before\n-----BEGIN PRIVATE KEY-----\nssh-ed25519 BBBB after"
        );
    }
}
