//! A mapping of a custom domain of API Gateway, by both versions of its API.

use super::apis::Apis;
use crate::edge_actions::{called, expect_granted};
use crate::permissions::table::{API_MAPPING_DEPLOYER, EDGE_DEPLOYER, EDGE_OPERATOR_TOO};
use crate::support::Outcome;

impl Apis {
    fn is_released_by(&self, key: &str) -> Outcome {
        let world = &self.world;
        let [blue, green] = &self.targets;
        self.servers.put("green", "old")?;
        self.map(green, key)?;
        world.done(&["init"])?;
        assert_eq!(world.status()?["live"], "green");
        world.done(&["deploy", "--tag", "2"])?;
        let through = ["--connect-to", &world.api.address];
        let promoted = world.done_json(&[&["promote"][..], &through].concat())?;
        assert_eq!(promoted["outcome"], "committed", "{promoted:#}");
        assert_eq!(promoted["probe"]["failed"], 0, "{promoted:#}");
        assert_eq!(self.mapped(key)?.as_ref(), Some(blue));
        world.done(&[&["rollback"][..], &through].concat())?;
        assert_eq!(self.mapped(key)?.as_ref(), Some(green));
        self.servers.put("blue", "bad")?;
        world.ends(6, &[&["promote", "--tag", "2"][..], &through].concat())?;
        world.done(&["destroy", "--yes"])?;
        assert_eq!(self.mapped(key)?.as_ref(), Some(green));
        Ok(())
    }
}

#[test]
fn a_mapping_of_a_regional_domain_is_released_by() -> Outcome {
    let it = Apis::new("regional", "REGIONAL", "")?;
    let mark = it.world.gate.calls().mark();
    it.is_released_by("")?;
    let grants = [EDGE_DEPLOYER, EDGE_OPERATOR_TOO, API_MAPPING_DEPLOYER];
    expect_granted(&called(&it.world, mark), &grants);
    Ok(())
}

#[test]
fn a_base_path_of_an_edge_optimised_domain_is_released_by() -> Outcome {
    let it = Apis::new("optimised", "EDGE", "orders")?;
    it.is_released_by("orders")
}

/// From nothing; and another mapping of the domain is not bgecs's.
#[test]
fn the_first_release_makes_the_mapping() -> Outcome {
    let it = Apis::new("unmapped", "REGIONAL", "orders")?;
    let [blue, green] = it.targets.clone();
    it.map(&green, "other")?;
    it.world.done(&["init"])?;
    it.world.done(&["deploy", "--tag", "1"])?;
    let live = it.world.status()?["live"].clone();
    let target = if live == "blue" { &blue } else { &green };
    assert_eq!(it.mapped("orders")?.as_ref(), Some(target));
    assert_eq!(it.mapped("other")?.as_ref(), Some(&green));
    Ok(())
}
