//! MiniStack as a process: it starts, is told apart from others, and is gone
//! when it was stopped, dropped, or when its owner was killed.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Outcome, address, ecs, health, progress};
use localstack::{Emulator, Engine, Options, Source};
use serde_json::json;

fn options() -> Options {
    Options::default().source(Source::MiniStack)
}

#[tokio::test]
async fn it_answers_on_a_free_port_until_it_is_stopped() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let aws = Emulator::start(&engine, options(), &progress).await?;
    let address = address(&aws);
    assert!(health(&address)?.contains("\"ecs\""));
    let env = aws.env();
    assert!(env.contains(&("AWS_ENDPOINT_URL".to_owned(), aws.endpoint().to_owned())));
    assert!(env.contains(&("AWS_ACCESS_KEY_ID".to_owned(), "test".to_owned())));
    assert!(!aws.log_tail(5).await.is_empty());

    localstack::teardown(aws, engine, &progress).await?;
    assert!(TcpStream::connect(&address).is_err());
    Ok(())
}

#[tokio::test]
async fn two_at_once_know_nothing_of_each_other() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let (one, other) = tokio::try_join!(
        Emulator::start(&engine, options(), &progress),
        Emulator::start(&engine, options().account("123456789012"), &progress),
    )?;
    assert_ne!(one.endpoint(), other.endpoint());
    ecs(&one, "CreateCluster", &json!({ "clusterName": "here" }))?;
    assert!(clusters(&one)?.contains("here"));
    assert_eq!(clusters(&other)?, "[]");

    one.stop().await?;
    assert_eq!(
        clusters(&other)?,
        "[]",
        "still up when the first is stopped"
    );
    other.stop().await?;
    Ok(())
}

fn clusters(aws: &Emulator) -> Outcome<String> {
    Ok(ecs(aws, "ListClusters", &json!({}))?["clusterArns"].to_string())
}

#[tokio::test]
async fn dropping_it_stops_it() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let aws = Emulator::start(&engine, options().auth(true), &progress).await?;
    let address = address(&aws);
    assert!(health(&address)?.contains("\"auth\": \"enabled\""));
    drop(aws);
    assert!(TcpStream::connect(&address).is_err());
    Ok(())
}

#[tokio::test]
async fn one_that_runs_already_is_used_and_left_alone() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let running = Emulator::start(&engine, options(), &progress).await?;
    let source = Source::Endpoint(running.endpoint().to_owned());
    let joined = Emulator::start(&engine, Options::default().source(source), &progress).await?;
    assert_eq!(joined.endpoint(), running.endpoint());
    joined.stop().await?;
    health(&address(&running))?;
    running.stop().await?;
    Ok(())
}

#[tokio::test]
async fn one_that_cannot_start_says_why() -> Outcome {
    let engine = Engine::ensure(&progress).await?;
    let broken = options().env("GATEWAY_PORT", "no-port");
    let Err(error) = Emulator::start(&engine, broken, &progress).await else {
        return Err("it started".into());
    };
    let text = error.to_string();
    assert!(
        text.contains("MiniStack ended before it answered"),
        "{text}"
    );
    assert!(text.contains("no-port"), "{text}");
    Ok(())
}

#[test]
fn an_owner_that_is_killed_leaves_nothing() -> Outcome {
    use std::io::{BufRead, BufReader};
    let mut owner = Command::new(env!("CARGO_BIN_EXE_hold"))
        .env_remove("BGECS_E2E_ENDPOINT")
        .env_remove("BGECS_EMULATOR_IMAGE")
        .env_remove("LOCALSTACK_AUTH_TOKEN")
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(owner.stdout.take().ok_or("no output")?);
    let address = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("endpoint http://").map(str::to_owned))
        .ok_or("the owner did not start an emulator")?;
    health(&address)?;

    // As by `kill -9`: nothing of the owner's own can run any more.
    owner.kill()?;
    owner.wait()?;
    let start = Instant::now();
    while TcpStream::connect(&address).is_ok() {
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "it still answers"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
