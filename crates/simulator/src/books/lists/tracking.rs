//! What lines are tracked by: QuickBooks' classes and locations, Xero's tracking categories and their options.
use super::Stamp;
use crate::books::{Books, Document, Line, Refused};
use jiff::Timestamp;

/// One way to divide a business. A document line names at most one option of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    pub id: u64,
    /// Xero: the name of the tracking category. QuickBooks shows none.
    pub name: String,
    pub role: DimensionRole,
    pub stamp: Stamp,
}

/// What QuickBooks calls a dimension. Xero makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DimensionRole {
    /// QuickBooks Class, on lines.
    Class,
    /// QuickBooks Department (shown to people as Location), on whole transactions.
    Location,
    /// Xero only.
    Other,
}

/// One value of a dimension: a class, a location, a tracking option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingOption {
    pub id: u64,
    pub dimension: u64,
    pub name: String,
    /// QuickBooks: classes and locations can stand below another one.
    pub parent: Option<u64>,
    pub stamp: Stamp,
}

impl Books {
    pub fn add_dimension(&mut self, name: impl Into<String>, role: DimensionRole, now: Timestamp) -> u64 {
        let id = self.take_id();
        self.lists.dimensions.insert(id, Dimension { id, name: name.into(), role, stamp: Stamp::new(now) });
        id
    }

    /// The first dimension of this role.
    pub fn dimension(&self, role: DimensionRole) -> Option<u64> {
        self.lists.dimensions.values().find(|dimension| dimension.role == role).map(|dimension| dimension.id)
    }

    /// Names are unique among the options of one dimension and parent, whatever their case.
    pub fn add_tracking_option(&mut self, dimension: u64, name: impl Into<String>, parent: Option<u64>, now: Timestamp) -> Result<u64, Refused> {
        let name = name.into();
        self.check_option(None, dimension, &name, parent)?;
        let id = self.take_id();
        self.lists.options.insert(id, TrackingOption { id, dimension, name, parent, stamp: Stamp::new(now) });
        Ok(id)
    }

    pub fn change_tracking_option(&mut self, id: u64, name: String, parent: Option<u64>, active: bool, now: Timestamp) -> Result<(), Refused> {
        let known = self.lists.options.get(&id).ok_or_else(|| Refused(format!("there is no tracking option {id}")))?;
        self.check_option(Some(id), known.dimension, &name, parent)?;
        let option = self.lists.options.get_mut(&id).expect("looked up above");
        if (&option.name, option.parent, option.stamp.active) != (&name, parent, active) {
            option.name = name;
            option.parent = parent;
            option.stamp.active = active;
            option.stamp.touch(now);
        }
        Ok(())
    }

    fn check_option(&self, own: Option<u64>, dimension: u64, name: &str, parent: Option<u64>) -> Result<(), Refused> {
        if !self.lists.dimensions.contains_key(&dimension) {
            return Err(Refused(format!("there is no dimension {dimension}")));
        }
        if name.trim().is_empty() {
            return Err(Refused("a tracking option needs a name".into()));
        }
        let mut above = parent;
        for _ in 0..5 {
            let Some(id) = above else { break };
            if own == Some(id) {
                return Err(Refused("a tracking option cannot stand below itself".into()));
            }
            match self.lists.options.get(&id).filter(|option| option.dimension == dimension) {
                Some(option) => above = option.parent,
                None => return Err(Refused(format!("there is no tracking option {id} to stand below"))),
            }
        }
        if above.is_some() {
            return Err(Refused("tracking options stand at most five deep".into()));
        }
        let mut others = self.lists.options.values().filter(|option| option.dimension == dimension && option.parent == parent);
        match others.find(|option| Some(option.id) != own && option.name.eq_ignore_ascii_case(name)) {
            Some(other) => Err(Refused(format!("tracking option {} is already called {name}", other.id))),
            None => Ok(()),
        }
    }

    /// At most one option of each dimension, all of them known.
    pub(in crate::books) fn check_tracking(&self, options: &[u64]) -> Result<(), Refused> {
        let mut used = Vec::new();
        for id in options {
            let Some(option) = self.lists.options.get(id) else { return Err(Refused(format!("there is no tracking option {id}"))) };
            if used.contains(&option.dimension) {
                return Err(Refused("a line has at most one option of each dimension".into()));
            }
            used.push(option.dimension);
        }
        Ok(())
    }

    /// The option of this role that a line carries itself or takes from its document.
    pub fn tracked(&self, document: &Document, line: Option<&Line>, role: DimensionRole) -> Option<&TrackingOption> {
        let own = line.into_iter().flat_map(|line| &line.tracking).chain(&document.details.tracking);
        own.filter_map(|id| self.lists.options.get(id))
            .find(|option| self.lists.dimensions.get(&option.dimension).is_some_and(|dimension| dimension.role == role))
    }
}
