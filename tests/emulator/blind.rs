//! Releases on whose way nobody asks production, from a machine that does not reach the
//! load balancer: nothing listens where its connections go.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr};

use crate::support::{Ended, Outcome};
use crate::world::{ENGLISH, FRENCH, V2, World};

impl World {
    fn unreached(&self, code: i32, line: &[&str]) -> Outcome<Ended> {
        self.ends(code, &[line, &["--connect-to", "127.0.0.1:9"]].concat())
    }

    /// A promotion that has moved users, and what it said.
    fn is_watching(&self) -> Outcome<(Child, BufReader<ChildStderr>, String)> {
        let line = [
            "promote",
            "--blind",
            "--window",
            "5m",
            "--connect-to",
            "127.0.0.1:9",
        ];
        let mut child = self.desk.command(&line).spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        let mut seen = String::new();
        while !seen.contains("watching for") {
            let read = stderr.read_line(&mut seen)?;
            assert!(read > 0, "it never watched: {seen}");
        }
        Ok((child, stderr, seen))
    }

    /// What the load balancer asks of blue's targets, which they do not have.
    fn sickens_blue(&self) -> Outcome {
        self.api.elb(&[
            ("Action", "ModifyTargetGroup"),
            ("TargetGroupArn", &self.target_group("blue")?),
            ("HealthCheckPath", "/nowhere"),
        ])?;
        Ok(())
    }
}

#[test]
fn a_release_that_nobody_asks_goes_by_target_health_alone() -> Outcome {
    let world = World::with_v2_idle("blind")?;
    let refused = world.unreached(6, &["promote"])?;
    assert!(refused.stderr.contains("--blind"), "{}", refused.shown());
    let planned = world.changes_nothing(0, &["promote", "--blind", "--dry-run"])?;
    for part in ["watch the target health of blue for 2 s", "--blind"] {
        assert!(planned.stdout.contains(part), "{}", planned.shown());
    }

    let promoted = world.unreached(0, &["promote", "--blind", "--report", "a.html", "--json"])?;
    assert!(
        promoted.stderr.contains("production is not probed"),
        "{}",
        promoted.shown()
    );
    let promoted = promoted.json()?;
    assert_eq!(promoted["outcome"], "committed", "{promoted:#}");
    assert_eq!(
        (&promoted["blind"], &promoted["probe"]["sent"]),
        (&true.into(), &0.into())
    );
    world.expect_answers(FRENCH, ENGLISH)?;
    let page = std::fs::read_to_string(world.desk.path().join("a.html"))?;
    assert!(page.contains("blind: nobody asked production"));

    let back = world
        .unreached(0, &["rollback", "--blind", "--json"])?
        .json()?;
    assert_eq!(
        (&back["outcome"], &back["blind"]),
        (&"committed".into(), &true.into())
    );
    world.expect_answers(ENGLISH, FRENCH)?;
    let history = world.done_json(&["history"])?;
    for n in [0, 1] {
        assert_eq!(history["operations"][n]["blind"], true, "{history:#}");
    }
    let told = world.done(&["history"])?;
    assert!(told.stdout.contains("  blind  "), "{}", told.shown());

    let deployed = world.unreached(0, &["deploy", V2, "--tag", "3", "--blind", "--json"])?;
    let deployed = deployed.json()?;
    assert_eq!(
        (&deployed["outcome"], &deployed["blind"]),
        (&"deployed".into(), &true.into())
    );
    Ok(())
}

#[test]
fn a_blind_release_whose_targets_turn_unhealthy_is_taken_back() -> Outcome {
    let world = World::with_v2_idle("sick")?;
    let (mut child, mut stderr, mut seen) = world.is_watching()?;
    world.sickens_blue()?;
    stderr.read_to_string(&mut seen)?;
    assert_eq!(child.wait()?.code(), Some(3), "{seen}");
    for part in ["was rolled back", "is unhealthy", "confirmed"] {
        assert!(seen.contains(part), "{part}: {seen}");
    }
    world.expect_answers(ENGLISH, FRENCH)
}

/// Whoever goes on with it need not know that it was.
#[test]
fn a_blind_release_that_was_killed_is_gone_on_with_blind() -> Outcome {
    let world = World::with_v2_idle("darkness")?;
    let (mut child, _, _) = world.is_watching()?;
    child.kill()?;
    child.wait()?;
    let resume = ["resume", "--window", "1s", "--json"];
    let resumed = world.unreached(0, &resume)?.json()?;
    let ended = (&resumed["outcome"], &resumed["blind"]);
    assert_eq!(ended, (&"finished".into(), &true.into()), "{resumed:#}");
    world.expect_answers(FRENCH, ENGLISH)
}
