//! Sealing: XChaCha20-Poly1305 under a key that lives outside the database.
//!
//! What a value belongs to is bound into it: a sealed password moved to another row does not open there.

use std::{fs, io, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::error::{Error, Result};

const NONCE: usize = 24;

#[derive(Clone)]
pub struct Sealer {
    cipher: Arc<XChaCha20Poly1305>,
    fingerprint: String,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}

impl Sealer {
    pub fn new(key: &[u8; 32]) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::new().chain_update(b"slipway sealing key").chain_update(key).finalize();
        let fingerprint = STANDARD.encode(&digest[..12]);
        Self { cipher: Arc::new(XChaCha20Poly1305::new(key.into())), fingerprint }
    }

    /// Tells keys apart without saying anything of them.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Reads the key file, making it on the first start, readable by its owner only.
    pub fn from_file(file: &Path) -> io::Result<Self> {
        match fs::read(file) {
            Ok(bytes) => {
                let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("{} is not a 32-byte key", file.display()),
                    )
                })?;
                Ok(Self::new(&key))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(|e| io::Error::other(e.to_string()))?;
                write_private(file, &key)?;
                Ok(Self::new(&key))
            }
            Err(e) => Err(e),
        }
    }

    pub fn seal(&self, owner: Uuid, secret: &SecretString) -> Result<String> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| Error::Sealed)?;
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: owner.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Sealed)?;
        Ok(STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    pub fn open(&self, owner: Uuid, sealed: &str) -> Result<SecretString> {
        let bytes = STANDARD.decode(sealed).map_err(|_| Error::Sealed)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or(Error::Sealed)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Error::Sealed)?;
        let payload = Payload { msg: sealed, aad: owner.as_bytes() };
        let open = self.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| Error::Sealed)?;
        String::from_utf8(open).map(SecretString::from).map_err(|_| Error::Sealed)
    }
}

#[cfg(unix)]
fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut f = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    f.write_all(bytes)?;
    f.sync_all()
}

#[cfg(not(unix))]
fn write_private(file: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(file, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_only_for_what_it_was_sealed_for() {
        let sealer = Sealer::new(&[7; 32]);
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let sealed = sealer.seal(a, &SecretString::from("Vq7-tRn2")).unwrap();
        assert!(!sealed.contains("Vq7"));
        assert_eq!(sealer.open(a, &sealed).unwrap().expose_secret(), "Vq7-tRn2");
        assert!(sealer.open(b, &sealed).is_err());
        assert!(Sealer::new(&[8; 32]).open(a, &sealed).is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("key");
        let sealed = Sealer::from_file(&file).unwrap().seal(Uuid::nil(), &SecretString::from("x")).unwrap();
        assert!(Sealer::from_file(&file).unwrap().open(Uuid::nil(), &sealed).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
