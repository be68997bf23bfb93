//! A receiver of webhooks on this machine: it takes what is posted, keeps it, and answers as a test asks it to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use crate::listen::listen;

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    /// `POST /services/T0 HTTP/1.1`
    pub request_line: String,
    pub content_type: String,
    pub body: String,
}

#[derive(Default)]
struct Inside {
    posted: Vec<Posted>,
    /// What to answer to the next requests instead of `200 OK`, with further header lines.
    answers: Vec<String>,
}

pub struct Receiver {
    pub address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
}

impl Receiver {
    /// Listens on a free port until the process ends.
    pub fn start() -> Receiver {
        let (address, inside) = listen(take);
        Receiver { address, inside }
    }

    /// `http://127.0.0.1:port/path`
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.inside.lock().expect("no request panics").posted.clone()
    }

    /// The next request is answered with this, such as `503 Service Unavailable` or `302 Found\r\nLocation: http://127.0.0.1/`.
    pub fn answer_next(&self, answer: &str) {
        self.inside.lock().expect("no request panics").answers.push(answer.to_owned());
    }
}

fn take(stream: TcpStream, inside: &Mutex<Inside>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut reader = BufReader::new(stream);
    let mut posted = Posted { request_line: String::new(), content_type: String::new(), body: String::new() };
    reader.read_line(&mut posted.request_line)?;
    posted.request_line = posted.request_line.trim_end().to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "content-type" => posted.content_type = value.trim().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    posted.body = String::from_utf8_lossy(&body).into_owned();
    let answer = {
        let mut inside = inside.lock().expect("no request panics");
        inside.posted.push(posted);
        if inside.answers.is_empty() { "200 OK".to_owned() } else { inside.answers.remove(0) }
    };
    out.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").as_bytes())
}
