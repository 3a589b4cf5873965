//! A page of docs/, typed line by line as it stands there.

use std::fs;

use serde_json::json;

use crate::company::{Company, SHOP};
use crate::support::Outcome;
use crate::world::{V1, V2, World};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/autoscaled-service.md");
/// The name that the page has for users' own.
const ITS_HOST: &str = "shop.example.com";

/// A command, and what it is said to say: whole lines, `…` for what is left out.
struct Typed {
    line: String,
    says: Vec<String>,
}

/// All fences of that language, in their order.
fn fences(text: &str, language: &str) -> Vec<Vec<String>> {
    let (mut all, mut inside) = (Vec::new(), None::<Vec<String>>);
    for line in text.lines() {
        match &mut inside {
            None if line == format!("```{language}") => inside = Some(Vec::new()),
            Some(_) if line == "```" => all.extend(inside.take()),
            Some(lines) => lines.push(line.to_owned()),
            None => {}
        }
    }
    all
}

fn typed(text: &str) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    for line in fences(text, "text").concat() {
        match (line.strip_prefix("$ bgecs "), all.last_mut()) {
            (Some(line), _) => all.push(Typed {
                line: line.to_owned(),
                says: Vec::new(),
            }),
            (None, Some(typed)) => typed.says.push(line),
            (None, None) => {}
        }
    }
    all
}

/// What stands between the gaps, in that order.
fn is_said(said: &str, says: &[String]) -> Result<(), String> {
    let mut rest = said;
    for line in says {
        for part in line
            .split('…')
            .map(str::trim_end)
            .filter(|it| !it.is_empty())
        {
            let at = rest.find(part).ok_or_else(|| part.to_owned())?;
            rest = &rest[at + part.len()..];
        }
    }
    Ok(())
}

impl World {
    /// The service `web` of the page: on Spot but for a base, and scaled.
    fn on_spot_and_scaled(&self) -> Outcome {
        let shares = json!([
            { "capacityProvider": "FARGATE", "base": 1, "weight": 0 },
            { "capacityProvider": "FARGATE_SPOT", "weight": 1 },
        ]);
        let change = json!({
            "cluster": "prod", "service": "web", "forceNewDeployment": true,
            "capacityProviderStrategy": shares,
        });
        self.api.ecs("UpdateService", &change)?;
        let call = |operation: &str, more: serde_json::Value| {
            self.scaling_of("prod/web", operation, &more)
        };
        call(
            "RegisterScalableTarget",
            json!({ "MinCapacity": 2, "MaxCapacity": 6 }),
        )?;
        call(
            "PutScalingPolicy",
            json!({
                "PolicyName": "requests", "PolicyType": "TargetTrackingScaling",
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 100,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "ECSServiceAverageCPUUtilization",
                    },
                },
            }),
        )?;
        call(
            "PutScheduledAction",
            json!({
                "ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)",
                "ScalableTargetAction": { "MinCapacity": 1 },
            }),
        )?;
        self.until("two tasks of web run", || {
            let asked = json!({ "cluster": "prod", "services": ["web"] });
            let told = self.api.ecs("DescribeServices", &asked)?;
            let web = &told["services"][0];
            let deployments = web["deployments"].as_array().map_or(0, Vec::len);
            Ok(web["runningCount"] == 2 && deployments == 1)
        })
    }
}

#[test]
fn the_page_of_an_autoscaled_service_is_true() -> Outcome {
    let page = fs::read_to_string(PAGE)?;
    let world = World::with_v1_live("page")?;
    let _company = Company::beside(&world)?;
    world.on_spot_and_scaled()?;
    fs::remove_file(world.desk.path().join("bgecs.toml"))?;
    let added = fences(&page, "toml").concat().join("\n");
    for Typed { line, says } in typed(&page) {
        let here = line
            .replace(ITS_HOST, SHOP)
            .replace("./v1", V1)
            .replace("./v2", V2);
        let words: Vec<&str> = here.split_whitespace().collect();
        let ended = world.done(&words)?;
        let said = format!("{}\n{}", ended.stderr, ended.stdout).replace(SHOP, ITS_HOST);
        if let Err(part) = is_said(&said, &says) {
            return Err(format!("`bgecs {line}` does not say `{part}`:\n{}", ended.shown()).into());
        }
        if words[0] == "import" {
            // Watched for less long than who reads it would have it watched.
            world.configure_more(&format!("{added}\n[probe]\nwindow_seconds = 1\n"))?;
        }
    }
    Ok(())
}
