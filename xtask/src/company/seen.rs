//! Everything of the company's that there is to see, by Describe calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{CLUSTER, Company, LINES, texts};
use crate::Result;

/// What each call said.
pub type Described = BTreeMap<String, String>;

/// What passes by itself, in a service and in a cluster.
const PASSING: [&str; 9] = [
    "events",
    "deployments",
    "pendingCount",
    "runningCount",
    "runningTasksCount",
    "pendingTasksCount",
    "activeServicesCount",
    "taskDefinition",
    "updatedAt",
];

impl Company<'_> {
    /// But for what passes, and for what a service runs: that is [`Company::runs`].
    pub async fn described(&self) -> Result<Described> {
        let mut all = Described::new();
        // Of the whole account: nothing may be left beside what was there.
        self.describe(&mut all, "DescribeLoadBalancers", &[])
            .await?;
        self.describe(&mut all, "DescribeTargetGroups", &[]).await?;
        let mut tagged = Vec::new();
        for balancer in ["Balancer", "Inside"] {
            let of = [("LoadBalancerArn", self.output(balancer)?)];
            for action in ["DescribeListeners", "DescribeLoadBalancerAttributes"] {
                self.describe(&mut all, action, &of).await?;
            }
            tagged.push(of[0].1.to_owned());
        }
        for listener in ["Redirect", "Secure", "InsideListener"] {
            let of = [("ListenerArn", self.output(listener)?)];
            self.describe(&mut all, "DescribeListenerCertificates", &of)
                .await?;
            let rules = self.describe(&mut all, "DescribeRules", &of).await?;
            tagged.push(of[0].1.to_owned());
            tagged.extend(texts(&rules, "RuleArn").into_iter().map(str::to_owned));
        }
        for group in &self.groups {
            let of = [("TargetGroupArn", group.as_str())];
            self.describe(&mut all, "DescribeTargetGroupAttributes", &of)
                .await?;
        }
        tagged.extend(self.groups.iter().cloned());
        for arn in &tagged {
            let of = [("ResourceArns.member.1", arn.as_str())];
            self.describe(&mut all, "DescribeTags", &of).await?;
        }
        let ec2 = ("ec2", "2016-11-15");
        for action in ["DescribeSecurityGroups", "DescribeSubnets"] {
            let said = self.api.query(ec2, action, &[]).await?;
            all.insert(action.to_owned(), without_request(&said));
        }
        for line in &LINES {
            let service = self.service(line.name).await?;
            all.insert(format!("the service {}", line.name), lasting(service));
        }
        self.describe_lists(&mut all).await?;
        Ok(all)
    }

    async fn describe_lists(&self, all: &mut Described) -> Result<()> {
        let clusters = json!({ "clusters": [CLUSTER], "include": ["TAGS", "SETTINGS"] });
        let said = self.api.ecs("DescribeClusters", &clusters).await?;
        all.insert(
            "the cluster".to_owned(),
            lasting(said["clusters"][0].clone()),
        );
        for (name, input) in [
            ("ListClusters", json!({})),
            ("ListServices", json!({ "cluster": CLUSTER })),
        ] {
            let said = self.api.ecs(name, &input).await?;
            all.insert(name.to_owned(), format!("{said:#}"));
        }
        let formation = ("cloudformation", "2010-05-15");
        let said = self.api.query(formation, "DescribeStacks", &[]).await?;
        let stacks = said.split("<StackName>").skip(1);
        let living = stacks.filter(|one| !one.contains("<StackStatus>DELETE_COMPLETE"));
        let names = living.filter_map(|one| Some(one.split_once('<')?.0));
        let names: Vec<&str> = names.collect();
        all.insert("the stacks".to_owned(), names.join("\n"));
        let tables = ("dynamodb", "DynamoDB_20120810");
        let said = self.api.json(tables, "ListTables", &json!({})).await?;
        all.insert("ListTables".to_owned(), format!("{said:#}"));
        Ok(())
    }

    async fn describe(
        &self,
        all: &mut Described,
        action: &str,
        of: &[(&str, &str)],
    ) -> Result<String> {
        let said = without_request(&self.elb(action, of).await?);
        let named = of.first().map_or("", |(_, arn)| arn);
        all.insert(format!("{action} {named}"), said.clone());
        Ok(said)
    }

    async fn service(&self, name: &str) -> Result<Value> {
        let asked = json!({ "cluster": CLUSTER, "services": [name], "include": ["TAGS"] });
        let said = self.api.ecs("DescribeServices", &asked).await?;
        Ok(said["services"][0].clone())
    }

    /// The revision that a service runs, as `FAMILY:NUMBER`.
    pub async fn runs(&self, name: &str) -> Result<String> {
        let service = self.service(name).await?;
        let arn = service["taskDefinition"].as_str().unwrap_or_default();
        Ok(arn.rsplit('/').next().unwrap_or_default().to_owned())
    }
}

fn lasting(mut said: Value) -> String {
    for name in PASSING {
        if let Some(fields) = said.as_object_mut() {
            fields.remove(name);
        }
    }
    format!("{said:#}")
}

/// An answer's id is its own. What there is only one of begins on a line of its own,
/// so that a difference is short.
fn without_request(xml: &str) -> String {
    let mut text = xml.to_owned();
    for element in ["RequestId", "requestId"] {
        for id in texts(xml, element) {
            text = text.replace(id, "");
        }
    }
    text.replace("><", ">\n<")
}

/// Of JSON, an item with and without another after it is the same.
fn bare(line: &str) -> &str {
    line.trim().trim_end_matches(',')
}

/// What was there before and is not now, and the other way round, line by line.
pub fn differences(before: &Described, after: &Described) -> Vec<String> {
    let nothing = String::new();
    let names = before.keys().chain(after.keys());
    let names: std::collections::BTreeSet<&String> = names.collect();
    let mut found = Vec::new();
    for name in names {
        let [was, is] = [before, after].map(|all| all.get(name).unwrap_or(&nothing));
        if was == is {
            continue;
        }
        let only = |one: &str, other: &str, sign: char| -> Vec<String> {
            let others: Vec<&str> = other.lines().map(bare).collect();
            let own = one.lines().map(bare);
            let own = own.filter(|line| !others.contains(line));
            own.map(|line| format!("  {sign} {line}")).collect()
        };
        found.push(format!("{name} differs:"));
        found.extend(only(was, is, '-'));
        found.extend(only(is, was, '+'));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named_with_its_lines() {
        let described = |rule: &str| {
            let all = [("rules", rule), ("same", "1")];
            all.map(|(name, text)| (name.to_owned(), text.to_owned()))
                .into()
        };
        let (before, after) = (described("a\nb"), described("b\nc"));
        assert_eq!(
            differences(&before, &after),
            ["rules differs:", "  - a", "  + c"]
        );
        assert!(differences(&before, &before).is_empty());
        // One that is gone, and one whose lines are only in another order.
        assert_eq!(differences(&Described::new(), &before).len(), 5);
        assert_eq!(differences(&before, &described("b\na")).len(), 1);
        assert_eq!(differences(&before, &described("a,\nb")).len(), 1);
    }

    #[test]
    fn what_passes_is_not_compared() {
        let service = |events: Value| json!({ "serviceName": "web", "events": events });
        assert_eq!(lasting(service(json!([1]))), lasting(service(json!([]))));
        let answer = |id: &str| format!("<A><B>1</B><RequestId>{id}</RequestId></A>");
        assert_eq!(without_request(&answer("x")), without_request(&answer("y")));
    }
}
