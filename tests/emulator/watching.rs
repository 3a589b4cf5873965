//! `bgecs watch`: from a folder without `bgecs.toml`, on a service that bgecs is
//! told nothing of.

use std::collections::BTreeSet;
use std::fs;

use localstack::gate::record::Mark;

use crate::permissions::table::{Grant, WATCHER};
use crate::support::{Desk, Ended, Outcome};
use crate::world::World;

const ELB: &str = "elasticloadbalancing";

/// Who has the names of a cluster and a service, and no `bgecs.toml`.
pub struct Stranger<'a> {
    world: &'a World,
    pub desk: Desk,
}

impl<'a> Stranger<'a> {
    pub fn of(world: &'a World) -> Outcome<Self> {
        let mut desk = Desk::empty()?;
        for (name, value) in world.gate.env() {
            desk = desk.env(&name, &value);
        }
        let desk = desk.env("AWS_ACCESS_KEY_ID", "stranger");
        Ok(Self { world, desk })
    }

    /// Watches the service that is live. Also gives the calls that were bgecs's.
    pub fn watch(&self, more: &[&str]) -> Outcome<(Ended, BTreeSet<String>)> {
        self.run("watch", more)
    }

    /// Has a command look at the service that is live.
    pub fn run(&self, command: &str, more: &[&str]) -> Outcome<(Ended, BTreeSet<String>)> {
        let mark = self.world.gate.calls().mark();
        let stack = self.world.stack();
        let line = [&[command, "--cluster", &stack, "--service", "green"], more].concat();
        let ended = self.desk.bgecs(&line)?;
        Ok((ended, self.calls_since(mark)))
    }

    fn calls_since(&self, mark: Mark) -> BTreeSet<String> {
        let calls = self.world.gate.calls().since(mark).into_iter();
        let own = calls.filter(|call| call.access_key.as_deref() == Some("stranger"));
        own.map(|call| format!("{}:{}", call.service, call.operation))
            .collect()
    }
}

/// What the policy of a command allows, and nothing else.
pub fn allowed_by(grants: &[Grant]) -> BTreeSet<String> {
    let needs = grants.iter().flat_map(|grant| grant.needs);
    needs.map(|need| need.action.to_owned()).collect()
}

fn allowed() -> BTreeSet<String> {
    allowed_by(WATCHER)
}

#[test]
fn a_stranger_s_release_is_watched_and_nothing_is_changed() -> Outcome {
    let world = World::with_v1_live("shown")?;
    let stranger = Stranger::of(&world)?;
    let before = world.status()?;
    let ask = ["--path", "/api", "--rate", "50"];

    // Where to ask is read off, and the command's own streams and end are passed.
    let script = "echo told; echo noted >&2; sleep 1; exit 7";
    let (ended, calls) = stranger.watch(&[&ask[..], &["--", "sh", "-c", script]].concat())?;
    assert_eq!(ended.code, Some(7), "{}", ended.shown());
    assert!(
        ended.stdout.starts_with("told\nhttp://"),
        "{}",
        ended.shown()
    );
    assert!(ended.stdout.contains(", 0 failed"), "{}", ended.shown());
    assert!(
        ended.stderr.contains("port 80 (HTTP), default action"),
        "{}",
        ended.shown()
    );
    assert!(ended.stderr.contains("noted\n"), "{}", ended.shown());
    assert_eq!(calls, allowed());
    assert_eq!(world.status()?, before);

    // Another's mistake, and its way back: users see it, and so does the probe.
    let listener = world.listener("prod")?;
    let (green, blue) = (world.target_group("green")?, world.target_group("blue")?);
    let endpoint = world.gate.endpoint();
    let point = |group: &str| {
        format!(
            "curl -sSf {endpoint} -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{ELB}/aws4_request, SignedHeaders=host, Signature=x' \
             --data-urlencode Action=ModifyListener --data-urlencode Version=2015-12-01 \
             --data-urlencode ListenerArn={listener} \
             --data-urlencode DefaultActions.member.1.Type=forward \
             --data-urlencode DefaultActions.member.1.TargetGroupArn={group} > /dev/null"
        )
    };
    let script = format!(
        "{} && sleep 1 && {} && sleep 1",
        point(&blue),
        point(&green)
    );
    world.desk.write("their-deploy.sh", &script)?;
    let script = world.desk.path().join("their-deploy.sh");
    let script = script.to_str().ok_or("no path")?;
    for (flags, code) in [
        (&[][..], 0),
        (&["--fail-on-failures"], 1),
        (&["--fail-on-failures", "--max-failures", "1000000"], 0),
    ] {
        let report = ["--json", "--report", "report.html"];
        let line = [&ask[..], flags, &report, &["--", "sh", script]].concat();
        let (ended, calls) = stranger.watch(&line)?;
        assert_eq!(ended.code, Some(code), "{}", ended.shown());
        let json = ended.json()?;
        let failed = json["probe"]["failed"].as_u64().unwrap_or(0);
        let sent = json["probe"]["sent"].as_u64().unwrap_or(0);
        assert!(failed > 10 && failed < sent, "{failed} of {sent}");
        assert_eq!(json["command"]["exit_code"], 0, "{json:#}");
        assert_eq!(calls, allowed());
        let page = fs::read_to_string(stranger.desk.path().join("report.html"))?;
        assert!(
            page.contains("their-deploy.sh began"),
            "no mark of the command"
        );
    }
    // The journal knows nothing of that.
    world.done(&["adopt"])?;
    assert_eq!(world.status()?["live"], before["live"]);

    // For a time alone; and of a URL that none of its load balancers knows.
    let (ended, _) = stranger.watch(&[&ask[..], &["--duration", "500ms"]].concat())?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let elsewhere = ["--url", "http://127.0.0.1:9/", "--duration", "300ms"];
    let (ended, _) = stranger.watch(&elsewhere)?;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    assert!(
        ended.stderr.contains("by its own name"),
        "{}",
        ended.shown()
    );
    assert!(
        ended
            .stderr
            .contains("the first request was not answered well"),
        "{}",
        ended.shown()
    );

    // What is not there, and what has two ways in.
    let stack = world.stack();
    for line in [
        [
            "watch",
            "--cluster",
            &stack,
            "--service",
            "red",
            "--",
            "false",
        ],
        [
            "watch",
            "--cluster",
            "nowhere",
            "--service",
            "green",
            "--",
            "false",
        ],
    ] {
        let ended = stranger.desk.bgecs(&line)?;
        assert_eq!(ended.code, Some(2), "{}", ended.shown());
        assert!(
            ended.stderr.contains("there is no service"),
            "{}",
            ended.shown()
        );
    }
    world.add_listener(&green)?;
    let (ended, calls) = stranger.watch(&["--", "touch", "ran"])?;
    assert_eq!(ended.code, Some(2), "{}", ended.shown());
    assert!(
        ended.stderr.contains("2 ways lead to the service green"),
        "{}",
        ended.shown()
    );
    assert!(!stranger.desk.path().join("ran").exists());
    assert_eq!(calls, allowed());
    Ok(())
}
