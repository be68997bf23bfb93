//! A mail server on this machine: it speaks SMTP (RFC 5321) in clear, keeps what it is given, and refuses when a test asks it to.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use crate::listen::listen;

/// One mail as it arrived.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// Headers and body, lines ended by `\n`, dots unstuffed, quoted-printable decoded.
    pub text: String,
}

impl Mail {
    /// The first address of the web in it.
    pub fn link(&self) -> Option<&str> {
        let start = self.text.find("http://").or_else(|| self.text.find("https://"))?;
        self.text[start..].split_whitespace().next()
    }
}

#[derive(Default)]
struct Inside {
    mails: Vec<Mail>,
    /// What to answer to the next recipients instead of `250`.
    refusals: Vec<String>,
    commands: Vec<String>,
}

pub struct MailServer {
    pub address: SocketAddr,
    inside: Arc<Mutex<Inside>>,
}

impl MailServer {
    /// Listens on a free port until the process ends.
    pub fn start() -> MailServer {
        let (address, inside) = listen(talk);
        MailServer { address, inside }
    }

    /// `smtp://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.inside.lock().expect("no talk panics").mails.clone()
    }

    /// Every command line a client sent, in order.
    pub fn commands(&self) -> Vec<String> {
        self.inside.lock().expect("no talk panics").commands.clone()
    }

    /// The next recipient is answered with this, such as `451 4.3.2 come back later`.
    pub fn refuse_next(&self, reply: &str) {
        self.inside.lock().expect("no talk panics").refusals.push(reply.to_owned());
    }
}

fn talk(stream: TcpStream, inside: &Mutex<Inside>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut mail = Mail { from: String::new(), to: Vec::new(), text: String::new() };
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes());
    say("220 mail.test ESMTP")?;
    while let Some(line) = lines.next() {
        let line = line?;
        inside.lock().expect("no talk panics").commands.push(line.clone());
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "EHLO" => {
                say("250-mail.test")?;
                say("250 8BITMIME")?;
            }
            "HELO" | "NOOP" | "RSET" => say("250 ok")?,
            "MAIL" => {
                mail.from = address(&line);
                say("250 ok")?;
            }
            "RCPT" => {
                let mut inside = inside.lock().expect("no talk panics");
                if inside.refusals.is_empty() {
                    mail.to.push(address(&line));
                    say("250 ok")?;
                } else {
                    say(&inside.refusals.remove(0))?;
                }
            }
            "DATA" => {
                say("354 go on")?;
                let mut raw = String::new();
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    raw.push('\n');
                }
                mail.text = readable(&raw);
                inside
                    .lock()
                    .expect("no talk panics")
                    .mails
                    .push(std::mem::replace(&mut mail, Mail { from: String::new(), to: Vec::new(), text: String::new() }));
                say("250 taken")?;
            }
            "QUIT" => {
                say("221 bye")?;
                return Ok(());
            }
            _ => say("502 unknown")?,
        }
    }
    Ok(())
}

/// `MAIL FROM:<a@b> BODY=8BITMIME` → `a@b`
fn address(line: &str) -> String {
    line.split('<').nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default().to_owned()
}

/// Undoes quoted-printable (RFC 2045, 6.7) where the mail says so.
fn readable(raw: &str) -> String {
    if !raw.to_ascii_lowercase().contains("quoted-printable") {
        return raw.to_owned();
    }
    let mut bytes = Vec::new();
    let joined = raw.replace("=\n", "");
    let mut rest = joined.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let code = (byte == b'=').then(|| tail.get(..2).and_then(|two| std::str::from_utf8(two).ok())).flatten();
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_reads_again() {
        let raw = "Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe, http://x/a?b=3D1&c=\n=3D2\n1 =3D 1\n";
        assert_eq!(readable(raw).lines().nth(2), Some("Grüße, http://x/a?b=1&c=2"));
        assert_eq!(address("MAIL FROM:<a@b.example> BODY=8BITMIME"), "a@b.example");
    }
}
