//! What people keep of themselves: name, password, sessions, keys. Each only their own.

use std::time::Duration;

use domain::{
    field::{Code, Field, FieldError},
    keys::check_keys,
};
use secrecy::{ExposeSecret, SecretString};
use store::{
    Result,
    sessions::{OpenSession, session_key},
    ssh_keys::SavedKey,
};
use uuid::Uuid;

use super::{Facade, Viewer};
use crate::{accounts, passwords};

const NAME_MAX: usize = 60;
const PASSWORD_MIN: usize = 12;
const PASSWORD_MAX: usize = 128;
/// Keys that an account may keep.
const KEYS_MAX: i64 = 50;

/// How a change of password ended.
#[derive(Debug)]
pub enum PasswordChanged {
    /// And so many other sessions were ended.
    Done {
        ended: u64,
    },
    Refused(Vec<FieldError>),
    Locked(Duration),
    Busy,
}

impl Facade {
    pub async fn account_rename(
        &self,
        viewer: &Viewer,
        name: &str,
    ) -> Result<std::result::Result<(), FieldError>> {
        // A name is shown to staff beside others': what cannot be seen, or turns the line around, is no part of it.
        let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let name: String = name.chars().filter(|c| !c.is_control() && !turns(*c)).collect();
        let name = name.trim();
        let length = name.chars().count();
        let error = |code| FieldError::new(Field::AccountName, code);
        if name.is_empty() {
            return Ok(Err(error(Code::NameMissing)));
        }
        if length > NAME_MAX {
            return Ok(Err(error(Code::NameLong).with("max", NAME_MAX).with("length", length)));
        }
        self.store.account_rename(viewer.account.id, name).await?;
        Ok(Ok(()))
    }

    /// Sets another password, if the one until now is known; every other session ends.
    pub async fn password_change(
        &self,
        viewer: &Viewer,
        current: SecretString,
        new: SecretString,
        session: &[u8],
    ) -> Result<PasswordChanged> {
        let account = &viewer.account;
        let errors = password_errors(&new, &account.email, &account.name);
        if !errors.is_empty() {
            return Ok(PasswordChanged::Refused(errors));
        }
        match self.gate.sign_in(&self.store, &account.email, current.clone()).await? {
            accounts::SignIn::In(_) => {}
            accounts::SignIn::Wrong => {
                let wrong = FieldError::new(Field::CurrentPassword, Code::PasswordWrong);
                return Ok(PasswordChanged::Refused(vec![wrong]));
            }
            accounts::SignIn::Locked(wait) => return Ok(PasswordChanged::Locked(wait)),
            accounts::SignIn::Busy => return Ok(PasswordChanged::Busy),
        }
        if current.expose_secret() == new.expose_secret() {
            let same = FieldError::new(Field::NewPassword, Code::PasswordSame);
            return Ok(PasswordChanged::Refused(vec![same]));
        }
        let Some(hash) = self.gate.hash(new).await else { return Ok(PasswordChanged::Busy) };
        self.store.account_password(account.id, &hash).await?;
        let ended = self.store.sessions_revoke_others(account.id, &session_key(session)).await?;
        Ok(PasswordChanged::Done { ended })
    }

    /// The viewer's open sessions, and which of them asks.
    pub async fn sessions(&self, viewer: &Viewer, session: &[u8]) -> Result<Vec<(OpenSession, bool)>> {
        let here = session_key(session);
        let open = self.store.sessions_of(viewer.account.id, self.now_ms()).await?;
        Ok(open.into_iter().map(|s| (s.key == here, s)).map(|(here, s)| (s, here)).collect())
    }

    pub async fn session_revoke(&self, viewer: &Viewer, key: &str) -> Result<bool> {
        self.store.session_revoke(viewer.account.id, key).await
    }

    pub async fn sessions_revoke_others(&self, viewer: &Viewer, session: &[u8]) -> Result<u64> {
        self.store.sessions_revoke_others(viewer.account.id, &session_key(session)).await
    }

    pub async fn ssh_keys(&self, viewer: &Viewer) -> Result<Vec<SavedKey>> {
        self.store.ssh_keys(viewer.account.id).await
    }

    /// Keeps one key, by the rules of an order.
    pub async fn ssh_key_add(
        &self,
        viewer: &Viewer,
        name: &str,
        pasted: &str,
    ) -> Result<std::result::Result<(), Vec<FieldError>>> {
        let error = |code| FieldError::new(Field::SshKeys, code);
        let key = match check_keys(pasted) {
            Ok(keys) if keys.is_empty() => return Ok(Err(vec![error(Code::KeyMissing)])),
            Ok(mut keys) if keys.len() == 1 => keys.remove(0),
            Ok(_) => return Ok(Err(vec![error(Code::KeyMany).with("max", 1)])),
            Err(errors) => return Ok(Err(errors)),
        };
        let name = name.trim();
        let name = if name.is_empty() { key.comment.trim() } else { name };
        let name: String =
            if name.is_empty() { &key.algorithm } else { name }.chars().take(NAME_MAX).collect();
        let saved = SavedKey {
            id: Uuid::now_v7(),
            name,
            line: key.line,
            fingerprint: key.fingerprint,
            preset: false,
            created_at: self.now_ms(),
        };
        let kept = self.store.ssh_key_add(viewer.account.id, &saved, KEYS_MAX).await?;
        Ok(if kept { Ok(()) } else { Err(vec![error(Code::KeyThere).with("max", KEYS_MAX)]) })
    }

    pub async fn ssh_key_remove(&self, viewer: &Viewer, key: Uuid) -> Result<bool> {
        self.store.ssh_key_remove(viewer.account.id, key).await
    }

    pub async fn ssh_key_preset(&self, viewer: &Viewer, key: Uuid, preset: bool) -> Result<bool> {
        self.store.ssh_key_preset(viewer.account.id, key, preset).await
    }
}

/// The rules of a password of ours: long, and not easy to guess for whoever knows its owner.
fn password_errors(password: &SecretString, email: &str, name: &str) -> Vec<FieldError> {
    let error = |code| FieldError::new(Field::NewPassword, code);
    let length = password.expose_secret().chars().count();
    if length < PASSWORD_MIN {
        return vec![error(Code::PasswordShort).with("min", PASSWORD_MIN).with("length", length)];
    }
    if length > PASSWORD_MAX {
        return vec![error(Code::PasswordLong).with("max", PASSWORD_MAX).with("length", length)];
    }
    if passwords::is_weak(password.expose_secret(), email, name) {
        return vec![error(Code::PasswordWeak)];
    }
    Vec::new()
}
