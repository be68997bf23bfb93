//! The audit log's words: who did what to which object, and the chain that shows whether an entry was changed, removed or added later.
use crate::ids::{ApiKeyId, CompanyId, ConnectionId, OrganizationId, UserId};
use sha2::{Digest, Sha256};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($variant),* }
        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),*];
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $word),* } }
            pub fn parse(word: &str) -> Option<$name> { match word { $($word => Some($name::$variant),)* _ => None } }
            /// As a person reads it.
            pub fn label(self) -> &'static str { match self { $($name::$variant => $label),* } }
            /// The label of a stored word; one that a newer program wrote is shown as it is.
            pub fn label_of(word: &str) -> &str { $name::parse(word).map_or(word, |known| known.label()) }
        }
    };
}

words! {
    /// What somebody did.
    Act {
        SignedIn = "signed_in", "Signed in";
        SignInFailed = "sign_in_failed", "Sign-in failed";
        OrganizationEntered = "organization_entered", "Came from another organization";
        SignedOut = "signed_out", "Signed out";
        SignInLinkMade = "sign_in_link_made", "Sign-in link made";
        PasswordLinkMade = "password_link_made", "Password link made";
        PasswordSet = "password_set", "Password set";
        PersonRenamed = "person_renamed", "Name changed";
        EmailChanged = "email_changed", "E-mail address changed";
        SessionsEnded = "sessions_ended", "Sessions ended";
        SecondFactorSet = "second_factor_set", "Second factor set up";
        SecondFactorRemoved = "second_factor_removed", "Second factor removed";
        RecoveryCodesMade = "recovery_codes_made", "Recovery codes made";
        SecondFactorAsked = "second_factor_asked", "Second factor asked of members";
        OrganizationMade = "organization_made", "Organization made";
        OrganizationRenamed = "organization_renamed", "Organization renamed";
        Invited = "invited", "Invited";
        InvitationResent = "invitation_resent", "Invitation sent again";
        InvitationCancelled = "invitation_cancelled", "Invitation cancelled";
        InvitationAccepted = "invitation_accepted", "Invitation accepted";
        InvitationDeclined = "invitation_declined", "Invitation declined";
        RoleChanged = "role_changed", "Role changed";
        MemberRemoved = "member_removed", "Member removed";
        AccessAssigned = "access_assigned", "Access assigned";
        ApiKeyMade = "api_key_made", "API key made";
        ApiKeyRevoked = "api_key_revoked", "API key revoked";
        AccountConnected = "account_connected", "Account connected";
        AccountReconnected = "account_reconnected", "Account reconnected";
        AccountDisconnected = "account_disconnected", "Account disconnected";
        ReconnectLinkMade = "reconnect_link_made", "Reconnect link made";
        CallbackRefused = "callback_refused", "Callback refused";
        TokenUserUpdated = "token_user_updated", "Token User updated";
        CompanyLinked = "company_linked", "Company linked";
        CompanyUnlinked = "company_unlinked", "Company unlinked";
        CompanyDeleted = "company_deleted", "Company deleted";
        SchedulePaused = "schedule_paused", "Schedule paused";
        ScheduleResumed = "schedule_resumed", "Schedule resumed";
        ScheduleChanged = "schedule_changed", "Schedule changed";
        FreshnessTargetSet = "freshness_target_set", "Freshness target set";
        ResyncAsked = "resync_asked", "Resync asked";
        SyncCancelled = "sync_cancelled", "Sync cancelled";
        MappingChanged = "mapping_changed", "Mapping changed";
        MappingImported = "mapping_imported", "Mapping imported";
        MappingReverted = "mapping_reverted", "Mapping rolled back";
        LogRetentionSet = "log_retention_set", "Log retention set";
        NotificationsSet = "notifications_set", "Notifications set";
        ChatSet = "chat_set", "Chat set";
        Exported = "exported", "Exported";
        EntriesRemoved = "entries_removed", "Old entries removed";
    }
}

words! {
    /// Who acts.
    ActorKind {
        Person = "person", "Person";
        ApiKey = "api_key", "API key";
        CommandLine = "command_line", "Command line";
        System = "system", "Tieout";
        Guest = "guest", "Nobody signed in";
    }
}

words! {
    /// What an act is done to.
    ObjectKind {
        Person = "person", "Person";
        Organization = "organization", "Organization";
        Invitation = "invitation", "Invitation";
        ApiKey = "api_key", "API key";
        Account = "account", "Account";
        Company = "company", "Company";
        Provider = "provider", "Accounting software";
        Log = "log", "Log";
    }
}

words! {
    /// How an act ended.
    Ending {
        Done = "done", "Done";
        Refused = "refused", "Refused";
    }
}

/// Who acts, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub kind: ActorKind,
    pub id: String,
    pub name: String,
    /// The address the request came from, or `command line`.
    pub place: String,
}

impl Actor {
    fn nameless(kind: ActorKind, place: impl Into<String>) -> Actor {
        Actor { kind, id: String::new(), name: kind.label().to_owned(), place: place.into() }
    }
    pub fn person(id: &UserId, name: &str, place: impl Into<String>) -> Actor {
        Actor { kind: ActorKind::Person, id: id.0.clone(), name: name.to_owned(), place: place.into() }
    }
    pub fn api_key(id: &ApiKeyId, name: &str, place: impl Into<String>) -> Actor {
        Actor { kind: ActorKind::ApiKey, id: id.0.clone(), name: name.to_owned(), place: place.into() }
    }
    /// Whoever runs the server, at a terminal.
    pub fn command_line() -> Actor {
        Actor::nameless(ActorKind::CommandLine, "command line")
    }
    /// Nobody asked: it is due.
    pub fn system() -> Actor {
        Actor::nameless(ActorKind::System, "")
    }
    /// Somebody without a session: with a link, or at the sign-in.
    pub fn guest(place: impl Into<String>) -> Actor {
        Actor::nameless(ActorKind::Guest, place)
    }
}

/// What an act is done to: its name as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub kind: ObjectKind,
    pub id: String,
    pub name: String,
}

impl Object {
    pub fn new(kind: ObjectKind, id: impl Into<String>, name: impl Into<String>) -> Object {
        Object { kind, id: id.into(), name: name.into() }
    }
    pub fn person(id: &UserId, name: &str) -> Object {
        Object::new(ObjectKind::Person, id.as_str(), name)
    }
    pub fn organization(id: &OrganizationId, name: &str) -> Object {
        Object::new(ObjectKind::Organization, id.as_str(), name)
    }
    pub fn account(id: &ConnectionId, name: &str) -> Object {
        Object::new(ObjectKind::Account, id.as_str(), name)
    }
    pub fn company(id: &CompanyId, name: &str) -> Object {
        Object::new(ObjectKind::Company, id.as_str(), name)
    }
    /// One company by name, or how many: one act on many is one entry.
    pub fn companies<'a>(companies: impl IntoIterator<Item = (&'a CompanyId, &'a str)>) -> Object {
        let companies: Vec<(&CompanyId, &str)> = companies.into_iter().collect();
        match companies.as_slice() {
            [(id, name)] => Object::company(id, name),
            many => Object::new(ObjectKind::Company, "", format!("{} companies", many.len())),
        }
    }
    pub fn log(name: &str) -> Object {
        Object::new(ObjectKind::Log, "", name)
    }
}

/// The hash the first entry of a chain names.
pub const NOTHING_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry as it is kept. Words stay text: an entry that somebody changed by hand is still shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub organization_id: OrganizationId,
    /// 1, 2, 3 … in its organization.
    pub number: i64,
    pub at_ms: i64,
    pub actor_kind: String,
    pub actor_id: String,
    pub actor_name: String,
    pub act: String,
    pub object_kind: String,
    pub object_id: String,
    pub object_name: String,
    pub before: String,
    pub after: String,
    pub place: String,
    pub outcome: String,
    pub previous_hash: String,
    pub hash: String,
}

impl Entry {
    /// What the hash is taken over: each field as `length in bytes:value` and a line break, so that no two entries have the same text. The form is part
    /// of the product: `docs/operating.md` tells readers how to compute it again.
    pub fn canonical(&self) -> String {
        let (number, at_ms) = (self.number.to_string(), self.at_ms.to_string());
        let fields = [
            "tieout audit 1",
            self.organization_id.as_str(),
            &number,
            &at_ms,
            &self.actor_kind,
            &self.actor_id,
            &self.actor_name,
            &self.act,
            &self.object_kind,
            &self.object_id,
            &self.object_name,
            &self.before,
            &self.after,
            &self.place,
            &self.outcome,
            &self.previous_hash,
        ];
        fields.iter().map(|field| format!("{}:{field}\n", field.len())).collect()
    }
    /// SHA-256 of that, in hexadecimal.
    pub fn compute_hash(&self) -> String {
        hex::encode(Sha256::digest(self.canonical().as_bytes()))
    }
}

/// In what a chain differs from what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The content does not give the entry's hash.
    Content,
    /// It names another hash than that of the entry before it.
    Link,
    /// Entries are not there, up to this number.
    Missing { until: i64 },
    /// The newest entry is not the one that was written last.
    Last,
    /// There are entries behind the one that was written last.
    Added,
    /// The note of the newest and of the oldest entry was not made by this installation.
    Seal,
    /// That note is missing.
    NoHead,
}

impl Difference {
    pub fn as_str(self) -> &'static str {
        match self {
            Difference::Content => "content",
            Difference::Link => "link",
            Difference::Missing { .. } => "missing",
            Difference::Last => "last",
            Difference::Added => "added",
            Difference::Seal => "seal",
            Difference::NoHead => "no_head",
        }
    }
}

/// A place where a chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The entry it is at, or the first that is missing.
    pub number: i64,
    pub difference: Difference,
}

impl Break {
    /// Where, and what differs.
    pub fn sentence(&self) -> String {
        let number = self.number;
        match self.difference {
            Difference::Content => format!("Entry {number} was changed after it was written: its content does not give its hash."),
            Difference::Link => format!("Entry {number} does not follow entry {}: one of the two was replaced.", number - 1),
            Difference::Missing { until } if until == number => format!("Entry {number} is missing."),
            Difference::Missing { until } => format!("Entries {number} to {until} are missing."),
            Difference::Last => format!("Entry {number} is not the one that was written last: it was replaced."),
            Difference::Added => format!("Entry {number} was added behind the last one Tieout wrote."),
            Difference::Seal => format!("The note that entry {number} is the newest was not made by this installation: it was changed by hand."),
            Difference::NoHead => format!("The note of the newest entry, which was {number} or later, is missing."),
        }
    }
}

/// What a broken chain means, and what helps: the same wherever it is told.
pub const BROKEN_MEANS: &str = "Somebody with access to the database changed the log outside of Tieout, or a backup was put back in part. Entries are \
    shown as they are now; those before the first break are as they were written.";
pub const BROKEN_REMEDY: &str = "Keep a copy of the database as it is, export this log, and compare both with your latest backup. Then find out who could \
    write to the database, and change its password. Tieout goes on writing; the break stays visible.";

/// Breaks that are told one by one; the rest is counted.
pub const MOST_BREAKS: usize = 20;

/// Walks along a chain, entry by entry in their order, and notes where it breaks.
#[derive(Clone, Debug)]
pub struct Walk {
    next: i64,
    hash: String,
    pub entries: i64,
    /// The first of them.
    pub breaks: Vec<Break>,
    pub broken: i64,
}

impl Walk {
    /// Begins behind entry `number`, which had this hash: 0 and `NOTHING_BEFORE` for a whole chain.
    pub fn after(number: i64, hash: impl Into<String>) -> Walk {
        Walk { next: number + 1, hash: hash.into(), entries: 0, breaks: Vec::new(), broken: 0 }
    }

    pub fn note(&mut self, number: i64, difference: Difference) {
        self.broken += 1;
        if self.breaks.len() < MOST_BREAKS {
            self.breaks.push(Break { number, difference });
        }
    }

    pub fn take(&mut self, entry: &Entry) {
        if entry.number > self.next {
            self.note(self.next, Difference::Missing { until: entry.number - 1 });
        } else if entry.previous_hash != self.hash {
            self.note(entry.number, Difference::Link);
        }
        if entry.compute_hash() != entry.hash {
            self.note(entry.number, Difference::Content);
        }
        self.entries += 1;
        self.next = entry.number + 1;
        self.hash.clone_from(&entry.hash);
    }

    /// The end: what was written last is the last one met.
    pub fn end(&mut self, last_number: i64, last_hash: &str) {
        if self.next <= last_number {
            self.note(self.next, Difference::Missing { until: last_number });
        } else if self.next > last_number + 1 {
            self.note(last_number + 1, Difference::Added);
        } else if self.hash != last_hash {
            self.note(last_number, Difference::Last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: i64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for number in 1..=count {
            let mut entry = Entry {
                organization_id: OrganizationId::new("org"),
                number,
                at_ms: 1_780_000_000_000 + number,
                actor_kind: "person".into(),
                actor_id: "u1".into(),
                actor_name: "Ada".into(),
                act: "role_changed".into(),
                object_kind: "person".into(),
                object_id: "u2".into(),
                object_name: "Grace".into(),
                before: "Member".into(),
                after: "Admin".into(),
                place: "192.0.2.1".into(),
                outcome: "done".into(),
                previous_hash: entries.last().map_or(NOTHING_BEFORE.to_owned(), |entry: &Entry| entry.hash.clone()),
                hash: String::new(),
            };
            entry.hash = entry.compute_hash();
            entries.push(entry);
        }
        entries
    }

    fn breaks(entries: &[Entry], last: &Entry) -> Vec<(i64, Difference)> {
        let mut walk = Walk::after(0, NOTHING_BEFORE);
        entries.iter().for_each(|entry| walk.take(entry));
        walk.end(last.number, &last.hash);
        walk.breaks.iter().map(|found| (found.number, found.difference)).collect()
    }

    #[test]
    fn a_hash_is_taken_over_a_text_that_a_reader_can_write_down() {
        let entry = &chain(1)[0];
        let expected = format!(
            "14:tieout audit 1\n3:org\n1:1\n13:1780000000001\n6:person\n2:u1\n3:Ada\n12:role_changed\n6:person\n2:u2\n5:Grace\n6:Member\n5:Admin\n9:192.0.2.1\n4:done\n64:{NOTHING_BEFORE}\n"
        );
        assert_eq!(entry.canonical(), expected);
        assert_eq!(entry.hash, hex::encode(Sha256::digest(expected.as_bytes())));
        let moved = Entry { before: "MemberA".into(), after: "dmin".into(), ..entry.clone() };
        assert_ne!(moved.compute_hash(), entry.hash, "what moves from one field to the next is another text");
    }

    #[test]
    fn every_way_of_changing_a_chain_is_told_with_its_place() {
        let whole = chain(6);
        let last = whole[5].clone();
        assert!(breaks(&whole, &last).is_empty());
        let with = |change: &dyn Fn(&mut Vec<Entry>)| {
            let mut entries = whole.clone();
            change(&mut entries);
            breaks(&entries, &last)
        };
        assert_eq!(with(&|all| all[2].after = "Owner".into()), [(3, Difference::Content)]);
        let rewritten = |all: &mut Vec<Entry>, at: usize| {
            all[at].after = "Owner".into();
            all[at].hash = all[at].compute_hash();
        };
        assert_eq!(with(&|all| rewritten(all, 2)), [(4, Difference::Link)], "with a hash that fits, the next one does not");
        assert_eq!(with(&|all| rewritten(all, 5)), [(6, Difference::Last)]);
        assert_eq!(with(&|all| drop(all.remove(0))), [(1, Difference::Missing { until: 1 })]);
        assert_eq!(with(&|all| drop(all.drain(2..4))), [(3, Difference::Missing { until: 4 })]);
        assert_eq!(with(&|all| all.truncate(4)), [(5, Difference::Missing { until: 6 })]);
        assert_eq!(
            with(&|all| {
                all.swap(1, 2);
                (all[1].number, all[2].number) = (2, 3);
            }),
            [(2, Difference::Link), (2, Difference::Content), (3, Difference::Link), (3, Difference::Content), (4, Difference::Link)],
            "two that changed places"
        );
        let seven = chain(7).remove(6);
        assert_eq!(with(&|all| all.push(seven.clone())), [(7, Difference::Added)]);
        assert_eq!(breaks(&[], &last), [(1, Difference::Missing { until: 6 })]);
    }

    #[test]
    fn a_walk_that_begins_behind_what_was_removed_needs_the_hash_of_the_last_removed() {
        let whole = chain(5);
        let mut walk = Walk::after(2, whole[1].hash.clone());
        whole[2..].iter().for_each(|entry| walk.take(entry));
        walk.end(5, &whole[4].hash);
        assert_eq!((walk.broken, walk.entries), (0, 3));
        let mut walk = Walk::after(2, NOTHING_BEFORE);
        whole[2..].iter().for_each(|entry| walk.take(entry));
        assert_eq!(walk.breaks, [Break { number: 3, difference: Difference::Link }]);
    }

    #[test]
    fn words_are_read_back_and_unlike() {
        assert!(Act::ALL.iter().all(|act| Act::parse(act.as_str()) == Some(*act)));
        let mut words: Vec<&str> = Act::ALL.iter().map(|act| act.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Act::ALL.len());
        assert_eq!([Act::label_of("role_changed"), Act::label_of("from_the_future")], ["Role changed", "from_the_future"]);
    }
}
