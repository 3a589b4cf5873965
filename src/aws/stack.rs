//! The app's CloudFormation stack: its template, its parameters, its events.

mod attached;
mod changes;
mod edge;
mod form;
mod state;
mod worker;

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};
use super::router::plain_name;
use super::xml::Element;
use crate::model::{
    Color, ColorServices, EcsInfrastructure, Endpoint, FurtherWay, Infrastructure, ListenerArn,
    Network, PerColor, PerRoute, Place, Places, RuleArn, ServiceSettings, StackEvent,
    TargetGroupArn, TaskRoles, TestPlace,
};

pub use attached::template as attached_template;
pub use changes::ChangeSet;
pub use edge::template as edge_template;
use form::StackForm;
pub use state::StackStatus;
pub use worker::{BUCKET_OF_TEMPLATE, WorkerStack, template as worker_template};

const UPDATE: &str = "cloudformation:UpdateStack";
pub(super) const DESCRIBE: &str = "cloudformation:DescribeStacks";
const PRODUCTION_URL: &str = "ProductionUrl";
/// The outputs of a stack beside a service that existed before: the rules by which
/// requests name their colour, blue's and green's.
const HEADER_RULES: [&str; 2] = ["TestBlueRuleArn", "TestGreenRuleArn"];
const TEST_LISTENER: &str = "TestListenerArn";
const TEST_RULE: &str = "TestRuleArn";

/// The template of everything that `init` makes.
pub const TEMPLATE: &str = include_str!("stack/template.yaml");

/// The template's parameters, by name.
pub type StackInputs = BTreeMap<&'static str, String>;

/// A stack at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSnapshot {
    pub id: String,
    pub name: String,
    pub status: StackStatus,
    /// AWS's name for the status.
    pub status_text: String,
    pub reason: Option<String>,
    pub parameters: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
}

impl StackSnapshot {
    /// Whether something in it is being created or changed.
    pub fn is_busy_with_more_than_deletion(&self) -> bool {
        self.status == StackStatus::Busy && self.status_text != "DELETE_IN_PROGRESS"
    }

    /// The existing resource that it was given, according to that parameter.
    pub fn given(&self, parameter: &str) -> Option<&str> {
        let given = self.parameters.get(parameter).map(String::as_str);
        given.filter(|name| !name.is_empty())
    }

    /// The stack's own repository, which is deleted with it and must be emptied first.
    pub fn own_repository(&self) -> Option<&str> {
        let name = self.outputs.get("RepositoryName").map(String::as_str);
        name.filter(|name| self.given("GivenRepository") != Some(name))
    }

    /// The colour whose service existed before bgecs, if so.
    pub fn original(&self) -> Option<Color> {
        self.outputs.get(attached::ORIGINAL)?.parse().ok()
    }

    /// The names of the app's routes: the app's own name, if the stack has one.
    pub fn endpoints(&self) -> PerRoute<Endpoint> {
        let further = self.numbered(PRODUCTION_URL).map(|(_, url)| url);
        let further: Vec<String> = further.collect();
        let named = |output: &str, port| match self.outputs.get(output) {
            Some(url) if output == PRODUCTION_URL && !further.is_empty() => {
                Endpoint::Several([std::slice::from_ref(url), &further].concat())
            }
            Some(url) => Endpoint::Named(url.clone()),
            None => port,
        };
        let PerRoute { production, test } = PerRoute::PORTS;
        PerRoute {
            production: named(PRODUCTION_URL, production),
            test: match self.outputs.contains_key(HEADER_RULES[0]) {
                true => named("TestUrl", Endpoint::Header),
                false => named("TestUrl", test),
            },
        }
    }

    /// The kind of the router of an app whose colours bgecs does not run.
    pub fn router(&self) -> Option<&str> {
        self.outputs.get(edge::ROUTER).map(String::as_str)
    }

    /// What the stack's outputs describe.
    ///
    /// # Errors
    /// The name of the output that is missing: the stack is not one that this bgecs
    /// made.
    pub fn infrastructure(&self) -> Result<Infrastructure, String> {
        match self.outputs.get(edge::ROUTER) {
            Some(_) => self.edge_infrastructure().map(Infrastructure::from),
            None => self.ecs_infrastructure().map(Infrastructure::from),
        }
    }

    /// The stack's outputs, typed.
    ///
    /// # Errors
    /// The name of the output that is missing: the stack is not one that this
    /// bgecs made.
    pub fn ecs_infrastructure(&self) -> Result<EcsInfrastructure, String> {
        let output = |name: &str| self.output(name);
        let original = self.original();
        Ok(EcsInfrastructure {
            services: match original {
                None if output("BlueServiceName").is_err() => {
                    ColorServices::alone_in(output("ClusterName")?)
                }
                // It was given one, or is in a cluster with others.
                _ => ColorServices::new(
                    output("ClusterName")?,
                    PerColor {
                        blue: output("BlueServiceName")?,
                        green: output("GreenServiceName")?,
                    },
                ),
            },
            repository: output("RepositoryName")?,
            repository_uri: output("RepositoryUri")?,
            load_balancer: output("LoadBalancerArn")?,
            load_balancer_dns_name: output("LoadBalancerDnsName")?,
            places: self.places()?,
            endpoints: self.endpoints(),
            further_ways: self.further_ways()?,
            redirect: output("RedirectListenerArn").ok().map(ListenerArn::new),
            target_groups: PerColor {
                blue: TargetGroupArn::new(output("BlueTargetGroupArn")?),
                green: TargetGroupArn::new(output("GreenTargetGroupArn")?),
            },
            further_groups: self.further_groups()?,
            settings: match original {
                Some(original) => ServiceSettings::CopiedFrom(original),
                None => ServiceSettings::Made(Network {
                    subnets: listed(&output("SubnetIds")?),
                    security_groups: listed(&output("TaskSecurityGroupId")?),
                    // A stack without this output was made by an older bgecs.
                    public_ip: output("AssignPublicIp").map_or(true, |it| it == "ENABLED"),
                }),
            },
            roles: match original {
                // Its task definition names its roles.
                Some(_) => TaskRoles::default(),
                None => TaskRoles {
                    execution: Some(output("ExecutionRoleArn")?),
                    task: Some(output("TaskRoleArn")?),
                },
            },
            log_group: output("LogGroupName")?,
            journal_table: output("JournalTableName")?,
        })
    }

    /// The app's own rules on somebody else's listener, in the order in which they are
    /// tried.
    pub fn own_rules(&self) -> Vec<RuleArn> {
        let all = HEADER_RULES.into_iter().chain([TEST_RULE]);
        let all = all.filter_map(|name| self.outputs.get(name).cloned());
        all.map(RuleArn::new).collect()
    }

    /// The stack of an app with a given service may have no listener: production may be a
    /// rule, and the test route may be a rule too, or be found by header.
    fn places(&self) -> Result<Places, String> {
        let has = |name: &str| self.outputs.contains_key(name);
        Ok(Places {
            production: self.place("ProductionRuleArn", "ProdListenerArn")?,
            test: match HEADER_RULES.into_iter().any(has) {
                true if !has(TEST_RULE) && !has(TEST_LISTENER) => {
                    TestPlace::ByHeader(self.header_rules(HEADER_RULES)?)
                }
                _ => TestPlace::At(self.place(TEST_RULE, TEST_LISTENER)?),
            },
        })
    }

    /// A rule, or else a listener.
    fn place(&self, rule: &str, listener: &str) -> Result<Place, String> {
        match self.outputs.get(rule) {
            Some(arn) => Ok(Place::Rule(RuleArn::new(arn))),
            None => Ok(Place::Listener(ListenerArn::new(self.output(listener)?))),
        }
    }

    fn header_rules(&self, [blue, green]: [&str; 2]) -> Result<PerColor<RuleArn>, String> {
        Ok(PerColor {
            blue: RuleArn::new(self.output(blue)?),
            green: RuleArn::new(self.output(green)?),
        })
    }

    /// If an output occurs several times, it is numbered from the second on.
    fn numbered(&self, name: &str) -> impl Iterator<Item = (u32, String)> {
        (2..).map_while(move |n| {
            let value = self.outputs.get(&format!("{name}{n}"))?;
            Some((n, value.clone()))
        })
    }

    fn further_ways(&self) -> Result<Vec<FurtherWay>, String> {
        let way = |(n, url): (u32, String)| {
            let numbered = |name: &str| format!("{name}{n}");
            let output = |name: &str| self.output(&numbered(name));
            let [blue, green] = HEADER_RULES.map(numbered);
            let (rule, listener) = (numbered("ProductionRuleArn"), numbered("ProdListenerArn"));
            Ok(FurtherWay {
                place: self.place(&rule, &listener)?,
                load_balancer: output("LoadBalancerArn")?,
                load_balancer_dns_name: output("LoadBalancerDnsName")?,
                url,
                probe_path: output("ProbePath").ok(),
                header_rules: self.header_rules([&blue, &green])?,
            })
        };
        self.numbered(PRODUCTION_URL).map(way).collect()
    }

    fn further_groups(&self) -> Result<Vec<PerColor<TargetGroupArn>>, String> {
        let pair = |(n, blue): (u32, String)| {
            let green = self.output(&format!("GreenTargetGroupArn{n}"))?;
            let [blue, green] = [blue, green].map(TargetGroupArn::new);
            Ok(PerColor { blue, green })
        };
        self.numbered("BlueTargetGroupArn").map(pair).collect()
    }

    /// # Errors
    /// The output's name, if it is missing.
    fn output(&self, name: &str) -> Result<String, String> {
        let value = self.outputs.get(name).cloned();
        value.ok_or_else(|| name.to_owned())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StackChange {
    Started,
    NothingToDo,
}

impl Aws {
    pub async fn read_stack(&self, name: &str) -> Result<Option<StackSnapshot>, AwsError> {
        let form = StackForm::of(name);
        match self.tell_stack(DESCRIBE, &form).await {
            Ok(answer) => Ok(answer
                .at("Stacks/member")
                .map(snapshot)
                .filter(|stack| stack.status != StackStatus::Deleted)),
            // For a missing stack CloudFormation uses the code of any bad request.
            Err(error)
                if error.has_code("ValidationError")
                    && error.message.contains("does not exist") =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The stack that the record belongs to, if any.
    ///
    /// # Errors
    /// CloudFormation's own.
    pub async fn stack_with_record(&self, name: &str) -> Result<Option<String>, AwsError> {
        const ACTION: &str = "cloudformation:DescribeStackResources";
        let asked = [("PhysicalResourceId", name)];
        let answer = self.cloudformation.form("DescribeStackResources", &asked);
        let answer = match answer.await.named(ACTION, name) {
            Ok(answer) => answer,
            // "Stack for … does not exist"
            Err(error) if error.kind == AwsErrorKind::NotFound => return Ok(None),
            Err(error) if error.has_code("ValidationError") => return Ok(None),
            Err(error) => return Err(error),
        };
        let resources = answer.all("StackResources/member");
        let record = resources.into_iter().find(|it| {
            it.text("ResourceType") == Some("AWS::Route53::RecordSet")
                && it.text("PhysicalResourceId").map(plain_name).as_deref() == Some(name)
        });
        let stack = record.and_then(|record| record.text("StackName"));
        Ok(stack.map(str::to_owned))
    }

    /// The template that the stack was last made from.
    pub async fn read_template(&self, name: &str) -> Result<String, AwsError> {
        let form = StackForm::of(name);
        let answer = self.tell_stack("cloudformation:GetTemplate", &form).await?;
        Ok(answer.text("TemplateBody").unwrap_or_default().to_owned())
    }

    pub async fn create_stack(
        &self,
        name: &str,
        app: &str,
        (template, inputs): (&str, &StackInputs),
        token: &str,
    ) -> Result<(), AwsError> {
        let form = StackForm::whole(name, app, (template, inputs), token);
        let made = self.tell_stack("cloudformation:CreateStack", &form);
        made.await.map(drop)
    }

    pub async fn update_stack(
        &self,
        name: &str,
        app: &str,
        (template, inputs): (&str, &StackInputs),
        token: &str,
    ) -> Result<StackChange, AwsError> {
        let form = StackForm::whole(name, app, (template, inputs), token);
        started(self.tell_stack(UPDATE, &form).await)
    }

    /// Changes one parameter; the template and all other parameters stay.
    pub async fn update_one_parameter(
        &self,
        name: &str,
        app: &str,
        change: (&str, &str),
        others: impl Iterator<Item = &String>,
        token: &str,
    ) -> Result<StackChange, AwsError> {
        let form = StackForm::of(name)
            .with("ClientRequestToken", token)
            .with("UsePreviousTemplate", "true")
            .one_input(change, others)
            .of_app(app);
        started(self.tell_stack(UPDATE, &form).await)
    }

    pub async fn delete_stack(&self, name: &str) -> Result<(), AwsError> {
        let form = StackForm::of(name);
        let gone = self.tell_stack("cloudformation:DeleteStack", &form);
        gone.await.map(drop)
    }

    /// Whether a call with that token has started something with the stack.
    pub async fn has_begun(&self, name: &str, token: &str) -> Result<bool, AwsError> {
        match self.stack_events(name).await {
            Ok(events) => Ok(events
                .iter()
                .any(|event| event.token.as_deref() == Some(token))),
            // There is no such stack.
            Err(error) if error.has_code("ValidationError") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The newest page of the stack's events, oldest first. By its id a stack can be read
    /// even when it is gone.
    pub async fn stack_events(&self, id: &str) -> Result<Vec<StackEvent>, AwsError> {
        let form = StackForm::of(id);
        let answer = self.tell_stack("cloudformation:DescribeStackEvents", &form);
        let answer = answer.await?;
        let all = answer.all("StackEvents/member").into_iter();
        let mut events: Vec<StackEvent> = all.map(event).collect();
        events.reverse();
        Ok(events)
    }
}

fn listed(joined: &str) -> Vec<String> {
    joined.split(',').map(str::to_owned).collect()
}

/// As with a missing stack, only the text distinguishes this from a mistake.
fn started(answer: Result<Element, AwsError>) -> Result<StackChange, AwsError> {
    match answer {
        Ok(_) => Ok(StackChange::Started),
        Err(error)
            if error.has_code("ValidationError")
                && error.message.contains("No updates are to be performed") =>
        {
            Ok(StackChange::NothingToDo)
        }
        Err(error) => Err(error),
    }
}

fn event(it: &Element) -> StackEvent {
    let text = |field: &str| it.text(field).unwrap_or_default().to_owned();
    StackEvent {
        id: text("EventId"),
        at: it.text("Timestamp").and_then(moment),
        resource: text("LogicalResourceId"),
        resource_type: text("ResourceType"),
        status: text("ResourceStatus"),
        reason: it
            .text("ResourceStatusReason")
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
        token: it.text("ClientRequestToken").map(str::to_owned),
    }
}

pub(super) fn snapshot(stack: &Element) -> StackSnapshot {
    let status_text = stack.text("StackStatus").unwrap_or_default();
    let name = stack.text("StackName").unwrap_or_default();
    let pairs = |list: &str, [key, value]: [&str; 2]| {
        let all = stack.all(list).into_iter();
        let pair = |it: &Element| {
            let value = it.text(value).unwrap_or_default();
            Some((it.text(key)?.to_owned(), value.to_owned()))
        };
        all.filter_map(pair).collect()
    };
    StackSnapshot {
        id: stack.text("StackId").unwrap_or(name).to_owned(),
        name: name.to_owned(),
        status: StackStatus::of(status_text),
        status_text: status_text.to_owned(),
        reason: stack.text("StackStatusReason").map(str::to_owned),
        parameters: pairs("Parameters/member", ["ParameterKey", "ParameterValue"]),
        outputs: pairs("Outputs/member", ["OutputKey", "OutputValue"]),
    }
}

fn moment(at: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(at, &Rfc3339).ok()
}

#[cfg(test)]
mod tests;
