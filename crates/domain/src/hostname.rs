//! Server names and host names. Each broken rule is reported by itself.

use crate::{
    catalogue::Family,
    field::{Code, Field, FieldError},
};

const NAME_MAX: usize = 40;
const HOSTNAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;
/// NetBIOS keeps this much of a Windows computer name.
const WINDOWS_MAX: usize = 15;

/// The label a customer gives a server. Returns it trimmed.
pub fn check_name(typed: &str) -> Result<String, FieldError> {
    let name = typed.trim();
    let error = |code| FieldError::new(Field::Name, code);
    if name.is_empty() {
        return Err(error(Code::NameMissing));
    }
    let length = name.chars().count();
    if length > NAME_MAX {
        return Err(error(Code::NameLong).with("max", NAME_MAX).with("length", length));
    }
    match name.chars().find(|c| !(c.is_alphanumeric() || " -_.()".contains(*c))) {
        Some(bad) => Err(error(Code::NameAlphabet).with("char", printable(bad))),
        None => Ok(name.to_owned()),
    }
}

/// The name the guest calls itself. Returns it trimmed and in lower case.
pub fn check_hostname(typed: &str, family: Family) -> Result<String, Vec<FieldError>> {
    let host = typed.trim().to_lowercase();
    let error = |code| FieldError::new(Field::Hostname, code);
    if host.is_empty() {
        return Err(vec![error(Code::HostnameMissing)]);
    }
    if let Some(bad) =
        host.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(*c)))
    {
        let offer = transliterate(&host);
        return Err(vec![error(Code::HostnameAlphabet).with("char", printable(bad)).with("offer", offer)]);
    }
    let mut errors = Vec::new();
    if host.len() > HOSTNAME_MAX {
        errors.push(error(Code::HostnameLong).with("max", HOSTNAME_MAX).with("length", host.len()));
    }
    let labels: Vec<&str> = host.split('.').collect();
    if labels.iter().any(|l| l.is_empty()) {
        errors.push(error(Code::HostnameLabelEmpty));
    }
    if labels.iter().any(|l| l.starts_with('-') || l.ends_with('-')) {
        errors.push(error(Code::HostnameHyphen));
    }
    if let Some(long) = labels.iter().find(|l| l.len() > LABEL_MAX) {
        errors.push(error(Code::HostnameLabelLong).with("max", LABEL_MAX).with("length", long.len()));
    }
    let last = labels.last().copied().unwrap_or_default();
    if !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()) {
        errors.push(error(Code::HostnameDigits));
    }
    if host == "localhost" || last == "local" || last == "localhost" {
        errors.push(error(Code::HostnameReserved));
    }
    if family == Family::Windows {
        if labels.len() > 1 {
            errors.push(error(Code::HostnameWindowsLabel));
        } else if host.len() > WINDOWS_MAX {
            errors.push(error(Code::HostnameWindowsLong).with("max", WINDOWS_MAX).with("length", host.len()));
        }
    }
    if errors.is_empty() { Ok(host) } else { Err(errors) }
}

/// A host name somebody may have meant: Cyrillic to Latin, anything else to a hyphen.
pub fn transliterate(text: &str) -> String {
    let mut out = String::new();
    for c in text.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '.' => out.push(c),
            'а' => out.push('a'),
            'б' => out.push('b'),
            'в' => out.push('v'),
            'г' => out.push('g'),
            'д' => out.push('d'),
            'е' | 'э' => out.push('e'),
            'ё' => out.push_str("yo"),
            'ж' => out.push_str("zh"),
            'з' => out.push('z'),
            'и' | 'й' => out.push('i'),
            'к' => out.push('k'),
            'л' => out.push('l'),
            'м' => out.push('m'),
            'н' => out.push('n'),
            'о' => out.push('o'),
            'п' => out.push('p'),
            'р' => out.push('r'),
            'с' => out.push('s'),
            'т' => out.push('t'),
            'у' => out.push('u'),
            'ф' => out.push('f'),
            'х' => out.push('h'),
            'ц' => out.push('c'),
            'ч' => out.push_str("ch"),
            'ш' => out.push_str("sh"),
            'щ' => out.push_str("sch"),
            'ъ' | 'ь' => {}
            'ы' => out.push('y'),
            'ю' => out.push_str("yu"),
            'я' => out.push_str("ya"),
            _ if !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    let labels: Vec<&str> = out.split('.').map(|l| l.trim_matches('-')).filter(|l| !l.is_empty()).collect();
    let mut name = labels.join(".");
    name.truncate(LABEL_MAX);
    if name.is_empty() { "server-1".into() } else { name }
}

/// A character as a message may show it: controls by their code point.
pub(crate) fn printable(c: char) -> String {
    if c.is_control() { format!("U+{:04X}", u32::from(c)) } else { c.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(host: &str, family: Family) -> Vec<Code> {
        check_hostname(host, family).err().unwrap_or_default().into_iter().map(|e| e.code).collect()
    }

    #[test]
    fn good_host_names_are_folded() {
        for (typed, expected) in
            [("web-01", "web-01"), (" WEB.Example.COM ", "web.example.com"), ("1a", "1a")]
        {
            assert_eq!(check_hostname(typed, Family::Linux).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn each_rule_is_reported_by_itself() {
        use Family::{Linux, Windows};
        assert_eq!(codes("", Linux), [Code::HostnameMissing]);
        assert_eq!(codes("-a.b-", Linux), [Code::HostnameHyphen]);
        assert_eq!(codes("a..b", Linux), [Code::HostnameLabelEmpty]);
        assert_eq!(codes("a.b.", Linux), [Code::HostnameLabelEmpty]);
        assert_eq!(codes("10.0.0.1", Linux), [Code::HostnameDigits]);
        assert_eq!(codes("db.local", Linux), [Code::HostnameReserved]);
        assert_eq!(codes(&"a".repeat(64), Linux), [Code::HostnameLabelLong]);
        assert_eq!(codes("a_b", Linux), [Code::HostnameAlphabet]);
        assert_eq!(codes("web.example", Windows), [Code::HostnameWindowsLabel]);
        assert_eq!(codes("abcdefghijklmnop", Windows), [Code::HostnameWindowsLong]);
        assert_eq!(codes("$(reboot)", Linux), [Code::HostnameAlphabet]);
    }

    #[test]
    fn a_cyrillic_letter_gets_a_latin_offer() {
        let error = &check_hostname("сервер-1", Family::Linux).unwrap_err()[0];
        assert_eq!((error.param("char"), error.param("offer")), (Some("с"), Some("server-1")));
    }

    #[test]
    fn every_offer_is_acceptable() {
        for typed in ["Сайт Иванова", "___", "ы.ю", "web 01", "-x-", "тест!!!тест"] {
            let offer = transliterate(typed);
            assert!(check_hostname(&offer, Family::Linux).is_ok(), "{typed:?} → {offer:?}");
        }
    }

    #[test]
    fn names_take_any_alphabet_but_no_markup() {
        assert_eq!(check_name("  Сайт (основной) "), Ok("Сайт (основной)".into()));
        assert_eq!(check_name(" ").unwrap_err().code, Code::NameMissing);
        assert_eq!(check_name("<b>").unwrap_err().code, Code::NameAlphabet);
        assert_eq!(check_name(&"x".repeat(41)).unwrap_err().code, Code::NameLong);
    }
}
