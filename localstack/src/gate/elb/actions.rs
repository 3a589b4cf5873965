//! Actions of listeners and rules: as a client sends them, as an emulator
//! describes them, and as AWS describes them. Pure.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html>

use std::time::Duration;

use roxmltree::Node;

use super::form::Form;
use super::xml;
use crate::balancer::config::{Action, Arn, Forward, WeightedGroup};

/// The actions of a list in an answer: `DefaultActions` or `Actions`.
pub fn of_xml(list: Node<'_, '_>) -> Vec<Action> {
    xml::members_of(list)
        .into_iter()
        .map(|member| {
            let groups = xml::members(member, "ForwardConfig.TargetGroups")
                .into_iter()
                .filter_map(|group| {
                    weighted(
                        xml::text(group, "TargetGroupArn"),
                        xml::text(group, "Weight"),
                    )
                })
                .collect();
            action(&|path| xml::text(member, path).map(str::to_owned), groups)
        })
        .collect()
}

/// The actions of a list in a call; None if the call says nothing of them.
pub fn of_form(form: &Form, list: &str) -> Option<Vec<Action>> {
    let members = form.members(list);
    if members.is_empty() {
        return None;
    }
    let one = |member: &String| {
        let groups = form
            .members(&format!("{member}.ForwardConfig.TargetGroups"))
            .iter()
            .filter_map(|group| {
                weighted(
                    form.get(&format!("{group}.TargetGroupArn")),
                    form.get(&format!("{group}.Weight")),
                )
            })
            .collect();
        let get = |path: &str| form.get(&format!("{member}.{path}")).map(str::to_owned);
        action(&get, groups)
    };
    Some(members.iter().map(one).collect())
}

/// The members of a list of actions as AWS writes them, or None if one of them
/// is of a kind that is not known well enough to be written.
///
/// A forward always has its `ForwardConfig`, and `TargetGroupArn` as well where
/// it names one group only.
pub fn to_xml(actions: &[Action]) -> Option<String> {
    actions
        .iter()
        .zip(1..)
        .map(|(action, order)| {
            let (kind, config) = written(action)?;
            let kind = xml::element("Type", kind);
            Some(format!(
                "<member>{kind}<Order>{order}</Order>{config}</member>"
            ))
        })
        .collect()
}

/// The target groups that the actions name, weight 0 included.
pub fn groups(actions: &[Action]) -> impl Iterator<Item = &Arn> {
    actions
        .iter()
        .filter_map(|action| match action {
            Action::Forward(forward) => Some(forward),
            _ => None,
        })
        .flat_map(|forward| forward.groups.iter().map(|group| &group.arn))
}

/// Without a weight a group has 1, as AWS describes it.
fn weighted(arn: Option<&str>, weight: Option<&str>) -> Option<WeightedGroup> {
    Some(WeightedGroup {
        arn: Arn::new(arn?),
        weight: weight.and_then(|weight| weight.parse().ok()).unwrap_or(1),
    })
}

type Get<'a> = dyn Fn(&str) -> Option<String> + 'a;

fn action(get: &Get<'_>, groups: Vec<WeightedGroup>) -> Action {
    let kind = get("Type").unwrap_or_default();
    match kind.as_str() {
        "forward" => Action::Forward(forward(get, groups)),
        "fixed-response" => Action::FixedResponse {
            status: get("FixedResponseConfig.StatusCode")
                .and_then(|status| status.parse().ok())
                .unwrap_or(200),
            content_type: get("FixedResponseConfig.ContentType"),
            body: get("FixedResponseConfig.MessageBody"),
        },
        "redirect" => redirect(get),
        _ => Action::Unknown(kind),
    }
}

fn forward(get: &Get<'_>, mut groups: Vec<WeightedGroup>) -> Forward {
    if groups.is_empty() {
        let only = get("TargetGroupArn");
        groups.extend(weighted(only.as_deref(), None));
    }
    let sticky = "ForwardConfig.TargetGroupStickinessConfig";
    let stickiness = get(&format!("{sticky}.Enabled"))
        .filter(|enabled| enabled == "true")
        .and_then(|_| get(&format!("{sticky}.DurationSeconds"))?.parse().ok())
        .map(Duration::from_secs);
    Forward { groups, stickiness }
}

/// Parts that are not given stay as in the request:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html>.
fn redirect(get: &Get<'_>) -> Action {
    let part = |name: &str, unless: &str| {
        get(&format!("RedirectConfig.{name}")).unwrap_or_else(|| unless.to_owned())
    };
    Action::Redirect {
        status: match part("StatusCode", "").as_str() {
            "HTTP_301" => 301,
            _ => 302,
        },
        protocol: part("Protocol", "#{protocol}"),
        host: part("Host", "#{host}"),
        port: part("Port", "#{port}"),
        path: part("Path", "/#{path}"),
        query: part("Query", "#{query}"),
    }
}

fn written(action: &Action) -> Option<(&'static str, String)> {
    match action {
        Action::Forward(forward) => Some(("forward", written_forward(forward))),
        Action::FixedResponse {
            status,
            content_type,
            body,
        } => {
            let optional = |name, text: &Option<String>| {
                text.as_deref()
                    .map_or_else(String::new, |text| xml::element(name, text))
            };
            let status = xml::element("StatusCode", &status.to_string());
            let kind = optional("ContentType", content_type);
            let body = optional("MessageBody", body);
            let config = format!("<FixedResponseConfig>{status}{kind}{body}</FixedResponseConfig>");
            Some(("fixed-response", config))
        }
        Action::Redirect {
            status,
            protocol,
            host,
            port,
            path,
            query,
        } => {
            let parts: String = [
                ("Protocol", protocol.as_str()),
                ("Port", port),
                ("Host", host),
                ("Path", path),
                ("Query", query),
                ("StatusCode", &format!("HTTP_{status}")),
            ]
            .map(|(name, text)| xml::element(name, text))
            .concat();
            let config = format!("<RedirectConfig>{parts}</RedirectConfig>");
            Some(("redirect", config))
        }
        Action::Unknown(_) => None,
    }
}

fn written_forward(forward: &Forward) -> String {
    let only = match forward.groups.as_slice() {
        [only] => xml::element("TargetGroupArn", only.arn.as_str()),
        _ => String::new(),
    };
    let groups: String = forward
        .groups
        .iter()
        .map(|group| {
            let arn = xml::element("TargetGroupArn", group.arn.as_str());
            format!("<member>{arn}<Weight>{}</Weight></member>", group.weight)
        })
        .collect();
    let sticky = match forward.stickiness {
        None => "<Enabled>false</Enabled>".to_owned(),
        Some(duration) => format!(
            "<Enabled>true</Enabled><DurationSeconds>{}</DurationSeconds>",
            duration.as_secs()
        ),
    };
    format!(
        "{only}<ForwardConfig><TargetGroups>{groups}</TargetGroups>\
         <TargetGroupStickinessConfig>{sticky}</TargetGroupStickinessConfig></ForwardConfig>"
    )
}

#[cfg(test)]
mod tests;
