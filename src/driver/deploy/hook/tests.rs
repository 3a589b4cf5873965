use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use super::*;

/// Far longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn start(command: &str) -> Running {
    let hook = Hook {
        command: command.to_owned(),
        folder: "/".into(),
        context: "/context".into(),
        platform: "linux/arm64".to_owned(),
    };
    let tag = "7".parse().expect("a tag");
    Running::start(&hook, &tag).expect("it starts")
}

/// Its lines, and how it ended.
async fn run(command: &str) -> (Vec<String>, ExitStatus, Group) {
    let mut lines = Vec::new();
    let mut tell = |line: &str| lines.push(line.to_owned());
    let followed = timeout(PATIENCE, start(command).follow(&mut tell)).await;
    let (status, group) = followed.expect("it ends").expect("its end is seen");
    (lines, status, group)
}

fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    // Whoever adopts orphans may take its time to bury them.
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
    let command = "echo $BGECS_CONTEXT $BGECS_TAG $BGECS_PLATFORM; echo two >&2; printf three";
    let (lines, status, _group) = run(command).await;
    assert_eq!(lines, ["/context 7 linux/arm64", "two", "three"]);
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
