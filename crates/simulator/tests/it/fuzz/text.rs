//! Changes of a text: characters, words, lengths.
use super::dice::Dice;

/// What programs stumble over.
pub const ODD: [&str; 44] = [
    "",
    " ",
    "'",
    "\"",
    "\\",
    "\\'",
    "''",
    "%",
    "%%",
    "_",
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\u{feff}",
    "\u{202e}",
    "é",
    "\u{1f600}",
    "ß",
    "İ",
    "\u{0130}i",
    "\u{fffd}",
    "a\u{301}",
    "-1",
    "0",
    "-0",
    "0.005",
    "1e400",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999",
    "0.1234567890123456789",
    "NaN",
    "null",
    "true",
    "2024-02-30",
    "0000-00-00",
    "-9999-01-01",
    "9999-12-31",
    "2024-02-29T24:60:61",
    "/Date(9999999999999999)/",
    "(",
    ")",
];

/// One to four changes; `words` are those the language knows.
pub fn vary(text: &str, words: &[&str], dice: &mut Dice) -> String {
    let mut text = text.to_owned();
    for _ in 0..=dice.below(4) {
        text = once(&text, words, dice);
    }
    text
}

fn once(text: &str, words: &[&str], dice: &mut Dice) -> String {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let from = *dice.pick(&places);
    // mostly short pieces
    let ends = places.iter().filter(|end| **end >= from).copied().collect::<Vec<_>>();
    let to = if dice.one_in(6) { *dice.pick(&ends) } else { ends[dice.below(ends.len().min(8))] };
    let (before, piece, after) = (&text[..from], &text[from..to], &text[to..]);
    let word = |dice: &mut Dice| match words.is_empty() || dice.one_in(3) {
        true => dice.word(&ODD).to_owned(),
        false => dice.word(words).to_owned(),
    };
    match dice.below(12) {
        0 | 1 => format!("{before}{after}"),
        2 | 3 => format!("{before}{} {after}", word(dice)),
        4 => format!("{before}{}{after}", word(dice)),
        5 => format!("{before}{piece}{piece}{after}"),
        6 => before.to_owned(),
        7 => format!("{before}{}{after}", piece.to_uppercase()),
        8 => format!("{before}{}{after}", piece.chars().rev().collect::<String>()),
        9 if dice.one_in(12) => format!("{before}{}{after}", piece.repeat(2_000 / piece.len().max(1))),
        _ => {
            let one = char::from_u32(u32::try_from(dice.below(0x3000)).expect("small")).unwrap_or('\u{fffd}');
            format!("{before}{one}{after}")
        }
    }
}

/// The same for bytes that need not be a text.
pub fn vary_bytes(bytes: &[u8], words: &[&str], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(4) {
        let from = dice.below(bytes.len() + 1);
        let to = (from + dice.mostly_below(8, 8, 400)).min(bytes.len());
        let new: Vec<u8> = match dice.below(7) {
            0 => Vec::new(),
            1 => vec![u8::try_from(dice.below(256)).expect("a byte")],
            2 => bytes[from..to].repeat(2),
            3 => dice.word(&ODD).as_bytes().to_vec(),
            4 | 5 if !words.is_empty() => dice.word(words).as_bytes().to_vec(),
            _ => bytes[from..to].iter().map(|byte| byte ^ (1 << (byte % 8))).collect(),
        };
        bytes.splice(from..to, new);
        if dice.one_in(20) {
            bytes.truncate(dice.below(bytes.len() + 1));
        }
    }
    bytes
}
