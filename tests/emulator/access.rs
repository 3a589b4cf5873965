//! The wrong region, credentials that are no good, permissions that lack, and a
//! stack that somebody else is at work on.

use localstack::Options;

use crate::api::text;
use crate::stub::{refusal, serve};
use crate::support::{Desk, Ended, Outcome};
use crate::world::{ENGLISH, FRENCH, V1, World, error, greeter, see};

/// All that bgecs does, but for the one action that moves traffic.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":"*","Resource":"*"},
    {"Effect":"Deny","Action":"elasticloadbalancing:ModifyListener","Resource":"*"}]}"#;

/// A user who may do what a policy says, and runs bgecs.
pub struct User<'a> {
    world: &'a World,
    id: String,
    secret: String,
}

impl<'a> User<'a> {
    /// Only one of that name in a world.
    pub fn with(world: &'a World, name: &str, policy: &str) -> Outcome<Self> {
        let user = ("UserName", name);
        world.api.iam(&[("Action", "CreateUser"), user])?;
        world.api.iam(&[
            ("Action", "PutUserPolicy"),
            user,
            ("PolicyName", name),
            ("PolicyDocument", policy),
        ])?;
        let key = world.api.iam(&[("Action", "CreateAccessKey"), user])?;
        Ok(Self {
            world,
            id: text(&key, "AccessKeyId")?.to_owned(),
            secret: text(&key, "SecretAccessKey")?.to_owned(),
        })
    }

    /// By which its calls are signed.
    pub fn key(&self) -> &str {
        &self.id
    }

    pub fn bgecs(&self, arguments: &[&str]) -> Outcome<Ended> {
        let desk = &self.world.desk;
        let mut command = desk.command(arguments);
        command.env("AWS_ACCESS_KEY_ID", &self.id);
        command.env("AWS_SECRET_ACCESS_KEY", &self.secret);
        Ok(desk.ended(arguments, &command.output()?))
    }
}

#[test]
fn the_wrong_region_has_no_stack() -> Outcome {
    let world = World::new("region")?;
    world.done(&["init"])?;
    for (name, line) in [
        ("status", &["status", "--region", "eu-west-1"][..]),
        ("promote", &["promote", "--region", "eu-west-1"]),
        ("retire", &["retire", "--region", "eu-west-1"]),
        ("logs", &["logs", "blue", "--region", "eu-west-1"]),
    ] {
        see(
            &format!("region-wrong-{name}"),
            &error(&world.ends(1, line)?),
        )?;
    }
    world.status()?;
    Ok(())
}

#[test]
fn a_missing_permission_is_named_and_traffic_stays() -> Outcome {
    let world = World::with("denied", Options::default().auth(true))?;
    world.init_and_v1()?;
    world.done(&["deploy", crate::world::V2, "--tag", "2"])?;

    let ci = User::with(&world, "ci", POLICY)?;
    let before = world.status()?;
    let looked = ci.bgecs(&["status"])?;
    assert_eq!(looked.code, Some(0), "{}", looked.shown());
    let denied = ci.bgecs(&["promote"])?;
    assert_eq!(denied.code, Some(1), "{}", denied.shown());
    for part in [
        "elasticloadbalancing:ModifyListener",
        &world.listener("prod")?,
        "unchanged",
    ] {
        assert!(error(&denied).contains(part), "{part}:\n{}", denied.shown());
    }
    see("permission-denied", &error(&denied))?;
    let after = world.status()?;
    assert_eq!(after["listeners"], before["listeners"]);
    world.expect_answers(ENGLISH, FRENCH)?;

    // Without any permission at all, the very first call says so.
    world.api.iam(&[
        ("Action", "DeleteUserPolicy"),
        ("UserName", "ci"),
        ("PolicyName", "ci"),
    ])?;
    let denied = ci.bgecs(&["status"])?;
    assert_eq!(denied.code, Some(1), "{}", denied.shown());
    assert!(
        error(&denied).contains("cloudformation:DescribeStacks on bgecs-denied"),
        "{}",
        denied.shown()
    );

    let output = world
        .desk
        .command(&["status"])
        .env("AWS_ACCESS_KEY_ID", "AKIAUNKNOWNUNKNOWN00")
        .output()?;
    see(
        "credentials-unknown",
        &error(&world.desk.ended(&["status"], &output)),
    )
}

#[test]
fn a_first_release_that_is_half_live_is_finished_by_who_may() -> Outcome {
    greeter()?;
    let world = World::with("halflive", Options::default().auth(true))?;
    world.done(&["init"])?;
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[
        {{"Effect":"Allow","Action":"*","Resource":"*"}},
        {{"Effect":"Deny","Action":"elasticloadbalancing:ModifyListener","Resource":"{}"}}]}}"#,
        world.listener("test")?
    );
    let ci = User::with(&world, "ci", &policy)?;
    let denied = ci.bgecs(&["deploy", V1, "--tag", "1", "--color", "green"])?;
    assert_eq!(denied.code, Some(4), "{}", denied.shown());
    for part in [
        "port 81 cannot be pointed at blue",
        "port 80 -> green",
        "`bgecs resume` does the rest",
    ] {
        assert!(denied.stderr.contains(part), "{part}:\n{}", denied.shown());
    }
    let status = world.status()?;
    assert_eq!(status["unfinished"]["command"], "deploy", "{status:#}");
    assert!(status["lease"].is_null(), "{status:#}");
    assert_eq!(world.done_json(&["resume"])?["outcome"], "finished");
    world.expect_settled("the resume")?;
    let status = world.status()?;
    assert_eq!(status["live"], "green");
    let listeners = &status["listeners"];
    assert_ne!(
        listeners["test"]["forwards"], listeners["prod"]["forwards"],
        "{status:#}"
    );
    Ok(())
}

fn desk(endpoint: &str) -> Outcome<Desk> {
    let desk = Desk::empty()?
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret");
    desk.write("bgecs.toml", "app = \"hello\"\n")?;
    desk.write("app/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")?;
    Ok(desk)
}

#[test]
fn expired_credentials_say_how_to_renew_them() -> Outcome {
    let expired = "The security token included in the request is expired";
    let endpoint = serve(move |target, _| match target {
        Some(_) => refusal(target, "ExpiredTokenException", expired),
        None => refusal(target, "ExpiredToken", expired),
    })?;
    let desk = desk(&endpoint)?;
    let mut seen = Vec::new();
    // One that asks in XML first, one in JSON.
    for arguments in [
        &["status"][..],
        &["destroy", "--yes"],
        &["deploy", "app", "--tag", "1"],
    ] {
        let ended = desk.bgecs(arguments)?;
        assert_eq!(ended.code, Some(1), "{}", ended.shown());
        seen.push(error(&ended));
    }
    see("credentials-expired", &seen.join("\n"))
}

#[test]
fn a_stack_that_is_being_updated_is_left_alone() -> Outcome {
    let mut seen = Vec::new();
    for status in [
        "UPDATE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
        "ROLLBACK_COMPLETE",
        "UPDATE_ROLLBACK_FAILED",
    ] {
        let endpoint = serve(move |target, body| match body {
            body if body.contains("Action=DescribeStacks") => (200, stack(status)),
            _ => refusal(target, "InternalFailure", "nothing else was expected"),
        })?;
        let desk = desk(&endpoint)?;
        let ended = desk.bgecs(&["init"])?;
        assert_eq!(ended.code, Some(6), "{}", ended.shown());
        seen.push(error(&ended));
        seen.push(error(&desk.bgecs(&["deploy", "app", "--tag", "1"])?));
    }
    see("stack-busy", &seen.join("\n"))
}

fn stack(status: &str) -> String {
    format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>\
         <StackName>bgecs-hello</StackName>\
         <StackId>arn:aws:cloudformation:us-east-1:000000000000:stack/bgecs-hello/1</StackId>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <StackStatus>{status}</StackStatus>\
         <StackStatusReason>somebody else's change</StackStatusReason>\
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )
}
