//! Made-up inputs: right ones, and right ones that something happened to.

/// Of an own password, a host name, keys: whole ones, so that a small change is near the edge of a rule.
const WHOLE: &[&str] =
    &["web-01", "db.example.com", "WIN-SRV", "x", "a-b_c", "root", "anna", "Administrator", "сервер"];
const PASSWORDS: &[&str] =
    &["Vq7-tRn2xLp9", "correcthorsebattery", "Correct-horse-7-battery", "пароль-и-ключ"];
const KEYS: &[&str] = &[
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti user@example.com",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc= a b",
    "ssh-dss AAAAB3NzaC1kc3M=",
    "# a comment",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----",
    "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 00",
];
const LETTERS: &[char] = &[
    'a', 'b', 'z', 'A', 'Z', '0', '1', '9', '-', '-', '.', '_', ' ', '(', ')', '"', '$', '\\', '\'', '`',
    '@', '#', '+', '=', '/', ':', ';', '|', ',', '*', '?', '<', '>', '\t', '\n', '\u{0}', '\u{7f}', '\u{a0}',
    'е', 'ё', 'Я', 'ß', 'İ', '٣', '字', '\u{301}', '\u{200b}', '\u{202e}', '😀',
];

/// The same inputs for the same seed, everywhere.
pub(crate) struct Inputs(u64);

impl Inputs {
    pub(crate) fn new(seed: u32) -> Self {
        Self(u64::from(seed) * 2 + 0x9e37_79b9_7f4a_7c15)
    }

    fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    pub(crate) fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.next() % u64::from(n)).unwrap_or_default()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u32) as usize]
    }

    fn letter(&mut self, of: usize) -> char {
        LETTERS[self.below(of.min(LETTERS.len()) as u32) as usize]
    }

    /// Something happens to it, at most three times: a letter comes, goes or becomes another, or an end is cut off.
    fn touched(&mut self, text: &str) -> String {
        let mut letters: Vec<char> = text.chars().collect();
        for _ in 0..self.below(4) {
            let at = self.below(letters.len() as u32 + 1) as usize;
            match self.below(4) {
                0 => letters.insert(at, self.letter(LETTERS.len())),
                1 if at < letters.len() => drop(letters.remove(at)),
                2 if at < letters.len() => letters[at] = self.letter(LETTERS.len()),
                3 if self.below(4) == 0 => letters.truncate(at),
                _ => {}
            }
        }
        letters.into_iter().collect()
    }

    /// Letters one after another, mostly few, mostly harmless.
    fn made(&mut self, longest: u32) -> String {
        let length = if self.below(8) == 0 { self.below(longest) } else { self.below(24) };
        let harmless = if self.below(3) == 0 { LETTERS.len() } else { 11 };
        (0..length).map(|_| self.letter(harmless)).collect()
    }

    pub(crate) fn words(&mut self) -> String {
        if self.below(2) == 0 { self.made(90) } else { self.whole() }
    }

    fn whole(&mut self) -> String {
        let whole = self.one(WHOLE);
        self.touched(whole)
    }

    pub(crate) fn host(&mut self) -> String {
        match self.below(4) {
            0 => self.made(300),
            1 => {
                let parts = 1 + self.below(6);
                let parts: Vec<String> = (0..parts).map(|_| self.whole()).collect();
                parts.join(".")
            }
            _ => self.whole(),
        }
    }

    pub(crate) fn login(&mut self) -> String {
        if self.below(3) == 0 { self.made(40) } else { self.whole() }
    }

    pub(crate) fn password(&mut self, login: &str, host: &str) -> String {
        let base = self.one(PASSWORDS);
        match self.below(6) {
            0 => format!("{base}{login}"),
            1 => format!("{host}{base}"),
            2 => self.made(90),
            _ => self.touched(base),
        }
    }

    pub(crate) fn keys(&mut self) -> String {
        let lines = self.below(4) + u32::from(self.below(40) == 0) * 10;
        let lines: Vec<String> = (0..lines)
            .map(|_| {
                let key = self.one(KEYS);
                if self.below(2) == 0 { key.to_owned() } else { self.touched(key) }
            })
            .collect();
        lines.join("\n")
    }

    pub(crate) fn number(&mut self) -> String {
        match self.below(5) {
            0 => self.made(30),
            1 => format!(" {} ", self.below(2500)),
            2 => (u64::from(u32::MAX) - 5 + self.next() % 10).to_string(),
            _ => self.below(2500).to_string(),
        }
    }

    pub(crate) fn speed(&mut self, offered: &[&str]) -> String {
        let speed = self.one(offered);
        if self.below(3) == 0 { self.number() } else { self.touched(speed) }
    }
}
