//! What an app uses but bgecs did not make, and what stays after `destroy`: its owner
//! names it, and bgecs neither makes, changes nor removes it.

use serde_json::Value;

use super::{TaskRoles, Vpc};

/// None, and an empty list, where bgecs makes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    pub network: Option<GivenNetwork>,
    /// By its name.
    pub cluster: Option<String>,
    /// By their ARNs.
    pub roles: TaskRoles,
    /// By its name.
    pub log_group: Option<String>,
    /// By its name.
    pub repository: Option<String>,
}

/// A VPC, and where in it things are to be. All are named by their ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenNetwork {
    pub vpc: String,
    /// Of the tasks; two at the least.
    pub subnets: Vec<String>,
    /// Of the tasks.
    pub security_groups: Vec<String>,
    /// Whether tasks get addresses of the internet.
    pub public_ip: bool,
    /// Of the load balancer; none where it is beside the tasks.
    pub balancer_subnets: Vec<String>,
    pub balancer_groups: Vec<String>,
}

impl GivenNetwork {
    /// Where the load balancer is to be.
    pub fn balancer_subnets(&self) -> &[String] {
        match self.balancer_subnets.is_empty() {
            true => &self.subnets,
            false => &self.balancer_subnets,
        }
    }

    /// All that are named, each once.
    pub fn all_subnets(&self) -> Vec<String> {
        each_once(&self.subnets, &self.balancer_subnets)
    }

    /// All that are named, each once.
    pub fn all_groups(&self) -> Vec<String> {
        each_once(&self.security_groups, &self.balancer_groups)
    }
}

/// What AWS tells of what is given: None of what is not, or is not there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GivenFound {
    pub vpc: Option<Vpc>,
    pub cluster: Option<GivenCluster>,
    pub execution: Option<GivenRole>,
    pub task: Option<GivenRole>,
    /// Its ARN, as policies take it.
    pub log_group: Option<String>,
    pub repository: Option<GivenRepository>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenCluster {
    /// The capacity providers that its services may name.
    pub providers: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct GivenRole {
    pub arn: String,
    /// The policy that says who may assume it.
    pub trust: Value,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenRepository {
    pub arn: String,
    /// Where images are pushed to and pulled from.
    pub uri: String,
}

fn each_once(one: &[String], other: &[String]) -> Vec<String> {
    let further = other.iter().filter(|it| !one.contains(it));
    one.iter().chain(further).cloned().collect()
}
