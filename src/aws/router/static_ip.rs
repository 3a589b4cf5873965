//! A static address of Lightsail, which is attached to one instance that has all users.
//! AWS documents nowhere whether an attached address can be attached to another instance.
//! So that is tried, and if it is refused, the address is detached first; in between it
//! leads nowhere.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::{Router, Unmoved, pointers};
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::model::{
    Check, Color, Found, Move, Patience, PerRoute, RoutedPointer, Strategy, Urgency,
};

const READ: &str = "lightsail:GetStaticIp";
const ATTACH: &str = "lightsail:AttachStaticIp";
const DETACH: &str = "lightsail:DetachStaticIp";
const LOOK: &str = "lightsail:GetInstance";

#[derive(Debug, Clone, Copy)]
pub struct StaticIpRouter<'a> {
    pub(super) aws: &'a Aws,
    pub(super) it: &'a RoutedPointer,
    /// Its name in Lightsail.
    pub(super) name: &'a str,
    /// How long users may be without an answer.
    pub(super) gap: Duration,
}

impl Router for StaticIpRouter<'_> {
    fn patience(&self) -> Patience {
        Patience {
            confirm: Duration::from_secs(60),
            visible: Duration::from_secs(2),
            spread: Duration::ZERO,
            stale: Duration::from_secs(3),
            stale_pause: Duration::from_secs(1),
            resend: Duration::from_secs(10),
            unreadable: Duration::from_secs(60),
            pause: Duration::from_secs(1),
            late: Duration::from_secs(2),
            gap: self.gap,
        }
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        super::all_or_nothing(&self.it.pointer, strategy)
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        let attached = self.attached_to().await?;
        Ok(PerRoute {
            production: pointers::found(self.it, attached.as_deref()),
            test: Found::ByRequest,
        })
    }

    async fn apply(&self, it: Move, _: Urgency) -> Result<(), Unmoved> {
        let instance = pointers::whole(self.it, it, ATTACH)?;
        let refused = match self.attach(instance).await {
            Err(error) if !error.is_retryable() => error,
            attached => return Ok(attached?),
        };
        let other = match self.attached_to().await? {
            Some(other) if other != instance => other,
            Some(_) => return Ok(()),
            // It was not attached, so that is not why it was refused.
            None => return Err(refused.into()),
        };
        self.aws.detach_static_ip(self.name).await?;
        // Now it leads nowhere.
        let attached = self.attach(instance).await;
        if attached.is_err() {
            // The old instance is better than nothing; the result is read back.
            let _ = self.attach(&other).await;
        }
        Ok(attached?)
    }

    async fn checks(&self, _: Color) -> Result<Vec<Check>, AwsError> {
        Ok(vec![Check {
            name: "gap",
            ok: true,
            detail: format!(
                "if Lightsail does not move an attached address, it is detached first: users get no answer until it is attached again, for {} s at most (`gap` in [router])",
                self.gap.as_secs()
            ),
        }])
    }
}

impl StaticIpRouter<'_> {
    async fn attached_to(&self) -> Result<Option<String>, AwsError> {
        let asked = json!({ "staticIpName": self.name });
        let answer = self.aws.lightsail.json("GetStaticIp", &asked).await;
        let answer: StaticIpAnswer = answer.named(READ, self.name)?;
        let attached = answer.static_ip.filter(|it| it.is_attached);
        Ok(attached.and_then(|it| it.attached_to))
    }

    async fn attach(&self, instance: &str) -> Result<(), AwsError> {
        let asked = json!({ "staticIpName": self.name, "instanceName": instance });
        let taken = self.aws.lightsail.json("AttachStaticIp", &asked).await;
        taken.map(|IgnoredAny| ()).named(ATTACH, self.name)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StaticIpAnswer {
    static_ip: Option<StaticAddress>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StaticAddress {
    is_attached: bool,
    attached_to: Option<String>,
}

#[derive(Deserialize)]
struct InstanceAnswer {
    instance: Option<InstanceAddress>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InstanceAddress {
    public_ip_address: Option<String>,
}

impl Aws {
    async fn detach_static_ip(&self, name: &str) -> Result<(), AwsError> {
        let asked = json!({ "staticIpName": name });
        let taken = self.lightsail.json("DetachStaticIp", &asked).await;
        taken.map(|IgnoredAny| ()).named(DETACH, name)
    }

    /// The current address of an instance; it changes when a static address is attached
    /// to it or detached.
    ///
    /// # Errors
    /// Lightsail's own; the instance has no address.
    pub async fn instance_address(&self, instance: &str) -> Result<String, AwsError> {
        let asked = json!({ "instanceName": instance });
        let answer = self.lightsail.json("GetInstance", &asked).await;
        let answer: InstanceAnswer = answer.named(LOOK, instance)?;
        let address = answer.instance.and_then(|it| it.public_ip_address);
        address
            .ok_or_else(|| AwsError::unusable(LOOK, instance, "the instance has no public address"))
    }
}
