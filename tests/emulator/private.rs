//! Tasks in subnets that no way leads to, which reach AWS by endpoints.

use serde_json::Value;

use crate::canary::expect_said;
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V2, World, greeter};

impl World {
    /// The subnets of a colour, in their order, and whether its tasks have public addresses.
    fn network_of(&self, color: &str) -> Outcome<(Vec<String>, bool)> {
        let service = self.service(color)?;
        let network = &service["networkConfiguration"]["awsvpcConfiguration"];
        let subnets = network["subnets"].as_array().cloned().unwrap_or_default();
        let mut subnets: Vec<String> = subnets
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
        subnets.sort();
        Ok((subnets, network["assignPublicIp"] == "ENABLED"))
    }

    fn with_network(&self, keys: &str) -> Outcome {
        self.configure("")?;
        self.configure_more(&format!("[network]\n{keys}\n"))
    }

    fn endpoints(&self) -> Outcome<usize> {
        self.described("DescribeVpcEndpoints", "<vpcEndpointId>")
    }

    /// NAT gateways that are there, and addresses that are paid for.
    fn nats(&self) -> Outcome<(usize, usize)> {
        Ok((
            self.described("DescribeNatGateways", "<state>available</state>")?,
            self.described("DescribeAddresses", "<allocationId>")?,
        ))
    }

    fn described(&self, action: &str, each: &str) -> Outcome<usize> {
        let told = self.api.query("ec2", "2016-11-15", &[("Action", action)])?;
        Ok(told.matches(each).count())
    }
}

#[test]
fn a_running_app_moves_into_private_subnets_with_its_releases() -> Outcome {
    let world = World::with_v1_live("private")?;
    let (public, has_addresses) = world.network_of("green")?;
    assert!(has_addresses);
    world.with_network("cidr = \"10.65.0.0/16\"")?;
    let refused = world.changes_nothing(6, &["init"])?;
    expect_said(
        &refused,
        &["the network is 10.64.0.0/16, and cannot become 10.65.0.0/16"],
    );

    world.with_network("endpoints = true")?;
    let planned = world.done(&["init", "--dry-run"])?;
    assert!(planned.stdout.contains("Endpoints"), "{}", planned.shown());
    world.done(&["init"])?;
    world.done(&["probe", "--duration", "500ms"])?;
    assert_eq!(
        world.network_of("green")?,
        (public.clone(), true),
        "users stay"
    );
    world.done(&["deploy", V2, "--tag", "2"])?;
    let (private, has_addresses) = world.network_of("blue")?;
    assert!(!has_addresses && private.len() == 2, "{private:?}");
    assert!(private.iter().all(|it| !public.contains(it)), "{private:?}");
    let promoted = world.done(&["promote", "--window", "1s"])?;
    expect_said(
        &promoted,
        &["✓ twin", "blue has public IPs off, and green on"],
    );
    world.expect_answers(FRENCH, ENGLISH)?;
    world.done(&["rollback", "--window", "1s"])?;
    world.expect_answers(ENGLISH, FRENCH)?;

    world.configure("")?;
    let refused = world.changes_nothing(6, &["init"])?;
    expect_said(&refused, &["tasks may run in the private subnets"]);
    world.with_network("endpoints = true")?;
    world.done(&["destroy", "--yes"])?;
    Ok(())
}

#[test]
fn an_app_is_made_in_private_subnets_of_its_own_range() -> Outcome {
    greeter()?;
    let world = World::new("ranged")?;
    world.with_network("cidr = \"10.70.16.0/20\"\nendpoints = true")?;
    let planned = world.done(&["init", "--dry-run"])?;
    let cost = "VPC endpoints in two zones";
    assert!(planned.stdout.contains(cost), "{}", planned.shown());
    let before = world.endpoints()?;
    world.init_and_v1()?;
    // S3, the registry's two, and the logs'.
    assert_eq!(world.endpoints()? - before, 4);
    let told = world
        .api
        .query("ec2", "2016-11-15", &[("Action", "DescribeSubnets")])?;
    for range in [
        "10.70.16.0/24",
        "10.70.17.0/24",
        "10.70.18.0/24",
        "10.70.19.0/24",
    ] {
        assert!(told.contains(range), "{range}");
    }
    assert!(!world.network_of("green")?.1);
    world.done(&["destroy", "--yes"])?;
    assert_eq!(world.endpoints()?, before);
    Ok(())
}

/// From two public zones to three, with a NAT gateway for all and then one for each,
/// under its users.
#[test]
fn a_running_app_gets_a_third_zone_and_nat_gateways() -> Outcome {
    let world = World::with_v1_live("natted")?;
    let (public, _) = world.network_of("green")?;
    world.with_network("zones = 3\nnat = \"one\"")?;
    let planned = world.done(&["init", "--dry-run"])?;
    let cost = "also paid for, until `bgecs destroy`: 1 NAT gateway, a third zone";
    assert!(planned.stdout.contains(cost), "{}", planned.shown());
    world.done(&["init"])?;
    assert_eq!(world.nats()?, (1, 1));
    world.done(&["probe", "--duration", "500ms"])?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    let (private, has_addresses) = world.network_of("blue")?;
    assert!(!has_addresses && private.len() == 3, "{private:?}");
    assert!(private.iter().all(|it| !public.contains(it)), "{private:?}");
    world.done(&["promote", "--window", "1s"])?;
    world.expect_answers(FRENCH, ENGLISH)?;
    world.with_network("zones = 3\nnat = \"per-zone\"\nendpoints = true")?;
    world.done(&["init"])?;
    assert_eq!(world.nats()?, (3, 3));
    world.done(&["probe", "--duration", "500ms"])?;
    for (keys, sentence) in [
        (
            "nat = \"per-zone\"\nendpoints = true",
            "tasks may run in the third zone",
        ),
        ("zones = 3", "tasks may run in the private subnets"),
    ] {
        world.with_network(keys)?;
        let refused = world.changes_nothing(6, &["init"])?;
        expect_said(&refused, &[sentence]);
    }
    // By endpoints alone: what else tasks called is out of reach, as the file says.
    world.with_network("zones = 3\nendpoints = true")?;
    world.done(&["init"])?;
    assert_eq!(world.nats()?, (0, 0));
    world.expect_answers(FRENCH, ENGLISH)?;
    world.done(&["destroy", "--yes"])?;
    Ok(())
}

#[test]
fn an_app_is_made_with_a_nat_gateway_in_each_zone() -> Outcome {
    let world = World::new("natworks")?;
    world.with_network("nat = \"per-zone\"")?;
    let planned = world.done(&["init", "--dry-run"])?;
    let cost = "1 Application Load Balancer, 2 NAT gateways, and";
    assert!(planned.stdout.contains(cost), "{}", planned.shown());
    world.init_and_v1()?;
    let (subnets, has_addresses) = world.network_of("green")?;
    assert!(!has_addresses && subnets.len() == 2, "{subnets:?}");
    world.done(&["destroy", "--yes"])?;
    Ok(())
}
