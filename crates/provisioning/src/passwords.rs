//! Passwords of guests: made, and judged.

use domain::access::{GENERATED_ALPHABET, GENERATED_LENGTH};
use secrecy::SecretString;

/// A generated password: 24 characters, about 142 bits, no look-alikes.
pub(crate) fn generate() -> Result<SecretString, getrandom::Error> {
    let alphabet = GENERATED_ALPHABET.as_bytes();
    // Bytes at or above the largest multiple of the alphabet's length would favour its first characters.
    let fair = 256 / alphabet.len() * alphabet.len();
    let mut password = String::with_capacity(GENERATED_LENGTH);
    while password.len() < GENERATED_LENGTH {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let fair_bytes = bytes.iter().map(|b| usize::from(*b)).filter(|b| *b < fair);
        password.extend(
            fair_bytes
                .map(|b| char::from(alphabet[b % alphabet.len()]))
                .take(GENERATED_LENGTH - password.len()),
        );
    }
    Ok(SecretString::from(password))
}

/// Whether a password is too easy to guess, knowing who chose it and for what.
pub(crate) fn is_weak(password: &str, login: &str, hostname: &str) -> bool {
    let score = zxcvbn::zxcvbn(password, &[login, hostname, "slipway"]).score();
    score < zxcvbn::Score::Three
}

#[cfg(test)]
mod tests {
    use domain::{access::check_password, catalogue::Family};
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn generated_ones_satisfy_every_rule() {
        for _ in 0..200 {
            let password = generate().unwrap();
            let errors = check_password(password.expose_secret(), "root", "web-01", Family::Linux);
            assert!(errors.is_empty(), "{errors:?}");
            assert!(!is_weak(password.expose_secret(), "root", "web-01"));
        }
    }

    #[test]
    fn easy_ones_are_weak() {
        for easy in ["password1234", "qwertyuiop12", "web-01web-01", "aaaaaaaaaaaa"] {
            assert!(is_weak(easy, "root", "web-01"), "{easy}");
        }
        assert!(!is_weak("Vq7-tRn2xLp9", "root", "web-01"));
    }
}
