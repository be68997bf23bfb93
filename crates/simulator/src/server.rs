//! Serving the sandbox over HTTP.
