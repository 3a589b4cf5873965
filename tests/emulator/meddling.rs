//! Others who change what bgecs is at work on, without its lease.

use std::time::Duration;

use localstack::gate::faults::Fault;
use localstack::gate::record::Mark;
use serde_json::{Value, json};

use crate::api::exchange;
use crate::running::Running;
use crate::stub::{header, serve_whole};
use crate::support::{Ended, Outcome};
use crate::world::{ENGLISH, FRENCH, V2, World, string};

const SLOW: &str = "environment = { GREETER_START_DELAY_MS = \"60000\" }";

impl World {
    /// A deploy onto blue that has seen its revision on the service, and waits.
    fn deploy_that_waits(&self, tag: &str) -> Outcome<Running<'_>> {
        self.configure(SLOW)?;
        let before = self.gate.calls().mark();
        let line = ["deploy", V2, "--tag", tag, "--color", "blue"];
        let deploying = self.start_as("deployer", &line)?;
        self.until("it waits", || Ok(self.has_looked_twice(before)))?;
        Ok(deploying)
    }

    /// The second look since its write begins when the first one is over.
    fn has_looked_twice(&self, since: Mark) -> bool {
        let calls = self.gate.calls().since(since).into_iter();
        let of_deploy = calls.filter(|call| call.access_key.as_deref() == Some("deployer"));
        let after = of_deploy.skip_while(|call| !call.is("ecs", "UpdateService"));
        after
            .filter(|call| call.is("ecs", "DescribeServices"))
            .count()
            > 1
    }

    fn expect_failed(&self, ended: &Ended, parts: &[&str]) -> Outcome {
        for part in parts.iter().chain(&["port 80 -> green (tag 1), unchanged"]) {
            assert!(ended.stderr.contains(part), "{part}:\n{}", ended.shown());
        }
        assert_eq!(self.history()?[0]["outcome"], "failed");
        self.expect_settled("the deploy")
    }
}

#[test]
fn a_deploy_says_who_took_its_service_from_it() -> Outcome {
    let world = World::with_v2_idle("meddled")?;
    let revision = string(&world.service("blue")?, "/taskDefinition")?;
    let deploying = world.deploy_that_waits("3")?;
    let update = json!({
        "cluster": world.stack(), "service": "blue", "taskDefinition": revision,
    });
    world.api.ecs("UpdateService", &update)?;
    let replaced = deploying.ends(1)?;
    let revision = revision.rsplit('/').next().unwrap_or_default();
    let by = format!("something else has deployed {revision} onto the same service since");
    let next = "find out who else deploys onto blue without bgecs, then deploy again";
    world.expect_failed(&replaced, &[&by, next])?;

    let deploying = world.deploy_that_waits("4")?;
    let delete = json!({ "cluster": world.stack(), "service": "blue", "force": true });
    world.api.ecs("DeleteService", &delete)?;
    let deleted = deploying.ends(1)?;
    let parts = [
        "the service was deleted meanwhile",
        "that creates the service again",
    ];
    world.expect_failed(&deleted, &parts)?;

    world.configure("")?;
    world.done(&["deploy", V2, "--tag", "5"])?;
    world.done(&["promote", "--window", "0s"])?;
    world.expect_answers(FRENCH, ENGLISH)
}

impl World {
    /// Starts it, and moves port 80 onto blue while it makes its nth call of
    /// that kind.
    fn moved_during(&self, call: Fault, line: &[&str]) -> Outcome<Ended> {
        let (prod, blue) = (self.listener("prod")?, self.target_group("blue")?);
        let slow = self.gate.faults().add(call);
        let running = self.start(line)?;
        self.until("it makes its call", || {
            Ok(self.gate.faults().struck(slow) > 0)
        })?;
        self.api.point(&prod, &blue)?;
        self.gate.faults().remove(slow);
        running.end()
    }

    /// As it was before somebody moved port 80.
    fn put_back(&self) -> Outcome {
        let (prod, green) = (self.listener("prod")?, self.target_group("green")?);
        self.api.point(&prod, &green)
    }
}

/// For long enough to look, and to move a listener.
const A_WHILE: Duration = Duration::from_secs(2);

#[test]
fn users_who_are_moved_onto_the_idle_colour_keep_what_runs_there() -> Outcome {
    let world = World::with_v2_idle("brought")?;
    let tasks = |world: &World| -> Outcome<_> {
        let blue = world.service("blue")?;
        Ok((blue["taskDefinition"].clone(), blue["desiredCount"].clone()))
    };
    let (before, revisions) = (tasks(&world)?, world.revisions("ACTIVE")?);
    let why = "port 80 forwards to blue, and to green when this began: something else changed it, so blue is left as it is";
    let register = Fault::on("ecs", "RegisterTaskDefinition").delay(A_WHILE);
    let scale = Fault::on("dynamodb", "UpdateItem").nth(2).delay(A_WHILE);
    for (call, line) in [
        (register, &["deploy", V2, "--tag", "3"][..]),
        (scale, &["retire"]),
    ] {
        let refused = world.moved_during(call, line)?;
        assert_eq!(refused.code, Some(6), "{}", refused.shown());
        for part in [why, "port 80 -> blue (tag 2)"] {
            assert!(
                refused.stderr.contains(part),
                "{part}:\n{}",
                refused.shown()
            );
        }
        assert_eq!(tasks(&world)?, before);
        assert_eq!(world.history()?[0]["outcome"], "refused");
        world.put_back()?;
        world.expect_settled(line[0])?;
    }
    assert_eq!(
        world.revisions("ACTIVE")?,
        revisions,
        "the deploy's own is gone"
    );
    world.done(&["retire"])?;
    Ok(())
}

#[test]
fn a_release_that_others_made_live_while_it_started_is_not_called_idle() -> Outcome {
    let world = World::with_v2_idle("unproven")?;
    world.configure("environment = { GREETER_START_DELAY_MS = \"4000\" }")?;
    let update = Fault::on("ecs", "UpdateService").delay(A_WHILE);
    let ended = world.moved_during(update, &["deploy", V2, "--tag", "3"])?;
    assert_eq!(ended.code, Some(4), "{}", ended.shown());
    for part in [
        "tag 3 serves on blue, and port 80 forwards to it: something else moved it there meanwhile",
        "port 80 -> blue (tag 3)",
    ] {
        assert!(ended.stderr.contains(part), "{part}:\n{}", ended.shown());
    }
    assert!(!ended.stdout.contains("bgecs promote"), "{}", ended.shown());
    // The deploy is over; what somebody else did to the listener is not.
    let status = world.status()?;
    assert!(status["unfinished"].is_null(), "{status:#}");
    world.ends(6, &["deploy", V2, "--tag", "4", "--color", "green"])?;
    world.put_back()?;
    world.expect_settled("the deploy")
}

/// AWS as it is, but for a stack that somebody else is updating.
fn with_a_busy_stack(world: &World) -> Outcome<String> {
    let address = world.api.address.clone();
    serve_whole(move |head, body| {
        let kept = ["authorization", "content-type", "x-amz-target"].into_iter();
        let kept = kept.filter_map(|name| Some(format!("{name}: {}\r\n", header(head, name)?)));
        let kept: String = kept.collect();
        let kind = match header(head, "x-amz-target") {
            Some(_) => "Content-Type: application/x-amz-json-1.1\r\n",
            None => "Content-Type: text/xml\r\n",
        };
        match exchange(&address, &address, "POST /", &kept, body) {
            Ok((status, answer)) => {
                let busy = ">UPDATE_IN_PROGRESS</StackStatus>";
                let answer = answer.replace(">CREATE_COMPLETE</StackStatus>", busy);
                (status, kind.to_owned(), answer)
            }
            Err(error) => (500, String::new(), error.to_string()),
        }
    })
}

#[test]
fn while_the_stack_is_updated_only_the_way_back_is_open() -> Outcome {
    let world = World::with_v2_idle("updated")?;
    world.done(&["promote", "--window", "0s"])?;
    let endpoint = with_a_busy_stack(&world)?;
    let during = |line: &[&str]| -> Outcome<Ended> {
        let line = [line, &["--connect-to", &world.api.address]].concat();
        let mut command = world.desk.command(&line);
        let output = command.env("AWS_ENDPOINT_URL", &endpoint).output()?;
        Ok(world.desk.ended(&line, &output))
    };
    let before = (world.status()?, world.history()?);
    for line in [
        &["init"][..],
        &["deploy", V2, "--tag", "3"],
        &["promote"],
        &["retire"],
        &["destroy", "--yes"],
        &["destroy", "--dry-run"],
    ] {
        let refused = during(line)?;
        assert_eq!(refused.code, Some(6), "{}", refused.shown());
        let why = "is UPDATE_IN_PROGRESS: something else is changing it";
        assert!(refused.stderr.contains(why), "{}", refused.shown());
    }
    let after: (Value, Vec<Value>) = (world.status()?, world.history()?);
    assert_eq!(after, before);
    let back = during(&["rollback", "--window", "0s"])?;
    assert_eq!(back.code, Some(0), "{}", back.shown());
    world.expect_settled("the rollback")?;
    world.expect_answers(ENGLISH, FRENCH)
}

/// Its tasks run on, and so does all that is done with them.
#[test]
fn a_revision_that_somebody_deregistered_bars_no_way() -> Outcome {
    let world = World::with_v2_idle("revisions")?;
    let revision = |color: &str| string(&world.service(color)?, "/taskDefinition");
    let take_away = |color: &str| -> Outcome<String> {
        let revision = revision(color)?;
        let deregister = json!({ "taskDefinition": revision });
        world.api.ecs("DeregisterTaskDefinition", &deregister)?;
        let delete = json!({ "taskDefinitions": [revision] });
        world.api.ecs("DeleteTaskDefinitions", &delete)?;
        Ok(revision)
    };
    let before = take_away("blue")?;
    let status = world.done(&["status"])?;
    let named = "something else deregistered this revision";
    assert!(status.stdout.contains(named), "{}", status.shown());
    // The same release, of which ECS would not take the revision.
    world.done(&["deploy", V2, "--tag", "2", "--force"])?;
    assert_ne!(revision("blue")?, before);
    take_away("blue")?;
    take_away("green")?;
    world.done(&["promote", "--tag", "2", "--window", "0s"])?;
    world.expect_answers(FRENCH, ENGLISH)?;
    world.done(&["rollback", "--window", "0s"])?;
    world.expect_answers(ENGLISH, FRENCH)
}
