//! Removing the containers of one emulator, and no others: by labels that have
//! its id in them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};

use crate::{Error, Result, engine};

/// On the emulator's own container, and on what LocalStack starts.
pub(super) const LABEL: &str = "bgecs.instance";
/// MiniStack's, on what it starts; the value is a host's name and a port, and
/// as the name it is given the id.
const MINISTACK_LABEL: &str = "ministack.instance";

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
/// For the emulator's own container to end by itself.
const STOP_SECONDS: i32 = 15;

/// Stops the emulator's container, if it is one, and removes all containers.
/// With a connection of its own: this also runs where the runtime of an
/// earlier one has come to a halt.
pub(super) async fn remove_all(id: &str) -> Result<()> {
    let docker = engine::connect()
        .await
        .map_err(|source| Error::docker(format!("look for the containers of {id}"), source))?;
    for container in labelled(&docker, &format!("{LABEL}={id}")).await? {
        let options = StopContainerOptionsBuilder::default()
            .t(STOP_SECONDS)
            .build();
        // Whatever comes of it: it is removed by force below.
        let _ = docker.stop_container(&container, Some(options)).await;
    }
    let start = Instant::now();
    loop {
        let left = of_instance(&docker, id).await?;
        if left.is_empty() {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(Error::Leftover {
                instance: id.to_owned(),
                count: left.len(),
                ids: left.join(" "),
            });
        }
        for container in &left {
            let options = RemoveContainerOptionsBuilder::default()
                .force(true)
                .v(true)
                .build();
            // One that is being removed by someone else is an error too; the
            // next look tells whether it is gone.
            let _ = docker.remove_container(container, Some(options)).await;
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The containers of the emulator, running or not.
async fn of_instance(docker: &Docker, id: &str) -> Result<Vec<String>> {
    let mut all = labelled(docker, &format!("{LABEL}={id}")).await?;
    // A label is matched whole, and the port is not known of every instance.
    let with_port = format!("{id}:");
    for (container, value) in with_label(docker, MINISTACK_LABEL).await? {
        if value.starts_with(&with_port) {
            all.push(container);
        }
    }
    Ok(all)
}

async fn labelled(docker: &Docker, filter: &str) -> Result<Vec<String>> {
    let found = with_label(docker, filter).await?;
    Ok(found.into_iter().map(|(container, _)| container).collect())
}

/// Containers that match a label's filter, each with the label's value.
async fn with_label(docker: &Docker, filter: &str) -> Result<Vec<(String, String)>> {
    let filters = HashMap::from([("label", vec![filter])]);
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    let found = docker
        .list_containers(Some(options))
        .await
        .map_err(|source| Error::docker("list containers", source))?;
    let name = filter.split('=').next().unwrap_or_default();
    Ok(found
        .into_iter()
        .filter_map(|container| {
            let value = container.labels.unwrap_or_default().remove(name)?;
            Some((container.id?, value))
        })
        .collect())
}
