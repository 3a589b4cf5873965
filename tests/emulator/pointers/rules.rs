//! Colours of a custom domain of API Gateway that are looked at by its routing rules.

use localstack::gate::crash::{Side, Write};
use serde_json::{Value, json};

use super::apis::{Apis, LookedAt};
use crate::api::exchange;
use crate::edge_actions::{called, expect_called, expect_granted};
use crate::permissions::table::{
    API_MAPPING_DEPLOYER, EDGE_DEPLOYER, EDGE_OPERATOR_TOO, TEST_RULES_DEPLOYER,
    TEST_RULES_OPERATOR_TOO,
};
use crate::support::Outcome;
use crate::world::string;

const BOTH: &str = "ROUTING_RULE_THEN_API_MAPPING";
const PATH: &str = "orders";

impl Apis {
    fn by_header(app: &str) -> Outcome<Self> {
        let it = Self::with_mode(app, BOTH)?;
        it.configure(PATH, LookedAt::ByHeader)?;
        Ok(it)
    }

    fn rules(&self) -> Outcome<Vec<Value>> {
        let line = format!("GET /v2/domainnames/{}/routingrules", self.domain);
        let all = self.call(&line, &Value::Null)?;
        let mut all = all["routingRules"].as_array().cloned().unwrap_or_default();
        all.sort_by_key(|rule| rule["priority"].as_i64());
        Ok(all)
    }

    /// Somebody's rule for the green API.
    fn strangers(&self, priority: i32) -> Outcome<Value> {
        let (api, stage) = self.targets[1].split_once('/').ok_or("no stage")?;
        let line = format!("POST /v2/domainnames/{}/routingrules", self.domain);
        let header = json!({ "header": "x-version", "valueGlob": "beta*" });
        self.call(
            &line,
            &json!({
                "priority": priority,
                "conditions": [{ "matchHeaders": { "anyOf": [header] } }],
                "actions": [{ "invokeApi": { "apiId": api, "stage": stage, "stripBasePath": false } }],
            }),
        )
    }

    fn delete(&self, rule: &Value) -> Outcome {
        let id = string(rule, "/routingRuleId")?;
        let line = format!("DELETE /v2/domainnames/{}/routingrules/{id}", self.domain);
        self.world.api.rest("apigateway", &line, "").map(drop)
    }

    /// With the rules of both colours, and the first release live. Gives that colour and
    /// the idle one.
    fn released(&self) -> Outcome<[String; 2]> {
        self.world.done(&["init"])?;
        self.through(&["deploy", "--tag", "1"])?;
        let status = self.world.status()?;
        Ok([string(&status, "/live")?, string(&status, "/idle")?])
    }

    /// Through the gate, which knows the domain.
    fn through(&self, words: &[&str]) -> Outcome<Value> {
        let through = ["--connect-to", &self.world.api.address];
        self.world.done_json(&[words, &through].concat())
    }

    /// Which release somebody is answered by.
    fn answer(&self, header: &str) -> Outcome<String> {
        let gate = &self.world.api.address;
        let line = format!("GET /{PATH}/");
        Ok(exchange(gate, &self.domain, &line, header, "")?.1)
    }
}

/// What a rule leads to, and the header by which it does.
fn told(rule: &Value) -> Outcome<(i64, String, String)> {
    let condition = |key: &str| {
        let mut all = rule["conditions"].as_array().into_iter().flatten();
        all.find_map(|it| it.get(key)).cloned().unwrap_or_default()
    };
    let invoke = &rule["actions"][0]["invokeApi"];
    let header = string(&condition("matchHeaders"), "/anyOf/0/valueGlob")?;
    let target = format!(
        "{}/{}",
        string(invoke, "/apiId")?,
        string(invoke, "/stage")?
    );
    Ok((
        rule["priority"].as_i64().ok_or("no priority")?,
        header,
        target,
    ))
}

#[test]
fn a_release_is_looked_at_by_header_from_nothing_to_the_end() -> Outcome {
    let it = Apis::by_header("ruled")?;
    let [blue, green] = it.targets.clone();
    let stranger = it.strangers(2)?;
    let planned = it.world.done(&["init", "--dry-run"])?.stdout;
    for part in ["priority 1", "priority 3", "below /orders"] {
        assert!(planned.contains(part), "{part}: {planned}");
    }
    assert_eq!(it.rules()?, std::slice::from_ref(&stranger));
    let [live, idle] = it.released()?;
    let rules = it.rules()?;
    let all: Vec<_> = rules.iter().map(told).collect::<Outcome<_>>()?;
    let ours =
        |priority, color: &str, target: &str| (priority, color.to_owned(), target.to_owned());
    assert_eq!(all[0], ours(1, "blue", &blue));
    assert_eq!(all[1], told(&stranger)?);
    assert_eq!(all[2], ours(3, "green", &green));
    let again = it.world.done_json(&["init"])?;
    assert_eq!(again["outcome"], "unchanged");

    let deployed = it.through(&["deploy", "--tag", "2"])?;
    let asking = string(&deployed, "/asking")?;
    let header = format!("x-bgecs-color: {idle}");
    assert!(asking.contains(&header), "{asking}");
    assert_eq!(it.answer("")?, format!("{live} 1\n"));
    assert_eq!(it.answer(&format!("{header}\r\n"))?, format!("{idle} 2\n"));
    let status = it.through(&["status"])?;
    for color in ["blue", "green"] {
        assert_eq!(status["hosted"][color]["healthy"], true, "{status:#}");
    }
    it.through(&["probe", "--listener", "test", "--duration", "1s"])?;
    let promoted = it.through(&["promote"])?;
    assert_eq!(promoted["outcome"], "committed", "{promoted:#}");
    assert_eq!(promoted["probe"]["failed"], 0, "{promoted:#}");
    assert_eq!(it.answer("")?, format!("{idle} 2\n"));
    assert_eq!(it.rules()?, rules);

    let planned = it.world.done(&["destroy", "--dry-run"])?.stdout;
    assert_eq!(
        planned.matches("delete the routing rule").count(),
        2,
        "{planned}"
    );
    it.world.done(&["destroy", "--yes"])?;
    assert_eq!(it.rules()?, [stranger]);
    let target = if idle == "blue" { &blue } else { &green };
    assert_eq!(it.mapped(PATH)?.as_ref(), Some(target));
    Ok(())
}

/// Without its rule a colour's header is answered by whatever is live.
#[test]
fn a_rule_that_somebody_deleted_is_missed_and_made_again() -> Outcome {
    let it = Apis::by_header("unruled")?;
    let [_, idle] = it.released()?;
    let before = it.rules()?;
    let is_of = |color: &str, rule: &Value| told(rule).is_ok_and(|(_, of, _)| of == color);
    let lost = before.iter().find(|rule| is_of(&idle, rule));
    it.delete(lost.ok_or("there is none")?)?;
    let status = it.through(&["status"])?;
    let hosted = &status["hosted"][&idle];
    assert_eq!(hosted["healthy"], false, "{status:#}");
    assert!(
        string(hosted, "/reason")?.contains("no routing rule"),
        "{status:#}"
    );
    let through = ["--connect-to", &it.world.api.address];
    let refused = it
        .world
        .ends(6, &[&["deploy", "--tag", "2"][..], &through].concat())?;
    assert!(
        refused.stderr.contains("no routing rule"),
        "{}",
        refused.shown()
    );
    it.world
        .ends(6, &[&["promote", &idle][..], &through].concat())?;
    it.world.done(&["init"])?;
    let all = |rules: &[Value]| rules.iter().map(told).collect::<Outcome<Vec<_>>>();
    assert_eq!(all(&it.rules()?)?, all(&before)?);
    it.through(&["deploy", "--tag", "2"])?;
    let line = format!("PATCH /v2/domainnames/{}", it.domain);
    it.call(&line, &json!({ "routingMode": "ROUTING_RULE_ONLY" }))?;
    let refused = it
        .world
        .ends(6, &[&["promote"][..], &through].concat())?
        .shown();
    assert!(refused.contains("never consults the mappings"), "{refused}");
    Ok(())
}

#[test]
fn rules_follow_the_file_and_a_policy_allows_what_that_takes() -> Outcome {
    let mut it = Apis::by_header("following")?;
    let mark = it.world.gate.calls().mark();
    let [_, idle] = it.released()?;
    let at = usize::from(idle == "green");
    let before = it.rules()?;
    it.targets[at] = it.api(&idle)?;
    it.configure(PATH, LookedAt::ByHeader)?;
    let planned = it.world.ends(7, &["up", "--dry-run"])?.stdout;
    assert!(planned.contains("change the routing rule"), "{planned}");
    it.world.done(&["init"])?;
    let after = it.rules()?;
    for (rule, was) in after.iter().zip(&before) {
        assert_eq!(rule["routingRuleId"], was["routingRuleId"]);
    }
    let targets = after.iter().map(|rule| Ok(told(rule)?.2));
    assert_eq!(targets.collect::<Outcome<Vec<_>>>()?, it.targets);
    it.through(&["deploy", "--tag", "2"])?;
    it.through(&["promote"])?;
    it.configure(PATH, LookedAt::OwnUrls)?;
    it.world.done(&["init"])?;
    assert_eq!(it.rules()?, Vec::<Value>::new());

    let all = called(&it.world, mark);
    let own = [TEST_RULES_DEPLOYER, TEST_RULES_OPERATOR_TOO];
    let allowed = [
        EDGE_DEPLOYER,
        EDGE_OPERATOR_TOO,
        API_MAPPING_DEPLOYER,
        own[0],
        own[1],
    ];
    expect_granted(&all, &allowed);
    expect_called(&all, own.into_iter().flatten().flat_map(|it| it.needs));
    Ok(())
}

#[test]
fn a_domain_whose_mode_does_not_fit_is_refused() -> Outcome {
    let it = Apis::with_mode("only", "ROUTING_RULE_ONLY")?;
    for looked_at in [LookedAt::OwnUrls, LookedAt::ByHeader] {
        it.configure(PATH, looked_at)?;
        let refused = it.world.ends(6, &["init"])?.stderr;
        assert!(refused.contains("never consults the mappings"), "{refused}");
        assert!(refused.contains(BOTH), "{refused}");
    }
    let other = Apis::with_mode("plain", "API_MAPPING_ONLY")?;
    other.configure(PATH, LookedAt::ByHeader)?;
    let refused = other.world.ends(6, &["init"])?.stderr;
    assert!(refused.contains("give both colours a `url`"), "{refused}");
    assert_eq!(other.rules()?, Vec::<Value>::new());
    Ok(())
}

/// A rule is there once, whoever was killed while it was made.
#[test]
fn rules_whose_making_was_killed_are_made_once() -> Outcome {
    let it = Apis::by_header("killed")?;
    let writes = it.world.writes_of(&["init"])?;
    let rules = |write: &&Write| write.operation.contains("routingrules");
    let writes: Vec<&Write> = writes.iter().filter(rules).collect();
    assert_eq!(writes.len(), 2, "{writes:?}");
    let made: Vec<_> = it.rules()?.iter().map(told).collect::<Outcome<_>>()?;
    for write in writes {
        for side in Side::BOTH {
            it.world.done(&["destroy", "--yes"])?;
            assert_eq!(it.rules()?, Vec::<Value>::new());
            it.world.killed_at_write(&["init"], write, side)?;
            it.world.done(&["init"])?;
            let again: Vec<_> = it.rules()?.iter().map(told).collect::<Outcome<_>>()?;
            assert_eq!(again, made, "killed {side} {}", write.number);
        }
    }
    Ok(())
}
