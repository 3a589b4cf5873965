//! An Application Load Balancer, whose actions decide where requests go: a route is
//! the default action of a listener, or a rule. Splits are the weights of their
//! forwards; whatever else an action list does is sent back as it was.
//!
//! A forward may be sticky: the load balancer gives each client a cookie
//! (`AWSALBTG`) that names the target group that it was sent to. "When the load
//! balancer receives a request that matches a rule with target group stickiness
//! enabled and contains the cookie, the request is routed to the target group
//! specified in the cookie"
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html>).
//! No exception is made for a group whose weight was lowered, or is 0: "stickiness
//! takes precedence over adjusting weight", as an answer puts it that AWS accepted
//! (<https://repost.aws/questions/QUugYm4uzWSI2af5mnmMjlZQ/alb-to-automatically-redirect-traffic>).
//! So where `[shift] stickiness` says how sticky a forward is to be, it is so only
//! while there are two to choose from (else it stays as a person had it), and
//! - users meet one release and not both by turns; but those who have a cookie
//!   follow a greater share only when it has run out, and the probe, which keeps
//!   no cookies, sees that share at once;
//! - at either end, and on the way back, the forward names one group alone and is
//!   not sticky: a cookie for the other one leads nowhere, and nobody has one when
//!   the next shift begins. Both groups stay attached to the load balancer all the
//!   same, by the two rules of the test route.

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
            // Longer than a throttled call takes that is tried again until it is
            // given up.
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

    /// In one call for each kind of place. A test route by header is where it is:
    /// users' way is not kept waiting, nor from being read, by the testers' rules.
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

    /// Leaves all else as it was when it was last read. Each place is modified and
    /// not made anew: deleting and creating one propagates separately and answers
    /// 503 in between. Where one of several cannot be moved, none is; a write that
    /// fails keeps those after it from being sent, except on the way back.
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
    /// The same, but that who has once met a release meets it again for so long,
    /// as long as both have a share.
    #[must_use]
    pub fn sticky(self, stickiness: Option<Duration>) -> Self {
        Self { stickiness, ..self }
    }

    /// What a place is to do, of what it was last seen to do.
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

    /// What both routes do, among all that was read; and how they do it is kept for
    /// the next write.
    ///
    /// # Errors
    /// A place that is not among it.
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

/// Up to the first that fails.
async fn one_by_one(
    writes: impl Iterator<Item = impl Future<Output = Result<(), AwsError>>>,
) -> Result<(), Unmoved> {
    for (n, write) in writes.enumerate() {
        let is_in_part = n > 0;
        write.await.map_err(|error| Unmoved { error, is_in_part })?;
    }
    Ok(())
}

/// Of several failures the one that another try may mend is told.
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
            format!("the load balancer has no such {what} any more"),
        )
    }
}

#[cfg(test)]
mod several_ways;
#[cfg(test)]
mod tests;
