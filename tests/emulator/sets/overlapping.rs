//! Two sets that share modules, released at once.

use serde_json::json;

use super::Shop;
use crate::support::Outcome;
use crate::world::{V1, V2, string};

/// Of a shop, and in it a second set that shares apps with the first, the other way round.
fn two_sets(name: &str, second: &[&str]) -> Outcome<Shop> {
    let shop = Shop::bare(name)?;
    shop.configure("search", "")?;
    shop.of("search", 0, &["init"])?;
    shop.0.done(&["release", "--tag", "1", "--window", "0s"])?;
    shop.of("search", 0, &["deploy", V1, "--tag", "1"])?;
    shop.lay_out(V2)?;
    let modules = second.iter().map(|module| {
        format!("[[module]]\nname = '{module}'\nconfig = '{module}/bgecs.toml'\ncontext = '{V2}'\n")
    });
    let text = format!("set = 'search'\n{}", modules.collect::<String>());
    shop.0.desk.write("search.toml", &text)?;
    Ok(shop)
}

/// The tags of the shop's backend and frontend, and of search.
fn live(shop: &Shop) -> Outcome<Vec<String>> {
    let status = shop.0.done_json(&["release", "status", "search.toml"])?;
    let search = string(&status, "/modules/0/tag")?;
    shop.expect_settled()?;
    expect_free(shop, "search")?;
    Ok([shop.live()?, vec![search]].concat())
}

fn expect_free(shop: &Shop, module: &str) -> Outcome {
    let status = shop.of(module, 0, &["status"])?;
    assert_eq!(status["unfinished"], json!(null), "{status:#}");
    assert_eq!(status["lease"], json!(null), "{status:#}");
    Ok(())
}

#[test]
fn the_second_is_refused_or_waits_for_the_first() -> Outcome {
    let shop = two_sets("shared", &["search", "backend"])?;
    let world = &shop.0;
    let mut first = world.start(&["release", "--tag", "2", "--window", "10s"])?;
    first.until_said("watching for")?;
    let second = ["release", "search.toml", "--tag", "3", "--window", "0s"];
    let refused = world.ends(6, &second)?;
    assert!(refused.stderr.contains("backend: "), "{}", refused.shown());
    expect_free(&shop, "search")?;
    let second = world.start(&[&second[..], &["--wait", "2m"]].concat())?;
    first.ends(0)?;
    second.ends(0)?;
    assert_eq!(live(&shop)?, ["3", "2", "3"]);
    Ok(())
}

/// Each has the other's first module as its last.
#[test]
fn two_that_share_several_modules_do_not_wait_for_each_other() -> Outcome {
    let shop = two_sets("crossed", &["search", "backend", "frontend"])?;
    let world = &shop.0;
    let wait = ["--window", "0s", "--wait", "3m"];
    let line = |line: &[&'static str]| [line, &wait].concat();
    let first = world.start(&line(&["release", "--tag", "2"]))?;
    let second = world.start(&line(&["release", "search.toml", "--tag", "3"]))?;
    first.ends(0)?;
    second.ends(0)?;
    let live = live(&shop)?;
    assert_eq!(live[0], live[1], "both are of the set that came last");
    assert_eq!(live[2], "3");
    Ok(())
}
