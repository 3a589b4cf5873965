//! What an emulator says of its load balancers, read into what the
//! [`crate::balancer`] is told. Pure.
//!
//! What an answer does not say has AWS's default:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use roxmltree::{Document, Node};

use super::{actions, xml};
use crate::balancer::config::{
    Arn, Certificate, Condition, HealthCheck, Listener, Matcher, Rule, Target, Tls,
};

/// One answer of a call that answers in pages.
#[derive(Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What to ask for next, as `Marker`.
    pub next: Option<String>,
}

/// Why an answer cannot be read.
pub type Read<T> = Result<T, roxmltree::Error>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    pub arn: Arn,
    pub name: String,
    pub dns: String,
}

/// A target group without what other calls say of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub arn: Arn,
    /// Of targets that are registered without one.
    pub port: u16,
    pub health_check: HealthCheck,
}

/// `KEY=VALUE`, of a load balancer or a target group.
pub type Attributes = BTreeMap<String, String>;

/// What is registered with a target group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    pub targets: BTreeSet<Target>,
    /// Whether there are others: instances and functions, which have no address.
    pub others: bool,
}

/// The application load balancers.
pub fn load_balancers(text: &str) -> Read<Page<LoadBalancer>> {
    page(text, "LoadBalancers", |node| {
        let is_application = xml::text(node, "Type").is_none_or(|kind| kind == "application");
        is_application.then_some(())?;
        Some(LoadBalancer {
            arn: arn(node, "LoadBalancerArn")?,
            name: xml::text(node, "LoadBalancerName")
                .unwrap_or_default()
                .to_owned(),
            dns: xml::text(node, "DNSName")?.to_owned(),
        })
    })
}

/// The listeners, without their rules, with the actions that are said.
pub fn listeners(text: &str) -> Read<Page<Listener>> {
    page(text, "Listeners", |node| {
        Some(Listener {
            arn: arn(node, "ListenerArn")?,
            port: number(node, "Port")?,
            tls: tls(node),
            rules: Vec::new(),
            default_actions: xml::child(node, "DefaultActions")
                .map(actions::of_xml)
                .unwrap_or_default(),
        })
    })
}

/// For which names its certificates are, is another service's to say.
fn tls(listener: Node<'_, '_>) -> Option<Tls> {
    if xml::text(listener, "Protocol")? != "HTTPS" {
        return None;
    }
    Some(Tls {
        certificates: certificates_of(xml::members(listener, "Certificates")),
        policy: xml::text(listener, "SslPolicy")
            .unwrap_or_default()
            .to_owned(),
    })
}

/// All of a listener's certificates, the default one among them.
pub fn certificates(text: &str) -> Read<Page<Certificate>> {
    page(text, "Certificates", certificate)
}

fn certificates_of(members: Vec<Node<'_, '_>>) -> Vec<Certificate> {
    members.into_iter().filter_map(certificate).collect()
}

fn certificate(node: Node<'_, '_>) -> Option<Certificate> {
    Some(Certificate::unnamed(arn(node, "CertificateArn")?))
}

/// The rules that have a priority; a listener's default is none.
pub fn rules(text: &str) -> Read<Page<Rule>> {
    page(text, "Rules", |node| {
        Some(Rule {
            arn: arn(node, "RuleArn")?,
            priority: number(node, "Priority")?,
            conditions: xml::members(node, "Conditions")
                .into_iter()
                .map(condition)
                .collect(),
            actions: xml::child(node, "Actions")
                .map(actions::of_xml)
                .unwrap_or_default(),
        })
    })
}

pub fn target_groups(text: &str) -> Read<Page<Group>> {
    page(text, "TargetGroups", |node| {
        Some(Group {
            arn: arn(node, "TargetGroupArn")?,
            port: number(node, "Port").unwrap_or(80),
            health_check: health_check(node)?,
        })
    })
}

pub fn attributes(text: &str) -> Read<Attributes> {
    let pair = |node: Node<'_, '_>| {
        let key = xml::text(node, "Key")?.to_owned();
        Some((key, xml::text(node, "Value").unwrap_or_default().to_owned()))
    };
    Ok(page(text, "Attributes", pair)?.items.into_iter().collect())
}

/// Who is registered. What the emulator thinks of their health is its own affair.
pub fn registered(text: &str, default_port: u16) -> Read<Registered> {
    let target = |node: Node<'_, '_>| {
        let port = number(node, "Target.Port").unwrap_or(default_port);
        let ip = xml::text(node, "Target.Id").and_then(|id| id.parse().ok());
        Some(ip.map(|ip| Target { ip, port }))
    };
    let all = page(text, "TargetHealthDescriptions", target)?.items;
    Ok(Registered {
        others: all.contains(&None),
        targets: all.into_iter().flatten().collect(),
    })
}

/// The ARNs of the listeners or rules that an answer describes.
pub fn described(text: &str) -> Read<Vec<Arn>> {
    let document = Document::parse(text)?;
    let arns = |(list, name)| {
        let members = xml::find(&document, list).map(xml::members_of);
        let members = members.unwrap_or_default().into_iter();
        members.filter_map(move |member| arn(member, name))
    };
    let lists = [("Listeners", "ListenerArn"), ("Rules", "RuleArn")];
    Ok(lists.into_iter().flat_map(arns).collect())
}

fn page<T>(text: &str, list: &str, item: impl Fn(Node<'_, '_>) -> Option<T>) -> Read<Page<T>> {
    let document = Document::parse(text)?;
    let members = xml::find(&document, list)
        .map(xml::members_of)
        .unwrap_or_default();
    Ok(Page {
        items: members.into_iter().filter_map(item).collect(),
        next: xml::find(&document, "NextMarker")
            .and_then(|node| node.text())
            .map(|marker| marker.trim().to_owned())
            .filter(|marker| !marker.is_empty()),
    })
}

fn arn(node: Node<'_, '_>, name: &str) -> Option<Arn> {
    xml::text(node, name).map(Arn::new)
}

fn number<T: FromStr>(node: Node<'_, '_>, path: &str) -> Option<T> {
    xml::text(node, path)?.parse().ok()
}

fn health_check(node: Node<'_, '_>) -> Option<HealthCheck> {
    let seconds = |name, unless| Duration::from_secs(number(node, name).unwrap_or(unless));
    let codes = xml::text(node, "Matcher.HttpCode").and_then(Matcher::parse);
    Some(HealthCheck {
        enabled: xml::text(node, "HealthCheckEnabled") != Some("false"),
        path: xml::text(node, "HealthCheckPath").unwrap_or("/").to_owned(),
        port: number(node, "HealthCheckPort"),
        interval: seconds("HealthCheckIntervalSeconds", 30),
        timeout: seconds("HealthCheckTimeoutSeconds", 5),
        healthy_threshold: number(node, "HealthyThresholdCount").unwrap_or(5),
        unhealthy_threshold: number(node, "UnhealthyThresholdCount").unwrap_or(2),
        matcher: codes.or_else(|| Matcher::parse("200"))?,
    })
}

/// AWS describes values twice, flat and in a configuration; an emulator may
/// know only one of the two.
fn condition(node: Node<'_, '_>) -> Condition {
    let field = xml::text(node, "Field").unwrap_or_default();
    let values = |config: &str| {
        let flat = xml::texts(node, "Values");
        if flat.is_empty() {
            xml::texts(node, &format!("{config}.Values"))
        } else {
            flat
        }
    };
    match field {
        "path-pattern" => Condition::PathPattern(values("PathPatternConfig")),
        "host-header" => Condition::HostHeader(values("HostHeaderConfig")),
        "http-request-method" => Condition::HttpRequestMethod(values("HttpRequestMethodConfig")),
        "http-header" => Condition::HttpHeader {
            name: xml::text(node, "HttpHeaderConfig.HttpHeaderName")
                .unwrap_or_default()
                .to_owned(),
            values: values("HttpHeaderConfig"),
        },
        "query-string" => Condition::QueryString(
            xml::members(node, "QueryStringConfig.Values")
                .into_iter()
                .map(|pair| {
                    let key = xml::text(pair, "Key").map(str::to_owned);
                    (key, xml::text(pair, "Value").unwrap_or_default().to_owned())
                })
                .collect(),
        ),
        _ => Condition::Unknown(field.to_owned()),
    }
}

#[cfg(test)]
mod tests;
