//! An emulator as a container: LocalStack, or any image that is like it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::models::{HostConfig, PortBinding};
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use testcontainers::core::{IntoContainerPort, Mount};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, ContainerRequest, GenericImage, ImageExt};

use super::health::{self, Outcome};
use super::record::{Entry, Record};
use super::{Emulator, Log, Options, Owned, ministack, new_id, stop, sweep};
use crate::error::LogEnd;
use crate::layout::Layout;
use crate::{Error, Progress, Result, engine, process};

/// LocalStack's image: the one of `compose.yaml`.
const LOCALSTACK: &str = "localstack/localstack-pro:2026.7.4";
/// Its load balancers then listen on the ports of their listeners.
const LOCALSTACK_LISTEN: &str = "0.0.0.0:4566,0.0.0.0:80,0.0.0.0:81";

const PORT: u16 = 4566;
const SOCKET: &str = "/var/run/docker.sock";
/// The image may have to be pulled, and LocalStack asks for its licence.
const PATIENCE: Duration = Duration::from_secs(300);

/// Which image, and what it alone needs.
#[derive(Debug)]
pub(super) struct Spec {
    image: String,
    env: Vec<(&'static str, String)>,
}

impl Spec {
    pub(super) fn localstack(token: String) -> Self {
        Self {
            image: LOCALSTACK.to_owned(),
            env: vec![
                ("LOCALSTACK_AUTH_TOKEN", token),
                ("GATEWAY_LISTEN", LOCALSTACK_LISTEN.to_owned()),
            ],
        }
    }

    pub(super) fn like_localstack(image: String) -> Self {
        Self {
            image,
            env: Vec::new(),
        }
    }
}

pub(super) async fn start(
    layout: &Layout,
    spec: Spec,
    options: Options,
    progress: &Progress,
) -> Result<Emulator> {
    let begin = Instant::now();
    progress(&format!("starting a container of {}", spec.image));
    let id = new_id();
    let entry = Entry {
        id: id.clone(),
        account: options.account.clone(),
        endpoint: String::new(),
        pid: None,
        kept: options.keep,
        gate: None,
    };
    let mut owned = Owned {
        record: Record::create(layout, entry).await?,
        process: None,
    };
    match bring_up(&spec, &id, &options).await {
        Ok((endpoint, container)) => {
            progress(&format!(
                "{} answers at {endpoint} after {:.1?}",
                spec.image,
                begin.elapsed()
            ));
            owned
                .record
                .update(|entry| entry.endpoint.clone_from(&endpoint))?;
            Ok(Emulator {
                endpoint,
                account: options.account,
                log: Log::Container(container),
                owned: Some(owned),
            })
        }
        Err(error) => {
            stop::end(owned).await?;
            Err(error)
        }
    }
}

/// Starts the container and waits until it answers; gives endpoint and id.
async fn bring_up(spec: &Spec, id: &str, options: &Options) -> Result<(String, String)> {
    let failed = |source| Error::Container {
        image: spec.image.clone(),
        source: Box::new(source),
    };
    let container = Box::pin(request(spec, id, options).start())
        .await
        .map_err(failed)?;
    let port = container
        .get_host_port_ipv4(PORT.tcp())
        .await
        .map_err(failed)?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let is_running = || async { container.is_running().await.unwrap_or(false) };
    let outcome = health::wait(&endpoint, "", PATIENCE, is_running).await;
    let container = release(container);
    let what = spec.image.clone();
    let log = match outcome {
        Outcome::Answers => return Ok((endpoint, container)),
        Outcome::Ended | Outcome::Silent(_) => LogEnd {
            text: log_tail(&container, process::TAIL).await,
            name: format!("container {container}"),
        },
    };
    Err(match outcome {
        Outcome::Silent(reason) => Error::EmulatorSilent {
            what,
            waited: PATIENCE,
            reason,
            log,
        },
        Outcome::Answers | Outcome::Ended => Error::EmulatorEnded { what, log },
    })
}

/// Takes the container out of testcontainers' hands, which would remove it
/// whenever the value is dropped: it is removed by its label instead, in order,
/// also by another process, or not at all if it is kept.
fn release(container: ContainerAsync<GenericImage>) -> String {
    let id = container.id().to_owned();
    std::mem::forget(container);
    id
}

fn request(spec: &Spec, id: &str, options: &Options) -> ContainerRequest<GenericImage> {
    let (name, tag) = split(&spec.image);
    let socket = engine::named_host()
        .and_then(|host| host.strip_prefix("unix://").map(str::to_owned))
        .unwrap_or_else(|| SOCKET.to_owned());
    let host_port = options
        .port
        .map(|port| port.to_string())
        .unwrap_or_default();
    let mut request = GenericImage::new(name, tag)
        .with_exposed_port(PORT.tcp())
        .with_label(sweep::LABEL, id)
        .with_mount(Mount::bind_mount(socket, SOCKET))
        // Additional flags that LocalStack gives to what it starts for ECS.
        .with_env_var("ECS_DOCKER_FLAGS", format!("--label {}={id}", sweep::LABEL))
        .with_startup_timeout(PATIENCE)
        .with_host_config_modifier(move |config| publish_here_only(config, &host_port));
    for (name, value) in ministack::settings(id, options)
        .into_iter()
        .chain(spec.env.clone())
    {
        request = request.with_env_var(name, value);
    }
    for (name, value) in &options.env {
        request = request.with_env_var(name, value);
    }
    request
}

/// On this machine's own address, not on all: whoever reaches the emulator can
/// run containers. An empty port is any that is free.
fn publish_here_only(config: &mut HostConfig, port: &str) {
    let binding = PortBinding {
        host_ip: Some("127.0.0.1".to_owned()),
        host_port: Some(port.to_owned()),
    };
    config.publish_all_ports = Some(false);
    config.port_bindings = Some(HashMap::from([(
        format!("{PORT}/tcp"),
        Some(vec![binding]),
    )]));
}

/// `NAME:TAG` or `NAME@sha256:DIGEST` at its last colon, which is how
/// testcontainers puts it together again. A colon before a slash is a port.
fn split(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

pub(super) async fn log_tail(container: &str, lines: usize) -> String {
    let Ok(docker) = engine::connect().await else {
        return String::new();
    };
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .tail(&lines.to_string())
        .build();
    let mut text = String::new();
    let mut logs = docker.logs(container, Some(options));
    while let Some(Ok(part)) = logs.next().await {
        text.push_str(&part.to_string());
    }
    process::last_lines(&text, lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_split_into_name_and_tag() {
        assert_eq!(split("a/b:1"), ("a/b", "1"));
        assert_eq!(split("localhost:5000/a"), ("localhost:5000/a", "latest"));
        assert_eq!(split("localhost:5000/a:1"), ("localhost:5000/a", "1"));
        assert_eq!(split("a@sha256:00"), ("a@sha256", "00"));
    }

    #[test]
    fn the_compose_file_says_the_same() {
        let compose = include_str!("../../compose.yaml");
        assert!(compose.contains(&format!("image: {LOCALSTACK}\n")));
        assert!(compose.contains(&format!("GATEWAY_LISTEN: {LOCALSTACK_LISTEN}\n")));
        assert!(compose.contains(&format!("{SOCKET}:{SOCKET}\n")));
    }
}
