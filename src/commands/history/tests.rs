use super::*;
use crate::model::journal::{Effect, Ending, Lease, Watched};
use crate::model::testing::{holder, lease as held, moment, operation};

fn operation_of(
    command: Command,
    n: i64,
    outcome: OperationOutcome,
    reason: Option<&str>,
    watched: Option<Watched>,
) -> Operation {
    let mut operation = operation();
    operation.id = OperationId::new(moment(), u32::try_from(n).unwrap());
    operation.command = command;
    operation.began = moment() - time::Duration::minutes(n * n * n);
    operation.ending = Some(Ending {
        at: operation.began + time::Duration::milliseconds(n * 9_400),
        outcome,
        reason: reason.map(str::to_owned),
        watched,
    });
    operation
}

fn unfinished() -> Operation {
    let mut unfinished = operation();
    unfinished.intend(moment(), Effect::DeleteService { color: Color::Blue });
    unfinished
}

fn past() -> Vec<Operation> {
    let watched = |requests, failed, changeover_ms| {
        Some(Watched {
            requests,
            failed,
            changeover_ms,
        })
    };
    let mut list = vec![
        operation_of(
            Command::Promote,
            2,
            OperationOutcome::Done,
            None,
            watched(162, 0, Some(212)),
        ),
        operation_of(
            Command::Promote,
            4,
            OperationOutcome::RolledBack,
            Some("users saw failures"),
            watched(52, 7, None),
        ),
        operation_of(
            Command::Deploy,
            6,
            OperationOutcome::Failed,
            Some(
                "the deploy onto blue failed: the container exited with 1, and again with 1, and then for good\nand more",
            ),
            None,
        ),
        operation_of(
            Command::Rollback,
            9,
            OperationOutcome::Undone,
            None,
            watched(60, 0, None),
        ),
        operation_of(
            Command::Retire,
            13,
            OperationOutcome::Interrupted,
            None,
            None,
        ),
        operation_of(Command::Init, 16, OperationOutcome::Done, None, None),
    ];
    let init = list.last_mut().unwrap();
    (init.tag, init.color, init.from) = (None, None, None);
    list
}

fn shown(head: Head, ended: Vec<Operation>) -> String {
    let now = moment() + time::Duration::seconds(30);
    let listed = Listed {
        now,
        app: "hello".to_owned(),
        operations: lines(head, ended, now, 10),
        uploads: ListedUploads::default(),
    };
    listed.human(&Style::plain())
}

fn head(is_held: bool) -> Head {
    Head {
        lease: is_held.then(held),
        operation: Some(unfinished()),
        ..Head::default()
    }
}

#[test]
fn what_was_done_is_a_table_with_the_reasons_below() {
    let text = shown(head(false), past());
    insta::assert_snapshot!(text, @"
    began       command   tag  colour  outcome      failed    took        who
    30 s ago    promote   2    blue    unfinished   -         -           ann@laptop
    8 min ago   promote   2    blue    done         0 of 162  19 s        ann@laptop
    1 h ago     promote   2    blue    rolled back  7 of 52   38 s        ann@laptop
        users saw failures
    3 h ago     deploy    2    blue    failed       -         57 s        ann@laptop
        the deploy onto blue failed: the container exited with 1, and again with 1, and then for good
    12 h ago    rollback  2    blue    undone       0 of 60   1 min 25 s  ann@laptop
    36 h ago    retire    2    blue    interrupted  -         2 min 3 s   ann@laptop
    2 days ago  init      -    -       done         -         2 min 31 s  ann@laptop
    ");
    let rows = text.lines().filter(|line| !line.starts_with(' '));
    for line in rows {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn what_nobody_asked_is_blind_and_says_so() {
    let mut blind = operation_of(Command::Promote, 2, OperationOutcome::Done, None, None);
    blind.blind = true;
    let text = shown(Head::default(), vec![blind.clone()]);
    assert!(text.contains("done     blind   19 s"), "{text}");
    let line = serde_json::to_value(HistoryLine::of(blind)).unwrap();
    assert_eq!(
        (&line["blind"], &line["requests"]),
        (&true.into(), &serde_json::Value::Null)
    );
}

#[test]
fn an_operation_that_somebody_is_at_is_under_way_and_not_unfinished() {
    for (is_held, expected) in [(true, "under way"), (false, "unfinished")] {
        let text = shown(head(is_held), Vec::new());
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn an_operation_whose_lease_was_abandoned_is_unfinished_as_status_says() {
    let mut expired = head(true);
    expired.lease = Some(Lease {
        until: moment() - time::Duration::SECOND,
        ..held()
    });
    let text = shown(expired, Vec::new());
    assert!(text.contains("unfinished"), "{text}");
}

#[test]
fn an_operation_in_both_places_is_listed_once_and_as_unfinished() {
    let mut ended = operation_of(Command::Promote, 1, OperationOutcome::Done, None, None);
    ended.id = holder().id;
    let text = shown(head(false), vec![ended]);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("unfinished"), "{text}");
}

#[test]
fn the_limit_counts_the_unfinished_one_too() {
    assert_eq!(lines(head(false), past(), moment(), 3).len(), 3);
}

#[test]
fn an_app_of_which_nothing_is_known() {
    let text = shown(Head::default(), Vec::new());
    assert_eq!(text, "nothing has been done to hello yet");
}

#[test]
fn for_programs() {
    let listed = Listed {
        now: moment(),
        app: "hello".to_owned(),
        operations: lines(head(false), past().split_off(1), moment(), 2),
        uploads: ListedUploads::default(),
    };
    insta::assert_snapshot!(serde_json::to_string_pretty(&listed).unwrap(), @r#"
    {
      "app": "hello",
      "operations": [
        {
          "id": "20231114T221320Z-0000002a",
          "command": "promote",
          "outcome": null,
          "reason": null,
          "began": "2023-11-14T22:13:20Z",
          "took_ms": null,
          "tag": "2",
          "digest": null,
          "from": "green",
          "color": "blue",
          "blind": false,
          "requests": null,
          "failed": null,
          "changeover_ms": null,
          "who": {
            "name": "ann@laptop",
            "host": "laptop",
            "pid": 42
          },
          "taken_up_by": []
        },
        {
          "id": "20231114T221320Z-00000004",
          "command": "promote",
          "outcome": "rolled_back",
          "reason": "users saw failures",
          "began": "2023-11-14T21:09:20Z",
          "took_ms": 37600,
          "tag": "2",
          "digest": null,
          "from": "green",
          "color": "blue",
          "blind": false,
          "requests": 52,
          "failed": 7,
          "changeover_ms": null,
          "who": {
            "name": "ann@laptop",
            "host": "laptop",
            "pid": 42
          },
          "taken_up_by": []
        }
      ]
    }
    "#);
}
