//! `bgecs release --report`: one of all modules.

use std::fs;

use serde_json::{Value, json};

use super::{MODULES, Shop};
use crate::support::Outcome;
use crate::world::string;

fn written(shop: &Shop, name: &str) -> Outcome<String> {
    Ok(fs::read_to_string(shop.0.desk.path().join(name))?)
}

/// Whose production was moved, in the order in which the writes left.
fn moves(report: &Value) -> Outcome<Vec<String>> {
    let moves = report["moves"].as_array().ok_or("no moves")?;
    let of_users = moves.iter().filter(|it| it["port"] == "prod");
    of_users.map(|it| string(it, "/module")).collect()
}

fn modules(report: &Value) -> Outcome<&Vec<Value>> {
    Ok(report["modules"].as_array().ok_or("no modules")?)
}

#[test]
fn a_release_and_its_way_back_have_one_report_of_all_modules() -> Outcome {
    let shop = Shop::new("told")?;
    let world = &shop.0;
    let nowhere = ["release", "--tag", "2", "--report", "missing/release.html"];
    let before = world.gate.calls().mark();
    let nowhere = world.ends(2, &nowhere)?;
    let why = "no report can be written to missing/release.html";
    assert!(nowhere.stderr.contains(why), "{}", nowhere.shown());
    assert_eq!(world.gate.calls().since(before).len(), 0);

    let there = world.done(&["release", "--tag", "2", "--report", "release.json"])?;
    assert!(
        there.stderr.contains("report: release.json"),
        "{}",
        there.shown()
    );
    let report: Value = serde_json::from_str(&written(&shop, "release.json")?)?;
    assert_eq!(report["outcome"], "released");
    // The file has the frontend first, which comes after the backend.
    assert_eq!(moves(&report)?, MODULES);
    for (module, name) in modules(&report)?.iter().zip(MODULES) {
        assert_eq!(module["name"], name);
        let probe = &module["report"]["probe"];
        assert_eq!(probe["failed"], 0, "{probe:#}");
        assert!(probe["sent"].as_u64() > Some(40), "{probe:#}");
    }
    let zero = |n: usize| report["modules"][n]["zero_ms"].as_f64();
    assert_eq!(zero(0), Some(0.0));
    assert!(zero(1) > Some(0.0), "{:?}", zero(1));

    let back = ["release", "--rollback", "--window", "1s", "--report"];
    world.done(&[&back[..], &["back.html"]].concat())?;
    let page = written(&shop, "back.html")?;
    for module in MODULES {
        assert!(page.contains(&format!("<td>{module}</td>")), "{module}");
    }
    let at = |module: &str| page.find(&format!("<td>{module}</td>"));
    assert!(at("frontend") < at("backend"), "those that came last first");
    let nothing = world.done(&[&back[..], &["nothing.html"]].concat())?;
    let why = "no module was moved: no report is written to nothing.html";
    assert!(nothing.stderr.contains(why), "{}", nothing.shown());
    assert!(written(&shop, "nothing.html").is_err());
    Ok(())
}

#[test]
fn what_is_turned_back_has_its_report_too() -> Outcome {
    let shop = Shop::new("told-bad")?;
    let fails = "environment = { GREETER_FAIL_WHEN_LIVE = '1' }";
    shop.configure("frontend", fails)?;
    let line = ["release", "--tag", "2", "--report", "release.json"];
    shop.0.ends(3, &line)?;
    let report: Value = serde_json::from_str(&written(&shop, "release.json")?)?;
    assert_eq!(report["outcome"], "rolled_back");
    let reason = string(&report, "/reason")?;
    assert!(reason.starts_with("frontend: "), "{reason}");
    let there_and_back = ["backend", "frontend", "frontend", "backend"];
    assert_eq!(moves(&report)?, there_and_back);
    let failed: Vec<bool> = modules(&report)?
        .iter()
        .map(|it| it["report"]["probe"]["failed"] != json!(0))
        .collect();
    assert_eq!(failed, [false, true]);

    // One that cannot serve it: nobody was moved.
    shop.configure("frontend", "environment = { GREETER_CRASH = '1' }")?;
    let line = ["release", "--tag", "3", "--report", "unable.html"];
    shop.0.ends(1, &line)?;
    let page = written(&shop, "unable.html")?;
    for said in ["Not released", "<td>not moved</td>", "<td>failed</td>"] {
        assert!(page.contains(said), "{said}");
    }
    Ok(())
}
