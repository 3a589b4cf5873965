//! Lists of actions: what they mean, and the same list with another target.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, RedirectActionConfig, TargetGroupStickinessConfig,
    TargetGroupTuple,
};

use super::weights::{HEAVIEST, weights};
use crate::model::{Color, EcsInfrastructure, Foreign, Found, PerColor, Split, greatest_divisor};

/// What a listener of the template answers while nothing is live.
const PLACEHOLDER: (&str, &str) = ("503", "bgecs: nothing is live yet");

/// The default actions of listeners, and the actions of rules.
pub(in crate::aws) type ActionsByArn = HashMap<String, Vec<Action>>;

/// The routes' actions as they were last read: AWS replaces the whole list, so a write
/// sends all of them back.
#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct LastRead(Arc<Mutex<ActionsByArn>>);

impl LastRead {
    pub fn keep(&self, arn: &str, actions: &[Action]) {
        self.locked().insert(arn.to_owned(), actions.to_vec());
    }

    pub fn of(&self, arn: &str) -> Option<Vec<Action>> {
        self.locked().get(arn).cloned()
    }

    fn locked(&self) -> MutexGuard<'_, ActionsByArn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A target group that a forward names.
struct Forward {
    /// `None` for a group that is not one of the app's two.
    color: Option<Color>,
    arn: String,
    weight: u32,
}

/// What actions do with requests, whatever they do before a forward.
pub(in crate::aws) fn found(infra: &EcsInfrastructure, actions: &[Action]) -> Found {
    match actions.iter().find(|action| is_forward(action)) {
        Some(action) => forwarding(&forwards(infra, action)),
        None if is_placeholder(actions) => Found::Nowhere,
        None => Found::Foreign(Foreign {
            verb: "answers with",
            what: in_words(actions),
            reaches: PerColor::default(),
        }),
    }
}

fn forwarding(forwards: &[Forward]) -> Found {
    let weight = |color: Option<Color>| {
        let of = forwards.iter().filter(|forward| forward.color == color);
        of.map(|forward| forward.weight).sum::<u32>()
    };
    let weights = PerColor {
        blue: weight(Some(Color::Blue)),
        green: weight(Some(Color::Green)),
    };
    let is_ours = weight(None) == 0;
    match Split::by_weight(weights).filter(|_| is_ours) {
        Some(split) => Found::Split(split),
        None => Found::Foreign(Foreign {
            verb: "forwards to",
            what: groups_in_words(forwards),
            reaches: PerColor {
                blue: weights.blue > 0,
                green: weights.green > 0,
            },
        }),
    }
}

fn groups_in_words(forwards: &[Forward]) -> String {
    let total: u32 = forwards.iter().map(|forward| forward.weight).sum();
    let words = forwards.iter().map(|forward| {
        let name = match forward.color {
            Some(color) => color.to_string(),
            None => format!("a stranger's target group {}", forward.arn),
        };
        match forward.weight == total && total > 0 {
            true => name,
            false => format!("{name} ({} of {total})", forward.weight),
        }
    });
    match forwards.is_empty() {
        true => "no target group".to_owned(),
        false => words.collect::<Vec<_>>().join(", "),
    }
}

/// The same list of actions, forwarding by that split; sticky if `stickiness` says so and
/// the split is shared. Whatever is done before the forward stays.
///
/// # Errors
/// What the actions do, in words, if they must not be overwritten; a share that cannot be
/// expressed by weights.
pub fn aimed_at(
    infra: &EcsInfrastructure,
    actions: &[Action],
    to: Split,
    stickiness: Option<Duration>,
) -> Result<Vec<Action>, String> {
    let found = found(infra, actions);
    if found.foreign().is_some() {
        return Err(format!("{}, which is not overwritten", found.deed()));
    }
    if let Some(action) = actions.iter().find(|action| !is_known(action)) {
        let kind = kind(action);
        return Err(format!(
            "does {kind} before it, which this bgecs does not know and would remove"
        ));
    }
    if found.is_nowhere() {
        let forward = Action::builder().r#type(ActionTypeEnum::Forward).build();
        return Ok(vec![forwarding_to(infra, &forward, to, stickiness)?]);
    }
    let aimed = actions.iter().map(|action| match is_forward(action) {
        true => forwarding_to(infra, action, to, stickiness),
        false => Ok(sent_back(action)),
    });
    aimed.collect()
}

/// Among the groups of one pair; groups of others stay in the list without a share. If
/// only one group is named, it appears in both forms, which must agree.
fn forwarding_to(
    infra: &EcsInfrastructure,
    action: &Action,
    to: Split,
    stickiness: Option<Duration>,
) -> Result<Action, String> {
    let mut action = action.clone();
    let named = action
        .forward_config
        .as_ref()
        .map(ForwardActionConfig::target_groups);
    let (ours, strangers): (Vec<_>, Vec<_>) = named
        .unwrap_or_default()
        .iter()
        .cloned()
        .partition(|named| color_of(infra, named).is_some());
    let pair = ours.first().and_then(TargetGroupTuple::target_group_arn);
    let pair = pair.or(action.target_group_arn.as_deref());
    // For a listener that leads nowhere yet, the first pair.
    let pair = pair.and_then(|group| infra.pair_of(group));
    let pair = pair.unwrap_or(&infra.target_groups).clone();
    let target = |color: Color, weight: Option<u32>| {
        let target = TargetGroupTuple::builder();
        let target = target.target_group_arn(pair.get(color).as_str());
        let weight = weight.and_then(|weight| i32::try_from(weight).ok());
        target.set_weight(weight).build()
    };
    let whole = whole_weight(&ours);
    let targets = match to.only() {
        Some(color) => vec![target(color, whole)],
        None => {
            let weights = weights(to).ok_or_else(|| format!("cannot be split into {to}"))?;
            let weights = times(weights, whole);
            Color::BOTH
                .map(|color| target(color, Some(*weights.get(color))))
                .to_vec()
        }
    };
    let is_alone = strangers.is_empty();
    action.target_group_arn = to
        .only()
        .filter(|_| is_alone)
        .map(|color| pair.get(color).as_str().to_owned());
    let is_simple = ours.is_empty() && is_alone && to.only().is_some();
    if !is_simple {
        let none = || ForwardActionConfig::builder().build();
        let config = action.forward_config.get_or_insert_with(none);
        config.target_groups = Some([targets, strangers].concat());
        // Unless stickiness is configured, it stays as somebody has set it.
        if stickiness.is_some() {
            let lasting = stickiness.filter(|_| to.is_shared());
            config.target_group_stickiness_config = Some(sticking(lasting));
        }
    }
    Ok(action)
}

/// The weight of a single group, which [`times`] has kept as a factor in the weights of
/// two.
fn whole_weight(ours: &[TargetGroupTuple]) -> Option<u32> {
    let weights = ours.iter().filter_map(TargetGroupTuple::weight);
    let weights = weights.filter_map(|weight| u32::try_from(weight).ok());
    weights.reduce(greatest_divisor)
}

/// Multiplies these weights by `whole`, as far as AWS allows: so a group that is alone
/// again has the weight that it had before a shift.
fn times(weights: PerColor<u32>, whole: Option<u32>) -> PerColor<u32> {
    let by = whole.unwrap_or(1).max(1);
    let greater = PerColor {
        blue: weights.blue * by,
        green: weights.green * by,
    };
    match greater.blue.max(greater.green) <= HEAVIEST {
        true => greater,
        false => weights,
    }
}

fn sticking(lasting: Option<Duration>) -> TargetGroupStickinessConfig {
    let seconds = lasting.and_then(|lasting| i32::try_from(lasting.as_secs()).ok());
    TargetGroupStickinessConfig::builder()
        .enabled(lasting.is_some())
        .set_duration_seconds(seconds)
        .build()
}

/// In the form that AWS accepts: it keeps an identity provider's secret to itself, and
/// takes the list back without the secret only when told to keep using it.
fn sent_back(action: &Action) -> Action {
    let mut action = action.clone();
    if let Some(config) = action.authenticate_oidc_config.as_mut() {
        config.client_secret = None;
        config.use_existing_client_secret = Some(true);
    }
    action
}

fn is_forward(action: &Action) -> bool {
    action.r#type() == Some(&ActionTypeEnum::Forward)
}

/// The actions that lose nothing when they are sent back.
fn is_known(action: &Action) -> bool {
    matches!(
        action.r#type(),
        Some(
            ActionTypeEnum::AuthenticateCognito
                | ActionTypeEnum::AuthenticateOidc
                | ActionTypeEnum::FixedResponse
                | ActionTypeEnum::Forward
                | ActionTypeEnum::JwtValidation
                | ActionTypeEnum::Redirect
        )
    )
}

fn kind(action: &Action) -> String {
    let kind = action.r#type().map(ActionTypeEnum::as_str);
    kind.unwrap_or("an action without a type").to_owned()
}

fn forwards(infra: &EcsInfrastructure, action: &Action) -> Vec<Forward> {
    let forward = |(arn, weight): (&str, u32)| Forward {
        color: infra.color_of(arn),
        arn: arn.to_owned(),
        weight,
    };
    named_groups(action).into_iter().map(forward).collect()
}

/// The target groups of a forward, with their weights. AWS answers a simple forward in
/// both forms: the configuration is complete; an emulator may give only the ARN.
pub(in crate::aws) fn named_groups(action: &Action) -> Vec<(&str, u32)> {
    let config = action.forward_config();
    let groups = config.map(ForwardActionConfig::target_groups);
    let named: Vec<(&str, u32)> = groups
        .unwrap_or_default()
        .iter()
        .filter_map(|group| {
            let weight = group.weight().unwrap_or(1);
            let weight = u32::try_from(weight).unwrap_or_default();
            Some((group.target_group_arn()?, weight))
        })
        .collect();
    match action.target_group_arn() {
        Some(arn) if named.is_empty() => vec![(arn, 1)],
        _ => named,
    }
}

fn color_of(infra: &EcsInfrastructure, group: &TargetGroupTuple) -> Option<Color> {
    infra.color_of(group.target_group_arn()?)
}

fn is_placeholder(actions: &[Action]) -> bool {
    let [action] = actions else { return false };
    action.fixed_response_config().is_some_and(|response| {
        let body = response.message_body().map(str::trim);
        (response.status_code(), body) == (Some(PLACEHOLDER.0), Some(PLACEHOLDER.1))
    })
}

/// A list without a forward.
fn in_words(actions: &[Action]) -> String {
    let words: Vec<String> = actions
        .iter()
        .map(|action| match (action.r#type(), action.redirect_config()) {
            (Some(ActionTypeEnum::Redirect), Some(to)) => format!("a redirect to {}", place(to)),
            (Some(ActionTypeEnum::FixedResponse), _) => {
                let response = action.fixed_response_config();
                let status = response.and_then(|response| response.status_code());
                format!("a fixed response {}", status.unwrap_or("of any kind"))
            }
            _ => kind(action),
        })
        .collect();
    match words.split_last() {
        None => "no action at all".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, ahead)) => format!("{last}, after {}", ahead.join(" and ")),
    }
}

/// Where a redirect leads; what it keeps from the request is shown as `…`.
fn place(to: &RedirectActionConfig) -> String {
    let or_kept = |part: Option<&str>| match part {
        Some(part) if !part.starts_with("#{") => part.to_owned(),
        _ => "…".to_owned(),
    };
    let port = to.port().filter(|port| !port.starts_with("#{"));
    let path = to.path().filter(|path| *path != "/#{path}");
    format!(
        "{}://{}{}{}",
        or_kept(to.protocol()).to_lowercase(),
        or_kept(to.host()),
        port.map(|port| format!(":{port}")).unwrap_or_default(),
        path.map(|path| path.replace("#{path}", "…"))
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests;
