//! The VPC and its subnets: whether tasks can start there, and whether users can come in.

use std::collections::BTreeMap;

use super::Wants;
use crate::engine::plan::Refusal;
use crate::model::{GivenNetwork, Subnet, Vpc, WayOut};

/// "at least eight free IP addresses"
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer>).
const FREE_FOR_BALANCER: u32 = 8;

/// What is asked to start any task that writes logs
/// (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html>).
const OF_EVERY_TASK: [&str; 4] = ["ecr.api", "ecr.dkr", "s3", "logs"];

pub(super) fn refuse_unfit(
    network: &GivenNetwork,
    vpc: &Vpc,
    wants: Wants<'_>,
) -> Result<(), Refusal> {
    let tasks = within(vpc, &network.subnets)?;
    let balancer = within(vpc, network.balancer_subnets())?;
    let place = match network.balancer_subnets.is_empty() {
        true => "[network]",
        false => "[load_balancer]",
    };
    refuse_one_zone("the tasks", "[network]", &tasks)?;
    refuse_one_zone("the load balancer", place, &balancer)?;
    for subnet in &tasks {
        refuse_no_start(network, vpc, subnet, wants)?;
    }
    balancer_subnets(vpc, &balancer, wants)
}

/// All of these, in the VPC.
fn within<'a>(vpc: &'a Vpc, ids: &[String]) -> Result<Vec<&'a Subnet>, Refusal> {
    let find = |id: &String| match vpc.subnet(id) {
        Some(subnet) if subnet.vpc == vpc.id => Ok(subnet),
        Some(subnet) => Err(Refusal::new(
            format!(
                "the subnet {id} is of {}, and not of {}",
                subnet.vpc, vpc.id
            ),
            format!("{}; name those", tells(vpc)),
        )),
        None => Err(Refusal::new(
            format!("there is no subnet {id} in this account and region"),
            format!("{}; name those", tells(vpc)),
        )),
    };
    ids.iter().map(find).collect()
}

fn tells(vpc: &Vpc) -> String {
    format!(
        "`aws ec2 describe-subnets --filters Name=vpc-id,Values={}` lists them",
        vpc.id
    )
}

fn refuse_one_zone(whose: &str, place: &str, subnets: &[&Subnet]) -> Result<(), Refusal> {
    let Some(first) = subnets.first() else {
        return Ok(());
    };
    match subnets.iter().any(|subnet| subnet.zone != first.zone) {
        true => Ok(()),
        false => Err(Refusal::new(
            format!("all subnets of {whose} are in one zone, {}", first.zone),
            format!("name one in another zone as well, as `subnets` in {place}"),
        )),
    }
}

/// A load balancer has one subnet of a zone, from which the internet can be reached.
fn balancer_subnets(vpc: &Vpc, subnets: &[&Subnet], wants: Wants<'_>) -> Result<(), Refusal> {
    let others = "name public subnets, one of each zone, as `subnets` in [load_balancer]";
    let mut of_zones: BTreeMap<&str, &str> = BTreeMap::new();
    for subnet in subnets {
        let id = &subnet.id;
        if let Some(other) = of_zones.insert(&subnet.zone, id) {
            return Err(Refusal::new(
                format!(
                    "{other} and {id} are both in {}, and a load balancer takes one subnet of a zone",
                    subnet.zone
                ),
                others,
            ));
        }
        if vpc.way_out_of(id) != Some(&WayOut::InternetGateway) {
            return Err(Refusal::new(
                format!(
                    "no internet gateway is the way out of {id}: the load balancer could not be reached there"
                ),
                others,
            ));
        }
        // One that is there has taken its own.
        if wants.is_new && subnet.free < FREE_FOR_BALANCER {
            return Err(Refusal::new(
                format!(
                    "{id} has {} addresses left, and a load balancer needs {FREE_FOR_BALANCER}",
                    subnet.free
                ),
                others,
            ));
        }
    }
    Ok(())
}

/// A task that starts there must find the registry, and what it is given.
fn refuse_no_start(
    network: &GivenNetwork,
    vpc: &Vpc,
    subnet: &Subnet,
    wants: Wants<'_>,
) -> Result<(), Refusal> {
    let id = &subnet.id;
    let missing: Vec<&str> = services(wants)
        .into_iter()
        .filter(|service| !vpc.has_endpoint(id, service))
        .collect();
    let no_image = |why: &str| format!("a task in {id} could not pull its image: {why}");
    let endpoints = format!("endpoints for {}", missing.join(", "));
    match (vpc.way_out_of(id), network.public_ip) {
        (Some(WayOut::InternetGateway), true) => Ok(()),
        (_, true) => Err(Refusal::new(
            format!(
                "no internet gateway is the way out of {id}, and a task's public address is good for nothing there"
            ),
            "take `assign_public_ip` out of [network]; or name public subnets",
        )),
        _ if missing.is_empty() => Ok(()),
        (Some(WayOut::By(_)), false) => Ok(()),
        (Some(WayOut::InternetGateway), false) => Err(Refusal::new(
            no_image("an internet gateway is its way out, and takes public addresses alone"),
            format!(
                "set `assign_public_ip = true` in [network]; or name private subnets with a NAT gateway or {endpoints}"
            ),
        )),
        (Some(WayOut::Nowhere(gone)), false) => Err(Refusal::new(
            no_image(&format!("its way out led to {gone}, which is gone")),
            format!("fix the route; or make {endpoints}"),
        )),
        (None, false) => Err(Refusal::new(
            no_image(&format!(
                "no route leads out of there, and {} lacks {endpoints}",
                vpc.id
            )),
            "make them; or a NAT gateway and a route to it; or name other subnets",
        )),
    }
}

/// Those that a task asks as it starts.
fn services(wants: Wants<'_>) -> Vec<&'static str> {
    let mut all = OF_EVERY_TASK.to_vec();
    if !wants.needs.secrets.is_empty() {
        all.push("secretsmanager");
    }
    if !wants.needs.parameters.is_empty() {
        all.push("ssm");
    }
    all
}
