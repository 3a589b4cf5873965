//! Ways in that bgecs does not move: users who come by one stay where it leads, whatever
//! a command does to the two routes.

use super::Refusal;
use crate::model::journal::{Operation, Truth};
use crate::model::{Color, Observed, OtherWays, Route, WayIn};

/// Production is where bgecs would never have put it, and what somebody else did
/// there is not overwritten.
pub fn unclear(observed: &Observed) -> Option<Refusal> {
    let production = &observed.traffic.production;
    if production.is_nowhere() || production.only().is_some() {
        return None;
    }
    if let Some(operation) = under_way(observed) {
        return Some(Refusal::new(
            format!(
                "the {} is unfinished: {} {}",
                operation.name(),
                observed.endpoints().production,
                production.deed()
            ),
            match operation.pause() {
                Some(_) => AFTER_A_PAUSE,
                None => "`bgecs resume` finishes or undoes it, `bgecs rollback` takes it back",
            },
        ));
    }
    Some(Refusal::new(
        format!(
            "{} {}, which bgecs did not do",
            observed.endpoints().production,
            production.deed()
        ),
        way_back(observed),
    ))
}

/// What puts users where bgecs knows them to be.
fn way_back(observed: &Observed) -> String {
    let Ok(infra) = observed.ecs() else {
        return "`bgecs init` takes it over where it leads to one colour's `target` and has one answer for all".to_owned();
    };
    let place = observed.infrastructure.places_named(Route::Production);
    let truth = observed.journal.truth.as_ref();
    let back = match truth.and_then(Truth::live) {
        Some(color) => format!(
            "point {place} by hand at {}, the target group of {}, which the journal says was live",
            infra.groups_named(color),
            observed.named(color)
        ),
        None => format!(
            "point {place} by hand at {}, which is blue's target group, or at green's, {}",
            infra.groups_named(Color::Blue),
            infra.groups_named(Color::Green)
        ),
    };
    format!("{back}; then `bgecs adopt`")
}

pub const AFTER_A_PAUSE: &str =
    "`bgecs promote --continue` goes on with it, `bgecs promote --abort` takes it back";

/// The unfinished shift that has brought users where they are, on both colours.
pub fn under_way(observed: &Observed) -> Option<&Operation> {
    let operation = observed.journal.operation.as_ref()?;
    let strategy = operation.strategy.as_ref()?;
    let is_on_both = observed.traffic.production.is_on_both();
    let explains = is_on_both && strategy.rest(&observed.traffic).is_some();
    explains.then_some(operation)
}

/// The first release takes both routes, and somebody else has the other one.
///
/// # Errors
/// What it does.
pub(super) fn free_test_port(observed: &Observed) -> Result<(), Refusal> {
    let test = &observed.traffic.test;
    if test.is_nowhere() || test.is_by_request() || test.only().is_some() {
        return Ok(());
    }
    Err(Refusal::new(
        format!(
            "{} {}, which bgecs did not do: the first release would overwrite it",
            observed.endpoints().test,
            test.deed()
        ),
        format!(
            "point {} by hand at the target group of either colour; then `bgecs adopt`",
            observed.infrastructure.places_named(Route::Test)
        ),
    ))
}

/// Nothing that takes a colour's tasks away goes on while requests come in
/// there, or may.
///
/// # Errors
/// Each such way.
pub fn refuse_cutting_off(ways: &OtherWays, colors: &[Color], retry: &str) -> Result<(), Refusal> {
    let leading: Vec<(&WayIn, Color)> = colors
        .iter()
        .flat_map(|color| ways.reaching(*color).map(|way| (way, *color)))
        .collect();
    if !leading.is_empty() {
        let all = leading.iter();
        let all: Vec<String> = all
            .map(|(way, color)| format!("{way} still leads to {color}"))
            .collect();
        return Err(Refusal::new(
            format!(
                "{}: whoever comes in there would be cut off",
                all.join("; ")
            ),
            format!(
                "bgecs moves only its own routes: remove or re-point {}, then `{retry}`",
                arns(leading.iter().map(|(way, _)| *way))
            ),
        ));
    }
    match &ways.hidden {
        None => Ok(()),
        Some(reason) => Err(Refusal::new(
            format!(
                "a rule of the load balancer may lead there, and the rules cannot be read: {reason}"
            ),
            MAY_LOOK,
        )),
    }
}

const MAY_LOOK: &str = "allow elasticloadbalancing:DescribeRules, as the policy does that `bgecs init --print-policy deployer` prints";

/// A deploy onto the idle colour is seen by nobody, but by who comes in there.
///
/// # Errors
/// Each such way.
pub(super) fn refuse_showing(observed: &Observed, color: Color) -> Result<(), Refusal> {
    let leading: Vec<&WayIn> = observed.other_ways.reaching(color).collect();
    if leading.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = leading.iter().map(ToString::to_string).collect();
    Err(Refusal::new(
        format!(
            "{} leads to {}: a deploy onto it would change what users see there without a probe",
            all.join(" and "),
            observed.named(color)
        ),
        format!(
            "point {} at {}'s target group, or insist with --allow-live",
            arns(leading),
            color.other()
        ),
    ))
}

fn arns<'a>(ways: impl IntoIterator<Item = &'a WayIn>) -> String {
    let mut arns: Vec<&str> = ways.into_iter().map(|way| way.arn.as_str()).collect();
    arns.dedup();
    arns.join(" and ")
}

/// What is to be said ahead of making that colour live.
pub fn staying_behind(observed: &Observed, to: Color) -> Vec<String> {
    let old = to.other();
    let keep = match observed.color(old).tag() {
        Some(tag) => format!("tag {tag}"),
        None => "what it runs".to_owned(),
    };
    let ways = observed.other_ways.reaching(old);
    let stays = ways.map(|way| {
        format!("{way} stays on {old}: users there keep {keep}, as bgecs does not move it")
    });
    stays.chain(not_seen(observed)).collect()
}

/// What is to be said ahead of a deploy onto that colour.
pub fn showing(observed: &Observed, color: Color) -> Vec<String> {
    let ways = observed.other_ways.reaching(color);
    let shows = ways
        .map(|way| format!("{way} leads to {color}: users there see this deploy as it happens"));
    shows.chain(not_seen(observed)).collect()
}

/// Ways that lead to another colour than the live one.
pub fn astray(observed: &Observed) -> Vec<String> {
    let unnoticed = not_seen(observed).into_iter().chain(misled(observed));
    let Some(idle) = observed.live_color().map(Color::other) else {
        return unnoticed.collect();
    };
    let sees = match (observed.color(idle).running(), observed.color(idle).tag()) {
        (0, _) => "no answer".to_owned(),
        (_, Some(tag)) => format!("tag {tag}"),
        (_, None) => "another release".to_owned(),
    };
    let ways = observed.other_ways.reaching(idle);
    let astray = ways.map(|way| {
        format!(
            "{way} leads to {idle}, which is not live: users there get {sees}, and bgecs does not move it ({})",
            way.arn
        )
    });
    astray.chain(unnoticed).collect()
}

fn not_seen(observed: &Observed) -> Option<String> {
    let reason = observed.other_ways.hidden.as_ref()?;
    Some(format!(
        "a rule that leads to a colour would go unnoticed, as the rules cannot be read: {reason}"
    ))
}

/// What testers meet by header that they did not ask for.
fn misled(observed: &Observed) -> Option<String> {
    let amiss = observed.other_ways.amiss.as_ref()?;
    Some(format!(
        "{amiss}: a request that names a colour gets another one, or none"
    ))
}

#[cfg(test)]
mod tests;
