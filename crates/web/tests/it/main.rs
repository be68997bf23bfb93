//! The web from outside: requests in, pages out.
mod api;
mod books;
mod callback;
mod connecting;
mod feed;
mod live;
mod logs;
mod mapping;
mod matrix;
mod palette;
mod people;
mod rendering;
mod roles;
mod sample;
mod signing_in;
mod site;
mod statements;
