//! Facts that no test can ask of a real provider, and why.

/// Provider's letter, numbers, reason.
const REASONS: [(char, &[u32], &str); 13] = [
    ('Q', &[16], "a day has to pass"),
    ('Q', &[17], "years have to pass"),
    ('Q', &[19], "an hour has to pass"),
    ('Q', &[88], "the provider's sample companies hold inventory and payroll, whose rules are not told"),
    ('Q', &[96], "a report of 400,000 cells is needed"),
    ('Q', &[101], "it is how the sandbox is told to fail"),
    ('Q', &[102, 103], "it would need a production app, and its month"),
    ('Q', &[104, 105, 106, 107, 108], "the provider calls a public address only"),
    ('Q', &[109, 110, 111, 112], "a client library is judged, and its script steers the sandbox between its steps"),
    ('X', &[11, 47, 49], "time has to pass, or a day's calls have to be used up"),
    ('X', &[12], "it would need an app with a custom connection"),
    ('X', &[48, 51, 82], "no client can bring it about"),
    ('X', &[91, 92], "the provider calls a public address only"),
];

/// Why the fact (`Q17`) cannot be asked of a real provider, where it cannot.
pub fn reason(fact: &str) -> Option<&'static str> {
    let (letter, number) = fact.split_at_checked(1)?;
    let number: u32 = number.parse().ok()?;
    REASONS.iter().find(|(of, numbers, _)| letter.starts_with(*of) && numbers.contains(&number)).map(|(_, _, reason)| *reason)
}
