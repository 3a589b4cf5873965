//! Security groups: whether requests get from users to the load balancer and from there
//! to the tasks, and tasks to the registry.

use super::Wants;
use crate::engine::plan::Refusal;
use crate::model::{GivenNetwork, Ipv4Cidr, Opening, SecurityGroup, Vpc};

/// The registry's, and all of AWS's.
const HTTPS: u16 = 443;

pub(super) fn refuse_unfit(
    network: &GivenNetwork,
    vpc: &Vpc,
    wants: Wants<'_>,
) -> Result<(), Refusal> {
    let tasks = within(vpc, &network.security_groups)?;
    let balancer = within(vpc, &network.balancer_groups)?;
    if !tasks.is_empty() {
        refuse_closed_tasks(network, vpc, &tasks, wants)?;
    }
    match balancer.is_empty() {
        true => Ok(()),
        false => refuse_closed_balancer(network, vpc, &balancer, wants),
    }
}

/// All of these, in the VPC.
fn within<'a>(vpc: &'a Vpc, ids: &[String]) -> Result<Vec<&'a SecurityGroup>, Refusal> {
    let tells = || {
        format!(
            "`aws ec2 describe-security-groups --filters Name=vpc-id,Values={}` lists them; name those, or none, and `bgecs init` makes one",
            vpc.id
        )
    };
    let find = |id: &String| match vpc.group(id) {
        Some(group) if group.vpc == vpc.id => Ok(group),
        Some(group) => Err(Refusal::new(
            format!(
                "the security group {id} is of {}, and not of {}",
                group.vpc, vpc.id
            ),
            tells(),
        )),
        None => Err(Refusal::new(
            format!("there is no security group {id} in this account and region"),
            tells(),
        )),
    };
    ids.iter().map(find).collect()
}

fn refuse_closed_tasks(
    network: &GivenNetwork,
    vpc: &Vpc,
    groups: &[&SecurityGroup],
    wants: Wants<'_>,
) -> Result<(), Refusal> {
    let port = wants.port;
    let inwards = |opening: &Opening| opening.is_of_port(port);
    let from_group = groups.iter().flat_map(|it| &it.inwards);
    let from_group = from_group.filter(|it| inwards(it)).any(|it| {
        network
            .balancer_groups
            .iter()
            .any(|id| it.groups.contains(id))
    });
    let ranges = ranges_of(vpc, network.balancer_subnets());
    let openings: Vec<&Opening> = groups.iter().flat_map(|it| &it.inwards).collect();
    let is_let_in = |range: &Ipv4Cidr| {
        let mut openings = openings.iter().filter(|it| inwards(it));
        openings.any(|it| it.is_of_range(*range))
    };
    if !from_group && !ranges.iter().all(is_let_in) {
        let from = match network.balancer_groups.first() {
            Some(group) => group.clone(),
            None => joined(&ranges),
        };
        return Err(Refusal::new(
            none_lets(
                groups,
                &format!("the load balancer in: its tasks are asked on port {port}"),
            ),
            format!(
                "allow TCP {port} from {from}, where the load balancer is; or leave `security_groups` out of [network], and `bgecs init` makes one that does"
            ),
        ));
    }
    let mut outwards = groups.iter().flat_map(|it| &it.outwards);
    match outwards.any(|it| it.is_of_port(HTTPS) && leads_anywhere(it)) {
        true => Ok(()),
        false => Err(Refusal::new(
            none_lets(
                groups,
                &format!("anything out on port {HTTPS}: a task could not pull its image"),
            ),
            format!("allow TCP {HTTPS} outwards, to the registry or to its endpoints"),
        )),
    }
}

fn refuse_closed_balancer(
    network: &GivenNetwork,
    vpc: &Vpc,
    groups: &[&SecurityGroup],
    wants: Wants<'_>,
) -> Result<(), Refusal> {
    let is_open = |port: &u16| {
        let mut inwards = groups.iter().flat_map(|it| &it.inwards);
        inwards.any(|it| it.is_of_port(*port) && leads_anywhere(it))
    };
    if let Some(port) = wants.entrances.iter().find(|port| !is_open(port)) {
        return Err(Refusal::new(
            none_lets(
                groups,
                &format!("anybody in on port {port} of the load balancer"),
            ),
            format!(
                "allow TCP {port} from whoever is to be let in; or leave `security_groups` out of [load_balancer], and `bgecs init` makes one that does"
            ),
        ));
    }
    let port = wants.port;
    let ranges = ranges_of(vpc, &network.subnets);
    let outwards: Vec<&Opening> = groups.iter().flat_map(|it| &it.outwards).collect();
    let is_of_port = |it: &&&Opening| it.is_of_port(port);
    // No existing rule can refer to the group that `init` is about to make.
    let to_group = outwards.iter().filter(is_of_port).any(|it| {
        let mut groups = network.security_groups.iter();
        groups.any(|id| it.groups.contains(id))
    });
    let leads_to = |range: &Ipv4Cidr| {
        outwards
            .iter()
            .filter(is_of_port)
            .any(|it| it.is_of_range(*range))
    };
    match to_group || ranges.iter().all(leads_to) {
        true => Ok(()),
        false => Err(Refusal::new(
            none_lets(
                groups,
                &format!("the load balancer ask tasks on port {port}"),
            ),
            format!("allow TCP {port} outwards to {}", joined(&ranges)),
        )),
    }
}

fn leads_anywhere(it: &Opening) -> bool {
    !it.ranges.is_empty() || !it.groups.is_empty() || it.has_prefix_lists
}

fn ranges_of(vpc: &Vpc, subnets: &[String]) -> Vec<Ipv4Cidr> {
    let all = subnets.iter().filter_map(|id| vpc.subnet(id)?.range);
    all.collect()
}

/// Several let in together what any of them does.
fn none_lets(groups: &[&SecurityGroup], what: &str) -> String {
    let ids: Vec<&str> = groups.iter().map(|it| it.id.as_str()).collect();
    match ids.as_slice() {
        [id] => format!("the security group {id} does not let {what}"),
        ids => format!("none of the security groups {} lets {what}", ids.join(", ")),
    }
}

fn joined(ranges: &[Ipv4Cidr]) -> String {
    let all: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    all.join(", ")
}
