//! What the API says of instances, static addresses and what was done, in JSON:
//! <https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/API_Types.html>.
//! Pure but for the ids of operations.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::account::{Instance, Now, StaticIp};
use crate::gate::refusal::request_id;

const REGION: &str = "us-east-1";

/// What an operation was done to, and what it says of it besides.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    /// Name, zone, details.
    Instance(&'a str, &'a str, &'a str),
    /// Name, details.
    StaticIp(&'a str, &'a str),
}

/// `fixed` is the address of the static IP that is attached to it: that is its public
/// one then (`isStaticIp`: "whether this instance has a static IP assigned to it").
pub fn instance(name: &str, it: &Instance, fixed: Option<Ipv4Addr>) -> Value {
    json!({
        "name": name,
        "arn": arn("Instance", &it.id),
        "supportCode": format!("000000000000/{}", it.id),
        "createdAt": it.created,
        "location": location(&it.zone),
        "resourceType": "Instance",
        "tags": [],
        "blueprintId": it.blueprint,
        "bundleId": it.bundle,
        "isStaticIp": fixed.is_some(),
        "privateIpAddress": it.address,
        "publicIpAddress": fixed.unwrap_or(it.address),
        "ipv6Addresses": [],
        "ipAddressType": "ipv4",
        "state": {"code": 16, "name": "running"},
    })
}

pub fn static_ip(name: &str, it: &StaticIp) -> Value {
    let mut described = json!({
        "name": name,
        "arn": arn("StaticIp", &it.id),
        "supportCode": format!("000000000000/{}", it.id),
        "createdAt": it.created,
        "location": location("all"),
        "resourceType": "StaticIp",
        "ipAddress": it.address,
        "isAttached": it.attached.is_some(),
    });
    if let Some(attachment) = &it.attached {
        described["attachedTo"] = json!(attachment.to);
    }
    described
}

/// Operations of that kind, which are over when they are told of.
pub fn done<'a>(kind: &str, about: impl IntoIterator<Item = About<'a>>, now: Now) -> Value {
    let operation = |about| {
        let (resource, name, zone, details) = match about {
            About::Instance(name, zone, details) => ("Instance", name, zone, details),
            About::StaticIp(name, details) => ("StaticIp", name, "all", details),
        };
        json!({
            "id": request_id(),
            "resourceName": name,
            "resourceType": resource,
            "createdAt": now.epoch,
            "location": location(zone),
            "isTerminal": true,
            "operationDetails": details,
            "operationType": kind,
            "status": "Succeeded",
            "statusChangedAt": now.epoch,
        })
    };
    let operations: Value = about.into_iter().map(operation).collect();
    json!({ "operations": operations })
}

/// A zone is its region with a letter; a static IP is in all of them.
fn location(zone: &str) -> Value {
    let region = match zone {
        "all" => REGION,
        _ => zone.trim_end_matches(|letter: char| letter.is_ascii_lowercase()),
    };
    json!({"availabilityZone": zone, "regionName": region})
}

fn arn(kind: &str, id: &str) -> String {
    format!("arn:aws:lightsail:{REGION}:000000000000:{kind}/{id}")
}
