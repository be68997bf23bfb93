//! What the pages of the Data Feed share: what an address asks for, rows, what is ticked, what each click does.
pub mod actions;
pub mod choice;
pub mod export;
pub mod row;
pub mod selection;

pub const PATH: &str = "/integrations/data-feed";
