//! What bgecs makes beside a service that it did not make, so that the other colour can
//! be like it. Values only; `aws::stack` says how it is made.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{AppName, Color, ColorServices, ListenerArn, PerColor, TargetGroupArn};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub app: AppName,
    pub services: ColorServices,
    /// The colour of the service that ran already.
    pub original: Color,
    pub target_group: TargetGroupArn,
    /// All that a group must have to be like that one, in CloudFormation's words.
    pub group_settings: Map<String, Value>,
    /// Where the service's tasks are registered besides.
    pub further_groups: Vec<CopiedGroup>,
    pub load_balancer: String,
    pub load_balancer_dns_name: String,
    pub listener: ListenerArn,
    /// None where users come by the listener's default action.
    pub rule: Option<UsersRule>,
    /// Of the rules that take the requests which name a colour.
    pub priorities: PerColor<u32>,
    /// By which users come in besides, in the order in which they are moved.
    pub further_ways: Vec<AttachedWay>,
    pub test: TestWay,
    /// The colour that the test route goes to when it is made; it is moved later.
    pub test_color: Color,
    /// What users type, up to the path.
    pub url: String,
    /// In which words the file asked for it.
    pub written: BTreeMap<&'static str, String>,
    /// None: the stack has one of its own.
    pub repository: Option<NamedRepository>,
    /// The same.
    pub log_group: Option<String>,
}

/// A further target group of the service's, and all that another needs to be like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedGroup {
    pub arn: TargetGroupArn,
    /// In CloudFormation's words.
    pub settings: Map<String, Value>,
}

/// A further way by which users come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedWay {
    pub load_balancer: String,
    pub load_balancer_dns_name: String,
    pub listener: ListenerArn,
    pub rule: Option<UsersRule>,
    /// Of the rules ahead of it by which a request names its colour.
    pub priorities: PerColor<u32>,
    pub url: String,
    pub probe_path: Option<String>,
    /// Which of the target groups it leads to: 0 is the first one.
    pub group: usize,
}

/// The rule that users come by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersRule {
    pub arn: String,
    /// In CloudFormation's words.
    pub conditions: Vec<Value>,
}

/// How testers come in: with a header alone, or by a place of their own, where the
/// header takes them to a colour all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestWay {
    Header,
    /// At users' listener, by a rule with this priority.
    Host {
        name: String,
        priority: u32,
        url: String,
    },
    Port {
        listener: ListenerCopy,
        url: String,
    },
}

/// A listener that is as users' is, but for its port and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerCopy {
    pub port: u16,
    /// In CloudFormation's words.
    pub settings: Map<String, Value>,
    /// The ARNs of certificates beside the one of the settings.
    pub further: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRepository {
    pub name: String,
    /// `<account>.dkr.ecr.<region>.amazonaws.com/<name>`
    pub uri: String,
}

impl NamedRepository {
    /// That of an image, if it is in ECR: at ECR's own address, or at the one that
    /// stands for it.
    pub fn of_image(image: &str, stand_in: Option<&str>) -> Option<Self> {
        let (host, rest) = image.split_once('/')?;
        let is_ecr = [".dkr.ecr.", ".dkr-ecr."]
            .iter()
            .any(|it| host.contains(it));
        let is_ecr = is_ecr || stand_in == Some(host);
        let name = rest
            .split(['@', ':'])
            .next()
            .filter(|name| !name.is_empty())?;
        is_ecr.then(|| Self {
            name: name.to_owned(),
            uri: format!("{host}/{name}"),
        })
    }
}

impl Attachment {
    /// The colour that is made.
    pub fn made(&self) -> Color {
        self.original.other()
    }

    /// The running service's target group with that number, and what another needs
    /// to be like it: 0 is the first one.
    pub fn group(&self, number: usize) -> (&TargetGroupArn, &Map<String, Value>) {
        let at = number.checked_sub(1);
        match at.and_then(|at| self.further_groups.get(at)) {
            Some(group) => (&group.arn, &group.settings),
            None => (&self.target_group, &self.group_settings),
        }
    }

    /// What is moved, by its ARN, in the order of the ways in.
    pub fn ways(&self) -> Vec<&str> {
        let further = self.further_ways.iter();
        let further = further.map(|way| (&way.listener, &way.rule));
        let all = std::iter::once((&self.listener, &self.rule)).chain(further);
        all.map(|(listener, rule)| match rule {
            Some(rule) => rule.arn.as_str(),
            None => listener.as_str(),
        })
        .collect()
    }

    /// By which testers come; None where that is users' own.
    pub fn test_url(&self) -> Option<&str> {
        match &self.test {
            TestWay::Header => None,
            TestWay::Host { url, .. } | TestWay::Port { url, .. } => Some(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_told_by_an_image_in_ecr() {
        let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        for (image, expected) in [
            (format!("{host}/team/web:1.2"), Some("team/web")),
            (format!("{host}/web@sha256:abc"), Some("web")),
            (format!("{host}/web:1@sha256:abc"), Some("web")),
            (format!("{host}/web"), Some("web")),
            ("nginx:1".to_owned(), None),
            ("ghcr.io/acme/web:1".to_owned(), None),
            ("localhost:5000/web:1".to_owned(), None),
        ] {
            let found = NamedRepository::of_image(&image, None);
            let uri = expected.map(|name| format!("{host}/{name}"));
            assert_eq!(
                found.as_ref().map(|it| it.name.as_str()),
                expected,
                "{image}"
            );
            assert_eq!(found.map(|it| it.uri), uri, "{image}");
        }
        let local = NamedRepository::of_image("localhost:5000/web:1", Some("localhost:5000"));
        assert_eq!(local.map(|it| it.name).as_deref(), Some("web"));
    }
}
