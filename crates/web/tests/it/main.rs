//! The web from outside: requests in, pages out.
mod connecting;
mod rendering;
mod roles;
mod signing_in;
mod site;
