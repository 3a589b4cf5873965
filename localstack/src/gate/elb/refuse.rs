//! What ELBv2 refuses and emulators let pass, as far as it shows a user's
//! mistake. Pure.

use super::actions;
use super::form::Form;
use super::known::Known;
use super::look::Issued;
use crate::balancer::config::Arn;
use crate::gate::refusal;
use crate::gate::request::Answer;

/// An error of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub message: String,
}

/// "Target groups per action":
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>.
const MOST_GROUPS: usize = 5;
const HEAVIEST: u32 = 999;
/// 7 days.
const LONGEST_STICKINESS: u64 = 604_800;

impl Refusal {
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html>
    fn validation(message: impl Into<String>) -> Self {
        Self {
            code: "ValidationError",
            message: message.into(),
        }
    }

    pub fn answer(&self) -> Answer {
        refusal::wrong_query("elasticloadbalancing", self.code, &self.message)
    }
}

/// A target group that a listener or a rule names cannot be deleted:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html>.
pub fn deletion(known: &Known, group: &Arn) -> Option<Refusal> {
    known.is_attached(group).then(|| Refusal {
        code: "ResourceInUse",
        message: format!("Target group '{group}' is currently in use by a listener or a rule"),
    })
}

/// Actions that name target groups which are not there.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html>
pub fn unknown_groups(known: &Known, form: &Form, list: &str) -> Option<Refusal> {
    let sent = actions::of_form(form, list)?;
    actions::groups(&sent)
        .any(|group| known.group(group).is_none())
        .then(|| Refusal {
            code: "TargetGroupNotFound",
            message: "One or more target groups not found".to_owned(),
        })
}

/// An HTTPS listener has a default certificate, and it was issued:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html>
pub fn no_certificate(form: &Form) -> Option<Refusal> {
    let is_missing = form.get("Protocol") == Some("HTTPS") && certificates(form).is_empty();
    is_missing.then(|| Refusal::validation("A certificate must be specified for HTTPS listeners"))
}

pub fn no_listener(arn: &Arn) -> Refusal {
    Refusal {
        code: "ListenerNotFound",
        message: format!("Listener '{arn}' not found"),
    }
}

/// The certificates that a call names.
pub fn certificates(form: &Form) -> Vec<Arn> {
    let members = form.members("Certificates").into_iter();
    members
        .filter_map(|member| form.get(&format!("{member}.CertificateArn")).map(Arn::new))
        .collect()
}

/// One that ACM has not, or has not issued.
pub fn certificate(arn: &Arn, known: Option<&Issued>) -> Option<Refusal> {
    match known {
        None => Some(Refusal {
            code: "CertificateNotFound",
            message: format!("Certificate '{arn}' not found"),
        }),
        Some(known) if !known.is_issued => Some(Refusal {
            code: "UnsupportedCertificate",
            message: format!(
                "The certificate '{arn}' must have a fully-qualified domain name, a supported \
                 signature, and a supported key size."
            ),
        }),
        Some(_) => None,
    }
}

/// Forwards that nobody could obey:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ForwardActionConfig.html>
/// and, for the text about weights, <https://github.com/aws/aws-cdk/issues/24805>.
pub fn forwards(form: &Form, list: &str) -> Option<Refusal> {
    form.members(list)
        .iter()
        .find_map(|action| forward(form, &format!("{action}.ForwardConfig")))
}

fn forward(form: &Form, config: &str) -> Option<Refusal> {
    let groups = form.members(&format!("{config}.TargetGroups"));
    let weight = |group: &String| form.get(&format!("{group}.Weight"));
    let weighs = |group: &String| match weight(group) {
        Some(weight) => weight.parse().is_ok_and(|weight: u32| weight <= HEAVIEST),
        None => groups.len() < 2,
    };
    if groups.len() > MOST_GROUPS {
        return Some(Refusal::validation(format!(
            "A forward action can have at most '{MOST_GROUPS}' target groups"
        )));
    }
    if !groups.iter().all(weighs) {
        return Some(Refusal::validation(
            "The weight for each target group must be between 0 and 999, inclusive",
        ));
    }
    let sticky = format!("{config}.TargetGroupStickinessConfig");
    let lasts = form
        .get(&format!("{sticky}.DurationSeconds"))
        .and_then(|seconds| seconds.parse().ok())
        .is_some_and(|seconds: u64| (1..=LONGEST_STICKINESS).contains(&seconds));
    let sticks = form.get(&format!("{sticky}.Enabled")) == Some("true");
    (sticks && !lasts).then(|| {
        Refusal::validation(
            "The target group stickiness duration must be between 1 and 604800 seconds, inclusive",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighing(weights: &[&str], more: &[(&str, &str)]) -> Option<Refusal> {
        let config = "Actions.member.1.ForwardConfig";
        let mut sent: Vec<(String, String)> = weights
            .iter()
            .zip(1..)
            .flat_map(|(weight, number)| {
                let group = format!("{config}.TargetGroups.member.{number}");
                let arn = (format!("{group}.TargetGroupArn"), number.to_string());
                let weight = (format!("{group}.Weight"), (*weight).to_owned());
                [arn, weight]
            })
            .filter(|(_, value)| !value.is_empty())
            .collect();
        sent.extend(more.iter().map(|(name, value)| {
            let name = format!("{config}.TargetGroupStickinessConfig.{name}");
            (name, (*value).to_owned())
        }));
        forwards(&Form::new(sent), "Actions")
    }

    #[test]
    fn weights_are_from_0_to_999() {
        assert_eq!(weighing(&["0", "999"], &[]), None);
        assert_eq!(weighing(&[""], &[]), None);
        for wrong in ["1000", "-1", "x", ""] {
            let refusal = weighing(&["1", wrong], &[]).unwrap();
            assert_eq!(refusal.code, "ValidationError");
            assert!(refusal.message.contains("between 0 and 999"), "{wrong}");
        }
    }

    #[test]
    fn a_forward_has_at_most_five_groups() {
        assert_eq!(weighing(&["1"; 5], &[]), None);
        assert!(weighing(&["1"; 6], &[]).unwrap().message.contains("'5'"));
    }

    #[test]
    fn stickiness_needs_a_duration() {
        assert_eq!(weighing(&["1"], &[("Enabled", "false")]), None);
        let on = ("Enabled", "true");
        assert_eq!(weighing(&["1"], &[on, ("DurationSeconds", "60")]), None);
        for wrong in ["0", "604801"] {
            assert!(weighing(&["1"], &[on, ("DurationSeconds", wrong)]).is_some());
        }
        assert!(weighing(&["1"], &[on]).is_some());
    }

    #[test]
    fn a_refusal_is_an_error_of_the_api() {
        let refusal = Refusal {
            code: "ResourceInUse",
            message: "a < b".into(),
        };
        let answer = refusal.answer();
        assert_eq!(answer.status, 400);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert_eq!(
            refusal::code_of_xml(&text).as_deref(),
            Some("ResourceInUse")
        );
        assert!(text.contains("<Message>a &lt; b</Message>"));
    }
}
