//! Checks whether what an app is given (network, cluster, roles, logs, repository) is fit
//! for it, before anything is made: otherwise a task that cannot pull its image, or that
//! no request reaches, shows only after minutes. What bgecs cannot see (network ACLs,
//! where a transit gateway leads, what a role may do) is left to its owner.

mod groups;
mod network;
mod roles;

use super::plan::Refusal;
use super::task_definition::Needs;
use crate::model::{Capacity, Given, GivenFound, TaskRoles};

/// What an app wants of its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Wants<'a> {
    /// The container's port.
    pub port: u16,
    /// The listeners' ports.
    pub entrances: &'a [u16],
    pub needs: &'a Needs,
    pub capacity: Option<&'a Capacity>,
    /// Whose roles these are to be.
    pub account: &'a str,
    /// Whether nothing of it is there yet.
    pub is_new: bool,
}

/// # Errors
/// The first that is not there, or not fit.
pub fn refuse_unfit(given: &Given, found: &GivenFound, wants: Wants<'_>) -> Result<(), Refusal> {
    if let Some(network) = &given.network {
        let vpc = found.vpc.as_ref().ok_or_else(|| {
            let tells = "`aws ec2 describe-vpcs` lists them";
            none_such("VPC", &network.vpc, tells, "vpc", "network")
        })?;
        network::refuse_unfit(network, vpc, wants)?;
        groups::refuse_unfit(network, vpc, wants)?;
    }
    cluster(given, found, wants)?;
    let TaskRoles { execution, task } = &given.roles;
    for (key, arn, role) in [
        ("execution", execution, &found.execution),
        ("task", task, &found.task),
    ] {
        if let Some(arn) = arn {
            roles::refuse_unfit(key, arn, role.as_ref(), wants.account)?;
        }
    }
    if let (Some(name), None) = (&given.log_group, &found.log_group) {
        let tells = "`aws logs describe-log-groups` lists them";
        return Err(none_such("log group", name, tells, "group", "logs"));
    }
    if let (Some(name), None) = (&given.repository, &found.repository) {
        let tells = "`aws ecr describe-repositories` lists them";
        return Err(none_such(
            "repository",
            name,
            tells,
            "repository",
            "registry",
        ));
    }
    Ok(())
}

fn cluster(given: &Given, found: &GivenFound, wants: Wants<'_>) -> Result<(), Refusal> {
    let Some(name) = &given.cluster else {
        return Ok(());
    };
    let Some(cluster) = &found.cluster else {
        let tells = "`aws ecs list-clusters` lists them";
        return Err(none_such("cluster", name, tells, "name", "cluster"));
    };
    let named = wants.capacity.into_iter().flat_map(Capacity::providers);
    let missing = named
        .map(|share| share.provider.as_str())
        .find(|provider| !cluster.providers.iter().any(|it| it == provider));
    match missing {
        None => Ok(()),
        Some(provider) => Err(Refusal::new(
            format!("the cluster {name} has no capacity provider {provider}"),
            format!(
                "add it (`aws ecs put-cluster-capacity-providers` takes all of them), or leave `capacity` out of [service]: {name} is not bgecs's to change"
            ),
        )),
    }
}

fn none_such(what: &str, name: &str, tells: &str, key: &str, section: &str) -> Refusal {
    Refusal::new(
        format!("there is no {what} {name} in this account and region"),
        format!(
            "{tells}; correct `{key}` in [{section}], or leave it out, and `bgecs init` makes one"
        ),
    )
}

#[cfg(test)]
mod tests;
