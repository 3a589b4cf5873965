//! `bgecs release`, as far as it needs no AWS.

use crate::support::Outcome;
use crate::{desk, see};

fn module(name: &str, more: &str) -> String {
    format!("\n[[module]]\nname = '{name}'\nconfig = '{name}/bgecs.toml'\n{more}\n")
}

fn in_region(name: &str, config: &str, region: &str, more: &str) -> String {
    format!("\n[[module]]\nname = '{name}'\nconfig = '{config}'\nregion = '{region}'\n{more}\n")
}

/// One sentence each, and nothing is begun.
#[test]
fn a_set_that_is_not_right_is_told_so() -> Outcome {
    let desk = desk()?;
    desk.write("web/bgecs.toml", "app = 'web'\n")?;
    let after = |name: &str| format!("after = ['{name}']");
    for (file, modules) in [
        ("twice.toml", [module("api", ""), module("api", "")].concat()),
        (
            "circle.toml",
            [module("api", &after("web")), module("web", &after("api"))].concat(),
        ),
        ("stray.toml", module("api", &after("wbe"))),
        ("key.toml", module("api", "contxt = '.'")),
        ("gone.toml", module("api", "")),
        ("none.toml", String::new()),
        (
            "twins.toml",
            "\n[[module]]\nname = 'a'\nconfig = 'bgecs.toml'\n[[module]]\nname = 'b'\nconfig = 'bgecs.toml'\n"
                .to_owned(),
        ),
        (
            "bake.toml",
            format!("bake = '10m'\n{}", module("a", "")),
        ),
        (
            "here.toml",
            format!(
                "regions = 'in-turn'\nbake = '10m'\n{}{}",
                in_region("a", "bgecs.toml", "eu-west-1", ""),
                in_region("b", "web/bgecs.toml", "eu-west-1", ""),
            ),
        ),
        (
            "against.toml",
            format!(
                "regions = 'in-turn'\n{}{}",
                in_region("a", "bgecs.toml", "eu-west-1", &after("b")),
                in_region("b", "web/bgecs.toml", "us-east-1", ""),
            ),
        ),
        ("one.toml", "\n[[module]]\nname = 'a'\nconfig = 'bgecs.toml'\n".to_owned()),
    ] {
        desk.write(file, &format!("set = 'shop'\n{modules}"))?;
    }
    see(
        "set-mistakes",
        &desk,
        &[
            "release",
            "release --tag 7",
            "release twice.toml --tag 7",
            "release circle.toml --tag 7",
            "release stray.toml --tag 7",
            "release key.toml --tag 7",
            "release gone.toml --tag 7",
            "release none.toml --tag 7",
            "release twins.toml --tag 7 --region eu-central-1",
            "release bake.toml --tag 7",
            "release here.toml --tag 7",
            "release against.toml --tag 7",
            "release one.toml --tag 7 --only web",
            "release one.toml --tag 7 --image web",
            "release one.toml --tag 7 --rollback",
            "release one.toml --tag 7 --config bgecs.toml",
            "release one.toml --tag 7 --report release.pdf",
            "release status missing.toml",
        ],
    )
}
