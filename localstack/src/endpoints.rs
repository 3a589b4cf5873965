//! Two servers of somebody else's, blue and green, which answer with what was put there:
//! for what routes users between endpoints that nobody here runs.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const COLORS: [&str; 2] = ["blue", "green"];
/// What is put there to have every answer fail.
const BAD: &str = "bad";

#[derive(Debug)]
pub struct Endpoints {
    folder: TempDir,
    addresses: [Ipv4Addr; 2],
    /// That of both.
    pub port: u16,
}

impl Endpoints {
    /// At these addresses, blue's first; all at one port, as one URL leads to each of
    /// them. Answers name their release in that header. They end with the process.
    ///
    /// # Errors
    /// The system's own: an address that this machine has not, no free port.
    pub fn at(addresses: [Ipv4Addr; 2], header: &'static str) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("endpoints-").tempdir()?;
        let first = TcpListener::bind((addresses[0], 0))?;
        let port = first.local_addr()?.port();
        let second = TcpListener::bind((addresses[1], port))?;
        for (listener, color) in [first, second].into_iter().zip(COLORS) {
            let file = file(folder.path(), color);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let file = file.clone();
                    std::thread::spawn(move || answer(&stream, &file, (color, header)));
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
        self.addresses[usize::from(color != COLORS[0])]
    }

    /// Where that colour is itself.
    pub fn url(&self, color: &str) -> String {
        format!("http://{}:{}", self.address(color), self.port)
    }

    /// Whose text is the release that it answers with; none is 503.
    pub fn file(&self, color: &str) -> PathBuf {
        file(self.folder.path(), color)
    }
}

fn file(folder: &Path, color: &str) -> PathBuf {
    folder.join(format!("{color}.tag"))
}

/// Who leaves is not waited for.
fn answer(stream: &TcpStream, file: &Path, (color, header): (&str, &str)) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let mut out = stream;
    loop {
        let first = lines.next()?.ok()?;
        if first.is_empty() {
            continue;
        }
        while !lines.next()?.ok()?.is_empty() {}
        let tag = std::fs::read_to_string(file).unwrap_or_default();
        let tag = tag.trim();
        let status = match tag {
            "" => "503 Service Unavailable",
            BAD => "500 Internal Server Error",
            _ => "200 OK",
        };
        let body = format!("{color} {tag}\n");
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{header}: {tag}\r\n\r\n{body}",
            body.len()
        );
        out.write_all(answer.as_bytes()).ok()?;
    }
}
