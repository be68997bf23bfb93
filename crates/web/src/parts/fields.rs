//! What people type into forms about themselves: names, addresses, passwords; one sentence for what is wrong.

pub const SHORTEST_PASSWORD: usize = 12;
/// Longer ones are refused before they cost a hash.
pub const LONGEST_PASSWORD: usize = 128;
const LONGEST_NAME: usize = 100;
/// Long enough, and still among the first that are guessed.
const WELL_KNOWN: [&str; 24] = [
    "passwordpassword",
    "password1234",
    "password12345",
    "password123456",
    "password12345678",
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456123456",
    "123123123123",
    "111111111111",
    "qwertyuiopas",
    "qwertyuiop123",
    "qwertyuiop12",
    "qwerty123456",
    "qwertyqwerty",
    "abcdefghijkl",
    "abcd12345678",
    "1q2w3e4r5t6y",
    "administrator",
    "administrator1",
    "letmeinletmein",
    "iloveyouiloveyou",
    "tieouttieout",
];

/// A name of a person or an organization: any words, on one line.
pub fn name(text: &str, empty: &'static str) -> Option<&'static str> {
    match text.trim().chars().count() {
        0 => Some(empty),
        1..=LONGEST_NAME if !text.chars().any(char::is_control) => None,
        _ => Some("Use at most 100 characters, on one line."),
    }
}

/// One `@`, a dot behind it, no spaces or control characters, at most 254 characters (RFC 5321, 4.5.3.1).
pub fn is_address(text: &str) -> bool {
    let plain = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\"\\[]".contains(c));
    plain
        && text.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.contains('@') && host.split('.').count() >= 2 && host.split('.').all(|part| !part.is_empty())
        })
}

pub fn address(text: &str) -> Option<&'static str> {
    (!is_address(text.trim())).then_some("Enter an e-mail address such as ada@example.com.")
}

/// Long rather than complicated (NIST SP 800-63B, 5.1.1.2): no rules on which characters, but not what is guessed first, nor one of `names`.
pub fn password(password: &str, names: &[&str]) -> Option<&'static str> {
    let length = password.chars().count();
    if length < SHORTEST_PASSWORD {
        return Some("Use at least 12 characters. A sentence is easiest to remember.");
    }
    if length > LONGEST_PASSWORD {
        return Some("Use at most 128 characters.");
    }
    let lower = password.to_lowercase();
    let first = lower.chars().next();
    let is_one_letter = lower.chars().all(|c| Some(c) == first);
    let is_name = names.iter().map(|name| name.trim().to_lowercase()).any(|name| !name.is_empty() && lower == name);
    (is_one_letter || is_name || WELL_KNOWN.contains(&lower.as_str())).then_some("This one is guessed first. Choose another password.")
}

/// Addresses written one after the other, with commas, semicolons, spaces or line ends between them; in lower case, each once.
pub fn addresses(text: &str) -> Result<Vec<String>, String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|word| !word.is_empty()) {
        if !is_address(word) {
            let shown: String = word.chars().take(80).collect();
            return Err(format!("“{shown}” is not an e-mail address. Write addresses such as ada@example.com, one on each line."));
        }
        let address = word.to_lowercase();
        if !found.contains(&address) {
            found.push(address);
        }
    }
    match found.len() {
        0 => Err("Enter at least one e-mail address.".to_owned()),
        1..=engine::people::invitations::MOST_AT_ONCE => Ok(found),
        more => Err(format!("These are {more} addresses; invite at most {} at once.", engine::people::invitations::MOST_AT_ONCE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_gets_its_own_sentence() {
        assert_eq!(name("  ", "Empty."), Some("Empty."));
        for wrong in ["a\nb", "\u{7}", &"x".repeat(101)] {
            assert!(name(wrong, "Empty.").is_some(), "{wrong:?}");
        }
        for kept in ["<img onerror>", "\u{202e}gnp", "=1+1", &"x".repeat(100)] {
            assert_eq!(name(kept, "Empty."), None, "{kept}");
        }
        for wrong in ["elevenchars", "aaaaaaaaaaaaaaaa", "Password1234", "Ada@birchwood.example", &"x y".repeat(60)] {
            assert!(password(wrong, &["ada@birchwood.example"]).is_some(), "{wrong}");
        }
        for right in [" leading space kept", "null\u{0}inside, surely", "😀😀😀 and nine more", &"y z".repeat(42)] {
            assert_eq!(password(right, &["", "Ada"]), None, "{right:?}");
        }
        for wrong in [
            "ada",
            "ada@",
            "@b.example",
            "ada@b",
            "a@b@c.example",
            "Ada <ada@b.example>",
            "a\r\nb@c.example",
            "a@b..example",
            &format!("{}@b.example", "a".repeat(390)),
        ] {
            assert!(address(wrong).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn several_addresses_are_read_as_people_write_them() {
        assert_eq!(addresses("Ada@b.example, bob@b.example;\n ADA@b.example\r\n").unwrap(), ["ada@b.example", "bob@b.example"]);
        assert!(addresses(" ,;\n").unwrap_err().contains("at least one"));
        assert!(addresses("ada@b.example nobody").unwrap_err().contains("“nobody”"));
        let many: Vec<String> = (0..51).map(|at| format!("a{at}@b.example")).collect();
        assert!(addresses(&many.join("\n")).unwrap_err().contains("51 addresses"));
    }
}
