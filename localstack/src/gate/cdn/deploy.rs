//! Continuous deployment policies, which no emulator has: they are kept here. Pure.
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ContinuousDeploymentPolicyConfig.html>

use std::collections::BTreeMap;
use std::fmt::Write as _;

use roxmltree::{Document, Node};

use super::distribution::{World, texts};
use super::refuse::Refusal;
use super::{NAMESPACE, edit};
use crate::gate::elb::xml::text;

/// "Expressed as a decimal number between 0 and .15":
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ContinuousDeploymentSingleWeightConfig.html>.
const MOST: f64 = 0.15;
/// "The header must contain the prefix aws-cf-cd-":
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ContinuousDeploymentSingleHeaderConfig.html>.
const PREFIX: &str = "aws-cf-cd-";

/// What a policy has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// The domain name of the staging distribution.
    pub staging: String,
    pub traffic: Traffic,
}

/// Which requests the staging distribution gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Traffic {
    /// This part of all.
    Weight(f64),
    /// Those with that header.
    Header { name: String, value: String },
}

#[derive(Debug, Clone)]
pub struct Policy {
    pub id: String,
    pub etag: String,
    pub modified: String,
    /// The element `ContinuousDeploymentPolicyConfig`, as it was sent.
    pub config: String,
}

/// All of them, by their ids.
#[derive(Debug, Default)]
pub struct Policies(pub BTreeMap<String, Policy>);

impl Policies {
    /// What those have done that are enabled.
    pub fn deployments(&self) -> BTreeMap<String, Deployment> {
        let enabled = self.0.iter().filter_map(|(id, policy)| {
            let (is_enabled, deployment) = read(&policy.config)?;
            is_enabled.then(|| (id.clone(), deployment))
        });
        enabled.collect()
    }

    /// That policy has this version then.
    pub fn disable(&mut self, id: &str, etag: String) {
        if let Some(policy) = self.0.get_mut(id) {
            policy.etag = etag;
            policy.config = edit::with(&policy.config, &[("Enabled", "false")]);
        }
    }

    /// Why a policy of that id, or a new one, may not have this configuration.
    pub fn refusal(&self, id: Option<&str>, config: &str, world: &World) -> Option<Refusal> {
        let Some((_, deployment)) = read(config) else {
            return Some(Refusal::argument("The policy has no traffic configuration"));
        };
        let fits = match &deployment.traffic {
            Traffic::Weight(weight) => (0.0..=MOST).contains(weight),
            Traffic::Header { name, .. } => name.starts_with(PREFIX),
        };
        if !fits {
            return Some(Refusal::argument("The traffic configuration is not valid"));
        }
        let staging = world.of_domain(&deployment.staging);
        if staging.is_none_or(|one| !one.is_staging) {
            return Some(Refusal::argument("That is no staging distribution"));
        }
        let mut others = self
            .0
            .iter()
            .filter(|(other, _)| Some(other.as_str()) != id);
        let is_taken = others.any(|(_, other)| {
            read(&other.config).is_some_and(|(_, other)| other.staging == deployment.staging)
        });
        is_taken.then(Refusal::staging_in_use)
    }

    pub fn xml(&self) -> String {
        let mut items = String::new();
        for policy in self.0.values() {
            let name = "ContinuousDeploymentPolicySummary";
            let _ = write!(items, "<{name}>{}</{name}>", policy.xml());
        }
        format!(
            "<ContinuousDeploymentPolicyList xmlns=\"{NAMESPACE}\"><MaxItems>100</MaxItems>\
             <Quantity>{}</Quantity><Items>{items}</Items></ContinuousDeploymentPolicyList>",
            self.0.len()
        )
    }
}

/// Whether a configuration is enabled, and what it has done then.
fn read(config: &str) -> Option<(bool, Deployment)> {
    let document = Document::parse(config).ok()?;
    let root = document.root_element();
    let staging = texts(root, "StagingDistributionDnsNames", "DnsName");
    let deployment = Deployment {
        staging: staging.into_iter().next()?,
        traffic: traffic(root)?,
    };
    Some((text(root, "Enabled") == Some("true"), deployment))
}

fn traffic(config: Node<'_, '_>) -> Option<Traffic> {
    let of = |path: &str| text(config, &format!("TrafficConfig.{path}"));
    match of("Type")? {
        "SingleWeight" => Some(Traffic::Weight(
            of("SingleWeightConfig.Weight")?.parse().ok()?,
        )),
        "SingleHeader" => Some(Traffic::Header {
            name: of("SingleHeaderConfig.Header")?.to_ascii_lowercase(),
            value: of("SingleHeaderConfig.Value")?.to_owned(),
        }),
        _ => None,
    }
}

impl Policy {
    pub fn xml(&self) -> String {
        let Self {
            id,
            modified,
            config,
            ..
        } = self;
        format!(
            "<ContinuousDeploymentPolicy xmlns=\"{NAMESPACE}\"><Id>{id}</Id>\
             <LastModifiedTime>{modified}</LastModifiedTime>{config}</ContinuousDeploymentPolicy>"
        )
    }
}

#[cfg(test)]
mod tests;
