//! `bgecs serve` and `bgecs submit`: what is uploaded goes live, once and in its order.

mod several;

use std::process::Command;

use localstack::gate::faults::Fault;
use serde_json::{Value, json};

use crate::support::Outcome;
use crate::world::{V2, World, string};

const BUCKET: &str = "releases";

/// A world with a bucket, of which EventBridge tells a queue.
pub struct Depot {
    pub world: World,
    pub queue: String,
    pub dead: String,
}

impl Depot {
    /// Version 1 is live; `[serve]` has those keys besides the queue and the bucket.
    fn new(app: &str, serve: &str) -> Outcome<Self> {
        let world = World::with_v1_live(app)?;
        let [queue, dead] = make_queues(&world)?;
        tell_of_uploads(&world, ("", "all"))?;
        let depot = Self { world, queue, dead };
        depot.serve(serve)?;
        Ok(depot)
    }

    fn serve(&self, serve: &str) -> Outcome {
        self.world.configure("")?;
        let queue = &self.queue;
        self.world.configure_more(&format!(
            "[serve]\nqueue = '{queue}'\nbucket = '{BUCKET}'\nwindow = '1s'\n{serve}\n"
        ))
    }

    /// A bundle with that `release.toml` and the greeter's second version in `app`.
    pub fn bundle(&self, name: &str, release: &str) -> Outcome<String> {
        self.world.desk.write("bundle/release.toml", release)?;
        let folder = self.world.desk.path().join("bundle");
        let mut pack = Command::new("tar");
        pack.arg("czf").arg(self.world.desk.path().join(name));
        pack.arg("-C").arg(&folder).arg("release.toml");
        pack.arg("--transform=s,^v2,app,")
            .arg("-C")
            .arg(V2)
            .arg("../v2");
        pack.arg("--transform=s,^../v2,app,");
        match pack.output()? {
            done if done.status.success() => Ok(name.to_owned()),
            failed => Err(String::from_utf8_lossy(&failed.stderr).into_owned().into()),
        }
    }

    pub fn upload_second(&self) -> Outcome<Value> {
        self.upload("site-2.tar.gz", "2")
    }

    /// Uploads a release of the app.
    pub fn upload(&self, name: &str, tag: &str) -> Outcome<Value> {
        let app = &self.world.app;
        let release = format!("app = '{app}'\ntag = '{tag}'\ncontext = 'app'\n");
        let bundle = self.bundle(name, &release)?;
        self.world.done_json(&["submit", &bundle, "--no-wait"])
    }

    /// As any tool uploads a file.
    pub fn put(&self, name: &str) -> Outcome {
        self.put_into(BUCKET, name)
    }

    pub fn put_into(&self, bucket: &str, name: &str) -> Outcome {
        let body = std::fs::read(self.world.desk.path().join(name))?;
        self.world.api.put(&format!("/{bucket}/{name}"), &body)
    }

    pub fn expect_failed(&self, name: &str, part: &str) -> Outcome {
        let uploads = self.uploads()?;
        let it = uploads.iter().find(|it| it["key"] == name);
        let it = it.ok_or_else(|| format!("{name} is not among {uploads:#?}"))?;
        assert_eq!(it["end"]["outcome"], "failed", "{it:#}");
        let reason = string(it, "/end/reason")?;
        assert!(reason.contains(part), "{reason}");
        Ok(())
    }

    fn delete(&self, message: &Value) -> Outcome {
        let request = json!({ "QueueUrl": self.queue, "ReceiptHandle": message["ReceiptHandle"] });
        self.world
            .api
            .json("sqs", "AmazonSQS.DeleteMessage", &request)
            .map(drop)
    }

    fn empty(&self) -> Outcome {
        self.world.done(&["serve", "--until-empty"]).map(drop)
    }

    pub fn live(&self) -> Outcome<String> {
        let status = self.world.status()?;
        let live = string(&status, "/live")?;
        string(&status, &format!("/colors/{live}/tag"))
    }

    pub fn uploads(&self) -> Outcome<Vec<Value>> {
        let status = self.world.done_json(&["history"])?;
        Ok(status["uploads"].as_array().cloned().unwrap_or_default())
    }

    pub fn received(&self, queue: &str) -> Outcome<Vec<Value>> {
        let request = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] });
        let answer = self
            .world
            .api
            .json("sqs", "AmazonSQS.ReceiveMessage", &request)?;
        Ok(answer["Messages"].as_array().cloned().unwrap_or_default())
    }

    pub fn send(&self, body: &str, id: &str) -> Outcome {
        let request = json!({
            "QueueUrl": self.queue, "MessageBody": body,
            "MessageGroupId": "all", "MessageDeduplicationId": id,
        });
        self.world
            .api
            .json("sqs", "AmazonSQS.SendMessage", &request)
            .map(drop)
    }
}

/// S3 tells whole seconds, by which uploads are ordered.
fn another_second(world: &World) -> Outcome {
    let now = || -> Outcome<u64> {
        let now = std::time::SystemTime::now();
        Ok(now.duration_since(std::time::UNIX_EPOCH)?.as_secs())
    };
    let then = now()?;
    world.until("another second", || Ok(now()? > then))
}

/// A bucket, and a queue for what comes into it, with one for its dead letters.
fn make_queues(world: &World) -> Outcome<[String; 2]> {
    let versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let told = "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>";
    for (query, body) in [("", ""), ("?versioning", versions), ("?notification", told)] {
        world
            .api
            .rest("s3", &format!("PUT /{BUCKET}{query}"), body)?;
    }
    let dead = queue(world, "dead", &json!({}))?;
    let letters = json!({ "deadLetterTargetArn": arn("dead"), "maxReceiveCount": 40 });
    let attributes = json!({
        "ContentBasedDeduplication": "true",
        "RedrivePolicy": letters.to_string(),
    });
    Ok([queue(world, "releases", &attributes)?, dead])
}

/// Has the queue told of uploads whose keys begin so, as messages of that group.
fn tell_of_uploads(world: &World, (prefix, group): (&str, &str)) -> Outcome {
    let pattern = json!({
        "source": ["aws.s3"], "detail-type": ["Object Created"],
        "detail": { "object": { "key": [{ "prefix": prefix }] } },
    });
    let rule = json!({ "Name": group, "EventPattern": pattern.to_string() });
    world.api.json("events", "AWSEvents.PutRule", &rule)?;
    let target =
        json!({ "Id": "1", "Arn": arn("releases"), "SqsParameters": { "MessageGroupId": group } });
    let targets = json!({ "Rule": group, "Targets": [target] });
    world.api.json("events", "AWSEvents.PutTargets", &targets)?;
    Ok(())
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}.fifo")
}

fn queue(world: &World, name: &str, more: &Value) -> Outcome<String> {
    let mut attributes = json!({ "FifoQueue": "true" });
    for (key, value) in more.as_object().into_iter().flatten() {
        attributes[key] = value.clone();
    }
    queue_of_kind(world, &format!("{name}.fifo"), &attributes)
}

fn queue_of_kind(world: &World, name: &str, attributes: &Value) -> Outcome<String> {
    let request = json!({ "QueueName": name, "Attributes": attributes });
    string(
        &world.api.json("sqs", "AmazonSQS.CreateQueue", &request)?,
        "/QueueUrl",
    )
}

#[test]
fn an_upload_goes_live_once_however_often_it_is_told() -> Outcome {
    let depot = Depot::new("served", "")?;
    let submitted = depot.upload_second()?;
    depot.empty()?;
    assert_eq!(depot.live()?, "2");
    let before = depot.world.gate.calls().mark();
    let upload = &submitted["upload"];
    // S3 may tell of it again, in another form.
    let again = json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": { "name": upload["bucket"] },
            "object": { "key": upload["key"], "versionId": upload["version"] },
        },
    }]});
    depot.send(&again.to_string(), "again")?;
    depot.empty()?;
    let moves = depot.world.gate.calls().since(before);
    assert!(
        !moves
            .iter()
            .any(|call| call.is("elasticloadbalancing", "ModifyListener"))
    );
    let uploads = depot.uploads()?;
    let [one] = &uploads[..] else {
        return Err(format!("{uploads:#?}").into());
    };
    assert_eq!(
        (&one["end"]["outcome"], &one["tag"]),
        (&json!("complete"), &json!("2"))
    );
    assert!(depot.received(&depot.queue)?.is_empty());
    Ok(())
}

#[test]
fn an_older_upload_never_overtakes_a_newer_one() -> Outcome {
    let depot = Depot::new("ordered", "")?;
    let older = depot.upload_second()?;
    let told = depot.received(&depot.queue)?;
    let [told] = &told[..] else {
        return Err(format!("{told:#?}").into());
    };
    depot.delete(told)?;
    another_second(&depot.world)?;
    depot.upload("site-3.tar.gz", "3")?;
    depot.empty()?;
    assert_eq!(depot.live()?, "3");
    depot.send(&string(told, "/Body")?, "late")?;
    depot.empty()?;
    assert_eq!(depot.live()?, "3");
    let uploads = depot.uploads()?;
    let late = uploads
        .iter()
        .find(|it| it["key"] == older["upload"]["key"]);
    let late = late.ok_or_else(|| format!("{uploads:#?}"))?;
    assert_eq!(late["end"]["outcome"], "failed", "{late:#}");
    let reason = string(late, "/end/reason")?;
    assert!(reason.contains("a later upload, site-3.tar.gz"), "{reason}");
    Ok(())
}

#[test]
fn an_upload_waits_its_turn_and_ends_as_timed_out() -> Outcome {
    let depot = Depot::new("waiting", "tries = 2\nevery = '1s'\n")?;
    let world = &depot.world;
    world.done(&["deploy", V2, "--tag", "x"])?;
    let mut promoting = world.start(&["promote", "--window", "1m"])?;
    promoting.until_said("watching for")?;
    depot.upload_second()?;
    let mut worker = world.start(&["serve"])?;
    worker.until_said("waits for its turn")?;
    let ended = || -> Outcome<bool> {
        let uploads = depot.uploads()?;
        Ok(uploads.iter().any(|it| it["end"]["outcome"] == "timed_out"))
    };
    world.until("it is told to have timed out", ended)?;
    assert!(depot.received(&depot.queue)?.is_empty());
    // Whoever is at work has the next one wait, and not time out, once it is over.
    promoting.signal("INT")?;
    promoting.ends(3)?;
    depot.upload("site-3.tar.gz", "3")?;
    world.until("the next one is live", || Ok(depot.live()? == "3"))?;
    worker.signal("TERM")?;
    worker.ends(0)?;
    Ok(())
}

#[test]
fn what_cannot_be_released_is_told_and_begins_nothing() -> Outcome {
    let depot = Depot::new(
        "refused",
        "public_key = 'RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3'\n",
    )?;
    let world = &depot.world;
    let app = &world.app;
    let before = world.gate.calls().mark();
    // Nothing of it is checked by who uploads it.
    for (name, release, part) in [
        (
            "unsigned.tar.gz",
            format!("app = '{app}'\ntag = '2'\ncontext = 'app'\n"),
            "unsigned.tar.gz is not signed",
        ),
        ("odd.rar", String::new(), "odd.rar"),
    ] {
        let bundle = depot.bundle(name, &release)?;
        depot.put(&bundle)?;
        depot.empty()?;
        depot.expect_failed(name, part)?;
    }
    depot.serve("")?;
    let other = format!("app = '{app}'\ntag = '2'\ncontext = 'nowhere'\n");
    for (name, release, part) in [
        (
            "other.tar.gz",
            "app = 'another'\ntag = '2'\ncontext = 'app'\n".to_owned(),
            "releases no app another",
        ),
        ("broken.tar.gz", "app = \n".to_owned(), "release.toml:1:"),
        ("folder.tar.gz", other, "nowhere"),
    ] {
        depot.put(&depot.bundle(name, &release)?)?;
        depot.empty()?;
        depot.expect_failed(name, part)?;
        let known = world.ends(2, &["submit", name, "--no-wait", "--json"])?;
        assert!(
            known.stderr.contains(part) || name == "other.tar.gz",
            "{}",
            known.shown()
        );
    }
    let gone = json!({ "Records": [{
        "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": BUCKET }, "object": { "key": "gone.zip", "versionId": "v0" } },
    }]});
    depot.send(&gone.to_string(), "gone")?;
    depot.empty()?;
    depot.expect_failed("gone.zip", "is gone")?;
    world.desk.write("text.zip", "this is no archive")?;
    depot.put("text.zip")?;
    depot.empty()?;
    depot.expect_failed("text.zip", "text.zip")?;
    let calls = world.gate.calls().since(before);
    assert!(
        !calls
            .iter()
            .any(|call| call.is("ecs", "UpdateService") || call.is("ecs", "CreateService"))
    );
    assert_eq!(depot.live()?, "1");
    Ok(())
}

#[test]
fn what_is_no_upload_is_buried_with_its_reason() -> Outcome {
    let depot = Depot::new("strange", "")?;
    depot.send("hello", "1")?;
    depot.send(
        "{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\"}",
        "2",
    )?;
    depot.empty()?;
    let dead = depot.received(&depot.dead)?;
    let [dead] = &dead[..] else {
        return Err(format!("{dead:#?}").into());
    };
    assert_eq!(dead["Body"], "hello");
    let reason = string(dead, "/MessageAttributes/bgecs-reason/StringValue")?;
    assert!(reason.contains("it is not JSON"), "{reason}");
    assert!(depot.received(&depot.queue)?.is_empty());
    Ok(())
}

#[test]
fn a_queue_that_does_not_fit_is_refused() -> Outcome {
    let depot = Depot::new("queues", "")?;
    let bare = queue(&depot.world, "bare", &json!({}))?;
    let letters = json!({ "deadLetterTargetArn": arn("dead"), "maxReceiveCount": 30 });
    let few = queue(
        &depot.world,
        "few",
        &json!({ "RedrivePolicy": letters.to_string() }),
    )?;
    for (url, code, part) in [
        (bare.as_str(), 6, "has no dead-letter queue"),
        (few.as_str(), 6, "gives a message up after 30 times"),
        (
            "http://127.0.0.1:1/000000000000/nowhere",
            1,
            "sqs:GetQueueAttributes",
        ),
        (
            "arn:aws:sqs:us-east-1:000000000000:releases",
            2,
            "is not the URL of a queue",
        ),
    ] {
        let ended = depot
            .world
            .ends(code, &["serve", "--until-empty", "--queue", url])?;
        assert!(ended.stderr.contains(part), "{}", ended.shown());
    }
    Ok(())
}

#[test]
fn a_worker_that_dies_leaves_its_release_to_the_next() -> Outcome {
    for (app, signal) in [("killed", None), ("stopped", Some("TERM"))] {
        let depot = Depot::new(app, "")?;
        let world = &depot.world;
        world.configure_more("[lease]\nseconds = 15\n")?;
        depot.upload_second()?;
        match signal {
            None => {
                let at = Fault::on("elasticloadbalancing", "ModifyListener")
                    .nth(2)
                    .hold_after();
                world.killed_in(at, &["serve"])?;
            }
            Some(name) => {
                let mut worker = world.start(&["serve", "--grace", "0s"])?;
                worker.until_said("watching for")?;
                worker.signal(name)?;
                let ended = worker.ends(0)?;
                assert!(
                    ended.stderr.contains("left to another worker"),
                    "{}",
                    ended.shown()
                );
            }
        }
        let next = world.start(&["serve", "-vv"])?;
        let complete = world.until("the next worker has it complete", || {
            let uploads = depot.uploads()?;
            Ok(uploads.len() == 1 && uploads[0]["end"]["outcome"] == "complete")
        });
        if let Err(error) = complete {
            next.signal("KILL")?;
            return Err(format!("{error}: {}", next.end()?.shown()).into());
        }
        next.signal("TERM")?;
        next.ends(0)?;
        assert_eq!(depot.live()?, "2");
        let status = world.status()?;
        assert_eq!(
            (&status["unfinished"], &status["lease"]),
            (&json!(null), &json!(null))
        );
    }
    Ok(())
}

#[test]
fn those_who_want_to_know_are_told() -> Outcome {
    let depot = Depot::new("told", "steps = '50% for 1s'\n")?;
    let world = &depot.world;
    let topic = [("Action", "CreateTopic"), ("Name", "releases")];
    world.api.query("sns", "2010-03-31", &topic)?;
    let notices = queue_of_kind(world, "notices", &json!({}))?;
    let arn = "arn:aws:sns:us-east-1:000000000000:releases";
    let subscription = [
        ("Action", "Subscribe"),
        ("TopicArn", arn),
        ("Protocol", "sqs"),
        ("Endpoint", "arn:aws:sqs:us-east-1:000000000000:notices"),
    ];
    world.api.query("sns", "2010-03-31", &subscription)?;
    let hook = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}/hook", hook.local_addr()?);
    world.configure_more(&format!(
        "[notify]\nsns = '{arn}'\nwebhook = 'RELEASE_HOOK'\n"
    ))?;
    depot.upload_second()?;
    let unset = world.ends(2, &["serve", "--until-empty"])?;
    assert!(
        unset.stderr.contains("the variable RELEASE_HOOK"),
        "{}",
        unset.shown()
    );

    let heard = std::thread::spawn(move || lines_of(&hook, 4));
    let mut worker = world
        .desk
        .command(&["serve", "--until-empty", "--log", "json"]);
    let output = worker.env("RELEASE_HOOK", &address).output()?;
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{shown}");
    for line in shown.lines() {
        let line: Value = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        assert!(
            line["level"].is_string() && line["at"].is_string(),
            "{line}"
        );
    }
    let lines = heard.join().map_err(|_| "the webhook's thread died")??;
    let app = &world.app;
    assert_eq!(lines[0], format!("{app}, tag 2: the release begins"));
    assert_eq!(
        lines[1],
        format!("{app}, tag 2: users have taken stage 1 of 2")
    );
    assert_eq!(lines[2], format!("{app}, tag 2: all users are on it"));
    assert!(
        lines[3].starts_with(&format!("{app}, tag 2: complete")),
        "{lines:?}"
    );
    let mut events = Vec::new();
    world.until("the topic's subscriber has them all", || {
        for message in depot.received(&notices)? {
            let envelope: Value = serde_json::from_str(&string(&message, "/Body")?)?;
            let notice: Value = serde_json::from_str(&string(&envelope, "/Message")?)?;
            assert_eq!(notice["schema"], "bgecs.notice.v1");
            events.push(string(&notice, "/event")?);
        }
        Ok(events.len() >= 4)
    })?;
    events.sort();
    assert_eq!(events, ["begin", "end", "stage", "stage"]);
    Ok(())
}

/// The `text` of so many bodies that are posted.
fn lines_of(hook: &std::net::TcpListener, count: usize) -> Result<Vec<String>, String> {
    use std::io::{Read, Write};
    let mut lines = Vec::new();
    while lines.len() < count {
        let (mut stream, _) = hook.accept().map_err(|error| error.to_string())?;
        let (mut whole, mut part) = (String::new(), [0; 4096]);
        let body = loop {
            let read = stream.read(&mut part).map_err(|error| error.to_string())?;
            whole += &String::from_utf8_lossy(&part[..read]);
            if let Some((_, body)) = whole.split_once("\r\n\r\n")
                && let Ok(body) = serde_json::from_str::<Value>(body)
            {
                break body;
            }
        };
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        stream
            .write_all(answer.as_bytes())
            .map_err(|error| error.to_string())?;
        lines.push(body["text"].as_str().unwrap_or_default().to_owned());
    }
    Ok(lines)
}
