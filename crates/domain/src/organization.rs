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
}
