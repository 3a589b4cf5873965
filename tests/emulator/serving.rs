//! `bgecs serve` and `bgecs submit`: what is uploaded goes live, once and in its order.

use std::process::{Child, Command, Stdio};

use localstack::gate::crash::Write;
use serde_json::{Value, json};

use crate::signal;
use crate::support::Outcome;
use crate::world::{V1, V2, World, string};

const BUCKET: &str = "releases";

/// A world with a bucket, of which EventBridge tells a queue.
struct Depot {
    world: World,
    queue: String,
    dead: String,
}

impl Depot {
    /// Version 1 is live; `[serve]` has those keys besides the queue and the bucket.
    fn new(app: &str, serve: &str) -> Outcome<Self> {
        let world = World::with_v1_live(app)?;
        world.api.rest("s3", &format!("PUT /{BUCKET}"), "")?;
        let versions =
            "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        world
            .api
            .rest("s3", &format!("PUT /{BUCKET}?versioning"), versions)?;
        let dead = queue(&world, "dead", &json!({}))?;
        let letters = json!({ "deadLetterTargetArn": arn("dead"), "maxReceiveCount": 40 });
        let queue = queue(
            &world,
            "releases",
            &json!({
                "ContentBasedDeduplication": "true",
                "RedrivePolicy": letters.to_string(),
            }),
        )?;
        let depot = Self { world, queue, dead };
        depot.tell_of_uploads()?;
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

    fn tell_of_uploads(&self) -> Outcome {
        let api = &self.world.api;
        let pattern = json!({ "source": ["aws.s3"], "detail-type": ["Object Created"] });
        let rule = json!({ "Name": "uploads", "EventPattern": pattern.to_string() });
        api.json("events", "AWSEvents.PutRule", &rule)?;
        let target = json!({ "Id": "1", "Arn": arn("releases"), "SqsParameters": { "MessageGroupId": "all" } });
        let targets = json!({ "Rule": "uploads", "Targets": [target] });
        api.json("events", "AWSEvents.PutTargets", &targets)?;
        let told =
            "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>";
        api.rest("s3", &format!("PUT /{BUCKET}?notification"), told)?;
        Ok(())
    }

    /// A bundle with that `release.toml` and the greeter's second version in `app`.
    fn bundle(&self, name: &str, release: &str) -> Outcome<String> {
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

    /// Uploads release 2 of the app.
    fn upload_second(&self) -> Outcome<Value> {
        let release = format!("app = '{}'\ntag = '2'\ncontext = 'app'\n", self.world.app);
        let bundle = self.bundle("site-2.tar.gz", &release)?;
        self.world.done_json(&["submit", &bundle, "--no-wait"])
    }

    fn empty(&self) -> Outcome {
        self.world.done(&["serve", "--until-empty"]).map(drop)
    }

    fn live(&self) -> Outcome<String> {
        let status = self.world.status()?;
        let live = string(&status, "/live")?;
        string(&status, &format!("/colors/{live}/tag"))
    }

    fn uploads(&self) -> Outcome<Vec<Value>> {
        let status = self.world.done_json(&["history"])?;
        Ok(status["uploads"].as_array().cloned().unwrap_or_default())
    }

    fn received(&self, queue: &str) -> Outcome<Vec<Value>> {
        let request = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"] });
        let answer = self
            .world
            .api
            .json("sqs", "AmazonSQS.ReceiveMessage", &request)?;
        Ok(answer["Messages"].as_array().cloned().unwrap_or_default())
    }

    fn send(&self, body: &str, id: &str) -> Outcome {
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

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}.fifo")
}

fn queue(world: &World, name: &str, more: &Value) -> Outcome<String> {
    let mut attributes = json!({ "FifoQueue": "true" });
    for (key, value) in more.as_object().into_iter().flatten() {
        attributes[key] = value.clone();
    }
    let request = json!({ "QueueName": format!("{name}.fifo"), "Attributes": attributes });
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
