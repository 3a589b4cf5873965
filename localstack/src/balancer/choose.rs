//! Which target group and which target a forward means. Pure: chance comes in
//! as a value.
//!
//! - A group is chosen by its weight, whatever the health of its targets; what
//!   weighs nothing gets nobody new:
//!   <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html>.
//!   Who has a cookie of a group that the forward still names is sent there, as that
//!   page says, and it excepts no weight.
//! - Stickiness is a cookie of the load balancer's own, `AWSALBTG` for the group
//!   and `AWSALB` for the target:
//!   <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html>.
//!   AWS encrypts the value and the time in it; here it is a hash, and the client
//!   is told the time (`Max-Age`). There is no second cookie for CORS.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::{COOKIE, HeaderValue};

use super::config::{Arn, Forward, Target, WeightedGroup};

pub const GROUP_COOKIE: &str = "AWSALBTG";
pub const TARGET_COOKIE: &str = "AWSALB";

/// The group that a request goes to. None if all weigh nothing.
///
/// `mark` is the value of the client's [`GROUP_COOKIE`], `roll` any number.
pub fn group<'a>(forward: &'a Forward, mark: Option<&str>, roll: u32) -> Option<&'a Arn> {
    let stuck = mark
        .filter(|_| forward.stickiness.is_some())
        .and_then(|mark| kept(forward, mark));
    stuck.or_else(|| rolled(&forward.groups, roll))
}

fn kept<'a>(forward: &'a Forward, mark: &str) -> Option<&'a Arn> {
    forward
        .groups
        .iter()
        .map(|group| &group.arn)
        .find(|arn| group_mark(arn) == mark)
}

fn rolled(groups: &[WeightedGroup], roll: u32) -> Option<&Arn> {
    let total: u64 = groups.iter().map(|group| u64::from(group.weight)).sum();
    let mut place = (u64::from(roll) * total) >> u32::BITS;
    groups
        .iter()
        .find(|group| {
            let weight = u64::from(group.weight);
            let here = place < weight;
            place = place.saturating_sub(weight);
            here
        })
        .map(|group| &group.arn)
}

/// The target whose turn it is, of `marks` of those that are usable: the one
/// that the client sticks to, or the next one round. None if there is none.
pub fn target<'a>(
    mut marks: impl ExactSizeIterator<Item = &'a str>,
    stuck: Option<&str>,
    turn: usize,
) -> Option<usize> {
    let count = marks.len();
    let next = turn.checked_rem(count)?;
    let kept = stuck.and_then(|stuck| marks.position(|mark| mark == stuck));
    Some(kept.unwrap_or(next))
}

/// What the group's cookie says of a group.
pub fn group_mark(arn: &Arn) -> String {
    mark(arn)
}

/// What the target's cookie says of a target of a group.
pub fn target_mark(arn: &Arn, target: Target) -> String {
    mark((arn, target))
}

fn mark(of: impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// The value of a cookie that the client sent.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// The line that has the client keep a cookie.
pub fn set_cookie(name: &str, mark: &str, duration: Duration) -> Option<HeaderValue> {
    let seconds = duration.as_secs();
    HeaderValue::try_from(format!("{name}={mark}; Max-Age={seconds}; Path=/")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward(weights: &[(&str, u32)], stickiness: Option<Duration>) -> Forward {
        Forward {
            groups: weights
                .iter()
                .map(|(arn, weight)| WeightedGroup {
                    arn: Arn::new(*arn),
                    weight: *weight,
                })
                .collect(),
            stickiness,
        }
    }

    fn chosen(forward: &Forward, mark: Option<&str>, roll: u32) -> Option<String> {
        group(forward, mark, roll).map(ToString::to_string)
    }

    #[test]
    fn groups_get_requests_by_their_weights() {
        let forward = forward(&[("blue", 90), ("none", 0), ("green", 10)], None);
        let rolls = 1000_u32;
        let green = (0..rolls)
            .map(|step| step * (u32::MAX / rolls))
            .filter(|roll| chosen(&forward, None, *roll).as_deref() == Some("green"))
            .count();
        assert!((99..=101).contains(&green), "{green}");
        assert_eq!(chosen(&forward, None, 0).as_deref(), Some("blue"));
        assert_eq!(chosen(&forward, None, u32::MAX).as_deref(), Some("green"));
    }

    #[test]
    fn weight_zero_gets_nothing() {
        let only_green = forward(&[("blue", 0), ("green", 1)], None);
        for roll in [0, 1, u32::MAX / 2, u32::MAX] {
            assert_eq!(chosen(&only_green, None, roll).as_deref(), Some("green"));
        }
        assert_eq!(chosen(&forward(&[("blue", 0)], None), None, 7), None);
        assert_eq!(chosen(&forward(&[], None), None, 7), None);
    }

    #[test]
    fn a_client_stays_with_its_group_while_the_forward_names_it() {
        let hour = Some(Duration::from_secs(3600));
        let green = group_mark(&Arn::new("green"));
        let even = [("blue", 1), ("green", 1)];
        let with = |forward: &Forward| chosen(forward, Some(&green), 0);
        assert_eq!(with(&forward(&even, hour)).as_deref(), Some("green"));
        assert_eq!(with(&forward(&even, None)).as_deref(), Some("blue"));
        let lowered = forward(&[("blue", 1), ("green", 0)], hour);
        assert_eq!(with(&lowered).as_deref(), Some("green"));
        let moved = forward(&[("blue", 1)], hour);
        assert_eq!(with(&moved).as_deref(), Some("blue"));
        assert_eq!(
            chosen(&forward(&even, hour), Some("unknown"), 0).as_deref(),
            Some("blue")
        );
    }

    #[test]
    fn targets_take_turns_unless_the_client_sticks_to_one() {
        let marks = ["a", "b", "c"];
        let chosen = |stuck, turn| target(marks.iter().copied(), stuck, turn);
        let round: Vec<_> = (0..4).filter_map(|turn| chosen(None, turn)).collect();
        assert_eq!(round, [0, 1, 2, 0]);
        assert_eq!(chosen(Some("c"), 0), Some(2));
        assert_eq!(chosen(Some("gone"), 1), Some(1));
        assert_eq!(target(std::iter::empty(), Some("a"), 0), None);
    }

    #[test]
    fn cookies_are_found_among_others_and_in_each_line() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; AWSALB=one; b=2"));
        headers.append(COOKIE, HeaderValue::from_static("AWSALBTG=two"));
        assert_eq!(cookie(&headers, TARGET_COOKIE), Some("one"));
        assert_eq!(cookie(&headers, GROUP_COOKIE), Some("two"));
        assert_eq!(cookie(&headers, "c"), None);
    }

    #[test]
    fn a_cookie_is_kept_for_the_time_of_the_stickiness() {
        let line = set_cookie(TARGET_COOKIE, "m", Duration::from_secs(90));
        assert_eq!(line.unwrap(), "AWSALB=m; Max-Age=90; Path=/");
    }
}
