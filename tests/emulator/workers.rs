//! `bgecs init --worker`: what it makes brings an upload to its release, by the real
//! bucket, rule and queue; what it prints as the worker's policy is enough for that.
//!
//! The task itself does not start here, since there is no image with bgecs in it.

use std::collections::BTreeSet;

use localstack::Options;
use localstack::gate::record::Call;
use serde_json::{Value, json};

use crate::access::User;
use crate::permissions::table::{WORKER, WhyNeeded};
use crate::permissions::{actions, widen};
use crate::serving::Depot;
use crate::support::{Ended, Outcome};
use crate::world::{World, greeter, string};

const RELEASE: &str = "app = 'hired'\ntag = '2'\ncontext = 'app'\n";

/// Makes the worker of the world's app, and has its service start no task.
fn worker(world: World) -> Outcome<(Depot, Value)> {
    let made = world.done_json(&making(&world.registry()).each_ref().map(String::as_str))?;
    let (cluster, service) = (format!("{}-worker", world.stack()), "worker");
    let stopping = json!({ "cluster": cluster, "service": service, "desiredCount": 0 });
    world.api.ecs("UpdateService", &stopping)?;
    let dead = json!({ "QueueName": format!("{cluster}-dead.fifo") });
    let dead = world.api.json("sqs", "AmazonSQS.GetQueueUrl", &dead)?;
    let depot = Depot {
        queue: string(&made, "/queue")?,
        dead: string(&dead, "/QueueUrl")?,
        world,
    };
    serve(&depot, &made, "")?;
    Ok((depot, made))
}

fn making(registry: &str) -> [String; 8] {
    let image = format!("{registry}/worker:1");
    [
        "init",
        "--worker",
        "--worker-image",
        &image,
        "--subnets",
        "subnet-1",
        "--security-groups",
        "sg-1",
    ]
    .map(str::to_owned)
}

fn serve(depot: &Depot, made: &Value, more: &str) -> Outcome {
    depot.world.configure("")?;
    let bucket = string(made, "/bucket")?;
    depot.world.configure_more(&format!(
        "[serve]\nbucket = '{bucket}'\nwindow = '1s'\n{more}\n"
    ))
}

#[test]
fn what_is_made_brings_an_upload_to_its_release_and_goes_again() -> Outcome {
    let world = World::with_v1_live("crafted")?;
    let app = world.app.clone();
    let making = making(&world.registry());
    let making = making.each_ref().map(String::as_str);
    let planned = world.done(&[&making[..], &["--dry-run"]].concat())?;
    assert!(
        planned
            .stdout
            .contains("create the CloudFormation stack bgecs-crafted-worker"),
        "{}",
        planned.shown()
    );
    let (depot, made) = worker(world)?;
    assert_eq!(
        (&made["outcome"], &made["name"]),
        (&json!("created"), &json!(app))
    );
    let world = &depot.world;
    let again = world.done_json(&making)?;
    assert_eq!(again["outcome"], "unchanged");
    expect_task(&depot)?;

    depot.world.desk.write("notes.txt", "for nobody")?;
    depot.put_into(&string(&made, "/bucket")?, "notes.txt")?;
    depot.upload_second()?;
    world.done(&["serve", "--until-empty", "--queue", &depot.queue])?;
    assert_eq!(depot.live()?, "2");
    let uploads = depot.uploads()?;
    let [one] = &uploads[..] else {
        return Err(format!("{uploads:#?}").into());
    };
    assert_eq!(one["end"]["outcome"], "complete", "{one:#}");
    assert!(depot.received(&depot.queue)?.is_empty());

    let full = world.ends(6, &["destroy", "--worker", "--yes"])?;
    assert!(full.stderr.contains("--empty-bucket"), "{}", full.shown());
    world.done(&["destroy", "--worker", "--yes", "--empty-bucket"])?;
    let gone = world.done_json(&["destroy", "--worker", "--yes"])?;
    assert_eq!(gone["outcome"], "unchanged");
    assert_eq!(depot.live()?, "2");
    Ok(())
}

/// What CloudFormation told ECS.
fn expect_task(depot: &Depot) -> Outcome {
    let cluster = format!("{}-worker", depot.world.stack());
    let request = json!({ "cluster": cluster, "services": ["worker"] });
    let answer = depot.world.api.ecs("DescribeServices", &request)?;
    let service = &answer["services"][0];
    let request = json!({ "taskDefinition": service["taskDefinition"] });
    let answer = depot.world.api.ecs("DescribeTaskDefinition", &request)?;
    let container = &answer["taskDefinition"]["containerDefinitions"][0];
    let command = container["command"].as_array().into_iter().flatten();
    let command: Vec<&str> = command.filter_map(Value::as_str).collect();
    let topic = "arn:aws:sns:us-east-1:000000000000:bgecs-crafted-worker";
    let first = ["serve", "--queue", &depot.queue, "--topic", topic];
    assert_eq!(command[..first.len()], first);
    Ok(())
}

#[test]
fn an_app_that_is_called_as_a_worker_is_left_alone() -> Outcome {
    let world = World::new("shop-worker")?;
    world.done(&["init"])?;
    world.desk.write("shop.toml", "app = 'shop'\n")?;
    let mut making = making(&world.registry()).to_vec();
    making.push("shop.toml".to_owned());
    let making: Vec<&str> = making.iter().map(String::as_str).collect();
    for arguments in [&making[..], &["destroy", "--worker", "shop.toml", "--yes"]] {
        let refused = world.ends(6, arguments)?;
        let said = "the stack bgecs-shop-worker does not belong to a worker of uploads";
        assert!(refused.stderr.contains(said), "{}", refused.shown());
    }
    world.status()?;
    Ok(())
}

/// By IAM's name.
fn action(call: &Call) -> String {
    match (call.service.as_str(), call.operation.as_str()) {
        ("s3", get) if get.ends_with(".minisig") => "s3:GetObject".to_owned(),
        ("s3", get) if get.starts_with("GET ") => "s3:GetObjectVersion".to_owned(),
        ("monitoring", it) => format!("cloudwatch:{it}"),
        (service, it) => format!("{service}:{it}"),
    }
}

#[test]
fn a_worker_may_do_what_it_does_and_nothing_else() -> Outcome {
    greeter()?;
    let world = World::with("hired", Options::default().auth(true))?;
    world.init_and_v1()?;
    let (depot, made) = worker(world)?;
    let world = &depot.world;
    let printed = world.done(&["init", "--print-policy", "worker"])?.json()?;
    let mut policy = printed.clone();
    // MiniStack takes other resources than AWS, as for a deployer.
    for action in [
        "DescribeServices",
        "DescribeTasks",
        "CreateService",
        "UpdateService",
    ] {
        let cluster = "arn:*:ecs:*:*:cluster/bgecs-hired";
        widen(&mut policy, &format!("ecs:{action}"), cluster);
    }
    widen(&mut policy, "ecr:DescribeRepositories", "*");
    let hired = User::with(world, "worker", &policy.to_string())?;
    let topic = string(&made, "/topic")?;
    let serving = [
        "serve",
        "--until-empty",
        "--queue",
        &depot.queue,
        "--topic",
        &topic,
    ];
    let work = || -> Outcome<Ended> {
        let ended = hired.bgecs(&serving)?;
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        Ok(ended)
    };
    let before = world.gate.calls().mark();
    let bucket = string(&made, "/bucket")?;
    let key = "public_key = 'RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3'";
    serve(&depot, &made, &format!("every = '10s'\n{key}"))?;
    depot.bundle("unsigned.tar.gz", RELEASE)?;
    depot.put_into(&bucket, "unsigned.tar.gz")?;
    // Here is no TLS, without which the bucket gives nothing away.
    let denied = work()?;
    let said = "no permission for s3:GetObject";
    assert!(denied.stderr.contains(said), "{}", denied.shown());
    let policy = format!("DELETE /{bucket}?policy");
    world.api.rest("s3", &policy, "")?;
    world.until("it comes again and is read", || {
        work()?;
        Ok(!depot.uploads()?.is_empty())
    })?;
    depot.expect_failed("unsigned.tar.gz", "is not signed")?;
    serve(&depot, &made, "")?;
    depot.send("hello", "1")?;
    depot.upload_second()?;
    work()?;
    assert_eq!(depot.live()?, "2");
    assert_eq!(depot.received(&depot.dead)?.len(), 1);

    let called = world.gate.calls().since(before);
    let its = |call: &&Call| call.access_key.as_deref() == Some(hired.key());
    let heard: BTreeSet<String> = called.iter().filter(its).map(action).collect();
    let allowed = actions(&printed);
    let stray: Vec<&String> = heard
        .iter()
        .filter(|it| !allowed.contains(it.as_str()) && *it != "sts:GetCallerIdentity")
        .collect();
    assert!(stray.is_empty(), "called and not allowed: {stray:?}");
    for need in WORKER.iter().flat_map(|grant| grant.needs) {
        let is_called = matches!(need.why, WhyNeeded::Called(_));
        assert!(
            !is_called || heard.contains(need.action),
            "{} is never called",
            need.action
        );
    }
    for (arguments, missing) in [
        (&["destroy", "--worker", "--yes"][..], "cloudformation:"),
        (&["submit", "unsigned.tar.gz", "--no-wait"], "s3:PutObject"),
    ] {
        let denied = hired.bgecs(arguments)?;
        assert_eq!(denied.code, Some(1), "{}", denied.shown());
        assert!(denied.stderr.contains(missing), "{}", denied.shown());
    }
    Ok(())
}
