use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::*;
use crate::aws::testing::Wire;
use crate::report::Style;
use crate::report::capture::{To, reporter};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn hook(line: &str) -> HookCommand<'_> {
    HookCommand {
        what: "hook",
        name: "before_stage of stage 2".to_owned(),
        line,
        folder: Path::new("/"),
        environment: vec![("BGECS_STAGE", "2".into())],
        limit: None,
    }
}

fn start(line: &str) -> Running {
    Running::start(&hook(line), "hello").expect("it starts")
}

/// The output, and how the command ended.
async fn run(command: &str) -> (Vec<String>, ExitStatus, Group) {
    let mut lines = Vec::new();
    let mut tell = |line: &str| lines.push(line.to_owned());
    let followed = timeout(PATIENCE, start(command).follow(&mut tell)).await;
    let (status, group) = followed.expect("it ends").expect("its end is seen");
    (lines, status, group)
}

fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    // A zombie is gone too: whoever adopts it may take a while to reap it.
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

async fn until_gone(pid: &str) {
    let gone = async {
        while runs(pid) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, gone).await.expect("it is ended");
}

#[tokio::test]
async fn lines_come_as_they_were_written() {
    let command = "echo $BGECS_APP $BGECS_STAGE $PWD; echo two >&2; printf three";
    let (lines, status, _group) = run(command).await;
    assert_eq!(lines, ["hello 2 /", "two", "three"]);
    assert!(status.success());
    let (lines, status, _group) = run("seq 1 20000; exit 3").await;
    assert_eq!(lines.len(), 20000);
    assert_eq!(status.code(), Some(3));
}

#[tokio::test]
async fn a_hook_ends_when_its_command_does() {
    for command in [
        "(sleep 600 &); echo ok",
        "sleep 600 & echo ok",
        "yes >&2 & echo ok >/dev/null",
        "(exec 1>&- 2>&-; sleep 600) & echo ok",
    ] {
        let (lines, status, _group) = run(command).await;
        assert!(status.success(), "{command}");
        assert!(
            lines.iter().all(|line| line == "ok" || line == "y"),
            "{command}"
        );
    }
}

#[tokio::test]
async fn what_it_leaves_behind_goes_on_and_ends_with_this_process() {
    let daemon = "(while :; do echo tick; sleep 0.01; done) & echo $!";
    let (lines, _, group) = run(daemon).await;
    let pid = lines
        .iter()
        .find(|line| *line != "tick")
        .expect("its number");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(runs(pid), "it writes on, and nobody waits for it");
    drop(group);
    until_gone(pid).await;
}

#[tokio::test]
async fn a_hook_that_is_given_up_is_ended_with_all_that_it_started() {
    let command = "trap '' TERM; sleep 600 & echo $!; echo $$; wait; sleep 600";
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut tell = |line: &str| tell.send(line.to_owned()).expect("somebody listens");
    let mut follow = Box::pin(start(command).follow(&mut tell));
    let mut pids = Vec::new();
    while pids.len() < 2 {
        tokio::select! {
            _ = &mut follow => panic!("it was to go on"),
            pid = told.recv() => pids.extend(pid),
        }
    }
    drop(follow);
    for pid in pids {
        until_gone(&pid).await;
    }
}

/// The result, and what was written to stderr.
async fn told(hook: &HookCommand<'_>) -> (Result<(), HookFailure>, String) {
    let (report, seen) = reporter(To::Pipe, false, Style::plain());
    let session = Session::of_hello_telling(Wire::new().aws(), report);
    let ended = timeout(PATIENCE, hook.run(&session)).await;
    drop(session);
    (ended.expect("it ends"), seen.err.text())
}

#[tokio::test]
async fn a_hook_that_ends_well_lets_go_on_and_is_told() {
    let (ended, told) = told(&hook("echo one; echo two >&2")).await;
    assert_eq!(ended, Ok(()));
    let expected = "    one\n    two\n✓ ran before_stage of stage 2\n";
    assert!(told.ends_with(expected), "{told}");
}

#[tokio::test]
async fn a_hook_that_fails_says_how_and_repeats_its_last_lines() {
    let failure = |what: &str, cause: Option<&str>| HookFailure {
        message: format!("the hook before_stage of stage 2 {what}"),
        cause: cause.map(str::to_owned),
        is_late: what.starts_with("took longer"),
    };
    for (line, expected) in [
        ("exit 3", failure("failed: exit status: 3", None)),
        (
            "echo why; exit 1",
            failure("failed: exit status: 1", Some("its last lines:\nwhy")),
        ),
        ("kill -9 $$", failure("failed: signal: 9 (SIGKILL)", None)),
        (
            "seq 1 30; exit 2",
            failure(
                "failed: exit status: 2",
                Some(&format!(
                    "its last lines:\n{}",
                    Vec::from_iter((11..=30).map(|n| n.to_string())).join("\n")
                )),
            ),
        ),
    ] {
        assert_eq!(told(&hook(line)).await.0, Err(expected), "{line}");
    }
    let nowhere = HookCommand {
        folder: Path::new("/nowhere/at/all"),
        ..hook("true")
    };
    let error = told(&nowhere).await.0.expect_err("there is no such folder");
    let expected = "the hook before_stage of stage 2 cannot be started";
    assert_eq!(error.message, expected);
    assert!(error.cause.is_some());
}

#[tokio::test]
async fn a_hook_that_takes_too_long_is_ended_with_all_that_it_started() {
    let limited = HookCommand {
        limit: Some(Duration::from_secs(1)),
        ..hook("trap '' TERM; (trap '' TERM; sleep 600) & echo $!; echo $$; wait; sleep 600")
    };
    let (ended, _) = told(&limited).await;
    let error = ended.expect_err("it is not waited for");
    assert_eq!(
        error.message,
        "the hook before_stage of stage 2 took longer than 1 s and was killed"
    );
    let cause = error.cause.expect("what it said until then");
    let pids: Vec<&str> = cause.lines().skip(1).collect();
    assert_eq!(pids.len(), 2, "{cause}");
    for pid in pids {
        until_gone(pid).await;
    }
}

#[test]
fn a_reason_begins_with_what_failed() {
    let told = |cause| HookFailure::of("hook", "before_shift", "failed", cause).told();
    assert_eq!(told(None), "the hook before_shift failed");
    let one = "no answer".to_owned();
    assert_eq!(told(Some(one)), "the hook before_shift failed: no answer");
    let lines = "its last lines:\none\ntwo".to_owned();
    assert_eq!(
        told(Some(lines)),
        "the hook before_shift failed\n    its last lines:\n    one\n    two"
    );
}
