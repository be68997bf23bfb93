//! Listening: the site on a socket, until it is told to stop. Whoever does not read what they asked for is let go.
use crate::app::WebOptions;
use axum::serve::{Listener, ListenerExt};
use engine::Engine;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// Serves the pages until `shutdown` is done.
pub async fn serve(
    engine: Engine,
    options: WebOptions,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let patience = options.patience;
    let listener = Patient { listener: tokio::net::TcpListener::from_std(listener)?, patience };
    let service = crate::router(engine, options).into_make_service_with_connect_info::<SocketAddr>();
    // the tap does nothing: only behind one does axum tell the address of a listener that is not its own
    axum::serve(listener.tap_io(|_| {}), service).with_graceful_shutdown(shutdown).await
}

/// Connections that wait this long, and no longer, for somebody to take what is written to them.
struct Patient {
    listener: tokio::net::TcpListener,
    patience: Duration,
}

impl Listener for Patient {
    type Io = Awaited<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        (Awaited { stream, patience: self.patience, stuck: None }, address)
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A stream whose reader is waited for. Buffers hold a bounded amount; once they are full, a reader who takes nothing for as long as the patience lasts
/// is gone for us: its answer, its stream of events and its descriptor end.
struct Awaited<S> {
    stream: S,
    patience: Duration,
    /// Set while nothing more can be written.
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<S> Awaited<S> {
    fn wait<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let patience = self.patience;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stuck.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side reads nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Awaited<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Awaited<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wait(cx, written)
    }
    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wait(cx, written)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.wait(cx, flushed)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_takes_nothing_is_let_go_and_a_slow_one_is_not() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut ours = Awaited { stream: ours, patience: Duration::from_secs(30), stuck: None };
        let slow = tokio::spawn(async move {
            let mut taken = [0; 32];
            for _ in 0..6 {
                sleep(Duration::from_secs(20)).await;
                theirs.read_exact(&mut taken).await.unwrap();
            }
            theirs
        });
        ours.write_all(&[7; 256]).await.unwrap();
        let _theirs = slow.await.unwrap();
        let begun = tokio::time::Instant::now();
        let refused = ours.write_all(&[7; 256]).await.unwrap_err();
        assert_eq!((refused.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 30));
    }
}
