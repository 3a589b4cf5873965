//! Copies what scales one colour to the other: the same policies and schedules, for its
//! own service and its own target groups.

use serde_json::{Map, Value};

use super::super::Aws;
use super::super::error::{AwsError, Named};
use super::{about, scaled};
use crate::model::{Color, EcsInfrastructure};

const SCHEDULES: &str = "application-autoscaling:DescribeScheduledActions";
const PUT_POLICY: &str = "application-autoscaling:PutScalingPolicy";
const PUT_SCHEDULE: &str = "application-autoscaling:PutScheduledAction";

const NAME: &str = "ScheduledActionName";

/// The fields of a policy or a schedule that a call to put it takes; descriptions have
/// more.
const PUT: [&str; 10] = [
    "PolicyName",
    "PolicyType",
    "PredictiveScalingPolicyConfiguration",
    "StepScalingPolicyConfiguration",
    "TargetTrackingScalingPolicyConfiguration",
    "EndTime",
    "ScalableTargetAction",
    "Schedule",
    NAME,
    "Timezone",
];

/// The names that differ between the colours.
#[derive(Debug)]
struct Renaming {
    /// The service's name, there and here.
    service: (String, String),
    /// The ends of the target groups' ARNs, there and here.
    groups: Vec<(String, String)>,
}

impl Aws {
    /// Gives the target of that colour the policies and schedules of the other's. What
    /// has the same name becomes the same; additional ones stay. Returns the names of
    /// additional schedules; additional policies are reported elsewhere.
    ///
    /// # Errors
    /// Application Auto Scaling's own.
    pub async fn mirror_scaling(
        &self,
        infra: &EcsInfrastructure,
        to: Color,
    ) -> Result<Vec<String>, AwsError> {
        let renaming = renaming(infra, to);
        let [id, from] = [to, to.other()].map(|color| scaled(&infra.services, color));
        let (theirs, its) = (
            self.policies_as_told(&from).await?,
            self.policies_as_told(&id).await?,
        );
        for policy in missing(&theirs, &its, &renaming) {
            self.put(PUT_POLICY, "PutScalingPolicy", &id, policy)
                .await?;
        }
        let listed = ("DescribeScheduledActions", "ScheduledActions");
        let (theirs, its) = (
            self.all_of(&from, SCHEDULES, listed).await?,
            self.all_of(&id, SCHEDULES, listed).await?,
        );
        for schedule in missing(&theirs, &its, &renaming) {
            let put = self.put(PUT_SCHEDULE, "PutScheduledAction", &id, schedule.clone());
            match put.await {
                // A schedule for a single moment that has passed.
                Err(error) if is_over(&schedule, &error) => {}
                put => put?,
            }
        }
        let named = |all: &[Value], it: &Value| all.iter().any(|of| of[NAME] == it[NAME]);
        let besides = its.iter().filter(|it| !named(&theirs, it));
        Ok(besides
            .filter_map(|it| it[NAME].as_str())
            .map(str::to_owned)
            .collect())
    }

    async fn put(
        &self,
        action: &'static str,
        operation: &'static str,
        id: &str,
        it: Map<String, Value>,
    ) -> Result<(), AwsError> {
        let mut asked = about(id);
        for (key, value) in it {
            asked[key] = value;
        }
        let done = self.autoscaling.json(operation, &asked).await;
        let _: Value = done.named(action, id)?;
        Ok(())
    }
}

fn renaming(infra: &EcsInfrastructure, to: Color) -> Renaming {
    let service = |color| infra.services.name(color).to_owned();
    let groups = infra.group_pairs().filter_map(|pair| {
        let end = |color| {
            let arn = pair.get(color).as_str();
            Some(arn[arn.find("targetgroup/")?..].to_owned())
        };
        Some((end(to.other())?, end(to)?))
    });
    Renaming {
        service: (service(to.other()), service(to)),
        groups: groups.collect(),
    }
}

/// Those that `its` does not have in exactly the same form: each put of a policy makes
/// CloudWatch start its alarms anew.
fn missing(theirs: &[Value], its: &[Value], renaming: &Renaming) -> Vec<Map<String, Value>> {
    let its: Vec<_> = its.iter().map(as_put).collect();
    let wanted = theirs.iter().map(|told| as_put(&renaming.renamed(told)));
    wanted.filter(|wanted| !its.contains(wanted)).collect()
}

/// Whether it is an action for a single moment, refused because that moment has passed.
fn is_over(schedule: &Map<String, Value>, error: &AwsError) -> bool {
    let when = schedule.get("Schedule").and_then(Value::as_str);
    when.is_some_and(|when| when.starts_with("at(")) && error.has_code("ValidationException")
}

fn as_put(told: &Value) -> Map<String, Value> {
    let said = PUT.iter().filter(|key| !told[**key].is_null());
    said.map(|key| ((*key).to_owned(), told[*key].clone()))
        .collect()
}

impl Renaming {
    fn renamed(&self, told: &Value) -> Value {
        match told {
            Value::Object(all) if all.get("Name").is_some_and(|it| it == "ServiceName") => {
                let (here, there) = &self.service;
                let mut all = all.clone();
                if let Some(value) = all.get_mut("Value").filter(|it| *it == here) {
                    *value = there.clone().into();
                }
                all.into()
            }
            Value::Object(all) => {
                let renamed = |(key, value): (&String, &Value)| (key.clone(), self.renamed(value));
                all.iter().map(renamed).collect::<Map<_, _>>().into()
            }
            Value::Array(all) => all.iter().map(|it| self.renamed(it)).collect(),
            Value::String(text) => self.renamed_group(text).into(),
            other => other.clone(),
        }
    }

    fn renamed_group(&self, text: &str) -> String {
        let ends = |(here, there): &(String, String)| {
            let before = text.strip_suffix(here.as_str())?;
            Some(format!("{before}{there}"))
        };
        let mut renamed = self.groups.iter().filter_map(ends);
        renamed.next().unwrap_or_else(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::model::testing::observed;

    fn renaming_of(groups: &[(&str, &str)]) -> Renaming {
        let owned = |(here, there): (&str, &str)| (here.to_owned(), there.to_owned());
        Renaming {
            service: owned(("web", "web-blue")),
            groups: groups.iter().copied().map(owned).collect(),
        }
    }

    fn policy(label: &str, service: &str) -> Value {
        json!({
            "PolicyARN": "arn", "CreationTime": 1, "Alarms": [], "ResourceId": "service/prod/web",
            "PolicyName": "requests", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 60.0,
                "PredefinedMetricSpecification": { "ResourceLabel": label },
                "CustomizedMetricSpecification": { "Metrics": [{ "MetricStat": { "Metric": {
                    "Dimensions": [
                        { "Name": "ClusterName", "Value": "web" },
                        { "Name": "ServiceName", "Value": service },
                    ],
                }}}]},
            },
        })
    }

    #[test]
    fn a_policy_counts_what_is_its_own_colours() {
        let renaming = renaming_of(&[("targetgroup/web/1", "targetgroup/blue/2")]);
        let theirs = policy("app/lb/9/targetgroup/web/1", "web");
        let put = missing(std::slice::from_ref(&theirs), &[], &renaming);
        let expected = as_put(&policy("app/lb/9/targetgroup/blue/2", "web-blue"));
        assert_eq!(put, std::slice::from_ref(&expected));
        let keys: Vec<&str> = expected.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            [
                "PolicyName",
                "PolicyType",
                "TargetTrackingScalingPolicyConfiguration"
            ]
        );
        // A policy that exists already is not sent again, because its alarms would start
        // anew.
        let its = policy("app/lb/9/targetgroup/blue/2", "web-blue");
        assert_eq!(missing(&[theirs], &[its], &renaming), []);
        // Metrics of others are the same for both.
        let others = policy("app/lb/9/targetgroup/other/3", "queue");
        let put = missing(std::slice::from_ref(&others), &[], &renaming);
        assert_eq!(put, [as_put(&others)]);
    }

    #[tokio::test]
    async fn all_pages_are_mirrored_and_schedules_too() {
        let named = |name: &str| json!({ "PolicyName": name, "PolicyType": "StepScaling" });
        let page = |policies: Value| Reply::json(&json!({ "ScalingPolicies": policies }));
        let first = json!({ "ScalingPolicies": [named("one")], "NextToken": "more" });
        let schedule = json!({
            "ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)",
            "ResourceId": "service/c/green", "ScheduledActionARN": "arn",
            "ScalableTargetAction": { "MinCapacity": 1 },
        });
        let none = Reply::json(&json!({ "ScheduledActions": [] }));
        let wire = Wire::new()
            .on("DescribeScalingPolicies", Reply::json(&first))
            .on("DescribeScalingPolicies", page(json!([named("two")])))
            .on("DescribeScalingPolicies", page(json!([named("two")])))
            .on(
                "PutScalingPolicy",
                Reply::json(&json!({ "PolicyARN": "arn" })),
            )
            .on(
                "DescribeScheduledActions",
                Reply::json(&json!({ "ScheduledActions": [schedule] })),
            )
            .on("DescribeScheduledActions", none)
            .on("PutScheduledAction", Reply::json(&json!({})));
        let world = observed();
        let infra = world.ecs().unwrap();
        wire.aws().mirror_scaling(infra, Color::Blue).await.unwrap();
        let sent = wire.requests();
        let put: Vec<Value> = sent
            .iter()
            .filter(|it| it.operation.starts_with("Put"))
            .map(crate::aws::testing::Request::json)
            .collect();
        let id = scaled(&infra.services, Color::Blue);
        assert_eq!(put.len(), 2);
        assert_eq!(
            (&put[0]["PolicyName"], &put[0]["ResourceId"]),
            (&json!("one"), &json!(id))
        );
        assert_eq!(put[1]["ScheduledActionName"], "night");
        assert_eq!(put[1]["ScalableTargetAction"], json!({ "MinCapacity": 1 }));
        assert_eq!(put[1].get("ScheduledActionARN"), None);
    }
}
