//! Accepts connections and shakes hands with each apart: who does not finish holds nobody up.
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Connections that are greeted and wait to be served.
const WAITING: usize = 64;

type Greeted = (TlsStream<TcpStream>, SocketAddr);

pub struct TlsListener {
    address: std::io::Result<SocketAddr>,
    greeted: Receiver<Greeted>,
}

impl TlsListener {
    pub fn new(listener: TcpListener, server: Arc<ServerConfig>) -> TlsListener {
        let (sender, greeted) = channel(WAITING);
        let address = listener.local_addr();
        tokio::spawn(greet(listener, TlsAcceptor::from(server), sender));
        TlsListener { address, greeted }
    }
}

/// Ends when the listener that takes the connections is gone.
async fn greet(listener: TcpListener, acceptor: TlsAcceptor, sender: Sender<Greeted>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = sender.closed() => return,
        };
        let Ok((stream, address)) = accepted else {
            // too many open files, for example: that passes
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let _ = sender.send((stream, address)).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a client did not accept the test certificate"),
                Err(_) => tracing::debug!("a client did not finish its handshake"),
            }
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Greeted {
        match self.greeted.recv().await {
            Some(greeted) => greeted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(std::io::Error::from(error.kind())),
        }
    }
}
