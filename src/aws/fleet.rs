//! Reads all apps of an account and region with as few calls as AWS's API allows. For
//! each app it reads what [`super::observe`] reads for one.

mod halves;
mod throttled;

use std::collections::HashMap;

use aws_sdk_elasticloadbalancingv2::types::Action;
use futures_util::join;

use super::Aws;
use super::ecs::state;
use super::error::{AwsError, AwsErrorKind, Named};
use super::router::{listener_actions, rule_actions};
use super::stack::{DESCRIBE, StackSnapshot, StackStatus, snapshot};
use super::xml::Element;
use crate::model::marks::TAG_APP;
use crate::model::{
    AppName, Color, ColorServices, EcsInfrastructure, Found, PerColor, PerRoute, Place,
    ServiceState,
};
pub(super) use halves::{InBatches, in_halves};
pub use throttled::unless_throttled;

/// For how many apps of one cluster the services are read at once: `DescribeServices`
/// takes ten names.
pub const CREW: usize = 5;
/// AWS says "You can specify up to 20" of load balancers and of resources with tags in
/// other calls of this API, but gives no number for listeners and rules
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html>).
const PLACES: usize = 20;

/// The stack of one app.
#[derive(Debug, Clone)]
pub struct AppStack {
    pub app: AppName,
    pub stack: StackSnapshot,
}

/// A page of the account's stacks, reduced to those of apps.
#[derive(Debug)]
pub struct StackPage {
    pub apps: Vec<AppStack>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// What each place does, or why that is not known, by its ARN.
#[derive(Debug, Default)]
pub struct RouteActions(InBatches<Vec<Action>>);

impl Aws {
    /// One page of all stacks.
    pub async fn read_app_stacks(&self, from: Option<String>) -> Result<StackPage, AwsError> {
        let from: Vec<_> = from.iter().map(|from| ("NextToken", from)).collect();
        let answer = unless_throttled(async || {
            let answer = self.cloudformation.form("DescribeStacks", &from).await;
            answer.named(DESCRIBE, "all stacks")
        });
        let answer = answer.await?;
        let stacks = answer.all("Stacks/member").into_iter();
        Ok(StackPage {
            apps: stacks.filter_map(app_stack).collect(),
            next: answer.text("NextToken").map(str::to_owned),
        })
    }

    /// What all listeners and rules do that decide where these apps' requests go.
    pub async fn read_actions<'a>(
        &self,
        apps: impl Iterator<Item = &'a EcsInfrastructure>,
    ) -> RouteActions {
        let (mut listeners, mut rules) = (Vec::new(), Vec::new());
        for place in apps.flat_map(EcsInfrastructure::all_moved) {
            match place {
                Place::Listener(arn) => listeners.push(arn.to_string()),
                Place::Rule(arn) => rules.push(arn.to_string()),
            }
        }
        let (mut all, rules) = join!(
            in_halves(listeners, PLACES, is_gone, async |arns| {
                self.listener_batch(arns).await
            }),
            in_halves(rules, PLACES, is_gone, async |arns| {
                self.rule_batch(arns).await
            }),
        );
        all.extend(rules);
        RouteActions(all)
    }

    async fn listener_batch(&self, arns: Vec<String>) -> Result<InBatches<Vec<Action>>, AwsError> {
        let named = arns.first().cloned().unwrap_or_default();
        let call = self.elb.describe_listeners().set_listener_arns(Some(arns));
        let answer = call.send().await;
        let answer = answer.named("elasticloadbalancing:DescribeListeners", named)?;
        Ok(listener_actions(answer.listeners()).map(read).collect())
    }

    async fn rule_batch(&self, arns: Vec<String>) -> Result<InBatches<Vec<Action>>, AwsError> {
        let named = arns.first().cloned().unwrap_or_default();
        let call = self.elb.describe_rules().set_rule_arns(Some(arns));
        let answer = call.send().await;
        let answer = answer.named("elasticloadbalancing:DescribeRules", named)?;
        Ok(rule_actions(answer.rules()).map(read).collect())
    }

    /// Where an app's routes lead, according to what was read for all.
    ///
    /// # Errors
    /// One of its places is gone, or could not be read.
    pub fn routes_among(
        &self,
        infra: &EcsInfrastructure,
        all: &RouteActions,
    ) -> Result<PerRoute<Found>, AwsError> {
        let mut own = HashMap::new();
        for place in infra.all_moved() {
            if let Some(actions) = all.0.get(place.arn()) {
                own.insert(place.arn().to_owned(), actions.clone()?);
            }
        }
        self.alb_router(infra).understand(&own)
    }

    /// The services of up to [`CREW`] apps of one cluster, in the apps' order.
    ///
    /// # Errors
    /// ECS's own.
    pub async fn read_services_of(
        &self,
        cluster: &str,
        apps: &[&ColorServices],
    ) -> Result<Vec<PerColor<Option<ServiceState>>>, AwsError> {
        let names = apps
            .iter()
            .flat_map(|app| Color::BOTH.map(|color| app.name(color).to_owned()));
        let call = self.ecs.describe_services().cluster(cluster);
        let answer = call.set_services(Some(names.collect())).send().await;
        let answer = answer.named("ecs:DescribeServices", cluster)?;
        let there: HashMap<&str, ServiceState> = answer
            .services()
            .iter()
            .filter(|service| service.status() != Some("INACTIVE"))
            .filter_map(|service| Some((service.service_name()?, state(service))))
            .collect();
        let of = |app: &&ColorServices| {
            let named = |color| there.get(app.name(color)).cloned();
            PerColor {
                blue: named(Color::Blue),
                green: named(Color::Green),
            }
        };
        Ok(apps.iter().map(of).collect())
    }
}

fn read<V>((key, value): (String, V)) -> (String, Result<V, AwsError>) {
    (key, Ok(value))
}

/// If one is missing, AWS rejects the whole call.
fn is_gone(error: &AwsError) -> bool {
    error.kind == AwsErrorKind::NotFound
}

/// None if the stack is not an app's: a tag alone could be anybody's.
fn app_stack(stack: &Element) -> Option<AppStack> {
    let mut tags = stack.all("Tags/member").into_iter();
    let tag = tags.find(|tag| tag.text("Key") == Some(TAG_APP))?;
    let app: AppName = tag.text("Value")?.parse().ok()?;
    let stack = snapshot(stack);
    let is_its = stack.name == app.stack_name() && stack.status != StackStatus::Deleted;
    is_its.then_some(AppStack { app, stack })
}

#[cfg(test)]
mod tests;
