//! What the gate saw of operators who were at work at once.

use std::time::Instant;

use localstack::gate::record::Call;

use super::{Run, came_too_late};

/// What a command wrote while it held the lease.
#[derive(Debug)]
struct Span<'a> {
    run: &'a str,
    from: Instant,
    until: Instant,
}

fn end(call: &Call) -> Instant {
    call.at + call.took()
}

/// What took effect: a write of the shared item only does for the holder.
fn is_done(call: &Call) -> bool {
    let is_of_holder = call.is("dynamodb", "UpdateItem");
    let is_to_the_app = ["ecs", "elasticloadbalancing"].contains(&&*call.service);
    call.writes && call.code().is_none() && (is_of_holder || is_to_the_app)
}

/// From its first write to its last, without those that take the lease and give
/// it back: of these it is not known when between call and answer they were done.
fn span<'a>(run: &'a Run, calls: &[Call]) -> Option<Span<'a>> {
    let done: Vec<&Call> = calls
        .iter()
        .filter(|call| call.access_key.as_ref() == Some(&run.key))
        .filter(|call| run.began <= call.at && call.at <= run.over)
        .filter(|call| is_done(call))
        .collect();
    if came_too_late(&run.ended) {
        assert_eq!(done.len(), 2, "the lease, and no more: {done:#?}");
        return None;
    }
    if run.ended.code != Some(0) {
        assert!(done.is_empty(), "{}\n{done:#?}", run.ended.shown());
        return None;
    }
    let [take, work @ .., give] = &done[..] else {
        panic!("{}\n{done:#?}", run.ended.shown());
    };
    for lease in [take, give] {
        assert!(lease.is("dynamodb", "UpdateItem"), "{done:#?}");
    }
    let last = work.iter().map(|call| end(call)).max();
    Some(Span {
        run: &run.ended.command,
        from: work.first()?.at,
        until: last?,
    })
}

/// No command wrote between the first and the last write of another.
pub fn expect_no_overlap(runs: &[Run], calls: &[Call]) {
    let mut spans: Vec<Span<'_>> = runs.iter().filter_map(|run| span(run, calls)).collect();
    spans.sort_by_key(|span| span.from);
    assert!(spans.len() > 1, "{spans:#?}");
    for pair in spans.windows(2) {
        let (one, next) = (&pair[0], &pair[1]);
        assert!(one.until <= next.from, "`{}` and `{}`", one.run, next.run);
    }
}
