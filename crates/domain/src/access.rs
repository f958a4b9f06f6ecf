//! How somebody signs in to the guest: method, login, password.

use crate::{
    catalogue::Family,
    field::{Code, Field, FieldError},
    hostname::printable,
    kind::closed_list,
};

closed_list! {
    /// How the guest is reached. Windows takes a password only.
    Method { Key = "key", KeyAndPassword = "key_and_password", Password = "password" }
}

impl Method {
    pub const fn uses_key(self) -> bool {
        matches!(self, Self::Key | Self::KeyAndPassword)
    }

    pub const fn uses_password(self) -> bool {
        matches!(self, Self::Password | Self::KeyAndPassword)
    }
}

closed_list! {
    /// Where the guest's first password comes from.
    PasswordSource { Generated = "generated", Own = "own" }
}

pub const PASSWORD_MIN: usize = 12;
pub const PASSWORD_MAX: usize = 64;
/// The symbols that survive guest scripts, unattended set-up and panel installers unquoted.
pub const PASSWORD_SYMBOLS: &str = "!@#*()-_=+[]{},.:;?~";
/// What generated passwords are made of: no look-alikes.
pub const GENERATED_ALPHABET: &str = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789-_=+.:";
pub const GENERATED_LENGTH: usize = 24;

const RESERVED_LINUX: &[&str] = &[
    "daemon",
    "bin",
    "sys",
    "sync",
    "games",
    "man",
    "lp",
    "mail",
    "news",
    "uucp",
    "proxy",
    "www-data",
    "backup",
    "list",
    "irc",
    "gnats",
    "nobody",
    "messagebus",
    "dbus",
    "polkitd",
    "tss",
    "sshd",
    "chrony",
    "ntp",
    "postfix",
    "dovecot",
    "dovenull",
    "exim",
    "mysql",
    "mariadb",
    "postgres",
    "named",
    "bind",
    "apache",
    "nginx",
    "ftp",
    "operator",
    "halt",
    "shutdown",
    "adm",
    "wheel",
    "sudo",
    "admin",
    "administrator",
    "guest",
    "support",
    "cpuser",
    "mailnull",
    "mailman",
    "psaadm",
    "psacln",
    "psaftp",
    "popuser",
    "mgrsecure",
];
const RESERVED_LINUX_PREFIXES: &[&str] = &["systemd-", "cpanel", "ispmgr"];
const RESERVED_WINDOWS: &[&str] = &[
    // The account of our own jobs.
    "slipway-job",
    "guest",
    "defaultaccount",
    "wdagutilityaccount",
    "system",
    "network service",
    "localservice",
    "krbtgt",
    "none",
];

/// The login of the first account in the guest. `root` and `Administrator` are the systems' own.
pub fn check_login(typed: &str, family: Family, hostname: &str) -> Result<String, FieldError> {
    let login = typed.trim();
    let error = |code| FieldError::new(Field::GuestLogin, code);
    match family {
        Family::Linux => {
            if login == "root" {
                return Ok(login.to_owned());
            }
            let mut bytes = login.bytes();
            let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
            let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
            if !first || !rest || login.len() > 32 {
                return Err(error(Code::LoginFormat));
            }
            let reserved = RESERVED_LINUX.contains(&login)
                || RESERVED_LINUX_PREFIXES.iter().any(|prefix| login.starts_with(prefix));
            if reserved { Err(error(Code::LoginReserved)) } else { Ok(login.to_owned()) }
        }
        Family::Windows => {
            if login.eq_ignore_ascii_case("administrator") {
                return Ok("Administrator".into());
            }
            let bad = |c: char| c.is_control() || "\"/\\[]:;|=,+*?<>@".contains(c);
            let length = login.chars().count();
            if length == 0 || length > 20 || login.contains(bad) || login.ends_with('.') {
                return Err(error(Code::LoginFormat));
            }
            if login.eq_ignore_ascii_case(hostname) {
                return Err(error(Code::LoginHostname));
            }
            let lower = login.to_lowercase();
            if RESERVED_WINDOWS.contains(&lower.as_str()) {
                Err(error(Code::LoginReserved))
            } else {
                Ok(login.to_owned())
            }
        }
    }
}

/// The rules of a password somebody chose. Whether it is easy to guess is asked by the server besides.
pub fn check_password(password: &str, login: &str, hostname: &str, family: Family) -> Vec<FieldError> {
    let error = |code| FieldError::new(Field::GuestPassword, code);
    if password.is_empty() {
        return vec![error(Code::PasswordMissing)];
    }
    let mut errors = Vec::new();
    let length = password.chars().count();
    if length < PASSWORD_MIN {
        errors.push(error(Code::PasswordShort).with("min", PASSWORD_MIN).with("length", length));
    }
    if length > PASSWORD_MAX {
        errors.push(error(Code::PasswordLong).with("max", PASSWORD_MAX).with("length", length));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || PASSWORD_SYMBOLS.contains(c);
    if password.chars().any(|c| matches!(c, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё')) {
        errors.push(error(Code::PasswordCyrillic));
    } else if let Some(bad) = password.chars().find(|c| !allowed(*c)) {
        errors.push(error(Code::PasswordAlphabet).with("char", printable(bad)));
    }
    let lower = password.to_lowercase();
    // Windows refuses a password that holds any word of the account's name.
    let words: Vec<String> = match family {
        Family::Linux => vec![login.to_lowercase()],
        Family::Windows => login.to_lowercase().split([' ', '.', '-', '_', '#']).map(str::to_owned).collect(),
    };
    if words.iter().any(|word| word.chars().count() > 2 && lower.contains(word.as_str())) {
        errors.push(error(Code::PasswordLogin));
    }
    if hostname.len() > 2 && lower.contains(&hostname.to_lowercase()) {
        errors.push(error(Code::PasswordHostname));
    }
    let classes = [
        password.chars().any(|c| c.is_ascii_uppercase()),
        password.chars().any(|c| c.is_ascii_lowercase()),
        password.chars().any(|c| c.is_ascii_digit()),
        password.chars().any(|c| PASSWORD_SYMBOLS.contains(c)),
    ];
    if family == Family::Windows && classes.iter().filter(|c| **c).count() < 3 {
        errors.push(error(Code::PasswordClasses));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(typed: &str, family: Family) -> Result<String, Code> {
        check_login(typed, family, "web-01").map_err(|e| e.code)
    }

    fn password(typed: &str) -> Vec<Code> {
        check_password(typed, "anna", "web-01", Family::Linux).into_iter().map(|e| e.code).collect()
    }

    #[test]
    fn linux_logins() {
        for good in ["root", "anna", "_svc", "a-b_1"] {
            assert_eq!(login(good, Family::Linux).as_deref(), Ok(good));
        }
        for bad in ["", "Anna", "1a", "a b", "a;reboot", "анна", &"a".repeat(33)] {
            assert_eq!(login(bad, Family::Linux), Err(Code::LoginFormat), "{bad:?}");
        }
        for reserved in ["admin", "systemd-network", "cpanelphp", "postgres"] {
            assert_eq!(login(reserved, Family::Linux), Err(Code::LoginReserved), "{reserved:?}");
        }
    }

    #[test]
    fn windows_logins() {
        assert_eq!(login("administrator", Family::Windows).as_deref(), Ok("Administrator"));
        assert_eq!(login("Anna Ivanova", Family::Windows).as_deref(), Ok("Anna Ivanova"));
        assert_eq!(login("WEB-01", Family::Windows), Err(Code::LoginHostname));
        for reserved in ["Guest", "Slipway-Job"] {
            assert_eq!(login(reserved, Family::Windows), Err(Code::LoginReserved), "{reserved:?}");
        }
        for bad in ["a/b", "a.", "", "twenty-one characters"] {
            assert_eq!(login(bad, Family::Windows), Err(Code::LoginFormat), "{bad:?}");
        }
    }

    #[test]
    fn passwords_name_each_broken_rule() {
        assert_eq!(password("Vq7-tRn2xLp9"), []);
        assert_eq!(password(""), [Code::PasswordMissing]);
        assert_eq!(password("short"), [Code::PasswordShort]);
        assert_eq!(password(&"aB3-".repeat(20)), [Code::PasswordLong]);
        assert_eq!(password("Vq7$tRn2xLp9"), [Code::PasswordAlphabet]);
        assert_eq!(password("Пароль-Vq7-tRn2"), [Code::PasswordCyrillic]);
        assert_eq!(password("Vq7-Anna-tRn2"), [Code::PasswordLogin]);
        assert_eq!(password("Vq7-web-01-tRn2"), [Code::PasswordHostname]);
        let windows = |typed: &str| {
            check_password(typed, "Anna Ivanova", "web-01", Family::Windows)
                .into_iter()
                .map(|e| e.code)
                .collect::<Vec<_>>()
        };
        assert_eq!(windows("Vq7-ivanova-tRn2"), [Code::PasswordLogin]);
        assert_eq!(windows("vqtrnxlpvqtrnxlp"), [Code::PasswordClasses]);
    }

    #[test]
    fn generated_passwords_keep_the_alphabet() {
        assert!(
            GENERATED_ALPHABET.chars().all(|c| c.is_ascii_alphanumeric() || PASSWORD_SYMBOLS.contains(c))
        );
        assert!(!GENERATED_ALPHABET.contains(['0', 'O', '1', 'l', 'I', 'o']));
    }
}
