//! Application Auto Scaling of ECS services, which the emulator has not: scalable targets
//! and policies are kept here, and a count that is out of bounds is changed at the emulator.
//! No policy is carried out by itself: nothing here looks at a metric. Whoever tests says
//! when an alarm rings.
//!
//! "If you specify a new minimum or maximum capacity that is out of range of the current
//! capacity, Application Auto Scaling changes it": `RegisterScalableTarget` clamps at once,
//! whatever it was called for
//! (<https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html>).
//! Deregistering one "also deletes the scaling policies"
//! (<https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html>).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::call::Correct;
use super::refusal::wrong;
use super::request::{Answer, Operation, Request};
use super::upstream::{Failed, Upstream};

const SERVICE: &str = "application-autoscaling";
const JSON: &str = "application/x-amz-json-1.1";
const SUSPENSIONS: [&str; 3] = [
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
];

/// By the region and the resource's id.
type Key = (String, String);

#[derive(Debug, Clone)]
pub struct Autoscaling {
    upstream: Upstream,
    kept: Arc<Mutex<BTreeMap<Key, Target>>>,
}

#[derive(Debug, Default)]
struct Target {
    least: i64,
    most: i64,
    suspended: BTreeMap<&'static str, bool>,
    /// By their names, as they were put.
    policies: BTreeMap<String, Value>,
    schedules: BTreeMap<String, Value>,
}

/// Why a call is refused.
#[derive(Debug)]
enum Refused {
    ObjectNotFound(String),
    Validation(String),
    Unknown(String),
}

impl Refused {
    fn code(&self) -> &'static str {
        match self {
            Self::ObjectNotFound(_) => "ObjectNotFoundException",
            Self::Validation(_) => "ValidationException",
            Self::Unknown(_) => "UnknownOperationException",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ObjectNotFound(id) => write!(
                f,
                "No scalable target registered for namespace: ecs, resource ID: {id}, scalable dimension: ecs:service:DesiredCount"
            ),
            Self::Validation(why) => f.write_str(why),
            Self::Unknown(name) => write!(f, "{name} is not among the calls that the gate answers"),
        }
    }
}

/// What the emulator's own answer stands in the way of.
enum Stopped {
    Refused(Refused),
    Failed(Failed),
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Failed> for Stopped {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl Autoscaling {
    pub(super) fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            kept: Arc::default(),
        }
    }

    /// An alarm rings by which a policy wants so many tasks more, or fewer, of the service
    /// `CLUSTER/SERVICE`: "while in effect, the scaling suspensions" keep it from that, and
    /// so do the bounds
    /// (<https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html>).
    ///
    /// # Errors
    /// The emulator's own.
    pub async fn ring(&self, service: &str, more: i64) -> Result<(), Failed> {
        let id = format!("service/{service}");
        let kept = self.kept.lock().await;
        let Some((key, target)) = kept.iter().find(|((_, it), _)| *it == id) else {
            return Ok(());
        };
        let direction = SUSPENSIONS[usize::from(more > 0)];
        if target.suspended.get(direction) == Some(&true) {
            return Ok(());
        }
        let bounds = (target.least, target.most);
        let wanted = |count: i64| (count + more).clamp(bounds.0, bounds.1);
        match self.change_count(key, wanted).await {
            Err(Stopped::Failed(failed)) => Err(failed),
            Ok(()) | Err(Stopped::Refused(_)) => Ok(()),
        }
    }

    async fn obey(&self, request: &Request, asked: &Value) -> Result<Value, Stopped> {
        let region = request.region().unwrap_or_default();
        let id = asked["ResourceId"].as_str().unwrap_or_default();
        let key = (region, id.to_owned());
        let mut kept = self.kept.lock().await;
        match request.operation.name.as_str() {
            "RegisterScalableTarget" => {
                let target = kept.get(&key);
                let (least, most) = bounds(target, asked)?;
                self.change_count(&key, |count| count.clamp(least, most))
                    .await?;
                let target = kept.entry(key).or_default();
                (target.least, target.most) = (least, most);
                for name in SUSPENSIONS {
                    if let Some(is) = asked["SuspendedState"][name].as_bool() {
                        target.suspended.insert(name, is);
                    }
                }
                Ok(json!({}))
            }
            "DeregisterScalableTarget" => match kept.remove(&key) {
                Some(_) => Ok(json!({})),
                None => Err(Refused::ObjectNotFound(key.1).into()),
            },
            "DescribeScalableTargets" => {
                let wanted = asked["ResourceIds"].as_array();
                let is_wanted = |id: &str| wanted.is_none_or(|all| all.iter().any(|it| it == id));
                let all = kept.iter();
                let all = all.filter(|((region, id), _)| *region == key.0 && is_wanted(id));
                let all: Vec<Value> = all.map(|((_, id), it)| it.described(id)).collect();
                Ok(json!({ "ScalableTargets": all }))
            }
            "PutScalingPolicy" => {
                let Some(target) = kept.get_mut(&key) else {
                    return Err(Refused::ObjectNotFound(key.1).into());
                };
                let name = asked["PolicyName"].as_str().unwrap_or_default().to_owned();
                let arn = format!("{}:policyName/{name}", arn(&key));
                let mut policy = asked.clone();
                policy["PolicyARN"] = arn.clone().into();
                policy["CreationTime"] = 1_700_000_000.into();
                target.policies.insert(name, policy);
                Ok(json!({ "PolicyARN": arn, "Alarms": [] }))
            }
            "DeleteScalingPolicy" => {
                let name = asked["PolicyName"].as_str().unwrap_or_default();
                let gone = kept.get_mut(&key).and_then(|it| it.policies.remove(name));
                match gone {
                    Some(_) => Ok(json!({})),
                    None => Err(Refused::ObjectNotFound(key.1).into()),
                }
            }
            "DescribeScalingPolicies" => {
                let all = told(&kept, &key, |it| &it.policies);
                Ok(json!({ "ScalingPolicies": all }))
            }
            "PutScheduledAction" => {
                let Some(target) = kept.get_mut(&key) else {
                    return Err(Refused::ObjectNotFound(key.1).into());
                };
                let name = asked["ScheduledActionName"].as_str().unwrap_or_default();
                target.schedules.insert(name.to_owned(), asked.clone());
                Ok(json!({}))
            }
            "DescribeScheduledActions" => {
                let all = told(&kept, &key, |it| &it.schedules);
                Ok(json!({ "ScheduledActions": all }))
            }
            other => Err(Refused::Unknown(other.to_owned()).into()),
        }
    }

    /// At the emulator, where it is not as it is to be.
    async fn change_count(
        &self,
        (region, id): &Key,
        wanted: impl FnOnce(i64) -> i64,
    ) -> Result<(), Stopped> {
        let not_found = || Refused::Validation(format!("ECS service doesn't exist: {id}"));
        let mut parts = id
            .strip_prefix("service/")
            .ok_or_else(not_found)?
            .split('/');
        let (Some(cluster), Some(service)) = (parts.next(), parts.next()) else {
            return Err(not_found().into());
        };
        let upstream = self.upstream.clone().in_region(region);
        let asked = json!({ "cluster": cluster, "services": [service] });
        let told = upstream.ecs("DescribeServices", &asked).await?;
        let Some(count) = told["services"][0]["desiredCount"].as_i64() else {
            return Err(not_found().into());
        };
        let wanted = wanted(count);
        if wanted != count {
            let change = json!({ "cluster": cluster, "service": service, "desiredCount": wanted });
            upstream.ecs("UpdateService", &change).await?;
        }
        Ok(())
    }
}

/// Of one resource, or of all where none is named.
fn told<'a>(
    kept: &'a BTreeMap<Key, Target>,
    (region, id): &Key,
    list: fn(&Target) -> &BTreeMap<String, Value>,
) -> Vec<&'a Value> {
    let all = kept.iter();
    let all = all.filter(|((of, its), _)| of == region && (id.is_empty() || its == id));
    all.flat_map(|(_, it)| list(it).values()).collect()
}

/// What is not said stays; a new one needs both.
fn bounds(target: Option<&Target>, asked: &Value) -> Result<(i64, i64), Refused> {
    let said = |name: &str, known: Option<i64>| {
        let value = asked[name].as_i64().or(known);
        value.ok_or_else(|| Refused::Validation(format!("{name} must be specified")))
    };
    let least = said("MinCapacity", target.map(|it| it.least))?;
    let most = said("MaxCapacity", target.map(|it| it.most))?;
    match least <= most {
        true => Ok((least, most)),
        false => Err(Refused::Validation(
            "Maximum capacity cannot be less than minimum capacity".to_owned(),
        )),
    }
}

fn arn((region, id): &Key) -> String {
    format!("arn:aws:autoscaling:{region}:000000000000:scalingPolicy:gate:resource/ecs/{id}")
}

impl Target {
    fn described(&self, id: &str) -> Value {
        let suspended = |name| self.suspended.get(name).copied().unwrap_or_default();
        let suspended: serde_json::Map<_, _> = SUSPENSIONS
            .into_iter()
            .map(|name| (name.to_owned(), suspended(name).into()))
            .collect();
        json!({
            "ServiceNamespace": "ecs",
            "ResourceId": id,
            "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": self.least,
            "MaxCapacity": self.most,
            "RoleARN": "arn:aws:iam::000000000000:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
            "CreationTime": 1_700_000_000,
            "SuspendedState": suspended,
        })
    }
}

impl Correct for Autoscaling {
    fn corrects(&self, operation: &Operation) -> bool {
        operation.service == SERVICE
    }

    /// Other namespaces than that of ECS are the emulator's affair.
    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        async move {
            let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            if asked["ServiceNamespace"] != "ecs" {
                return self.upstream.forward(request).await;
            }
            match self.obey(request, &asked).await {
                Ok(output) => Ok(Answer::json(StatusCode::OK, JSON, &output)),
                Err(Stopped::Refused(refused)) => {
                    let why = refused.to_string();
                    Ok(wrong::in_json(request, refused.code(), &why))
                }
                Err(Stopped::Failed(failed)) => Err(failed),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_of_a_target_stays() {
        let target = Target {
            least: 2,
            most: 10,
            ..Target::default()
        };
        let bounds = |target, asked| bounds(target, &asked).map_err(|it| it.to_string());
        assert_eq!(bounds(Some(&target), json!({})), Ok((2, 10)));
        let least = json!({ "MinCapacity": 4 });
        assert_eq!(bounds(Some(&target), least.clone()), Ok((4, 10)));
        let both = json!({ "MinCapacity": 0, "MaxCapacity": 3 });
        assert_eq!(bounds(None, both), Ok((0, 3)));
        let missing = "MaxCapacity must be specified".to_owned();
        assert_eq!(bounds(None, least), Err(missing));
        let crossed = json!({ "MinCapacity": 11 });
        let refused = "Maximum capacity cannot be less than minimum capacity".to_owned();
        assert_eq!(bounds(Some(&target), crossed), Err(refused));
    }
}
