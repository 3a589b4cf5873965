//! How often bgecs asks AWS.

use std::collections::BTreeMap;
use std::time::Duration;

use localstack::gate::record::Mark;

use crate::support::Outcome;
use crate::world::{V1, V2, World, greeter};

impl World {
    /// When each target group's health was asked for, since then.
    fn polls_since(&self, mark: Mark) -> BTreeMap<String, Vec<Duration>> {
        let mut polls = BTreeMap::<String, Vec<Duration>>::new();
        for call in self.gate.calls().since(mark) {
            if call.is("elasticloadbalancing", "DescribeTargetHealth") {
                polls.entry(call.resource).or_default().push(call.began);
            }
        }
        polls
    }
}

/// Within one command, whatever the polls are for: two commands do not know of
/// each other. The second counts from the answer, so it is at least one here,
/// however slow the machine is.
#[test]
fn target_health_is_asked_for_at_most_once_a_second() -> Outcome {
    greeter()?;
    let world = World::new("paced")?;
    world.done(&["init"])?;
    for (arguments, least) in [
        // Look, and wait until it serves.
        (&["deploy", V1, "--tag", "1", "--color", "green"][..], 2),
        (&["deploy", V2, "--tag", "2"], 2),
        // Looks at it before; at the end, the listeners say who serves.
        (&["promote", "--window", "0s"], 1),
        (&["status"], 1),
    ] {
        let before = world.gate.calls().mark();
        world.done(arguments)?;
        let polls = world.polls_since(before);
        assert_eq!(polls.len(), 2, "both groups: {polls:?}");
        let most = polls.values().map(Vec::len).max();
        assert!(most >= Some(least), "{arguments:?}: {polls:?}");
        for (group, polls) in polls {
            for pair in polls.windows(2) {
                let apart = pair[1] - pair[0];
                assert!(
                    apart >= Duration::from_secs(1),
                    "{arguments:?} asked for {group} again after {apart:?}: {polls:?}"
                );
            }
        }
    }
    Ok(())
}
