//! A client of ELBv2's API, as far as the tests need it.

use std::error::Error;
use std::fmt::Display;
use std::net::SocketAddr;

use localstack::gate::upstream::{Failed, Upstream};
use roxmltree::{Document, Node};

pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

pub struct Api(Upstream);

/// An error that the API answered.
#[derive(Debug, thiserror::Error)]
#[error("{action}: {status} {code}: {message}")]
pub struct Refused {
    pub action: String,
    pub status: u16,
    pub code: String,
    pub message: String,
}

/// What `DescribeTargetHealth` says of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub target: SocketAddr,
    pub state: String,
    pub reason: String,
    pub description: String,
}

/// The parameters of a call.
#[derive(Debug, Clone, Default)]
pub struct With(Vec<(String, String)>);

impl With {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn and(mut self, name: impl Into<String>, value: impl Display) -> Self {
        self.0.push((name.into(), value.to_string()));
        self
    }

    /// One forward to groups with weights, in the list of actions of that name.
    pub fn forward(self, list: &str, groups: &[(&str, u32)]) -> Self {
        let action = format!("{list}.member.1");
        let start = self.and(format!("{action}.Type"), "forward");
        groups
            .iter()
            .zip(1..)
            .fold(start, |with, ((arn, weight), number)| {
                let group = format!("{action}.ForwardConfig.TargetGroups.member.{number}");
                with.and(format!("{group}.TargetGroupArn"), arn)
                    .and(format!("{group}.Weight"), weight)
            })
    }

    /// One forward to one group, the plain way.
    pub fn forward_to(self, list: &str, group: &str) -> Self {
        self.and(format!("{list}.member.1.Type"), "forward")
            .and(format!("{list}.member.1.TargetGroupArn"), group)
    }

    pub fn targets(self, targets: &[SocketAddr]) -> Self {
        targets
            .iter()
            .zip(1..)
            .fold(self, |with, (target, number)| {
                with.and(format!("Targets.member.{number}.Id"), target.ip())
                    .and(format!("Targets.member.{number}.Port"), target.port())
            })
    }

    /// Key and value, in the list of that name.
    pub fn attributes(self, pairs: &[(&str, &str)]) -> Self {
        pairs
            .iter()
            .zip(1..)
            .fold(self, |with, ((key, value), number)| {
                with.and(format!("Attributes.member.{number}.Key"), key)
                    .and(format!("Attributes.member.{number}.Value"), value)
            })
    }
}

impl Api {
    /// Of `HOST:PORT`.
    pub fn new(authority: impl Into<String>) -> Self {
        Self(Upstream::new(authority, "test"))
    }

    /// Gives the XML.
    pub async fn call(&self, action: &str, with: With) -> Outcome<String> {
        let parameters: Vec<(&str, &str)> = with
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        match self.0.elb(action, &parameters).await {
            Err(Failed::Refused { status, body, .. }) => Err(refused(action, status, &body).into()),
            answer => Ok(answer?),
        }
    }

    /// A call of EC2 that needs no parameters.
    pub async fn ec2(&self, action: &str) -> Outcome<String> {
        Ok(self.0.query(("ec2", "2016-11-15"), action, &[]).await?)
    }

    /// The error that the call is expected to have.
    pub async fn refusal(&self, action: &str, with: With) -> Outcome<Refused> {
        match self.call(action, with).await {
            Ok(text) => Err(format!("{action} was not refused: {text}").into()),
            Err(error) => error.downcast::<Refused>().map(|refused| *refused),
        }
    }

    pub async fn health(&self, group: &str, asked: &[SocketAddr]) -> Outcome<Vec<Health>> {
        let with = With::new().and("TargetGroupArn", group).targets(asked);
        let answer = self.call("DescribeTargetHealth", with).await?;
        let document = Document::parse(&answer)?;
        members(&document, "TargetHealthDescriptions")
            .into_iter()
            .map(|member| {
                let ip = text(member, "Target.Id").parse()?;
                let port = text(member, "Target.Port").parse()?;
                Ok(Health {
                    target: SocketAddr::new(ip, port),
                    state: text(member, "TargetHealth.State"),
                    reason: text(member, "TargetHealth.Reason"),
                    description: text(member, "TargetHealth.Description"),
                })
            })
            .collect()
    }
}

fn refused(action: &str, status: u16, body: &str) -> Refused {
    let field = |name| first(body, name).unwrap_or_else(|| body.to_owned());
    Refused {
        action: action.to_owned(),
        status,
        code: field("Code"),
        message: field("Message"),
    }
}

/// The text of the first element of that name.
pub fn first(answer: &str, name: &str) -> Option<String> {
    let document = Document::parse(answer).ok()?;
    let node = document
        .descendants()
        .find(|node| node.tag_name().name() == name)?;
    Some(node.text().unwrap_or_default().to_owned())
}

/// The texts of all elements of that name.
pub fn all(answer: &str, name: &str) -> Outcome<Vec<String>> {
    let document = Document::parse(answer)?;
    let named = document
        .descendants()
        .filter(|node| node.tag_name().name() == name);
    Ok(named
        .map(|node| node.text().unwrap_or_default().to_owned())
        .collect())
}

/// The members of the first list of that name.
pub fn members<'a, 'i>(document: &'a Document<'i>, list: &str) -> Vec<Node<'a, 'i>> {
    document
        .descendants()
        .find(|node| node.tag_name().name() == list)
        .map(|list| list.children().filter(Node::is_element).collect())
        .unwrap_or_default()
}

/// The text at a path of names with dots between; empty if there is none.
pub fn text(node: Node<'_, '_>, path: &str) -> String {
    path.split('.')
        .try_fold(node, |node, name| {
            node.children()
                .find(|child| child.tag_name().name() == name)
        })
        .and_then(|node| node.text())
        .unwrap_or_default()
        .to_owned()
}

/// ARN and weight of the groups of the first forward in an answer.
pub fn weights(answer: &str) -> Outcome<Vec<(String, String)>> {
    let document = Document::parse(answer)?;
    let groups = members(&document, "TargetGroups").into_iter();
    let pair = |group| (text(group, "TargetGroupArn"), text(group, "Weight"));
    Ok(groups.map(pair).collect())
}
