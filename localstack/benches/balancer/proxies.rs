//! The proxies that are compared, each a process of its own before the target.
//!
//! None outlives this one: each is killed when it is dropped, and by the kernel
//! if this process is killed itself (`setpriv`, of util-linux).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use localstack::balancer::config::{
    Action, Arn, Forward, HealthCheck, Listener, Matcher, Target, TargetGroup,
};
use localstack::balancer::{Balancer, Config, Ports, Site};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

use crate::Failure;

/// The argument by which this program is the gate's load balancer.
pub const SERVE: &str = "--serve-gate";

const PATIENCE: Duration = Duration::from_secs(10);

pub struct Proxy {
    pub name: &'static str,
    pub address: SocketAddr,
    process: Option<Child>,
    /// Its configuration, for as long as it runs.
    _folder: Option<TempDir>,
}

impl Proxy {
    fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.process.as_mut().map_or(Ok(None), Child::try_wait)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The target itself first, then the gate, then what is installed.
pub async fn start(target: SocketAddr) -> Result<Vec<Proxy>, Failure> {
    let direct = Proxy {
        name: "direct",
        address: target,
        process: None,
        _folder: None,
    };
    let mut all = vec![direct, gate(target).await?];
    for (name, program, configuration) in [
        (
            "haproxy",
            "/usr/sbin/haproxy",
            haproxy as fn(u16, SocketAddr, &Path) -> String,
        ),
        ("nginx", "/usr/sbin/nginx", nginx),
    ] {
        if Path::new(program).exists() {
            all.push(other(name, program, configuration, target).await?);
        }
    }
    Ok(all)
}

async fn gate(target: SocketAddr) -> Result<Proxy, Failure> {
    let port = free_port().await?;
    let process = bound(&std::env::current_exe()?)
        .args([SERVE, &format!("{port} {target}")])
        .spawn()?;
    ready("gate", port, process, None).await
}

async fn other(
    name: &'static str,
    program: &str,
    configuration: fn(u16, SocketAddr, &Path) -> String,
    target: SocketAddr,
) -> Result<Proxy, Failure> {
    let folder = tempfile::tempdir()?;
    let port = free_port().await?;
    let file = folder.path().join("configuration");
    std::fs::write(&file, configuration(port, target, folder.path()))?;
    let option = if name == "nginx" { "-c" } else { "-f" };
    let process = bound(Path::new(program))
        .arg(option)
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    ready(name, port, process, Some(folder)).await
}

/// That program, which ends with this one.
fn bound(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(program)
        .stdin(Stdio::null());
    command
}

async fn ready(
    name: &'static str,
    port: u16,
    process: Child,
    folder: Option<TempDir>,
) -> Result<Proxy, Failure> {
    let mut proxy = Proxy {
        name,
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        process: Some(process),
        _folder: folder,
    };
    let start = Instant::now();
    while TcpStream::connect(proxy.address).await.is_err() {
        if let Some(status) = proxy.ended()? {
            return Err(format!("{name} has ended by itself: {status}").into());
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("{name} does not listen").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(proxy)
}

async fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

fn haproxy(port: u16, target: SocketAddr, _: &Path) -> String {
    format!(
        "global\n  maxconn 1000\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  \
         timeout server 60s\n  option forwardfor\n  http-reuse always\nfrontend in\n  \
         bind 127.0.0.1:{port}\n  default_backend out\nbackend out\n  server one {target}\n"
    )
}

fn nginx(port: u16, target: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n\
         events {{}}\nhttp {{\n  access_log off;\n  upstream out {{ server {target}; keepalive 64; }}\n  \
         server {{\n    listen 127.0.0.1:{port};\n    location / {{\n      proxy_pass http://out;\n      \
         proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n      \
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    }}\n  }}\n}}\n"
    )
}

/// This program as the gate's load balancer: `PORT TARGET`. Ends when it is
/// killed.
pub async fn serve_gate(argument: Option<&String>) -> Result<(), Failure> {
    let (port, target) = argument
        .and_then(|text| text.split_once(' '))
        .ok_or("a port and a target are needed")?;
    let balancer = Balancer::new(Site {
        nodes: vec![Ipv4Addr::LOCALHOST.into()],
        ports: Ports::Own,
    });
    let matcher = Matcher::parse("200").ok_or("200 is no status code")?;
    let config = config(port.parse()?, target.parse()?, matcher);
    balancer.apply(config).await?;
    std::future::pending().await
}

fn config(port: u16, target: SocketAddr, matcher: Matcher) -> Config {
    let group = Arn::new("group");
    Config {
        listeners: vec![Listener {
            arn: Arn::new("listener"),
            port,
            tls: None,
            rules: Vec::new(),
            default_actions: vec![Action::Forward(Forward::to(group.clone()))],
        }],
        target_groups: vec![TargetGroup {
            arn: group,
            health_check: health_check(matcher),
            deregistration_delay: Duration::ZERO,
            stickiness: None,
            targets: [Target {
                ip: target.ip(),
                port: target.port(),
            }]
            .into(),
        }],
        ..Config::default()
    }
}

/// As bgecs's template sets it.
fn health_check(matcher: Matcher) -> HealthCheck {
    HealthCheck {
        enabled: true,
        path: "/".to_owned(),
        port: None,
        interval: Duration::from_secs(5),
        timeout: Duration::from_secs(2),
        healthy_threshold: 2,
        unhealthy_threshold: 2,
        matcher,
    }
}
