//! What went over the line: every request, the bytes of its answer, and every token from its issue to its end. Memory is bounded: the
//! oldest entries, and before them the oldest bodies, are forgotten.
use crate::books::Face;
use crate::oauth::Grants;
use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};

const MOST_ENTRIES: usize = 20_000;
const MOST_BODY_BYTES: usize = 16 << 20;
const MOST_TOKENS: usize = 20_000;

#[derive(Debug, Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    /// The number of the last entry.
    last: u64,
    /// Counts beginnings and ends, so that a reader can tell which calls overlapped whatever the clock does.
    moments: u64,
    body_bytes: usize,
    /// Entries before this number have lost their bodies.
    bodies_from: u64,
    pub tokens: Tokens,
}

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub number: u64,
    pub face: Face,
    pub company: String,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Number of the access token in the journal of tokens.
    pub token: Option<u64>,
    pub client_id: String,
    pub began_at: Timestamp,
    pub began: u64,
    pub ended_at: Option<Timestamp>,
    pub ended: Option<u64>,
    pub status: Option<u16>,
    /// The kind of the fault that hit it between client and face.
    pub fault: Option<String>,
    pub request_body: Bytes,
    pub answer: Bytes,
    /// Bytes of the body that were meant to be sent, and that were handed to the connection.
    pub answer_bytes: u64,
    pub sent_bytes: u64,
}

impl Entry {
    pub fn shown(&self) -> Value {
        json!({
            "number": self.number,
            "face": self.face,
            "company": self.company,
            "method": self.method,
            "path": self.path,
            "client_id": self.client_id,
            "token": self.token,
            "began_at": self.began_at.to_string(),
            "began": self.began,
            "ended_at": self.ended_at.map(|at| at.to_string()),
            "ended": self.ended,
            "status": self.status,
            "fault": self.fault,
            "request_bytes": self.request_body.len(),
            "answer_bytes": self.answer_bytes,
            "sent_bytes": self.sent_bytes,
        })
    }
}

impl Journal {
    /// Enters a request that begins now and gives its number.
    pub fn begin(&mut self, entry: Entry) -> u64 {
        self.last += 1;
        self.moments += 1;
        self.body_bytes += entry.request_body.len();
        self.entries.push_back(Entry { number: self.last, began: self.moments, ..entry });
        if self.entries.len() > MOST_ENTRIES
            && let Some(gone) = self.entries.pop_front()
            && gone.number >= self.bodies_from
        {
            self.body_bytes = self.body_bytes.saturating_sub(gone.request_body.len() + gone.answer.len());
        }
        self.forget_bodies();
        self.last
    }

    /// The answer as the client is to get it. `bytes`: how long it claims to be.
    pub fn answered(&mut self, number: u64, status: u16, answer: Bytes, bytes: u64) {
        let length = answer.len();
        if let Some(entry) = self.entry_mut(number) {
            entry.status = Some(status);
            entry.answer = answer;
            entry.answer_bytes = bytes;
            self.body_bytes += length;
            self.forget_bodies();
        }
    }

    /// The connection took this much of the answer and wants no more.
    pub fn ended(&mut self, number: u64, sent_bytes: u64, now: Timestamp) {
        self.moments += 1;
        let moment = self.moments;
        if let Some(entry) = self.entry_mut(number) {
            entry.sent_bytes = sent_bytes;
            entry.ended = Some(moment);
            entry.ended_at = Some(now);
        }
    }

    pub fn entry(&self, number: u64) -> Option<&Entry> {
        let first = self.entries.front()?.number;
        self.entries.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// Whether the entry's bodies are still here.
    pub fn has_bodies(&self, number: u64) -> bool {
        number >= self.bodies_from && self.entry(number).is_some()
    }

    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    pub fn last_number(&self) -> u64 {
        self.last
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.body_bytes = 0;
    }

    fn entry_mut(&mut self, number: u64) -> Option<&mut Entry> {
        let first = self.entries.front()?.number;
        self.entries.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    fn forget_bodies(&mut self) {
        while self.body_bytes > MOST_BODY_BYTES && self.bodies_from <= self.last {
            let number = self.bodies_from.max(self.entries.front().map_or(0, |entry| entry.number));
            self.bodies_from = number + 1;
            let Some(entry) = self.entry_mut(number) else { continue };
            let freed = entry.request_body.len() + entry.answer.len();
            (entry.request_body, entry.answer) = (Bytes::new(), Bytes::new());
            self.body_bytes = self.body_bytes.saturating_sub(freed);
        }
    }
}

/// Every token from its issue to its end.
#[derive(Debug, Default)]
pub struct Tokens {
    tokens: VecDeque<Token>,
    numbers: HashMap<String, u64>,
    last: u64,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub number: u64,
    pub is_access: bool,
    pub text: String,
    pub face: Face,
    pub client_id: String,
    pub family: String,
    pub companies: Vec<String>,
    pub issued_at: Timestamp,
    /// The request that got it.
    pub issued_by: Option<u64>,
    /// Of access tokens.
    expires_at: Option<Timestamp>,
    pub retired: Option<Retired>,
}

#[derive(Clone, Debug)]
pub struct Retired {
    pub at: Timestamp,
    /// `expired`, `revoked`, or `rotated`: a newer refresh token has taken its place.
    pub why: &'static str,
    pub by: Option<u64>,
}

impl Token {
    pub fn shown(&self) -> Value {
        json!({
            "number": self.number,
            "kind": if self.is_access { "access" } else { "refresh" },
            "token": self.text,
            "face": self.face,
            "client_id": self.client_id,
            "family": self.family,
            "companies": self.companies,
            "issued_at": self.issued_at.to_string(),
            "issued_by": self.issued_by,
            "retired_at": self.retired.as_ref().map(|retired| retired.at.to_string()),
            "retired_by": self.retired.as_ref().and_then(|retired| retired.by),
            "retired": self.retired.as_ref().map(|retired| retired.why),
        })
    }
}

impl Tokens {
    pub fn number(&self, text: &str) -> Option<u64> {
        self.numbers.get(text).copied()
    }

    pub fn all(&self) -> impl Iterator<Item = &Token> {
        self.tokens.iter()
    }

    /// Compares with what the grants hold now; `by` is the request that may have changed them.
    pub fn observe(&mut self, grants: &Grants, now: Timestamp, by: Option<u64>) {
        let mut fresh: Vec<(&String, &crate::oauth::Access)> = grants.access.iter().filter(|(text, _)| !self.numbers.contains_key(*text)).collect();
        fresh.sort_by(|a, b| (a.1.expires_at, a.0).cmp(&(b.1.expires_at, b.0)));
        for (text, access) in fresh {
            let (client_id, family) = (access.client_id.clone(), access.family.clone());
            let fresh = token(text, access.face, now, by);
            self.issue(Token { is_access: true, client_id, family, companies: access.companies.clone(), ..fresh });
        }
        for family in grants.families.values() {
            if let Some(previous) = &family.previous_refresh {
                self.retire(previous, Retired { at: family.rotated_at, why: "rotated", by });
            }
            if !self.numbers.contains_key(&family.current_refresh) {
                let (client_id, id) = (family.client_id.clone(), family.id.clone());
                let fresh = token(&family.current_refresh, family.face, now, by);
                self.issue(Token { client_id, family: id, companies: family.companies.clone(), ..fresh });
            }
            if family.revoked {
                self.retire(&family.current_refresh, Retired { at: now, why: "revoked", by });
            }
        }
        for (text, access) in &grants.access {
            if access.revoked {
                self.retire(text, Retired { at: now, why: "revoked", by });
            }
            if let Some(known) = self.known_mut(text) {
                known.expires_at = Some(access.expires_at);
            }
        }
        // The grants forget old tokens; the journal knows when they ended.
        for token in &mut self.tokens {
            if let Some(at) = token.expires_at.filter(|at| *at <= now) {
                token.retired.get_or_insert(Retired { at, why: "expired", by: None });
            }
        }
    }

    fn issue(&mut self, token: Token) {
        self.last += 1;
        self.numbers.insert(token.text.clone(), self.last);
        self.tokens.push_back(Token { number: self.last, ..token });
        if self.tokens.len() > MOST_TOKENS
            && let Some(gone) = self.tokens.pop_front()
        {
            self.numbers.remove(&gone.text);
        }
    }

    fn retire(&mut self, text: &str, retired: Retired) {
        if let Some(token) = self.known_mut(text) {
            token.retired.get_or_insert(retired);
        }
    }

    fn known_mut(&mut self, text: &str) -> Option<&mut Token> {
        let first = self.tokens.front()?.number;
        let number = self.numbers.get(text)?;
        self.tokens.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }
}

fn token(text: &str, face: Face, now: Timestamp, by: Option<u64>) -> Token {
    Token {
        number: 0,
        is_access: false,
        text: text.to_owned(),
        face,
        client_id: String::new(),
        family: String::new(),
        companies: Vec::new(),
        issued_at: now,
        issued_by: by,
        expires_at: None,
        retired: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: usize) -> Entry {
        Entry {
            number: 0,
            face: Face::Xero,
            company: String::new(),
            method: "GET".into(),
            path: "/".into(),
            token: None,
            client_id: String::new(),
            began_at: Timestamp::UNIX_EPOCH,
            began: 0,
            ended_at: None,
            ended: None,
            status: None,
            fault: None,
            request_body: Bytes::from(vec![0; body]),
            answer: Bytes::new(),
            answer_bytes: 0,
            sent_bytes: 0,
        }
    }

    #[test]
    fn the_journal_forgets_bodies_first_and_then_entries() {
        let mut journal = Journal::default();
        for _ in 0..20 {
            let number = journal.begin(entry(10));
            journal.answered(number, 200, Bytes::from(vec![0; 1 << 20]), 1 << 20);
            journal.ended(number, 1 << 20, Timestamp::UNIX_EPOCH);
        }
        assert!(journal.body_bytes <= MOST_BODY_BYTES, "{}", journal.body_bytes);
        assert!(!journal.has_bodies(1) && journal.has_bodies(20));
        assert_eq!(journal.entry(1).map(|entry| (entry.answer.len(), entry.sent_bytes)), Some((0, 1 << 20)));
        for _ in 0..MOST_ENTRIES {
            journal.begin(entry(0));
        }
        assert!(journal.entry(20).is_none() && journal.entry(21).is_some());
        assert_eq!((journal.entries.len(), journal.body_bytes), (MOST_ENTRIES, 0));
    }
}
