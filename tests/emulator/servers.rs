//! Two servers of somebody else's, a colour each, which say what was put there.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;

use tempfile::TempDir;

use crate::support::Outcome;

pub struct Servers {
    folder: TempDir,
    addresses: [(&'static str, Ipv4Addr); 2],
    /// That of both.
    pub port: u16,
}

impl Servers {
    /// At these addresses, blue's first; all at one port, as one URL leads to each of
    /// them.
    pub fn at(blue: Ipv4Addr, green: Ipv4Addr) -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("bgecs-site-").tempdir()?;
        let addresses = [("blue", blue), ("green", green)];
        let first = TcpListener::bind((blue, 0))?;
        let port = first.local_addr()?.port();
        let second = TcpListener::bind((green, port))?;
        for (listener, (color, _)) in [first, second].into_iter().zip(addresses) {
            let folder = folder.path().to_owned();
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let folder = folder.clone();
                    std::thread::spawn(move || answer(&stream, &folder, color));
                }
            });
        }
        Ok(Self {
            folder,
            addresses,
            port,
        })
    }

    pub fn address(&self, color: &str) -> Ipv4Addr {
        let [(_, blue), (_, green)] = self.addresses;
        if color == "blue" { blue } else { green }
    }

    /// Somebody puts a release there, and not bgecs.
    pub fn put(&self, color: &str, tag: &str) -> Outcome {
        Ok(std::fs::write(self.file(color), tag)?)
    }

    /// The tag that a colour serves.
    pub fn tag(&self, color: &str) -> Option<String> {
        tag(self.folder.path(), color)
    }

    /// Both colours for bgecs.toml, of which each is routed to as that.
    pub fn colors(&self, targets: [&str; 2], url: impl Fn(&str) -> String) -> String {
        let all = self.addresses.iter().zip(targets);
        let all = all.map(|((color, _), target)| {
            let file = self.file(color);
            format!(
                "\n[colors.{color}]\ntarget = \"{target}\"\nurl = \"{}\"\n\
                 deploy = \"echo $BGECS_TAG > {file}\"\nretire = \"rm {file}\"\n",
                url(color)
            )
        });
        all.collect()
    }

    /// Where that colour is itself.
    pub fn url(&self, color: &str) -> String {
        format!("http://{}:{}", self.address(color), self.port)
    }

    /// A section of bgecs.toml: a colour breaks between its health check and its first
    /// user.
    pub fn breaking(&self, color: &str) -> String {
        let file = self.file(color);
        format!("[hooks]\nbefore_shift = \"echo bad > {file}\"\n")
    }

    fn file(&self, color: &str) -> String {
        let file = self.folder.path().join(format!("{color}.tag"));
        file.display().to_string()
    }
}

fn tag(folder: &Path, color: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(format!("{color}.tag"))).ok()?;
    Some(text.trim().to_owned())
}

/// Who leaves is not waited for.
fn answer(stream: &TcpStream, folder: &Path, color: &str) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut out = stream;
    loop {
        let first = lines.next()?.ok()?;
        if first.is_empty() {
            continue;
        }
        while !lines.next()?.ok()?.is_empty() {}
        let (status, tag) = match tag(folder, color) {
            Some(tag) if tag == "bad" => ("500 Internal Server Error", tag),
            Some(tag) => ("200 OK", tag),
            None => ("503 Service Unavailable", String::new()),
        };
        let body = format!("{color} {tag}\n");
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nx-bgecs-release: {tag}\r\n\r\n{body}",
            body.len()
        );
        out.write_all(answer.as_bytes()).ok()?;
    }
}
