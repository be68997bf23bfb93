//! What several pages share: the frame, icons, names of providers.
pub mod address;
pub mod browser;
pub mod by_contact;
pub mod chart;
pub mod csv;
pub mod fields;
pub mod figures;
pub mod icon;
pub mod incident;
pub mod mapped;
pub mod moment;
pub mod provider;
pub mod qr;
pub mod seen;
pub mod status;
pub mod step;
pub mod tracking;
