//! The static server: nginx, with one process on one core.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::sleep;

use crate::Result;
use crate::bench::program::Line;

const PATIENCE: Duration = Duration::from_secs(10);

/// Ends with its value.
pub struct Server {
    pub url: String,
    _process: Child,
    _folder: TempDir,
}

impl Server {
    pub async fn start(nginx: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration(&address, folder.path()))?;
        let (nginx, file) = (nginx.display().to_string(), file.display().to_string());
        // Killed by the kernel, too, if this process is.
        let bound = ["setpriv", "--pdeathsig", "KILL", "--", "taskset", "-c", "0"];
        let line = Line::new([nginx.as_str(), "-c", &file]).under(&bound);
        let server = Self {
            _process: line.command().spawn()?,
            _folder: folder,
            url: format!("http://{address}/"),
        };
        let began = Instant::now();
        while TcpStream::connect(&address).await.is_err() {
            if began.elapsed() > PATIENCE {
                return Err("nginx does not listen".into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }
}

/// Without a limit to the requests of a connection, which no peer expects.
fn configuration(address: &str, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n\
         events {{ worker_connections 4096; }}\nhttp {{\n  access_log off;\n  \
         keepalive_requests 1000000000;\n  server {{\n    listen {address};\n    \
         location / {{ return 200 \"Hello, World!\\n\"; }}\n  }}\n}}\n"
    )
}
