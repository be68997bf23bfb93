//! The sandbox under the providers' own host names: for clients whose addresses cannot be changed. It answers TLS with a certificate of a test
//! authority that it makes at each start. Only who trusts that authority and sends the names here, a test for itself, comes to the sandbox.
mod authority;
mod hosts;
mod listener;

pub use authority::{Authority, Unmade};
pub use hosts::{PROVIDERS_HOSTS, is_providers};

use crate::sandbox::Sandbox;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use std::future::Future;

/// Serves both faces over TLS until `shutdown` is done; calls in flight are finished.
pub async fn serve(
    sandbox: Sandbox,
    listener: std::net::TcpListener,
    authority: &Authority,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = listener::TlsListener::new(tokio::net::TcpListener::from_std(listener)?, authority.server());
    let router = crate::server::router(sandbox).layer(from_fn(mark_secure));
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

/// Discovery documents repeat the scheme by which they were asked for.
async fn mark_secure(mut request: Request, next: Next) -> Response {
    request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
    next.run(request).await
}
