//! `bgecs init --worker`, as far as it needs no AWS.

use crate::support::Outcome;
use crate::{compare, desk, see};

const TASK: &str = "--worker-image worker:1 --subnets subnet-1 --security-groups sg-1";

#[test]
fn what_a_worker_lacks_is_told_ahead() -> Outcome {
    let desk = desk()?;
    desk.write("hook.toml", "app = 'hello'\n[notify]\nwebhook = 'HOOK'\n")?;
    desk.write(
        "header.toml",
        "app = 'hello'\n[probe]\nsecret_header = { name = 'x-cdn', env = 'CDN' }\n",
    )?;
    let with_task = |line: &str| format!("init --worker {TASK} {line}");
    let lines = [
        "init --worker".to_owned(),
        "init --worker --worker-image worker:1 --subnets subnet-1".to_owned(),
        with_task("hook.toml"),
        with_task("header.toml"),
        with_task("gone.toml"),
        with_task("--worker-secret HOOK=hunter22"),
        with_task("--print-policy deployer"),
        "init --print-template set.toml".to_owned(),
        "destroy --empty-bucket".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    see("worker-mistakes", &desk, &lines)
}

/// Of two apps, one of which the set does not have.
#[test]
fn a_worker_s_policy_is_printed_without_aws() -> Outcome {
    let desk = desk()?;
    desk.write(
        "site/bgecs.toml",
        "app = 'site'\n[aws]\nregion = 'eu-west-1'\n",
    )?;
    desk.write(
        "set.toml",
        "set = 'shop'\n[[module]]\nname = 'site'\nconfig = 'site/bgecs.toml'\n\
         [serve]\nallow = ['bgecs.toml']\n",
    )?;
    let printed = desk.bgecs(&["init", "--print-policy", "worker"])?;
    assert_eq!(printed.code, Some(0), "{}", printed.shown());
    compare("worker-policy", &printed.stdout);
    let line = format!("init --worker --print-template {TASK} --json");
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let template = desk.bgecs(&arguments)?.json()?;
    let template = template["template"].as_str().unwrap_or_default();
    let template: serde_json::Value = serde_json::from_str(template)?;
    assert!(template["Resources"]["Service"].is_object(), "{template:#}");
    Ok(())
}
