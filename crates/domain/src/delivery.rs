//! What leaves the house: its kinds, its states, and how often delivering it is tried.

/// How something is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryKind {
    /// By SMTP, to an address.
    Mail,
    /// To the chat of an organization, whose address is kept apart: it is a secret.
    Webhook,
}

impl DeliveryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryKind::Mail => "mail",
            DeliveryKind::Webhook => "webhook",
        }
    }
    pub fn parse(word: &str) -> Option<DeliveryKind> {
        [DeliveryKind::Mail, DeliveryKind::Webhook].into_iter().find(|kind| kind.as_str() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for its time, or is on its way.
    Queued,
    Sent,
    /// Given up: refused for good, or tried as often as we try.
    Failed,
}

impl DeliveryState {
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryState::Queued => "queued",
            DeliveryState::Sent => "sent",
            DeliveryState::Failed => "failed",
        }
    }
    pub fn parse(word: &str) -> Option<DeliveryState> {
        [DeliveryState::Queued, DeliveryState::Sent, DeliveryState::Failed].into_iter().find(|state| state.as_str() == word)
    }
}

/// Waits between tries: eight tries over more than a day, so that a server that is down for a night loses nothing.
const WAITS_SECS: [i64; 7] = [10, 60, 300, 1_800, 7_200, 28_800, 57_600];

/// How long to wait after this many tries failed; `None`: enough.
pub fn wait_after(tries: i64) -> Option<i64> {
    usize::try_from(tries - 1).ok().and_then(|at| WAITS_SECS.get(at)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_tries_take_more_than_a_day() {
        let waits: Vec<i64> = (1..).map_while(wait_after).collect();
        assert_eq!(waits.len() + 1, 8);
        assert!(waits.iter().sum::<i64>() >= 24 * 3_600 && waits.is_sorted());
    }
}
