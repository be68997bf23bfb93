//! Members, roles, and one table that says who may do what.
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    Member,
    Admin,
    Owner,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Member => "member",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }
    pub fn parse(word: &str) -> Option<Role> {
        [Role::Member, Role::Admin, Role::Owner].into_iter().find(|r| r.as_str() == word)
    }
    /// As a person reads it.
    pub fn label(self) -> &'static str {
        match self {
            Role::Member => "Member",
            Role::Admin => "Admin",
            Role::Owner => "Owner",
        }
    }
    /// The one table of permissions.
    pub fn may(self, action: Action) -> bool {
        match action {
            Action::ReadCompany => true,
            Action::UseIntegrations => self >= Role::Admin,
            Action::EditMapping => self >= Role::Admin,
            Action::ManageMembers => self >= Role::Admin,
            Action::PromoteOwner => self == Role::Owner,
        }
    }
}

impl Role {
    /// What it allows, for whoever is asked to join or gives it.
    pub fn allows(self) -> &'static str {
        match self {
            Role::Owner => "Everything, including who else is an Owner.",
            Role::Admin => "Connects accounting software, runs syncs, reads logs, and manages members. Sees every company.",
            Role::Member => "Reads the books of the companies assigned to them. Sees no Integrations.",
        }
    }
}

/// Why a member's role or membership stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody changes their own role.
    Yourself,
    /// An organization without an Owner could never be managed again.
    LastOwner,
    /// Admins make and remove no Owners.
    OwnersOnly,
    NotAManager,
}

impl Refusal {
    pub fn sentence(self) -> &'static str {
        match self {
            Refusal::Yourself => "You cannot change your own role. Ask another Owner.",
            Refusal::LastOwner => "This is the last Owner. Make somebody else an Owner first.",
            Refusal::OwnersOnly => "Only an Owner can make, change or remove an Owner.",
            Refusal::NotAManager => "Only an Owner or Admin can manage members.",
        }
    }
    /// Not for this person, whatever else happens; the other refusal is about the organization.
    pub fn is_about_the_person(self) -> bool {
        self != Refusal::LastOwner
    }
}

/// Whether somebody in a role may give another member a role. `owners` counts the Owners there are.
pub fn may_set_role(actor: Role, is_self: bool, from: Role, to: Role, owners: i64) -> Result<(), Refusal> {
    if !actor.may(Action::ManageMembers) {
        return Err(Refusal::NotAManager);
    }
    if is_self && from == Role::Owner && owners <= 1 {
        return Err(Refusal::LastOwner);
    }
    if is_self {
        return Err(Refusal::Yourself);
    }
    if (from == Role::Owner || to == Role::Owner) && !actor.may(Action::PromoteOwner) {
        return Err(Refusal::OwnersOnly);
    }
    if from == Role::Owner && to != Role::Owner && owners <= 1 {
        return Err(Refusal::LastOwner);
    }
    Ok(())
}

/// Whether somebody may remove a member; everybody may leave, except the last Owner.
pub fn may_remove(actor: Role, is_self: bool, target: Role, owners: i64) -> Result<(), Refusal> {
    if !is_self && !actor.may(Action::ManageMembers) {
        return Err(Refusal::NotAManager);
    }
    if !is_self && target == Role::Owner && !actor.may(Action::PromoteOwner) {
        return Err(Refusal::OwnersOnly);
    }
    if target == Role::Owner && owners <= 1 { Err(Refusal::LastOwner) } else { Ok(()) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    ReadCompany,
    /// Connect, link, resync, read logs: everything under Integrations.
    UseIntegrations,
    /// Decide where accounts lie in the standard chart.
    EditMapping,
    ManageMembers,
    PromoteOwner,
}

/// Whether a key of the JSON API may change anything, whatever its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyAccess {
    Read,
    Write,
}

impl KeyAccess {
    pub fn as_str(self) -> &'static str {
        match self {
            KeyAccess::Read => "read",
            KeyAccess::Write => "write",
        }
    }
    pub fn parse(word: &str) -> Option<Self> {
        [KeyAccess::Read, KeyAccess::Write].into_iter().find(|access| access.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_owners_and_admins_use_integrations() {
        assert!(Role::Owner.may(Action::UseIntegrations));
        assert!(Role::Admin.may(Action::UseIntegrations));
        assert!(!Role::Member.may(Action::UseIntegrations));
        assert!(!Role::Admin.may(Action::PromoteOwner));
    }

    // proves H3 in part
    #[test]
    fn admins_make_no_owners_nobody_changes_their_own_role_and_one_owner_stays() {
        use Role::{Admin, Member, Owner};
        /// Actor, oneself, from, to, Owners there are, and what stands against it.
        type Case = (Role, bool, Role, Role, i64, Result<(), Refusal>);
        let cases: [Case; 10] = [
            (Owner, false, Member, Admin, 1, Ok(())),
            (Owner, false, Admin, Owner, 1, Ok(())),
            (Owner, false, Owner, Member, 2, Ok(())),
            (Owner, true, Owner, Admin, 1, Err(Refusal::LastOwner)),
            (Owner, true, Owner, Admin, 2, Err(Refusal::Yourself)),
            (Admin, false, Member, Admin, 1, Ok(())),
            (Admin, false, Member, Owner, 1, Err(Refusal::OwnersOnly)),
            (Admin, false, Owner, Admin, 2, Err(Refusal::OwnersOnly)),
            (Admin, true, Admin, Owner, 1, Err(Refusal::Yourself)),
            (Member, false, Member, Admin, 1, Err(Refusal::NotAManager)),
        ];
        for (actor, is_self, from, to, owners, expected) in cases {
            assert_eq!(may_set_role(actor, is_self, from, to, owners), expected, "{actor:?} {is_self} {from:?} {to:?} {owners}");
        }
        assert_eq!(may_remove(Owner, true, Owner, 1), Err(Refusal::LastOwner));
        assert_eq!(may_remove(Owner, true, Owner, 2), Ok(()));
        assert_eq!(may_remove(Member, true, Member, 1), Ok(()), "everybody may leave");
        assert_eq!(may_remove(Member, false, Member, 1), Err(Refusal::NotAManager));
        assert_eq!(may_remove(Admin, false, Owner, 2), Err(Refusal::OwnersOnly));
        assert_eq!(may_remove(Admin, false, Owner, 1), Err(Refusal::OwnersOnly), "not theirs to do, whatever the count");
        assert_eq!(may_remove(Admin, false, Admin, 1), Ok(()));
    }
}
