use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::model::{
    CapacityShare, GivenCluster, GivenNetwork, GivenRepository, GivenRole, Ipv4Cidr, Opening,
    RouteTable, SecurityGroup, Subnet, Vpc, VpcEndpoint, WayOut,
};

const ACCOUNT: &str = "123456789012";
const EXECUTION: &str = "arn:aws:iam::123456789012:role/start";

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn cidr(text: &str) -> Ipv4Cidr {
    text.parse().unwrap()
}

/// Tasks in private subnets, the load balancer in public ones.
fn network() -> GivenNetwork {
    GivenNetwork {
        vpc: "vpc-1".to_owned(),
        subnets: owned(&["private-a", "private-b"]),
        security_groups: Vec::new(),
        public_ip: false,
        balancer_subnets: owned(&["public-a", "public-b"]),
        balancer_groups: Vec::new(),
    }
}

fn vpc() -> Vpc {
    let subnet = |id: &str, range: &str| Subnet {
        id: id.to_owned(),
        vpc: "vpc-1".to_owned(),
        zone: format!("zone-{}", id.chars().last().unwrap()),
        range: Some(cidr(range)),
        free: 200,
    };
    let table = |id: &str, subnets: &[&str], way_out| RouteTable {
        id: id.to_owned(),
        is_main: false,
        subnets: owned(subnets),
        way_out: Some(way_out),
    };
    let nat = WayOut::By("nat-1".to_owned());
    Vpc {
        id: "vpc-1".to_owned(),
        ranges: vec![cidr("10.0.0.0/16")],
        subnets: vec![
            subnet("private-a", "10.0.1.0/24"),
            subnet("private-b", "10.0.2.0/24"),
            subnet("public-a", "10.0.11.0/24"),
            subnet("public-b", "10.0.12.0/24"),
        ],
        route_tables: vec![
            table("rtb-private", &["private-a", "private-b"], nat),
            table(
                "rtb-public",
                &["public-a", "public-b"],
                WayOut::InternetGateway,
            ),
        ],
        endpoints: Vec::new(),
        security_groups: Vec::new(),
    }
}

fn endpoint(service: &str) -> VpcEndpoint {
    let is_gateway = service == "s3";
    VpcEndpoint {
        service: format!("com.amazonaws.eu-west-1.{service}"),
        is_available: true,
        has_service_name: true,
        route_tables: match is_gateway {
            true => owned(&["rtb-private"]),
            false => Vec::new(),
        },
        is_gateway,
    }
}

fn opening(port: u16, ranges: &[&str], groups: &[&str]) -> Opening {
    Opening {
        ports: (port, port),
        ranges: ranges.iter().map(|range| cidr(range)).collect(),
        groups: owned(groups),
        has_prefix_lists: false,
    }
}

fn group(id: &str, inwards: Vec<Opening>, outwards: Vec<Opening>) -> SecurityGroup {
    SecurityGroup {
        id: id.to_owned(),
        vpc: "vpc-1".to_owned(),
        inwards,
        outwards,
    }
}

fn judged(given: &Given, found: &GivenFound, needs: &Needs) -> Result<(), String> {
    let spot = Capacity::Providers(vec![CapacityShare {
        provider: "FARGATE_SPOT".to_owned(),
        weight: 1,
        base: 0,
    }]);
    let wants = Wants {
        port: 8080,
        entrances: &[80, 81],
        needs,
        capacity: Some(&spot),
        account: ACCOUNT,
        is_new: true,
    };
    refuse_unfit(given, found, wants).map_err(|refusal| refusal.message)
}

/// The same of a network, changed.
fn of_network(change: impl FnOnce(&mut GivenNetwork, &mut Vpc)) -> Result<(), String> {
    of_network_with(&Needs::default(), change)
}

fn of_network_with(
    needs: &Needs,
    change: impl FnOnce(&mut GivenNetwork, &mut Vpc),
) -> Result<(), String> {
    let (mut network, mut vpc) = (network(), vpc());
    change(&mut network, &mut vpc);
    let given = Given {
        network: Some(network),
        ..Given::default()
    };
    let found = GivenFound {
        vpc: Some(vpc),
        ..GivenFound::default()
    };
    judged(&given, &found, needs)
}

fn refused(outcome: Result<(), String>, sentence: &str) {
    assert_eq!(outcome.unwrap_err(), sentence);
}

#[test]
fn an_app_that_is_given_nothing_is_fit() {
    let nothing = judged(&Given::default(), &GivenFound::default(), &Needs::default());
    assert_eq!(nothing, Ok(()));
    assert_eq!(of_network(|_, _| {}), Ok(()));
}

#[test]
fn subnets_are_of_the_vpc_and_of_two_zones() {
    refused(
        of_network(|network, _| network.subnets[1] = "private-c".to_owned()),
        "there is no subnet private-c in this account and region",
    );
    refused(
        of_network(|_, vpc| vpc.subnets[3].vpc = "vpc-2".to_owned()),
        "the subnet public-b is of vpc-2, and not of vpc-1",
    );
    let one_zone = |at: usize| {
        of_network(move |_, vpc| {
            let zone = vpc.subnets[at - 1].zone.clone();
            vpc.subnets[at].zone = zone;
        })
    };
    refused(
        one_zone(1),
        "all subnets of the tasks are in one zone, zone-a",
    );
    refused(
        one_zone(3),
        "all subnets of the load balancer are in one zone, zone-a",
    );
    let third = |network: &mut GivenNetwork, vpc: &mut Vpc| {
        let mut third = vpc.subnets[3].clone();
        third.id = "public-d".to_owned();
        vpc.subnets.push(third);
        network.balancer_subnets.push("public-d".to_owned());
        vpc.route_tables[1].subnets.push("public-d".to_owned());
    };
    refused(
        of_network(third),
        "public-b and public-d are both in zone-b, and a load balancer takes one subnet of a zone",
    );
}

#[test]
fn users_find_the_load_balancer() {
    refused(
        of_network(|network, _| network.balancer_subnets.clear()),
        "no internet gateway is the way out of private-a: the load balancer could not be reached there",
    );
    refused(
        of_network(|_, vpc| vpc.subnets[2].free = 7),
        "public-a has 7 addresses left, and a load balancer needs 8",
    );
}

#[test]
fn tasks_find_their_image() {
    let public = |network: &mut GivenNetwork| {
        network.subnets = network.balancer_subnets.clone();
        network.balancer_subnets.clear();
    };
    refused(
        of_network(|network, _| public(network)),
        "a task in public-a could not pull its image: an internet gateway is its way out, and takes public addresses alone",
    );
    let with_addresses = of_network(|network, _| {
        public(network);
        network.public_ip = true;
    });
    assert_eq!(with_addresses, Ok(()));
    refused(
        of_network(|network, _| network.public_ip = true),
        "no internet gateway is the way out of private-a, and a task's public address is good for nothing there",
    );
    refused(
        of_network(|_, vpc| {
            vpc.route_tables[0].way_out = Some(WayOut::Nowhere("nat-1".to_owned()));
        }),
        "a task in private-a could not pull its image: its way out led to nat-1, which is gone",
    );
    let by_endpoints = |services: &[&str], needs: &Needs| {
        of_network_with(needs, |_, vpc| {
            vpc.route_tables[0].way_out = None;
            vpc.endpoints = services.iter().map(|it| endpoint(it)).collect();
        })
    };
    let (all, none) = (["ecr.api", "ecr.dkr", "s3", "logs"], Needs::default());
    assert_eq!(by_endpoints(&all, &none), Ok(()));
    refused(
        by_endpoints(&all[..2], &none),
        "a task in private-a could not pull its image: no route leads out of there, and vpc-1 lacks endpoints for s3, logs",
    );
    let secret = Needs {
        secrets: BTreeSet::from(["arn".to_owned()]),
        parameters: BTreeSet::from(["arn".to_owned()]),
        ..Needs::default()
    };
    let lacks = by_endpoints(&all, &secret).unwrap_err();
    assert!(
        lacks.ends_with("endpoints for secretsmanager, ssm"),
        "{lacks}"
    );
    // Of a VPC with endpoints for all of it, no route has to lead out.
    let public_with_endpoints = of_network(|network, vpc| {
        public(network);
        vpc.endpoints = all.map(endpoint).to_vec();
        vpc.endpoints[2].route_tables = owned(&["rtb-public"]);
    });
    assert_eq!(public_with_endpoints, Ok(()));
}

#[test]
fn the_tasks_groups_let_the_load_balancer_in_and_tasks_out() {
    let with = |balancer: &[&str], inwards: Vec<Opening>, outwards: Vec<Opening>| {
        of_network(|network, vpc| {
            network.security_groups = owned(&["sg-1"]);
            network.balancer_groups = owned(balancer);
            vpc.security_groups.push(group("sg-1", inwards, outwards));
            let all = vec![
                opening(80, &["0.0.0.0/0"], &[]),
                opening(81, &["0.0.0.0/0"], &[]),
            ];
            let to_tasks = vec![opening(8080, &[], &["sg-1"])];
            vpc.security_groups.push(group("sg-2", all, to_tasks));
        })
    };
    let out = || vec![opening(443, &["0.0.0.0/0"], &[])];
    let closed = "the security group sg-1 does not let the load balancer in: its tasks are asked on port 8080";
    for (balancer, inwards, is_open) in [
        (&[][..], opening(8080, &["10.0.0.0/16"], &[]), true),
        (
            &[],
            opening(8080, &["10.0.11.0/24", "10.0.12.0/24"], &[]),
            true,
        ),
        (&[], opening(8080, &["10.0.11.0/24"], &[]), false),
        (&[], opening(80, &["0.0.0.0/0"], &[]), false),
        (&[], opening(8080, &[], &["sg-2"]), false),
        (&["sg-2"], opening(8080, &[], &["sg-2"]), true),
        (&["sg-2"], opening(8080, &[], &["sg-3"]), false),
        (&["sg-2"], opening(8080, &["10.0.0.0/16"], &[]), true),
    ] {
        let expected = match is_open {
            true => Ok(()),
            false => Err(closed.to_owned()),
        };
        assert_eq!(
            with(balancer, vec![inwards.clone()], out()),
            expected,
            "{inwards:?}"
        );
    }
    let inwards = || vec![opening(8080, &["10.0.0.0/16"], &[])];
    let silent = "the security group sg-1 does not let anything out on port 443: a task could not pull its image";
    refused(with(&[], inwards(), Vec::new()), silent);
    refused(
        with(&[], inwards(), vec![opening(80, &["0.0.0.0/0"], &[])]),
        silent,
    );
    assert_eq!(
        with(&[], inwards(), vec![opening(443, &[], &["sg-9"])]),
        Ok(())
    );
    refused(
        of_network(|network, _| network.security_groups = owned(&["sg-1"])),
        "there is no security group sg-1 in this account and region",
    );
    let elsewhere = of_network(|network, vpc| {
        network.security_groups = owned(&["sg-1"]);
        let mut other = group("sg-1", inwards(), out());
        other.vpc = "vpc-2".to_owned();
        vpc.security_groups.push(other);
    });
    refused(
        elsewhere,
        "the security group sg-1 is of vpc-2, and not of vpc-1",
    );
}

#[test]
fn of_several_groups_any_lets_in() {
    let with = |second: Vec<Opening>| {
        of_network(|network, vpc| {
            network.security_groups = owned(&["sg-1", "sg-2"]);
            let out = vec![opening(443, &["0.0.0.0/0"], &[])];
            vpc.security_groups.push(group("sg-1", Vec::new(), out));
            vpc.security_groups.push(group("sg-2", second, Vec::new()));
        })
    };
    assert_eq!(with(vec![opening(8080, &["10.0.0.0/16"], &[])]), Ok(()));
    refused(
        with(Vec::new()),
        "none of the security groups sg-1, sg-2 lets the load balancer in: its tasks are asked on port 8080",
    );
}

#[test]
fn the_load_balancers_groups_let_users_in_and_requests_out() {
    let with = |inwards: Vec<Opening>, outwards: Vec<Opening>| {
        of_network(|network, vpc| {
            network.balancer_groups = owned(&["sg-2"]);
            vpc.security_groups.push(group("sg-2", inwards, outwards));
        })
    };
    let both = || {
        vec![
            opening(80, &["0.0.0.0/0"], &[]),
            opening(81, &["10.0.0.0/8"], &[]),
        ]
    };
    let to_tasks = || vec![opening(8080, &["10.0.0.0/16"], &[])];
    assert_eq!(with(both(), to_tasks()), Ok(()));
    refused(
        with(both()[..1].to_vec(), to_tasks()),
        "the security group sg-2 does not let anybody in on port 81 of the load balancer",
    );
    let closed = "the security group sg-2 does not let the load balancer ask tasks on port 8080";
    refused(with(both(), Vec::new()), closed);
    refused(
        with(both(), vec![opening(8080, &["10.0.1.0/24"], &[])]),
        closed,
    );
}

/// As CloudFormation, Terraform and the console write them.
#[test]
fn ecs_can_assume_the_roles() {
    let with = |trust: Value| {
        let mut given = Given::default();
        given.roles.execution = Some(EXECUTION.to_owned());
        let found = GivenFound {
            execution: Some(GivenRole {
                arn: EXECUTION.to_owned(),
                trust,
            }),
            ..GivenFound::default()
        };
        judged(&given, &found, &Needs::default())
    };
    let allow = |more: Value| {
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": "ecs-tasks.amazonaws.com" },
            "Action": "sts:AssumeRole",
        });
        for (key, value) in more.as_object().unwrap() {
            statement[key] = value.clone();
        }
        statement
    };
    let policy = |statements: Value| json!({ "Version": "2012-10-17", "Statement": statements });
    let lists = json!({ "Principal": { "Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"] }, "Action": ["sts:AssumeRole", "sts:TagSession"] });
    let source = |account: &str| json!({ "Condition": { "StringEquals": { "aws:SourceAccount": account } } });
    let deny = json!({ "Effect": "Deny" });
    let cannot = || Err(format!("ECS cannot assume the role {EXECUTION} for a task"));
    for (statements, expected) in [
        (json!([allow(json!({}))]), Ok(())),
        (allow(json!({})), Ok(())),
        (json!([allow(lists)]), Ok(())),
        (json!([allow(source(ACCOUNT))]), Ok(())),
        (json!([allow(source("999999999999"))]), cannot()),
        (
            json!([allow(
                json!({ "Principal": { "Service": "ecs.amazonaws.com" } })
            )]),
            cannot(),
        ),
        (
            json!([allow(
                json!({ "Principal": { "Service": "lambda.amazonaws.com" } })
            )]),
            cannot(),
        ),
        (
            json!([allow(
                json!({ "Principal": { "AWS": "arn:aws:iam::123456789012:root" } })
            )]),
            cannot(),
        ),
        (
            json!([allow(json!({ "Action": "sts:TagSession" }))]),
            cannot(),
        ),
        (json!([allow(json!({})), allow(deny)]), cannot()),
        (json!([]), cannot()),
    ] {
        assert_eq!(with(policy(statements.clone())), expected, "{statements}");
    }
}

#[test]
fn what_is_named_is_there() {
    let mut given = Given::default();
    given.roles.task = Some("arn:aws:iam::123456789012:role/web".to_owned());
    let with = |given: &Given, found: &GivenFound| judged(given, found, &Needs::default());
    let nothing = GivenFound::default();
    refused(
        with(&given, &nothing),
        "there is no role arn:aws:iam::123456789012:role/web",
    );
    let other = GivenFound {
        task: Some(GivenRole {
            arn: "arn:aws:iam::123456789012:role/app/web".to_owned(),
            trust: Value::Null,
        }),
        ..GivenFound::default()
    };
    refused(
        with(&given, &other),
        "there is no role arn:aws:iam::123456789012:role/web: the one of that name is arn:aws:iam::123456789012:role/app/web",
    );
    let name = || Some("prod".to_owned());
    let here = "prod in this account and region";
    for (given, what) in [
        (
            Given {
                cluster: name(),
                ..Given::default()
            },
            "cluster",
        ),
        (
            Given {
                log_group: name(),
                ..Given::default()
            },
            "log group",
        ),
        (
            Given {
                repository: name(),
                ..Given::default()
            },
            "repository",
        ),
    ] {
        refused(
            with(&given, &nothing),
            &format!("there is no {what} {here}"),
        );
    }
    let given = Given {
        network: Some(network()),
        ..Given::default()
    };
    refused(
        with(&given, &nothing),
        "there is no VPC vpc-1 in this account and region",
    );
    let given = Given {
        cluster: name(),
        log_group: name(),
        repository: name(),
        ..Given::default()
    };
    let found = |providers: &[&str]| GivenFound {
        cluster: Some(GivenCluster {
            providers: owned(providers),
        }),
        log_group: name(),
        repository: Some(GivenRepository {
            arn: String::new(),
            uri: String::new(),
        }),
        ..GivenFound::default()
    };
    assert_eq!(with(&given, &found(&["FARGATE", "FARGATE_SPOT"])), Ok(()));
    refused(
        with(&given, &found(&["FARGATE"])),
        "the cluster prod has no capacity provider FARGATE_SPOT",
    );
}
