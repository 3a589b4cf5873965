//! Clients that are killed at their writes.

use std::process::{Command, Stdio};

use super::super::crash::{Missed, Side, Write, kill_at, kill_at_its_kind};
use super::*;

/// Calls ECS with one operation after the other, and says which it had answered.
const CLIENT: &str = "
import sys, urllib.request as web
for name in sys.argv[2:]:
    target = 'AmazonEC2ContainerServiceV20141113.' + name
    web.urlopen(web.Request(sys.argv[1], b'{}', {'X-Amz-Target': target})).read()
    print(name, file=sys.stderr, flush=True)
";

fn client(gate: &Gate, operations: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(["-c", CLIENT, gate.endpoint()]);
    command.args(operations).stderr(Stdio::piped());
    command
}

const LIFE: [&str; 4] = [
    "CreateService",
    "DescribeServices",
    "UpdateService",
    "UpdateCluster",
];

/// The writes of a life that nothing disturbs.
async fn writes(gate: &Gate) -> Vec<Write> {
    let mark = gate.calls().mark();
    let mut life = tokio::process::Command::from(client(gate, &LIFE));
    let ended = soon(life.output()).await.unwrap();
    assert!(ended.status.success(), "{ended:?}");
    Write::all(&gate.calls().since(mark))
}

#[tokio::test]
async fn every_write_of_a_client_is_one_to_kill_it_at() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let writes = writes(&gate).await;
    let names: Vec<String> = writes.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "ecs CreateService",
            "ecs UpdateService",
            "ecs UpdateCluster"
        ]
    );
    for write in writes {
        for side in Side::BOTH {
            let before = counter.seen().len();
            let killed = kill_at(&gate, client(&gate, &LIFE), &write, side);
            let heard = soon(killed).await.unwrap();
            let seen = counter.seen().split_off(before);
            let effect = seen.contains(&write.operation);
            assert_eq!(effect, side == Side::After, "{side} {write}: {seen:?}");
            assert!(!heard.contains(&write.operation), "{heard}");
            assert!(gate.faults().all().is_empty());
        }
    }
}

#[tokio::test]
async fn a_write_is_known_by_which_of_its_kind_it_is() {
    let counter = Counter::default();
    let stand = counter.start().await;
    let gate = stand.gate();
    let twice = [LIFE, LIFE].concat();
    let mark = gate.calls().mark();
    let mut life = tokio::process::Command::from(client(&gate, &twice));
    assert!(soon(life.output()).await.unwrap().status.success());
    let all = Write::all(&gate.calls().since(mark));
    // The second update of its service, which comes earlier this time.
    let other = ["UpdateService", "UpdateService", "CreateService"];
    let before = counter.seen().len();
    let client = client(&gate, &other);
    let killed = kill_at_its_kind(&gate, client, (&all[4], &all), Side::After);
    soon(killed).await.unwrap();
    assert_eq!(counter.seen().split_off(before), &other[..2]);
}

#[tokio::test]
async fn a_client_that_ends_before_its_write_is_missed() {
    let stand = Counter::default().start().await;
    let gate = stand.gate();
    let last = writes(&gate).await.pop().unwrap();
    let shorter = client(&gate, &LIFE[..3]);
    let missed = soon(kill_at(&gate, shorter, &last, Side::Before)).await;
    let Err(Missed::Ended { number: 3, output }) = missed else {
        panic!("{missed:?}");
    };
    assert!(output.status.success());
    assert!(gate.faults().all().is_empty());
}

#[tokio::test]
async fn a_client_that_makes_another_write_is_missed() {
    let stand = Counter::default().start().await;
    let gate = stand.gate();
    let first = writes(&gate).await.remove(0);
    let other = client(&gate, &LIFE[1..]);
    let missed = soon(kill_at(&gate, other, &first, Side::After)).await;
    let Err(Missed::Other { found }) = missed else {
        panic!("{missed:?}");
    };
    assert_eq!(found.to_string(), "ecs UpdateService");
}
