//! What becomes of connections and requests when something changes:
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay>.

use crate::api::{Outcome, With};
use crate::door::Answer;
use crate::subject::{LoadBalancer, Subject, eventually};
use crate::target::Target;

super::cases![
    a_kept_connection_follows_its_listener,
    a_request_in_flight_survives_a_listener_change,
    a_request_in_flight_survives_deregistration,
    two_listeners_change_apart,
    a_group_in_use_cannot_be_deleted,
];

/// Two groups, of which a listener has the first.
struct Colours {
    targets: [Target; 2],
    groups: [String; 2],
    load_balancer: LoadBalancer,
    listener: String,
}

impl Colours {
    async fn start(subject: &Subject) -> Outcome<Self> {
        let targets = [Target::start("blue").await?, Target::start("green").await?];
        let groups = [
            subject.group(&[targets[0].address]).await?,
            subject.group(&[targets[1].address]).await?,
        ];
        let (load_balancer, listener) = subject.forwarding_to(&groups[0]).await?;
        let to = With::new().forward_to("DefaultActions", &groups[1]);
        subject.listener(&load_balancer, 81, to).await?;
        for group in &groups {
            subject.until(group, "healthy").await?;
        }
        Ok(Self {
            targets,
            groups,
            load_balancer,
            listener,
        })
    }

    async fn swap(&self, subject: &Subject) -> Outcome {
        let to = With::new().forward_to("DefaultActions", &self.groups[1]);
        subject.modify_listener(&self.listener, to).await.map(drop)
    }
}

async fn a_kept_connection_follows_its_listener(subject: &Subject) -> Outcome {
    let colours = Colours::start(subject).await?;
    let door = subject.door(&colours.load_balancer, 80).await?;
    let mut connection = door.connect().await?;
    assert_eq!(connection.get("/", &[]).await?.text(), "blue");
    colours.swap(subject).await?;
    eventually("the open connection has the other colour", async || {
        let text = connection.get("/", &[]).await?.text();
        Ok((text == "green").then_some(()))
    })
    .await?;
    assert_eq!(connection.get("/", &[]).await?.text(), "green");
    Ok(())
}

async fn a_request_in_flight_survives_a_listener_change(subject: &Subject) -> Outcome {
    let colours = Colours::start(subject).await?;
    let held = hold(subject, &colours).await?;
    colours.swap(subject).await?;
    let door = subject.door(&colours.load_balancer, 80).await?;
    eventually("new requests have the other colour", async || {
        let text = door.get("/", &[]).await?.text();
        Ok((text == "green").then_some(()))
    })
    .await?;
    finished(&colours, held).await
}

async fn a_request_in_flight_survives_deregistration(subject: &Subject) -> Outcome {
    let colours = Colours::start(subject).await?;
    let (group, target) = (&colours.groups[0], &colours.targets[0]);
    subject.drain_for(group, 30).await?;
    let held = hold(subject, &colours).await?;
    subject.deregister(group, &[target.address]).await?;
    let door = subject.door(&colours.load_balancer, 80).await?;
    eventually("no new request gets there", async || {
        let status = door.get("/", &[]).await?.status;
        Ok((status == 503).then_some(()))
    })
    .await?;
    assert_eq!(
        subject.until(group, "draining").await?.target,
        target.address
    );
    finished(&colours, held).await
}

type Held = tokio::task::JoinHandle<Outcome<Answer>>;

/// A request that the first colour does not answer yet.
async fn hold(subject: &Subject, colours: &Colours) -> Outcome<Held> {
    let door = subject.door(&colours.load_balancer, 80).await?;
    let held = tokio::spawn(async move { door.get("/hold", &[]).await });
    let target = &colours.targets[0];
    eventually("the target has the request", async || {
        Ok((target.held() > 0).then_some(()))
    })
    .await?;
    Ok(held)
}

async fn finished(colours: &Colours, held: Held) -> Outcome {
    assert!(!held.is_finished(), "{:?}", held.await);
    colours.targets[0].release();
    let answer = held.await??;
    assert_eq!((answer.status, answer.text().as_str()), (200, "blue"));
    Ok(())
}

async fn two_listeners_change_apart(subject: &Subject) -> Outcome {
    let colours = Colours::start(subject).await?;
    let prod = subject.door(&colours.load_balancer, 80).await?;
    let test = subject.door(&colours.load_balancer, 81).await?;
    assert_eq!(prod.get("/", &[]).await?.text(), "blue");
    assert_eq!(test.get("/", &[]).await?.text(), "green");
    colours.swap(subject).await?;
    eventually("both have the same colour", async || {
        let text = prod.get("/", &[]).await?.text();
        Ok((text == "green").then_some(()))
    })
    .await?;
    assert_eq!(test.get("/", &[]).await?.text(), "green");
    Ok(())
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteTargetGroup.html>
async fn a_group_in_use_cannot_be_deleted(subject: &Subject) -> Outcome {
    let group = subject.group(&[]).await?;
    subject.forwarding_to(&group).await?;
    let with = With::new().and("TargetGroupArn", &group);
    let refused = subject.api.refusal("DeleteTargetGroup", with).await?;
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (400, "ResourceInUse")
    );
    Ok(())
}
