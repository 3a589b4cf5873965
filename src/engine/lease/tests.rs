use time::Duration;

use super::*;
use crate::model::testing::{lease, moment};

fn held() -> Head {
    Head {
        lease: Some(lease()),
        ..Head::default()
    }
}

#[test]
fn a_lease_is_free_held_or_abandoned() {
    let end = lease().until;
    let abandoned = |why| Verdict::Abandoned { by: lease(), why };
    for (head, now, is_gone, expected) in [
        (Head::default(), moment(), false, Verdict::Free),
        (Head::default(), moment(), true, Verdict::Free),
        (held(), moment(), false, Verdict::Held(lease())),
        (held(), end, false, Verdict::Held(lease())),
        (
            held(),
            end + Duration::MILLISECOND,
            false,
            abandoned(Abandoned::Expired),
        ),
        (held(), moment(), true, abandoned(Abandoned::Gone)),
        (
            held(),
            end + Duration::HOUR,
            true,
            abandoned(Abandoned::Gone),
        ),
    ] {
        assert_eq!(judge(&head, now, is_gone), expected, "{now}");
    }
}

#[test]
fn a_lease_says_who_since_when_and_until_when() {
    assert_eq!(
        lease().sentence(moment()),
        "ann@laptop, process 42 on laptop, has been running `promote` since 2023-11-14 22:13:20 UTC; the lease expires in 1 min unless it is renewed"
    );
    let late = lease().sentence(moment() + Duration::seconds(90));
    assert!(late.contains("the lease expired 30 s ago"), "{late}");
}
