//! Listening: the site on a socket, until it is told to stop.
use crate::app::WebOptions;
use engine::Engine;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};

/// Serves the pages until `shutdown` is done.
pub async fn serve(
    engine: Engine,
    options: WebOptions,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let service = crate::router(engine, options).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(shutdown).await
}
