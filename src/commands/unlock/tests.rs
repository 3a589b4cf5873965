use serde_json::json;

use super::*;
use crate::model::testing::{PORTS, holder, lease, operation};

#[test]
fn what_is_unfinished_is_told_with_who_ends_it() {
    let mut head = Head::default();
    assert_eq!(and_unfinished(&head, &PORTS), "");
    head.operation = Some(operation());
    insta::assert_snapshot!(and_unfinished(&head, &PORTS).trim_start(), @"the promote of tag 2 to blue is unfinished: nothing was done; `bgecs resume` ends it");
}

#[test]
fn the_holder_for_programs() {
    let mut lease = lease();
    lease.holder.who.url = Some("https://ci.example/1".to_owned());
    assert_eq!(
        serde_json::to_value(LeaseShown::of(&lease)).unwrap(),
        json!({
            "who": "ann@laptop", "host": "laptop", "pid": 42, "url": "https://ci.example/1",
            "command": holder().command.as_str(),
            "since": "2023-11-14T22:13:20Z", "expires": "2023-11-14T22:14:20Z",
        })
    );
}
