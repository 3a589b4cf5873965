//! Drawing a script.

use super::{Act, Blow, Calls, Ill, Kind, Line, Script, Signal, Step, Trouble, Whose};

const ELB: &str = "elasticloadbalancing";

/// The n-th script of that seed.
pub fn draw(seed: u64, episode: u64, length: usize) -> Script {
    // Neighbouring episodes have nothing to do with one another.
    let mut seeds = fastrand::Rng::with_seed(seed);
    let own = seeds.u64(..) ^ episode.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut rng = fastrand::Rng::with_seed(own);
    // Both ways are interesting: with a way back, and without one yet.
    let mut steps = match rng.u8(..100) {
        0..40 => vec![alone(Line::Promote)],
        _ => Vec::new(),
    };
    while steps.len() < length {
        let next = step(&mut rng);
        let again = is_typed_again(&next).filter(|_| rng.u8(..100) < 30);
        let is_act = matches!(next, Step::Stranger(Act::MoveProd | Act::MoveTest));
        let is_end = has(&next, Line::Destroy);
        steps.push(next);
        if let Some(line) = again {
            steps.push(alone(line));
        }
        // Nothing can be done to nothing.
        if is_end && rng.u8(..100) < 80 {
            steps.extend([alone(Line::Init), alone(Line::Deploy(kind(&mut rng)))]);
        }
        // What a stranger did to the listeners does not stay for long.
        if is_act {
            if rng.bool() {
                steps.push(commands(&mut rng));
            }
            steps.push(match rng.bool() {
                true => Step::PutBack,
                false => alone(Line::Adopt),
            });
        }
    }
    Script((0..).zip(steps).collect())
}

fn alone(first: Line) -> Step {
    Step::Commands {
        first,
        second: None,
        trouble: None,
        blow: None,
    }
}

fn has(step: &Step, line: Line) -> bool {
    match step {
        Step::Commands { first, second, .. } => *first == line || *second == Some(line),
        _ => false,
    }
}

/// The line of a step that somebody could type again.
fn is_typed_again(step: &Step) -> Option<Line> {
    match step {
        Step::Commands { first, .. } => Some(match first {
            Line::Deploy(_) => Line::DeployAgain,
            other => *other,
        }),
        _ => None,
    }
}

fn step(rng: &mut fastrand::Rng) -> Step {
    match rng.u8(..100) {
        0..12 => Step::Stranger(one_of(
            rng,
            &[
                Act::MoveProd,
                Act::MoveTest,
                Act::RestartIdle,
                Act::ScaleLive,
                Act::DeleteIdle,
            ],
        )),
        _ => commands(rng),
    }
}

fn commands(rng: &mut fastrand::Rng) -> Step {
    let first = line(rng);
    let second = (rng.u8(..100) < 12).then(|| line(rng));
    let trouble = (rng.u8(..100) < 35).then(|| trouble(rng));
    let blow = (rng.u8(..100) < 30).then(|| blow(rng));
    Step::Commands {
        first,
        second,
        trouble,
        blow,
    }
}

fn line(rng: &mut fastrand::Rng) -> Line {
    match rng.u8(..100) {
        0..28 => Line::Deploy(kind(rng)),
        28..48 => Line::Promote,
        48..53 => Line::PromoteTag(whose(rng)),
        53..58 => Line::PromoteColor(whose(rng)),
        58..74 => Line::Rollback,
        74..80 => Line::Retire,
        80..87 => Line::Resume,
        87..90 => Line::Adopt,
        90..93 => Line::Status,
        93..95 => Line::Unlock,
        95..98 => Line::Init,
        _ => Line::Destroy,
    }
}

fn kind(rng: &mut fastrand::Rng) -> Kind {
    match rng.u8(..100) {
        0..55 => Kind::Good,
        55..80 => Kind::FailsLive,
        80..90 => Kind::Slow,
        90..95 => Kind::Crashes,
        _ => Kind::Unhealthy,
    }
}

fn whose(rng: &mut fastrand::Rng) -> Whose {
    match rng.u8(..3) {
        0 => Whose::Live,
        _ => Whose::Idle,
    }
}

fn trouble(rng: &mut fastrand::Rng) -> Trouble {
    const READS: [Calls; 3] = [
        Calls::Of(ELB, "DescribeListeners"),
        Calls::Of(ELB, "DescribeTargetHealth"),
        Calls::Of("ecs", "DescribeServices"),
    ];
    let on = match rng.u8(..100) {
        0..20 => Calls::Any,
        20..40 => Calls::Writes,
        40..60 => Calls::Of(ELB, "ModifyListener"),
        60..75 => Calls::Journal,
        _ => one_of(rng, &READS),
    };
    let ill = one_of(
        rng,
        &[
            Ill::Throttled,
            Ill::InternalError,
            Ill::LostBefore,
            Ill::LostAfter,
            Ill::LostAfter,
            Ill::Late,
            Ill::Hangs,
            Ill::Stale,
        ],
    );
    // What is stale can only be a read.
    let on = match ill {
        Ill::Stale if !READS.contains(&on) => one_of(rng, &READS),
        _ => on,
    };
    let nth = match on {
        Calls::Any => rng.u32(1..=25),
        Calls::Writes | Calls::Journal => rng.u32(1..=9),
        Calls::Of(..) => rng.u32(1..=4),
    };
    // A write that fails for good leaves no way back, whoever would take it.
    let may_last = READS.contains(&on) || on == Calls::Journal;
    let lasts = may_last && ill != Ill::Stale && rng.u8(..100) < 30;
    Trouble {
        on,
        nth,
        lasts,
        ill,
    }
}

fn blow(rng: &mut fastrand::Rng) -> Blow {
    let signals = [
        Signal::Kill,
        Signal::Kill,
        Signal::Interrupt,
        Signal::Terminate,
    ];
    Blow {
        signal: one_of(rng, &signals),
        write: rng.u32(1..=9),
        after: rng.bool(),
    }
}

fn one_of<T: Copy>(rng: &mut fastrand::Rng, all: &[T]) -> T {
    all[rng.usize(..all.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_its_seed_and_its_number_and_nothing_else() {
        assert_eq!(draw(7, 3, 10), draw(7, 3, 10));
        assert_ne!(draw(7, 3, 10), draw(7, 4, 10));
        assert_ne!(draw(7, 3, 10), draw(8, 3, 10));
        assert!(draw(7, 3, 10).0.len() >= 10);
    }

    #[test]
    fn steps_keep_their_numbers() {
        let script = draw(1, 1, 6);
        let kept = script.only(&[1, 4]);
        assert_eq!(kept.numbers(), [1, 4]);
        assert_eq!(kept.0[1], script.0[4]);
    }

    /// All there is comes up, and soon.
    #[test]
    fn every_kind_of_thing_is_drawn() {
        let all: String = (0..200).map(|n| draw(1, n, 8).to_string()).collect();
        for part in [
            "promote --tag",
            "at once with",
            "SIGKILL after",
            "SIGINT before",
            "SIGTERM",
            "is throttled",
            "and each after it hangs",
            "is stale",
            "a stranger: moves port 80",
            "put back",
            "adopt",
            "destroy",
            "the last deploy again",
            "deploy (one that fails-live)",
        ] {
            assert!(all.contains(part), "{part}");
        }
    }
}
