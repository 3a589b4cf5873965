//! Decides about a task that runs once for a release: it has run, is under way, or is
//! due.

use time::{Duration, OffsetDateTime};

use crate::model::HookTaskRecord;
use crate::model::journal::Fate;

/// ECS knows a client token for an hour after its task's end
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html>).
/// Somewhat less: it is asked a little later than this is judged.
const REMEMBERED: Duration = Duration::minutes(55);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookTaskStanding {
    /// It has run for this release, and ended well.
    Ran,
    /// It has not begun, or its last try failed.
    Due,
    /// ECS was asked, and tells by the same token what became of it.
    Asked,
    /// By its ARN.
    Started(String),
    /// ECS may have run it, and knows nothing of it any more: it would start another.
    Forgotten,
}

/// What a person says who has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookTaskOrder {
    Again,
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookTaskStep {
    Skip,
    /// Nobody saw it run, and a person says that it is done.
    TakeAsDone,
    Begin,
    /// ECS, with the token of the try that was begun.
    Ask,
    Follow(String),
    Refuse,
}

pub fn standing(record: Option<&HookTaskRecord>, now: OffsetDateTime) -> HookTaskStanding {
    use HookTaskStanding as Standing;
    let Some(record) = record else {
        return Standing::Due;
    };
    match (&record.fate, &record.task) {
        (Some(Fate::Done), _) => Standing::Ran,
        (Some(Fate::Failed(_)), _) => Standing::Due,
        (None, Some(task)) => Standing::Started(task.clone()),
        (None, None) if now - record.begun < REMEMBERED => Standing::Asked,
        (None, None) => Standing::Forgotten,
    }
}

/// One that may be under way is waited for, whatever a person says.
pub fn step(standing: HookTaskStanding, order: Option<HookTaskOrder>) -> HookTaskStep {
    use HookTaskOrder as Order;
    use HookTaskStanding as Standing;
    match (standing, order) {
        (Standing::Started(task), _) => HookTaskStep::Follow(task),
        (Standing::Asked, _) => HookTaskStep::Ask,
        (Standing::Ran, None | Some(Order::Done)) => HookTaskStep::Skip,
        (Standing::Due | Standing::Forgotten, Some(Order::Done)) => HookTaskStep::TakeAsDone,
        (Standing::Due, None) | (_, Some(Order::Again)) => HookTaskStep::Begin,
        (Standing::Forgotten, None) => HookTaskStep::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Color, Deployed, Hook, HookTask};

    fn begun() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
    }

    fn record(task: Option<&str>, fate: Option<Fate>) -> HookTaskRecord {
        let release = Deployed::somewhere_on(Color::Blue);
        HookTaskRecord {
            it: HookTask::of(Hook::BeforeShift, &release, &["migrate".to_owned()]),
            attempt: 1,
            begun: begun(),
            who: "ada".to_owned(),
            task: task.map(str::to_owned),
            fate,
        }
    }

    #[test]
    fn what_is_kept_says_whether_it_may_be_asked_for_again() {
        use HookTaskStanding as Standing;
        let after = |minutes| begun() + Duration::minutes(minutes);
        assert_eq!(standing(None, after(0)), Standing::Due);
        let failed = Some(Fate::Failed("exit code 3".to_owned()));
        for (task, fate, minutes, expected) in [
            (Some("task/1"), Some(Fate::Done), 100_000, Standing::Ran),
            (Some("task/1"), failed.clone(), 0, Standing::Due),
            (None, failed, 0, Standing::Due),
            (None, None, 0, Standing::Asked),
            (None, None, 54, Standing::Asked),
            (None, None, 55, Standing::Forgotten),
            (
                Some("task/1"),
                None,
                54,
                Standing::Started("task/1".to_owned()),
            ),
            (
                Some("task/1"),
                None,
                600,
                Standing::Started("task/1".to_owned()),
            ),
        ] {
            let record = record(task, fate);
            assert_eq!(
                standing(Some(&record), after(minutes)),
                expected,
                "{record:?}"
            );
        }
    }

    #[test]
    fn nobody_starts_a_second_one_beside_one_that_may_be_under_way() {
        use HookTaskOrder::{Again, Done};
        use HookTaskStanding as Standing;
        use HookTaskStep as Step;
        let started = Standing::Started("task/1".to_owned());
        let follow = Step::Follow("task/1".to_owned());
        for (standing, [nothing, again, done]) in [
            (Standing::Ran, [Step::Skip, Step::Begin, Step::Skip]),
            (Standing::Due, [Step::Begin, Step::Begin, Step::TakeAsDone]),
            (Standing::Asked, [Step::Ask, Step::Ask, Step::Ask]),
            (started, [follow.clone(), follow.clone(), follow]),
            (
                Standing::Forgotten,
                [Step::Refuse, Step::Begin, Step::TakeAsDone],
            ),
        ] {
            let step = |order| step(standing.clone(), order);
            assert_eq!(step(None), nothing, "{standing:?}");
            assert_eq!(step(Some(Again)), again, "{standing:?}");
            assert_eq!(step(Some(Done)), done, "{standing:?}");
        }
    }
}
