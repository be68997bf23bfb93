//! A listener for tests: each connection is answered on a thread of its own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Listens on a free port until the process ends; each connection is handled in a thread of its own. The address, and what the handlers share.
pub fn listen<T: Default + Send + 'static>(handle: fn(TcpStream, &Mutex<T>) -> std::io::Result<()>) -> (SocketAddr, Arc<Mutex<T>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let inside = Arc::new(Mutex::new(T::default()));
    let shared = inside.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = shared.clone();
            // a client that goes away in the middle is no failure of the server
            thread::spawn(move || handle(stream, &shared));
        }
    });
    (address, inside)
}
