//! The sandbox's tests: its books, its files, its control API and both faces over HTTP.
mod books;
