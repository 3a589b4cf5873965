//! Reads everything about a service, whoever made it.

use crate::aws::Aws;
use crate::engine::import::ReadService;
use crate::error::{Error, Result};

/// # Errors
/// There is no service of that name (exit 2); AWS's own.
pub async fn read(aws: &Aws, cluster: &str, name: &str) -> Result<ReadService> {
    let found = aws.read_running_service(cluster, name).await?;
    let (service, settings) = found.ok_or_else(|| no_service(aws, cluster, name))?;
    let groups = aws.read_groups(&service.groups).await?;
    Ok(ReadService {
        balancers: aws.read_balancers(&groups).await?,
        definition: aws.read_task_definition(&settings.task_definition).await?,
        region: aws.region().to_owned(),
        service,
        settings,
        groups,
    })
}

pub fn no_service(aws: &Aws, cluster: &str, name: &str) -> Error {
    let place = aws.region();
    let what = format!("there is no service {name} in a cluster {cluster} in {place}");
    Error::usage(what).hint("check the names of both, --region and --profile")
}
