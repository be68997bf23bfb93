//! The few messages of PostgreSQL's protocol that running one statement takes (PostgreSQL documentation, chapter "Frontend/Backend Protocol").

use std::io::{Error, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const PROTOCOL_VERSION: u32 = 196_608;

/// Runs one statement as user `postgres` and returns its rows as text; `None` is NULL.
pub fn query(port: u16, database: &str, statement: &str) -> std::io::Result<Vec<Vec<Option<String>>>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut start = PROTOCOL_VERSION.to_be_bytes().to_vec();
    start.extend_from_slice(format!("user\0postgres\0database\0{database}\0\0").as_bytes());
    send(&mut stream, None, &start)?;
    read_until_ready(&mut stream)?;
    send(&mut stream, Some(b'Q'), format!("{statement}\0").as_bytes())?;
    let rows = read_until_ready(&mut stream)?;
    send(&mut stream, Some(b'X'), &[])?;
    Ok(rows)
}

fn send(stream: &mut TcpStream, kind: Option<u8>, body: &[u8]) -> std::io::Result<()> {
    let length = u32::try_from(body.len() + 4).map_err(Error::other)?;
    let mut message: Vec<u8> = kind.into_iter().collect();
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(body);
    stream.write_all(&message)
}

fn read_until_ready(stream: &mut TcpStream) -> std::io::Result<Vec<Vec<Option<String>>>> {
    let mut rows = Vec::new();
    let mut failure = None;
    loop {
        let mut head = [0; 5];
        if let Err(error) = stream.read_exact(&mut head) {
            return Err(failure.unwrap_or(error));
        }
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length.checked_sub(4).ok_or(ErrorKind::InvalidData)?];
        stream.read_exact(&mut body)?;
        match head[0] {
            b'D' => rows.push(row(&body).ok_or(ErrorKind::InvalidData)?),
            b'E' => failure = Some(Error::other(message_of(&body))),
            b'Z' => return failure.map_or(Ok(rows), Err),
            _ => {}
        }
    }
}

fn row(body: &[u8]) -> Option<Vec<Option<String>>> {
    let (columns, mut rest) = body.split_first_chunk::<2>()?;
    let mut values = Vec::new();
    for _ in 0..u16::from_be_bytes(*columns) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            values.push(None);
            rest = after;
            continue;
        };
        let (value, after) = after.split_at_checked(length)?;
        values.push(Some(String::from_utf8_lossy(value).into_owned()));
        rest = after;
    }
    Some(values)
}

/// An error is a list of fields, each a letter and a text that ends in a zero byte; `M` is the sentence for people.
fn message_of(body: &[u8]) -> String {
    let sentence = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&b'M')).unwrap_or_default();
    String::from_utf8_lossy(sentence.get(1..).unwrap_or_default()).into_owned()
}
