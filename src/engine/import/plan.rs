//! What follows from an import, in words: what `attach` creates, what later commands
//! change, and what another tool must leave alone.

use serde::Serialize;
use serde_json::Value;

use super::{FoundAutoscaling, Import, ProductionWay, ReadService, definition};
use crate::model::{COLOR_HEADER, TargetGroupSettings};

/// What comes after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportPlan {
    /// What `attach` creates, and nothing else.
    pub creates: Vec<String>,
    /// What the first `deploy` creates.
    pub deploy: String,
    /// What a `promote` changes.
    pub promote: String,
    /// What every second `deploy` changes.
    pub running_service: String,
    pub untouched: String,
}

/// What another tool would take back, or show as drift, as it calls it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForeignDrift {
    /// The CloudFormation stack that made the service.
    pub stack: Option<String>,
    pub terraform: Vec<ChangedResource>,
    pub cloudformation: Vec<ChangedResource>,
}

/// A resource of another tool's, and what bgecs changes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedResource {
    pub kind: &'static str,
    /// Which one, in words.
    pub of: String,
    pub changed: Vec<&'static str>,
}

impl Import {
    pub fn plan(&self) -> ImportPlan {
        let name = &self.read.service.name;
        let (stack, second) = (self.app.stack_name(), self.app.colored(self.color.other()));
        let cluster = &self.read.settings.cluster;
        let groups = self.read.groups.iter().enumerate();
        let groups = groups.map(|(number, group)| {
            let own = self.app.group_name(self.color.other(), number);
            format!("the target group {own}, like {}", group.name)
        });
        let mut creates: Vec<String> = groups.collect();
        creates.push(format!(
            "{} rules for testers, one for each colour{}: requests with the header {COLOR_HEADER}",
            2 * self.production.len(),
            match self.production.len() {
                1 => "",
                _ => " at each way in",
            }
        ));
        creates.push(format!(
            "the DynamoDB table {stack}: the journal and the lease"
        ));
        if self.repository.is_none() {
            creates.push(format!("the ECR repository {stack}"));
        }
        if self.read.log_group(&self.container).is_none() {
            creates.push(format!("the log group {}", self.app.log_group()));
        }
        ImportPlan {
            creates,
            deploy: format!("the service {second} in the cluster {cluster}, a copy of {name}"),
            promote: self.promote(),
            running_service: format!(
                "the task definition of {name} and how many tasks it has, and nothing else of it"
            ),
            untouched: format!(
                "the cluster {cluster}, its network, its roles and its other services, what scales {name}, and every other rule and listener"
            ),
        }
    }

    fn promote(&self) -> String {
        let what = match self.production.as_slice() {
            [only] if only.rule.is_some() => "production's rule".to_owned(),
            [_] => "the default action of production's listener".to_owned(),
            several => {
                let ways = several.iter().map(|it| it.way.as_str());
                ways.collect::<Vec<_>>().join("; and ")
            }
        };
        format!("what {what} forwards to")
    }

    pub fn drift(&self) -> ForeignDrift {
        let name = &self.read.service.name;
        let ways = || {
            self.production
                .iter()
                .map(|it| (&it.way, it.rule.is_some()))
        };
        let changed = |kind, of: &String, changed: &[&'static str]| ChangedResource {
            kind,
            of: of.clone(),
            changed: changed.to_vec(),
        };
        let is_scaled = matches!(self.autoscaling, Ok(Some(_)));
        let scaled = |kind, properties: &[&'static str]| {
            let changed = changed(kind, name, properties);
            Some(changed).filter(|_| is_scaled)
        };
        ForeignDrift {
            stack: self.read.settings.stack.clone(),
            terraform: std::iter::once(changed(
                "aws_ecs_service",
                name,
                &["task_definition", "desired_count"],
            ))
            .chain(scaled(
                "aws_appautoscaling_target",
                &["min_capacity", "max_capacity", "suspended_state"],
            ))
            .chain(ways().map(|(way, is_rule)| match is_rule {
                true => changed("aws_lb_listener_rule", way, &["action"]),
                false => changed("aws_lb_listener", way, &["default_action"]),
            }))
            .collect(),
            cloudformation: std::iter::once(changed(
                "AWS::ECS::Service",
                name,
                &["TaskDefinition", "DesiredCount"],
            ))
            .chain(scaled(
                "AWS::ApplicationAutoScaling::ScalableTarget",
                &["MinCapacity", "MaxCapacity", "SuspendedState"],
            ))
            .chain(ways().map(|(way, is_rule)| match is_rule {
                true => changed(
                    "AWS::ElasticLoadBalancingV2::ListenerRule",
                    way,
                    &["Actions"],
                ),
                false => changed(
                    "AWS::ElasticLoadBalancingV2::Listener",
                    way,
                    &["DefaultActions"],
                ),
            }))
            .collect(),
        }
    }

    /// Of the container's port.
    pub(super) fn group(&self) -> Option<&TargetGroupSettings> {
        let first = self.production.first()?;
        self.read
            .groups
            .iter()
            .find(|group| group.name == first.group)
    }
}

impl ForeignDrift {
    /// For who made the service: whose resources they are is known for sure of a
    /// stack alone.
    pub fn lines(&self) -> Vec<String> {
        const STACK: &str = "a release shows as drift in these properties, and a stack update that changes one of them takes it back:";
        let (first, terraform) = match &self.stack {
            Some(stack) => (
                format!("CloudFormation's stack {stack} made it; {STACK}"),
                None,
            ),
            None => (
                format!("under CloudFormation {STACK}"),
                Some(&self.terraform),
            ),
        };
        let terraform = terraform.into_iter().flat_map(|all| {
            let first = "under Terraform these keep `apply` from taking a release back:".to_owned();
            let ignored = all.iter().map(|it| {
                let changed = it.changed.join(", ");
                let lifecycle = format!("lifecycle {{ ignore_changes = [{changed}] }}");
                format!("  {}  {lifecycle}  # {}", it.kind, it.of)
            });
            [first].into_iter().chain(ignored)
        });
        let properties = self
            .cloudformation
            .iter()
            .map(|it| format!("  {}  {}  # {}", it.kind, it.changed.join(", "), it.of));
        terraform.chain([first]).chain(properties).collect()
    }
}

pub(super) fn warnings(
    read: &ReadService,
    autoscaling: &FoundAutoscaling,
    production: &[ProductionWay],
    task_definition: &Value,
) -> Vec<String> {
    let name = &read.service.name;
    let mut all = Vec::new();
    if read.settings.is_deploying {
        all.push(format!(
            "a release of {name} is under way: what is written here is the release that it is going to"
        ));
    }
    if let Err(reason) = autoscaling {
        all.push(format!(
            "it is not known whether anything scales {name}: {reason}"
        ));
    }
    if !read.settings.definition.names.is_empty() {
        all.push(format!(
            "others find {name} by Service Connect or service discovery: they stay with it, whichever colour is live"
        ));
    }
    let wanting = production.iter().filter(|way| !way.headers.is_empty());
    all.extend(wanting.map(|way| {
        format!(
            "{} wants the header {}: `secret_header` or `headers` in [probe] has to say it",
            way.way,
            way.headers.join(", ")
        )
    }));
    if definition::has_values(task_definition) {
        all.push(
            "the task definition has the values of variables: look it over before you commit it"
                .to_owned(),
        );
    }
    all
}
