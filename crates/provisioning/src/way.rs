//! The way into a guest that one job has for itself: a key of its own, or an account of its own on Windows, placed at first boot
//! and taken out by the job's last step.

use domain::catalogue::Family;
use ring::signature::{Ed25519KeyPair, KeyPair};
use secrecy::{ExposeSecret, SecretString};
use ssh_key::{
    LineEnding, PrivateKey,
    private::{Ed25519Keypair, Ed25519PrivateKey},
    public::Ed25519PublicKey,
};
use store::panels::Way;

use crate::{passwords, provider::JobWay};

/// By this name whoever looks into a guest sees whose key or account it is.
pub(crate) const NAME: &str = "slipway-job";

/// Makes one that nobody else has.
pub(crate) fn make(family: Family) -> Result<Way, String> {
    match family {
        Family::Linux => key(),
        Family::Windows => {
            // Of all the classes that Windows may ask for.
            let password = passwords::generate().map_err(|e| e.to_string())?;
            let private = SecretString::from(format!("{}aA1-", password.expose_secret()));
            Ok(Way { public: NAME.into(), private })
        }
    }
}

/// What a guest of this family is told of it.
pub(crate) fn told(family: Family, way: Way) -> JobWay {
    match family {
        Family::Linux => JobWay::Key(way.public),
        Family::Windows => JobWay::Account { login: way.public, password: way.private },
    }
}

fn key() -> Result<Way, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| e.to_string())?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|e| e.to_string())?;
    let public: [u8; 32] = pair.public_key().as_ref().try_into().map_err(|_| "a short key")?;
    let pair =
        Ed25519Keypair { public: Ed25519PublicKey(public), private: Ed25519PrivateKey::from_bytes(&seed) };
    let mut key = PrivateKey::from(pair);
    key.set_comment(NAME);
    let public = key.public_key().to_openssh().map_err(|e| e.to_string())?;
    let private = key.to_openssh(LineEnding::LF).map_err(|e| e.to_string())?;
    Ok(Way { public, private: SecretString::from(private.as_str()) })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// OpenSSH reads it, and finds the same public half in it.
    #[test]
    fn a_key_is_one() {
        let way = make(Family::Linux).unwrap();
        let private = crate::private::PrivateFolder::new("slipway-test").unwrap();
        let file = private.file("key", 0o600, way.private.expose_secret()).unwrap();
        let said = Command::new("ssh-keygen").arg("-y").arg("-f").arg(file).output().unwrap();
        assert_eq!(String::from_utf8(said.stdout).unwrap().trim(), way.public);
        assert_ne!(make(Family::Linux).unwrap().public, way.public);
    }
}
