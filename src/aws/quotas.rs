//! Service Quotas, and how much of each is used.

use serde::Deserialize;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::Aws;
use super::error::{AwsError, Named};
use crate::model::{QuotaName, QuotaUse};

const QUOTA: &str = "servicequotas:GetServiceQuota";
const USAGE: &str = "cloudwatch:GetMetricStatistics";
const BALANCERS: &str = "elasticloadbalancing:DescribeLoadBalancers";
const APPLICATION: &str = "application";

/// AWS tells the use of a quota every five minutes; an account that runs nothing has no
/// figures.
const LOOK_BACK: Duration = Duration::minutes(30);
const PERIOD_SECONDS: u32 = 300;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QuotaAnswer {
    quota: ToldQuota,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ToldQuota {
    value: f64,
    usage_metric: Option<UsageMetric>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UsageMetric {
    metric_namespace: String,
    metric_name: String,
    #[serde(default)]
    metric_dimensions: serde_json::Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    #[serde(default)]
    datapoints: Vec<Datapoint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    maximum: f64,
}

impl Aws {
    /// That quota in the clients' region, of which so much more will be used.
    ///
    /// # Errors
    /// Service Quotas' own, and of whoever is asked how much is used.
    pub async fn quota(&self, name: QuotaName, needed: f64) -> Result<QuotaUse, AwsError> {
        let asked = json!({ "ServiceCode": name.service, "QuotaCode": name.code });
        let answer = self.quotas.json("GetServiceQuota", &asked).await;
        let answer: QuotaAnswer = answer.named(QUOTA, name.of)?;
        let used = match name {
            QuotaName::VPCS => Some(self.count("ec2:DescribeVpcs", "vpcSet").await?),
            QuotaName::ADDRESSES => {
                let all = self.count("ec2:DescribeAddresses", "addressesSet");
                Some(all.await?)
            }
            QuotaName::LOAD_BALANCERS => Some(self.balancers().await?),
            _ => match &answer.quota.usage_metric {
                Some(metric) => self.usage(metric).await?,
                None => None,
            },
        };
        Ok(QuotaUse {
            name,
            limit: answer.quota.value,
            used,
            needed,
        })
    }

    async fn count(&self, action: &'static str, set: &str) -> Result<f64, AwsError> {
        let none: [(&str, &str); 0] = [];
        let answer = self.ec2.form(super::plain::operation_of(action), &none);
        let answer = answer.await.named(action, "the region")?;
        Ok(counted(answer.all(&format!("{set}/item")).len()))
    }

    async fn balancers(&self) -> Result<f64, AwsError> {
        let pages = self.elb.describe_load_balancers().into_paginator();
        let all = pages.items().send().collect::<Result<Vec<_>, _>>().await;
        let all = all.named(BALANCERS, "the region")?;
        let is_application = |kind: &str| kind == APPLICATION;
        let ours = all
            .iter()
            .filter(|it| it.r#type().is_some_and(|it| is_application(it.as_str())));
        Ok(counted(ours.count()))
    }

    async fn usage(&self, metric: &UsageMetric) -> Result<Option<f64>, AwsError> {
        let now = OffsetDateTime::now_utc();
        let written = |time: OffsetDateTime| time.format(&Rfc3339).unwrap_or_default();
        let dimensions = metric.metric_dimensions.iter();
        let dimensions = dimensions.map(|(name, value)| json!({ "Name": name, "Value": value }));
        let asked = json!({
            "Namespace": metric.metric_namespace,
            "MetricName": metric.metric_name,
            "Dimensions": dimensions.collect::<Vec<_>>(),
            "StartTime": written(now - LOOK_BACK),
            "EndTime": written(now),
            "Period": PERIOD_SECONDS,
            "Statistics": ["Maximum"],
        });
        let answer = self.cloudwatch.json("GetMetricStatistics", &asked).await;
        let answer: Statistics = answer.named(USAGE, metric.metric_name.as_str())?;
        let all = answer.datapoints.iter().map(|it| it.maximum);
        Ok(all.reduce(f64::max))
    }
}

fn counted(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Reply, Wire};

    #[tokio::test]
    async fn what_is_used_is_counted_or_told_by_its_metric() {
        let quota = |metric: Value| {
            let told = json!({ "Quota": { "Value": 6.0, "UsageMetric": metric } });
            Reply::json(&told)
        };
        let metric = json!({
            "MetricNamespace": "AWS/Usage", "MetricName": "ResourceCount",
            "MetricDimensions": { "Service": "Fargate", "Resource": "vCPU" },
        });
        let points = json!({ "Datapoints": [{ "Maximum": 1.5 }, { "Maximum": 2.25 }] });
        let wire = Wire::new()
            .on("GetServiceQuota", quota(metric))
            .on("GetMetricStatistics", Reply::json(&points));
        let aws = wire.aws();
        let found = aws.quota(QuotaName::VCPUS, 0.5).await.unwrap();
        assert_eq!((found.limit, found.used), (6.0, Some(2.25)));
        let asked = wire.requests()[1].json();
        assert_eq!(asked["Dimensions"][0]["Name"], "Service");
        assert_eq!(asked["Statistics"], json!(["Maximum"]));

        let vpcs = Reply::Http {
            status: 200,
            body: "<DescribeVpcsResponse><vpcSet><item/><item/></vpcSet></DescribeVpcsResponse>"
                .to_owned(),
        };
        let wire = Wire::new()
            .on("GetServiceQuota", quota(Value::Null))
            .on("DescribeVpcs", vpcs);
        let found = wire.aws().quota(QuotaName::VPCS, 1.0).await.unwrap();
        assert_eq!(found.used, Some(2.0));
    }
}
