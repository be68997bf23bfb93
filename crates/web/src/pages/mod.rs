//! The pages: each is two files of one name, what it shows and how it looks.
pub mod account;
pub mod account_lines;
pub mod account_setup;
pub mod companies;
pub mod company;
pub mod data_feed;
pub mod disconnect;
pub mod integrations;
pub mod log_entry;
pub mod log_table;
pub mod logs;
pub mod result;
pub mod resync_all;
pub mod setup;
pub mod sign_in;
pub mod sign_in_link;
pub mod statements;
