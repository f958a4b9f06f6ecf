//! Signing in: argon2id on a bounded pool, and a limiter per account.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use domain::{AccountId, state::Role};
use jobs::Clock;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use store::{Store, accounts::Account};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How an attempt to sign in ended.
#[derive(Debug)]
pub enum SignIn {
    In(Account),
    /// Wrong; never says which of the two.
    Wrong,
    /// Too many attempts for this account: try again after this long.
    Locked(Duration),
    /// The hashing pool is full.
    Busy,
}

const TRIES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// The limiter's table never grows beyond this.
const TABLE_MAX: usize = 10_000;
/// Hashes computed at once, and waiting besides.
const HASHES: usize = 2;
const WAITING: usize = 16;
/// Longer input is refused before it is hashed.
const PASSWORD_MAX: usize = 1024;

/// Verified when there is no such account, so that the answer takes the same time. Made of random bytes: no password
/// has it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$q83vEjRWeJCrze8SNFZ4kA$3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8";

/// Verifies passwords without letting a flood of attempts eat the memory.
#[derive(Clone)]
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    hashing: Arc<Semaphore>,
    tries: Arc<Mutex<HashMap<Key, (u32, Instant)>>>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            places: Arc::new(Semaphore::new(HASHES + WAITING)),
            hashing: Arc::new(Semaphore::new(HASHES)),
            tries: Arc::default(),
        }
    }

    pub(crate) async fn sign_in(
        &self,
        store: &Store,
        email: &str,
        password: SecretString,
    ) -> store::Result<SignIn> {
        let name = email.trim().to_lowercase();
        let key = key(&name);
        // Counted before the password is looked at, so that many tries at once are many tries.
        if let Some(wait) = self.count(key) {
            return Ok(SignIn::Locked(wait));
        }
        let Ok(_place) = self.places.try_acquire() else { return Ok(SignIn::Busy) };
        let found = if name.len() <= 254 { store.account_by_email(&name).await? } else { None };
        let (account, expected) = found.map_or((None, NOBODY.to_owned()), |(a, h)| (Some(a), h));
        let Ok(_hashing) = self.hashing.acquire().await else { return Ok(SignIn::Busy) };
        let right = tokio::task::spawn_blocking(move || verify(&password, &expected)).await.unwrap_or(false);
        match account.filter(|_| right) {
            Some(account) => {
                self.forget(key);
                Ok(SignIn::In(account))
            }
            None => Ok(SignIn::Wrong),
        }
    }

    /// Hashes a password, not more of them at once than are verified. `None` where too many wait.
    pub(crate) async fn hash(&self, password: SecretString) -> Option<String> {
        let _place = self.places.try_acquire().ok()?;
        let _hashing = self.hashing.acquire().await.ok()?;
        tokio::task::spawn_blocking(move || hash(&password)).await.ok()?.ok()
    }

    /// Counts a try; answers how long to wait where there were too many.
    fn count(&self, key: Key) -> Option<Duration> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, since) = tries.get(&key).copied().unwrap_or((0, Instant::now()));
        let (count, since) = if since.elapsed() >= WINDOW { (0, Instant::now()) } else { (count, since) };
        if count >= TRIES {
            return Some(WINDOW.saturating_sub(since.elapsed()));
        }
        if tries.len() >= TABLE_MAX && !tries.contains_key(&key) {
            // Whoever invents names loses the oldest of them, not what was counted against one account.
            tries.retain(|_, (_, since)| since.elapsed() < WINDOW);
            let oldest = tries.iter().min_by_key(|(_, (count, since))| (*count, *since)).map(|(key, _)| *key);
            if let Some(oldest) = oldest.filter(|_| tries.len() >= TABLE_MAX) {
                tries.remove(&oldest);
            }
        }
        tries.insert(key, (count + 1, since));
        None
    }

    fn forget(&self, key: Key) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }
}

/// A name in the limiter's table: of one size, however long the name is.
type Key = [u8; 32];

fn key(name: &str) -> Key {
    Sha256::digest(name.as_bytes()).into()
}

fn hasher() -> Argon2<'static> {
    // OWASP's minimum for argon2id: 19 MiB, 2 passes, 1 lane.
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, None).unwrap_or_default())
}

pub(crate) fn hash(password: &SecretString) -> Result<String, String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|e| e.to_string())?;
    hasher()
        .hash_password_with_salt(password.expose_secret().as_bytes(), &salt)
        .map(|h| h.to_string())
        .map_err(|e| e.to_string())
}

fn verify(password: &SecretString, expected: &str) -> bool {
    let password = password.expose_secret().as_bytes();
    password.len() <= PASSWORD_MAX
        && PasswordHash::new(expected).is_ok_and(|h| hasher().verify_password(password, &h).is_ok())
}

/// The four accounts of the demo.
pub fn demo_accounts() -> [(&'static str, &'static str, Role); 4] {
    [
        ("customer@demo.test", "Anna", Role::Customer),
        ("customer2@demo.test", "Boris", Role::Customer),
        ("support@demo.test", "Olga", Role::Support),
        ("admin@demo.test", "Viktor", Role::Admin),
    ]
}

/// Adds an account from the command line. Returns whether its e-mail was free.
pub async fn account_add(
    store: &Store,
    email: &str,
    name: &str,
    role: Role,
    password: SecretString,
) -> Result<bool, String> {
    if password.expose_secret().chars().count() < 12 {
        return Err("the password needs at least 12 characters".into());
    }
    add(store, email, name, role, password, jobs::SystemClock.now_ms()).await
}

/// Adds an account. Returns whether its e-mail was free.
pub(crate) async fn add(
    store: &Store,
    email: &str,
    name: &str,
    role: Role,
    password: SecretString,
    now: i64,
) -> Result<bool, String> {
    // Asked first: hashing is dear, and the demo adds its accounts at each start.
    if store.account_by_email(email).await.map_err(|e| e.to_string())?.is_some() {
        return Ok(false);
    }
    let hash = tokio::task::spawn_blocking(move || hash(&password)).await.map_err(|e| e.to_string())??;
    let account = Account { id: AccountId(Uuid::now_v7()), email: email.into(), name: name.into(), role };
    store.account_add(&account, &hash, now).await.map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_verifies_its_own_password_only() {
        let right = SecretString::from("correct horse");
        let hash = hash(&right).unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify(&right, &hash));
        assert!(!verify(&SecretString::from("wrong horse"), &hash));
        assert!(!verify(&SecretString::from("x".repeat(2000)), &hash));
    }

    #[test]
    fn an_unknown_account_costs_as_much_as_a_known_one() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        let real = hash(&SecretString::from("x")).unwrap();
        assert_eq!(parsed.params, PasswordHash::new(&real).unwrap().params);
        assert!(!verify(&SecretString::from("nobody's password"), NOBODY));
    }
}
