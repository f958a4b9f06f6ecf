//! What is on a machine's screen: lines of text, a login that is asked for, and what is typed.
//!
//! Nothing is executed: whoever is signed in gets a prompt, and every command is answered as not found.

pub(super) const COLUMNS: usize = 80;
pub(super) const ROWS: usize = 25;

const RETURN: u32 = 0xff0d;
const KEYPAD_ENTER: u32 = 0xff8d;
const BACKSPACE: u32 = 0xff08;
const DELETE: u32 = 0xffff;
const CONTROL: [u32; 2] = [0xffe3, 0xffe4];
const ALT: [u32; 2] = [0xffe9, 0xffea];

/// Who asks to be let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) login: String,
    pub(super) password: String,
}

enum At {
    Login,
    Password { login: String },
    Shell { login: String },
}

pub(super) struct Terminal {
    hostname: String,
    banner: String,
    lines: Vec<String>,
    typed: String,
    at: At,
    control: bool,
    alt: bool,
    attempt: Option<Attempt>,
}

impl Terminal {
    pub(super) fn new(hostname: &str, banner: &str) -> Self {
        let mut terminal = Self {
            hostname: hostname.to_owned(),
            banner: banner.to_owned(),
            lines: Vec::new(),
            typed: String::new(),
            at: At::Login,
            control: false,
            alt: false,
            attempt: None,
        };
        terminal.boot();
        terminal
    }

    fn boot(&mut self) {
        self.lines = vec![self.banner.clone(), String::new()];
        self.typed.clear();
        self.at = At::Login;
    }

    /// The rows as they are shown. A password is not.
    pub(super) fn rows(&self) -> Vec<String> {
        let shown = if matches!(self.at, At::Password { .. }) { "" } else { self.typed.as_str() };
        let mut rows = self.lines.clone();
        rows.push(format!("{}{shown}_", self.prompt()));
        let skip = rows.len().saturating_sub(ROWS);
        rows.into_iter().skip(skip).map(|row| row.chars().take(COLUMNS).collect()).collect()
    }

    fn prompt(&self) -> String {
        match &self.at {
            At::Login => format!("{} login: ", self.hostname),
            At::Password { .. } => "Password: ".into(),
            At::Shell { login } => format!("{login}@{}:~$ ", self.hostname),
        }
    }

    /// A key by its X keysym, going down or up.
    pub(super) fn key(&mut self, keysym: u32, down: bool) {
        if CONTROL.contains(&keysym) {
            self.control = down;
        } else if ALT.contains(&keysym) {
            self.alt = down;
        }
        if !down {
            return;
        }
        match keysym {
            DELETE if self.control && self.alt => self.boot(),
            RETURN | KEYPAD_ENTER => self.enter(),
            BACKSPACE => drop(self.typed.pop()),
            // Latin 1 has its own values, other characters theirs above a million.
            0x20..=0x7e if !self.control && self.typed.len() < COLUMNS => {
                self.typed.extend(char::from_u32(keysym));
            }
            _ => {}
        }
    }

    fn enter(&mut self) {
        let typed = std::mem::take(&mut self.typed);
        let prompt = self.prompt();
        match std::mem::replace(&mut self.at, At::Login) {
            At::Login if typed.is_empty() => self.lines.push(prompt),
            At::Login => {
                self.lines.push(format!("{prompt}{typed}"));
                self.at = At::Password { login: typed };
            }
            At::Password { login } => {
                self.lines.push(prompt);
                self.attempt = Some(Attempt { login, password: typed });
            }
            At::Shell { .. } if typed == "exit" => self.boot(),
            At::Shell { login } => {
                self.lines.push(format!("{prompt}{typed}"));
                let command = typed.split_whitespace().next();
                self.lines.extend(command.map(|c| format!("sh: {c}: not found")));
                self.at = At::Shell { login };
            }
        }
    }

    /// A login that was typed, to be judged by the guest.
    pub(super) fn attempt(&mut self) -> Option<Attempt> {
        self.attempt.take()
    }

    pub(super) fn judged(&mut self, attempt: Attempt, let_in: bool) {
        if let_in {
            self.at = At::Shell { login: attempt.login };
        } else {
            self.lines.extend(["Login incorrect".to_owned(), String::new()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(terminal: &mut Terminal, text: &str) {
        for c in text.chars() {
            let keysym = if c == '\n' { RETURN } else { c as u32 };
            terminal.key(keysym, true);
            terminal.key(keysym, false);
        }
    }

    #[test]
    fn a_login_is_typed_and_the_password_not_shown() {
        let mut t = Terminal::new("web-01", "AlmaLinux 9");
        type_in(&mut t, "root\nsecret");
        assert_eq!(t.rows().last().unwrap(), "Password: _");
        type_in(&mut t, "\n");
        let attempt = t.attempt().unwrap();
        assert_eq!((attempt.login.as_str(), attempt.password.as_str()), ("root", "secret"));
        assert!(!t.rows().concat().contains("secret"));
        t.judged(attempt, false);
        assert!(t.rows().contains(&"Login incorrect".to_owned()));
        assert_eq!(t.rows().last().unwrap(), "web-01 login: _");
        t.judged(Attempt { login: "root".into(), password: String::new() }, true);
        type_in(&mut t, "uptime\n");
        assert!(t.rows().contains(&"sh: uptime: not found".to_owned()));
    }

    #[test]
    fn three_keys_start_it_anew() {
        let mut t = Terminal::new("web-01", "AlmaLinux 9");
        type_in(&mut t, "ro");
        for key in [CONTROL[0], ALT[0], DELETE] {
            t.key(key, true);
        }
        assert_eq!(t.rows(), ["AlmaLinux 9", "", "web-01 login: _"]);
        type_in(&mut t, "x");
        assert_eq!(t.rows().last().unwrap(), "web-01 login: _", "the control key is still down");
    }

    #[test]
    fn the_screen_has_so_many_rows() {
        let mut t = Terminal::new("web-01", "AlmaLinux 9");
        type_in(&mut t, &"\n".repeat(60));
        assert_eq!(t.rows().len(), ROWS);
        type_in(&mut t, &"y".repeat(200));
        assert!(t.rows().iter().all(|row| row.chars().count() <= COLUMNS));
    }
}
