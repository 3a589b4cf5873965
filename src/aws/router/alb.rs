//! An Application Load Balancer, whose actions decide where requests go: a route is the
//! default action of a listener, or a rule. Splits are the weights of their forwards;
//! everything else in an action list is sent back unchanged.
//!
//! A forward may be sticky: the load balancer gives each client a cookie
//! (`AWSALBTG`) that names the target group that it was sent to. "When the load
//! balancer receives a request that matches a rule with target group stickiness
//! enabled and contains the cookie, the request is routed to the target group
//! specified in the cookie"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html>).
//! No exception is made for a group whose weight was lowered, or is 0: "stickiness takes
//! precedence over adjusting weight", according to an answer that AWS accepted
//! (<https://repost.aws/questions/QUugYm4uzWSI2af5mnmMjlZQ/alb-to-automatically-redirect-traffic>).
//! So if `[shift] stickiness` is set, a forward is sticky only while there are two groups
//! to choose from (otherwise its stickiness stays as somebody has set it), and
//! - users meet one release and do not alternate; but those who have a cookie follow a
//!   greater share only when it has expired, while the probe, which keeps no cookies,
//!   sees that share at once;
//! - at either end, and on the way back, the forward names a single group and is not
//!   sticky: a cookie for the other one has no effect, and nobody has one when the next
//!   shift begins. Both groups still stay attached to the load balancer, by the two rules
//!   of the test route.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::Action;
use futures_util::future::join_all;
use futures_util::try_join;

use super::actions::{ActionsByArn, aimed_at, found};
use super::{Router, Unmoved, listener, rule, weights};
use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind};
use crate::model::{
    EcsInfrastructure, Found, Move, Patience, PerRoute, Place, Route, Split, Strategy, TestPlace,
    Urgency,
};

/// The app's routes, each at its place.
#[derive(Debug, Clone, Copy)]
pub struct AlbRouter<'a> {
    pub(super) aws: &'a Aws,
    pub(super) infra: &'a EcsInfrastructure,
    pub(super) stickiness: Option<Duration>,
}

impl Router for AlbRouter<'_> {
    fn patience(&self) -> Patience {
        Patience {
            confirm: Duration::from_secs(10),
            visible: Duration::from_secs(2),
            stale: Duration::from_secs(2),
            stale_pause: Duration::from_millis(500),
            // Longer than it takes until a throttled call with all its retries is given
            // up.
            unreadable: Duration::from_secs(30),
            pause: Duration::from_millis(200),
            late: Duration::from_secs(2),
            gap: Duration::ZERO,
            spread: Duration::ZERO,
            resend: Duration::from_secs(2),
        }
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        weights::accept(&strategy, &self.infra.endpoints)?;
        Ok(strategy)
    }

    /// One call for each kind of place. A test route by header is not read: the testers'
    /// rules never move, and must not delay or prevent reading the users' route.
    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        let (mut listeners, mut rules) = (Vec::new(), Vec::new());
        for place in self.infra.all_moved() {
            match place {
                Place::Listener(arn) => listeners.push(arn),
                Place::Rule(arn) => rules.push(arn),
            }
        }
        let (mut all, rules) = try_join!(
            listener::read(self.aws, &listeners),
            rule::read(self.aws, &rules)
        )?;
        all.extend(rules);
        self.understand(&all)
    }

    /// Everything else stays as it was last read. Places are modified and not replaced:
    /// deleting and creating propagate separately, and the answer would be 503 in
    /// between. If one of several places cannot be moved, none is. After a write that
    /// fails the remaining ones are not sent, except on the way back.
    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), Unmoved> {
        let ways = self.infra.moved(it.route);
        if ways.is_empty() {
            let resource = self.infra.places_named(it.route);
            let endpoint = self.infra.endpoints.get(it.route);
            let what = format!("{endpoint} is not moved: each request names its colour");
            return Err(AwsError::unusable(rule::MODIFY, &resource, what).into());
        }
        let mut writes = Vec::new();
        for (name, place) in ways {
            writes.push((place, self.aimed(&name, place, it.to).await?));
        }
        let writes = writes
            .into_iter()
            .map(|(place, actions)| self.write(place, actions));
        match urgency {
            Urgency::Forward => one_by_one(writes).await,
            Urgency::Back => all_at_once(writes).await,
        }
    }
}

impl<'a> AlbRouter<'a> {
    /// The same, but clients that have met a release keep meeting it for that long, as
    /// long as both releases have a share.
    #[must_use]
    pub fn sticky(self, stickiness: Option<Duration>) -> Self {
        Self { stickiness, ..self }
    }

    /// The actions that a place should have, from those that it was last seen to have.
    async fn aimed(&self, name: &str, place: &Place, to: Split) -> Result<Vec<Action>, AwsError> {
        let last_read = &self.aws.last_read;
        let actions = match last_read.of(place.arn()) {
            Some(actions) => actions,
            None => {
                self.read().await?;
                last_read.of(place.arn()).unwrap_or_default()
            }
        };
        aimed_at(self.infra, &actions, to, self.stickiness).map_err(|what| {
            let action = match place {
                Place::Listener(_) => listener::MODIFY,
                Place::Rule(_) => rule::MODIFY,
            };
            AwsError::unusable(action, place.arn(), format!("{name} {what}"))
        })
    }

    async fn write(&self, place: &Place, actions: Vec<Action>) -> Result<(), AwsError> {
        match place {
            Place::Listener(arn) => listener::modify(self.aws, arn, actions).await,
            Place::Rule(arn) => rule::modify(self.aws, arn, actions).await,
        }
    }

    /// What both routes do, among the actions that were read, which are kept for the next
    /// write.
    ///
    /// # Errors
    /// A place that is not among them.
    pub(in crate::aws) fn understand(
        &self,
        actions: &ActionsByArn,
    ) -> Result<PerRoute<Found>, AwsError> {
        let of = |(name, place): (String, &Place)| {
            let actions = actions.get(place.arn()).ok_or_else(|| gone(place))?;
            self.aws.last_read.keep(place.arn(), actions);
            Ok::<_, AwsError>((name, found(self.infra, actions)))
        };
        let of_all = |route| {
            let ways = self.infra.moved(route).into_iter().map(of);
            let ways: Vec<_> = ways.collect::<Result<_, _>>()?;
            Ok::<_, AwsError>(Found::by_all(&ways))
        };
        Ok(PerRoute {
            production: of_all(Route::Production)?,
            test: match &self.infra.places.test {
                TestPlace::At(_) => of_all(Route::Test)?,
                TestPlace::ByHeader(_) => Found::ByRequest,
            },
        })
    }
}

/// Stops at the first that fails.
async fn one_by_one(
    writes: impl Iterator<Item = impl Future<Output = Result<(), AwsError>>>,
) -> Result<(), Unmoved> {
    for (n, write) in writes.enumerate() {
        let is_in_part = n > 0;
        write.await.map_err(|error| Unmoved { error, is_in_part })?;
    }
    Ok(())
}

/// Of several failures, one that a retry may fix is returned.
async fn all_at_once(
    writes: impl Iterator<Item = impl Future<Output = Result<(), AwsError>>>,
) -> Result<(), Unmoved> {
    let written = join_all(writes).await;
    let is_in_part = written.iter().any(Result::is_ok);
    let failed = written.into_iter().filter_map(Result::err);
    match failed.min_by_key(|error| !error.is_retryable()) {
        Some(error) => Err(Unmoved { error, is_in_part }),
        None => Ok(()),
    }
}

fn gone(place: &Place) -> AwsError {
    let (action, what) = match place {
        Place::Listener(_) => (listener::DESCRIBE, "listener"),
        Place::Rule(_) => (rule::DESCRIBE, "rule"),
    };
    AwsError {
        kind: AwsErrorKind::NotFound,
        ..AwsError::unusable(
            action,
            place.arn(),
            format!("the load balancer no longer has that {what}"),
        )
    }
}

#[cfg(test)]
mod several_ways;
#[cfg(test)]
mod tests;
