//! Guesses what a key that ECS does not have was meant to be.

use super::model::{CONTAINER, CONTAINERS, Member, SECRET, Shape, TASK, VARIABLE};
use crate::nearest::nearest;

/// What others call it: Docker, Compose, Kubernetes.
const SYNONYMS: [(&str, &str); 11] = [
    ("env", "environment"),
    ("environmentvariables", "environment"),
    ("envfile", "environmentFiles"),
    ("envfrom", "secrets"),
    ("ports", "portMappings"),
    ("args", "command"),
    ("labels", "dockerLabels"),
    ("volumes", "mountPoints"),
    ("volumemounts", "mountPoints"),
    ("logging", "logConfiguration"),
    ("restart", "restartPolicy"),
];

pub(super) struct Guess {
    /// The member that is surely meant.
    pub(super) member: Option<&'static Member>,
    pub(super) sentence: String,
}

pub(super) fn guess(key: &str, shape: &'static Shape) -> Guess {
    if let Some(member) = meant(key, shape) {
        let whose = match key {
            key if key.contains('_') => "that is Terraform's spelling; ",
            key if key.starts_with(char::is_uppercase) => "that is CloudFormation's spelling; ",
            _ => "",
        };
        let name = member.name;
        return Guess {
            member: Some(member),
            sentence: format!("{whose}ECS has `{name}`"),
        };
    }
    Guess {
        member: None,
        sentence: elsewhere(key, shape)
            .or_else(|| {
                let near = near(key, shape)?;
                Some(format!("ECS has no such key; did you mean `{near}`?"))
            })
            .unwrap_or_else(|| {
                format!(
                    "a {} has no such key in ECS (if it is newer than this bgecs, name it in `unchecked` in [container] of bgecs.toml)",
                    shape.name
                )
            }),
    }
}

/// The member of that name, but for capitals and what joins the words.
fn meant(key: &str, shape: &'static Shape) -> Option<&'static Member> {
    let key = plain(key);
    let mut members = shape.members.iter();
    members.find(|member| plain(member.name) == key)
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn near(key: &str, shape: &'static Shape) -> Option<&'static str> {
    let plain = plain(key);
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == plain);
    synonym
        .map(|(_, name)| *name)
        .filter(|name| shape.member(name).is_some())
        .or_else(|| {
            let names: Vec<&str> = shape.members.iter().map(|member| member.name).collect();
            nearest(key, &names)
        })
}

/// A key that ECS has in another place.
fn elsewhere(key: &str, shape: &'static Shape) -> Option<String> {
    let is = |other: &'static Shape| std::ptr::eq(shape, other);
    if is(&VARIABLE) && meant(key, &SECRET).is_some() {
        return Some(
            "a value from Secrets Manager or Parameter Store belongs in `secrets`; `environment` takes plain ones, in `value`"
                .to_owned(),
        );
    }
    if is(&SECRET) && meant(key, &VARIABLE).is_some() {
        return Some(
            "a plain value belongs in `environment`; `secrets` takes an ARN, in `valueFrom`"
                .to_owned(),
        );
    }
    if is(&TASK)
        && let Some(member) = meant(key, &CONTAINER)
    {
        let it = it(key, member);
        return Some(format!("{it} belongs to a container, in `{CONTAINERS}`"));
    }
    if is(&CONTAINER)
        && let Some(member) = meant(key, &TASK).filter(|_| near(key, shape).is_none())
    {
        let it = it(key, member);
        return Some(format!("{it} belongs to the task, beside `{CONTAINERS}`"));
    }
    None
}

fn it(key: &str, member: &Member) -> String {
    match key == member.name {
        true => "it".to_owned(),
        false => format!("`{}`", member.name),
    }
}
