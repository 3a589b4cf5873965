//! The answer to `DescribeTargetHealth`. Pure.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>

use std::net::IpAddr;

use super::form::Form;
use super::xml;
use crate::balancer::config::Target;
use crate::balancer::health::{Health, Reason, State};
use crate::gate::refusal;

/// A target that the call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub ip: IpAddr,
    pub port: Option<u16>,
}

impl Asked {
    fn target(&self, default_port: u16) -> Target {
        Target {
            ip: self.ip,
            port: self.port.unwrap_or(default_port),
        }
    }
}

/// Those that the call asks for; None if it asks for all.
pub fn asked(form: &Form) -> Option<Vec<Asked>> {
    let members = form.members("Targets");
    let target = |member: &String| {
        Some(Asked {
            ip: form.get(&format!("{member}.Id"))?.parse().ok()?,
            port: form
                .get(&format!("{member}.Port"))
                .and_then(|port| port.parse().ok()),
        })
    };
    (!members.is_empty()).then(|| members.iter().filter_map(target).collect())
}

/// Of all targets those that are asked for, and of the asked ones that are not
/// there that they are not.
pub fn only(
    asked: &[Asked],
    all: Vec<(Target, Health)>,
    default_port: u16,
) -> Vec<(Target, Health)> {
    let is = |one: &Asked, target: &Target| {
        one.ip == target.ip && one.port.is_none_or(|port| port == target.port)
    };
    let absent: Vec<_> = asked
        .iter()
        .filter(|one| !all.iter().any(|(target, _)| is(one, target)))
        .map(|one| (one.target(default_port), not_registered()))
        .collect();
    all.into_iter()
        .filter(|(target, _)| asked.iter().any(|one| is(one, target)))
        .chain(absent)
        .collect()
}

/// What is said of a target of a group that no listener and no rule names.
pub fn not_in_use() -> Health {
    unused(
        Reason::NotInUse,
        "Target group is not configured to receive traffic from the load balancer",
    )
}

fn not_registered() -> Health {
    unused(
        Reason::NotRegistered,
        "Target is not registered to the target group",
    )
}

fn unused(reason: Reason, description: &str) -> Health {
    Health {
        state: State::Unused,
        reason: Some(reason),
        description: Some(description.to_owned()),
    }
}

/// The whole answer.
pub fn xml(targets: &[(Target, Health)], check_port: Option<u16>) -> String {
    let members: String = targets
        .iter()
        .map(|(target, health)| member(*target, health, check_port))
        .collect();
    let id = xml::element("RequestId", &refusal::request_id());
    format!(
        "<DescribeTargetHealthResponse \
         xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
         <DescribeTargetHealthResult><TargetHealthDescriptions>{members}\
         </TargetHealthDescriptions></DescribeTargetHealthResult>\
         <ResponseMetadata>{id}</ResponseMetadata></DescribeTargetHealthResponse>"
    )
}

fn member(target: Target, health: &Health, check_port: Option<u16>) -> String {
    let id = xml::element("Id", &target.ip.to_string());
    let state = xml::element("State", health.state.as_str());
    let reason = health.reason.map_or_else(String::new, |reason| {
        xml::element("Reason", reason.as_str())
    });
    let description = health
        .description
        .as_deref()
        .map_or_else(String::new, |text| xml::element("Description", text));
    format!(
        "<member><Target>{id}<Port>{}</Port></Target>\
         <HealthCheckPort>{}</HealthCheckPort>\
         <TargetHealth>{state}{reason}{description}</TargetHealth></member>",
        target.port,
        check_port.unwrap_or(target.port)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(last: u8) -> Target {
        Target {
            ip: IpAddr::from([10, 0, 0, last]),
            port: 80,
        }
    }

    fn healthy() -> Health {
        Health {
            state: State::Healthy,
            reason: None,
            description: None,
        }
    }

    #[test]
    fn who_is_asked_for_and_not_there_is_not_registered() {
        let parameters = [
            ("Targets.member.1.Id", "10.0.0.1"),
            ("Targets.member.2.Id", "10.0.0.2"),
            ("Targets.member.2.Port", "81"),
            ("Targets.member.3.Id", "10.0.0.3"),
        ];
        let form = Form::new(
            parameters
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
        );
        let all = [1, 2].map(|last| (target(last), healthy())).to_vec();
        let answered = only(&asked(&form).unwrap(), all, 8080);
        let other = |last, port| Target {
            port,
            ..target(last)
        };
        assert_eq!(
            answered,
            [
                (target(1), healthy()),
                (other(2, 81), not_registered()),
                (other(3, 8080), not_registered()),
            ]
        );
        assert_eq!(asked(&Form::new(vec![])), None);
    }

    #[test]
    fn the_answer_has_awss_shape() {
        let text = xml(&[(target(1), not_in_use())], None);
        let member = "<member><Target><Id>10.0.0.1</Id><Port>80</Port></Target>\
             <HealthCheckPort>80</HealthCheckPort><TargetHealth><State>unused</State>\
             <Reason>Target.NotInUse</Reason><Description>Target group is not configured to \
             receive traffic from the load balancer</Description></TargetHealth></member>";
        assert!(text.contains(member), "{text}");
        let text = xml(&[(target(1), healthy())], Some(9000));
        assert!(text.contains(
            "<HealthCheckPort>9000</HealthCheckPort><TargetHealth><State>healthy</State></TargetHealth>"
        ));
    }
}
