//! Signing in to a Linux guest as its owner would, with the client that everybody uses.
//!
//! With a password it signs in and looks around. Of a key only the public half is known here: the server is asked whether
//! it would take it, which it says before anything is signed. A password goes by a pipe that only this process's user
//! can open: it is in no argument, in no environment and on no disk, whenever this process dies. Whose host it is cannot be known: a guest
//! makes its own keys at its first start.

use std::{
    io::{self, Write},
    path::Path,
    process::Stdio,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::{process::Command, time::timeout};

use crate::{
    private::PrivateFolder,
    provider::{Access, GuestLogin, ProviderError, ProviderErrorKind, Result},
};

/// One attempt takes so long at most: a name server that does not answer holds some servers up.
const ATTEMPT: Duration = Duration::from_secs(30);
/// What a guest is asked to say of itself. A login that runs something else than a shell says nothing.
const LOOK: &str = "uname -n; ip -4 -o addr show scope global 2>/dev/null || true";

/// Whether the guest at this address lets somebody in.
pub(crate) async fn lets_in(address: &str, login: &GuestLogin) -> Result<Access> {
    let failed = |e: io::Error| ProviderError::new(ProviderErrorKind::Transient, format!("ssh: {e}"));
    let private = PrivateFolder::new("slipway").map_err(failed)?;
    let password = login.password.as_ref();
    let keys = if password.is_some() { &[] } else { login.ssh_keys.as_slice() };
    if let Some(password) = password {
        return with_password(&private, address, login, password).await.map_err(failed);
    }
    let mut all = Access::LetsIn { hostname: None, addresses: None };
    for (n, key) in keys.iter().enumerate() {
        let file = private.file(&format!("{n}.pub"), 0o600, &format!("{key}\n")).map_err(failed)?;
        let seen = with_key(&file, address, login).await.map_err(failed)?;
        if !matches!(seen, Access::LetsIn { .. }) {
            all = seen;
        }
    }
    Ok(if keys.is_empty() { Access::Refused } else { all })
}

async fn with_password(
    private: &PrivateFolder,
    address: &str,
    login: &GuestLogin,
    password: &SecretString,
) -> io::Result<Access> {
    let mut pipe = private.pipe("password")?;
    writeln!(pipe, "{}", password.expose_secret())?;
    let read = format!(
        "#!/bin/sh\nIFS= read -r told <'{}/password'\nprintf '%s\\n' \"$told\"\n",
        private.path().display()
    );
    let asked = private.file("asked", 0o700, &read)?;
    let mut ssh = client(address, login);
    ssh.args([
        "-o",
        "PreferredAuthentications=password,keyboard-interactive",
        "-o",
        "PubkeyAuthentication=no",
    ]);
    ssh.arg(address)
        .arg(LOOK)
        .env("SSH_ASKPASS", asked)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .env("DISPLAY", ":");
    let ended = ended(ssh).await?;
    drop(pipe);
    let Some((ended_well, said, why)) = ended else { return Ok(Access::Silent) };
    if !ended_well {
        return Ok(refused_or_silent(&why));
    }
    let mut lines = said.lines();
    let hostname = lines.next().map(str::to_owned).filter(|name| !name.is_empty());
    let addresses: Vec<String> = lines.filter_map(address_of).collect();
    Ok(Access::LetsIn { hostname, addresses: (!addresses.is_empty()).then_some(addresses) })
}

async fn with_key(public: &Path, address: &str, login: &GuestLogin) -> io::Result<Access> {
    let mut ssh = client(address, login);
    ssh.args([
        "-v",
        "-o",
        "PreferredAuthentications=publickey",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        "BatchMode=yes",
        "-i",
    ]);
    ssh.arg(public).arg(address).arg("true");
    let Some((_, _, why)) = ended(ssh).await? else { return Ok(Access::Silent) };
    if why.contains("Server accepts key") {
        return Ok(Access::LetsIn { hostname: None, addresses: None });
    }
    Ok(refused_or_silent(&why))
}

fn client(address: &str, login: &GuestLogin) -> Command {
    let mut ssh = Command::new("ssh");
    for setting in [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        "NumberOfPasswordPrompts=1",
        "ConnectTimeout=5",
        "ServerAliveInterval=5",
        "IdentityAgent=none",
        "ForwardAgent=no",
        "ClearAllForwardings=yes",
    ] {
        ssh.args(["-o", setting]);
    }
    // No settings of whoever runs this, and nothing of the address or login is an option.
    ssh.args(["-F", "none", "-l", &login.login]);
    debug_assert!(!address.starts_with('-'));
    ssh.stdin(Stdio::null()).kill_on_drop(true);
    ssh
}

/// Whether it ended well, what it said, and what of errors; `None` where it took too long.
async fn ended(mut ssh: Command) -> io::Result<Option<(bool, String, String)>> {
    let Ok(done) = timeout(ATTEMPT, ssh.output()).await else { return Ok(None) };
    let done = done?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some((done.status.success(), text(&done.stdout), text(&done.stderr))))
}

fn refused_or_silent(why: &str) -> Access {
    if why.contains("Permission denied") || why.contains("Too many authentication failures") {
        Access::Refused
    } else {
        Access::Silent
    }
}

/// The address in a line of `ip -o addr`: "2: eth0    inet 10.0.0.2/30 …".
fn address_of(line: &str) -> Option<String> {
    let mut words = line.split_whitespace().skip_while(|w| *w != "inet").skip(1);
    Some(words.next()?.split('/').next()?.to_owned())
}
