//! Whose account, which network: what a person sees of it with a canned AWS, and
//! what nobody may see whatever the environment says.

mod account;
mod network;
mod outside;
mod stacks;

use std::sync::{Arc, Mutex};

use crate::stub;
use crate::support::{Desk, Outcome};

/// An AWS in which nothing exists, and all that it was asked.
struct Aws {
    endpoint: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    operation: String,
    /// The id of the key that signed.
    key: String,
}

/// What STS says.
#[derive(Debug, Clone, Copy)]
enum Sts {
    Role,
    Refuses,
    Hangs,
}

impl Aws {
    fn start(sts: Sts) -> Outcome<Self> {
        Self::answering(move |operation, head| answer(operation, head, sts))
    }

    fn answering(
        answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
    ) -> Outcome<Self> {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let endpoint = stub::serve_whole(move |head, body| {
            let operation = operation(head, body);
            let key = stub::header(head, "authorization")
                .and_then(key_of)
                .unwrap_or_default();
            if let Ok(mut kept) = kept.lock() {
                kept.push(Asked {
                    operation: operation.clone(),
                    key,
                });
            }
            let (status, text) = answer(&operation, head);
            (status, String::new(), text)
        })?;
        Ok(Self { endpoint, asked })
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked
            .lock()
            .map(|asked| asked.clone())
            .unwrap_or_default()
    }

    fn operations(&self) -> Vec<String> {
        self.asked()
            .into_iter()
            .map(|asked| asked.operation)
            .collect()
    }

    /// A desk with this AWS, and keys for it.
    fn desk(&self) -> Outcome<Desk> {
        let desk = Desk::empty()?
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_ENDPOINT_URL", &self.endpoint);
        desk.write("bgecs.toml", "app = \"hello\"\n")?;
        Ok(desk)
    }
}

fn operation(head: &str, body: &str) -> String {
    match stub::header(head, "x-amz-target") {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => body
            .split('&')
            .find_map(|field| field.strip_prefix("Action="))
            .unwrap_or_default()
            .to_owned(),
    }
}

fn key_of(authorization: &str) -> Option<String> {
    let (_, rest) = authorization.split_once("Credential=")?;
    rest.split('/').next().map(str::to_owned)
}

fn answer(operation: &str, head: &str, sts: Sts) -> (u16, String) {
    let target = stub::header(head, "x-amz-target");
    match operation {
        "GetCallerIdentity" => match sts {
            Sts::Role => (200, CALLER.to_owned()),
            Sts::Refuses => stub::refusal(target, "AccessDenied", "not allowed"),
            // Until the process ends.
            Sts::Hangs => loop {
                std::thread::park();
            },
        },
        "AssumeRole" => (200, ASSUMED.to_owned()),
        "DescribeStacks" => stub::refusal(
            target,
            "ValidationError",
            "Stack with id bgecs-hello does not exist",
        ),
        "DescribeServices" => (200, "{\"services\":[],\"failures\":[]}".to_owned()),
        "ListTasks" => (200, "{\"taskArns\":[]}".to_owned()),
        "ListTaskDefinitions" => (200, "{\"taskDefinitionArns\":[]}".to_owned()),
        "DescribeImages" | "ListImages" | "DescribeRepositories" => stub::refusal(
            target,
            "RepositoryNotFoundException",
            "there is no repository",
        ),
        _ => stub::refusal(target, "ValidationError", "there is nothing here"),
    }
}

const CALLER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
    <Arn>arn:aws:sts::123456789012:assumed-role/deployer/run-17</Arn><UserId>A:run-17</UserId>\
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

const ASSUMED: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
    <AccessKeyId>ASIAASSUMED</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
    <SessionToken>token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>\
    </AssumeRoleResult></AssumeRoleResponse>";
