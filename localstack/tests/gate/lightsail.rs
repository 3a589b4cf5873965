//! Static IPs of Lightsail, through its API and by what answers at their addresses.
//! AWS says what each call is for, and not what an address does meanwhile: so these
//! hold the gate to both ways in which it may be.
//!
//! Addresses of their own are what only Linux has by itself.
#![cfg(target_os = "linux")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use localstack::gate;
use localstack::gate::lightsail::{Attach, Options};
use localstack::gate::upstream::{Failed, Upstream};
use serde_json::{Value, json};

use crate::api::Outcome;
use crate::door::Door;
use crate::subject::{Subject, eventually};
use crate::target::Target;

/// Two instances that serve, and a static IP that is attached to none.
struct Site {
    api: Upstream,
    /// At the static IP.
    front: Door,
    #[expect(dead_code, reason = "they serve")]
    instances: [Target; 2],
    #[expect(dead_code, reason = "it runs")]
    subject: Subject,
}

impl Site {
    async fn start(attach: Attach, gap: Duration) -> Outcome<Self> {
        let own = [5, 6].map(|last| Ipv4Addr::new(127, 0, 5, last));
        let blue = Target::start_at(SocketAddr::from((own[0], 0)), "blue").await?;
        let port = blue.address.port();
        let green = Target::start_at(SocketAddr::from((own[1], port)), "green").await?;
        let subject = Subject::gate_as(&gate::Options {
            lightsail: Some(Options {
                attach,
                gap,
                ports: vec![port],
                instances: vec![("blue".to_owned(), own[0]), ("green".to_owned(), own[1])],
                ..Options::default()
            }),
            ..gate::Options::default()
        })
        .await?;
        let endpoint = subject.behind()?.gate.endpoint();
        let api = Upstream::new(endpoint.trim_start_matches("http://"), "test");
        let name = json!({"staticIpName": "front"});
        call(&api, "AllocateStaticIp", &name).await?;
        let it = call(&api, "GetStaticIp", &name).await?;
        let address = it["staticIp"]["ipAddress"].as_str().ok_or("no address")?;
        let front = Door {
            address: format!("{address}:{port}").parse()?,
            host: address.to_owned(),
        };
        Ok(Self {
            api,
            front,
            instances: [blue, green],
            subject,
        })
    }

    async fn attach(&self, instance: &str) -> Outcome<Value> {
        let input = json!({"staticIpName": "front", "instanceName": instance});
        call(&self.api, "AttachStaticIp", &input).await
    }

    async fn detach(&self) -> Outcome<Value> {
        let input = json!({"staticIpName": "front"});
        call(&self.api, "DetachStaticIp", &input).await
    }

    /// Waits until that instance answers at the static IP.
    async fn until(&self, instance: &str) -> Outcome {
        eventually(&format!("{instance} answers"), async || {
            let answer = self.front.get("/", &[]).await.ok();
            Ok(answer.filter(|answer| answer.text() == instance))
        })
        .await
        .map(drop)
    }

    /// Waits until connections to the static IP are refused.
    async fn until_refused(&self) -> Outcome {
        eventually("nobody listens", async || {
            let connected = self.front.connect().await;
            let refused = connected.err().and_then(|error| error.downcast().ok());
            let kind = refused.map(|error: Box<std::io::Error>| error.kind());
            Ok(kind.filter(|kind| *kind == std::io::ErrorKind::ConnectionRefused))
        })
        .await
        .map(drop)
    }

    async fn public(&self, instance: &str) -> Outcome<(Value, Value)> {
        let input = json!({"instanceName": instance});
        let answer = call(&self.api, "GetInstance", &input).await?;
        let it = &answer["instance"];
        Ok((it["publicIpAddress"].clone(), it["isStaticIp"].clone()))
    }
}

async fn call(api: &Upstream, operation: &str, input: &Value) -> Outcome<Value> {
    let service = ("lightsail", "Lightsail_20161128");
    Ok(api.json(service, operation, input).await?)
}

/// "Attaches a static IP address to a specific Amazon Lightsail instance."
/// (<https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_AttachStaticIp.html>)
#[tokio::test]
async fn a_static_ip_leads_to_the_instance_that_it_is_attached_to() -> Outcome {
    let site = Site::start(Attach::Moves, Duration::ZERO).await?;
    site.until_refused().await?;
    let done = site.attach("blue").await?;
    assert_eq!(done["operations"][0]["status"], "Succeeded");
    site.until("blue").await?;
    let fixed = (json!(site.front.host), json!(true));
    assert_eq!(site.public("blue").await?, fixed);
    assert_eq!(
        site.public("green").await?,
        (json!("127.0.5.6"), json!(false))
    );
    site.detach().await?;
    site.until_refused().await?;
    assert_eq!(
        site.public("blue").await?,
        (json!("127.0.5.5"), json!(false))
    );
    Ok(())
}

/// What follows has no sentence of AWS's: it is one of the two ways.
#[tokio::test]
async fn an_attached_address_moves_refuses_nobody_and_cuts_connections_to_where_it_was() -> Outcome
{
    let site = Site::start(Attach::Moves, Duration::ZERO).await?;
    site.attach("blue").await?;
    site.until("blue").await?;
    let mut kept = site.front.connect().await?;
    assert_eq!(kept.get("/", &[]).await?.text(), "blue");
    site.attach("green").await?;
    // One that is refused is an error here.
    eventually("the address has moved", async || {
        drop(site.front.connect().await?);
        let answer = site.front.get("/", &[]).await.ok();
        Ok(answer.filter(|answer| answer.text() == "green"))
    })
    .await?;
    assert!(kept.get("/", &[]).await.is_err());
    Ok(())
}

/// The other way.
#[tokio::test]
async fn an_attached_address_that_does_not_move_has_to_be_detached() -> Outcome {
    let site = Site::start(Attach::Refuses, Duration::ZERO).await?;
    site.attach("blue").await?;
    site.until("blue").await?;
    let refused = site
        .attach("green")
        .await
        .err()
        .ok_or("it was not refused")?;
    let Failed::Refused { status, body, .. } = *refused.downcast::<Failed>()? else {
        return Err("that is no refusal".into());
    };
    let body: Value = serde_json::from_str(&body)?;
    assert_eq!(
        (status, &body["__type"]),
        (400, &json!("InvalidInputException"))
    );
    assert_eq!(site.front.get("/", &[]).await?.text(), "blue");
    site.detach().await?;
    site.until_refused().await?;
    site.attach("green").await?;
    site.until("green").await
}

#[tokio::test]
async fn an_address_answers_only_after_the_gap() -> Outcome {
    const GAP: Duration = Duration::from_millis(300);
    let site = Site::start(Attach::Moves, GAP).await?;
    for instance in ["blue", "green"] {
        let began = Instant::now();
        site.attach(instance).await?;
        site.until(instance).await?;
        assert!(began.elapsed() >= GAP, "{:?}", began.elapsed());
    }
    Ok(())
}
