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

use futures_util::try_join;

use super::actions::{ActionsByArn, aimed_at, found};
use super::{Router, listener, rule, weights};
use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind};
use crate::model::{
    Found, Infrastructure, ListenerArn, Move, Patience, PerRoute, Place, Route, RuleArn, Strategy,
    TestPlace,
};

/// The app's routes, each at its place.
#[derive(Debug, Clone, Copy)]
pub struct AlbRouter<'a> {
    pub(super) aws: &'a Aws,
    pub(super) infra: &'a Infrastructure,
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
        }
    }

    fn accepts(&self, strategy: &Strategy) -> Result<(), String> {
        weights::accept(strategy, &self.infra.endpoints)
    }

    /// In one call for each kind of place. A test route by header is where it is:
    /// users' way is not kept waiting, nor from being read, by the testers' rules.
    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        let (listeners, rules) = self.by_kind();
        let (mut all, rules) = try_join!(
            listener::read(self.aws, &listeners),
            rule::read(self.aws, &rules)
        )?;
        all.extend(rules);
        self.understand(&all)
    }

    /// Leaves all else as it was when it was last read. The place is modified and
    /// not made anew: deleting and creating one propagates separately and answers
    /// 503 in between.
    async fn apply(&self, it: Move) -> Result<(), AwsError> {
        let Move { route, to, .. } = it;
        let endpoints = &self.infra.endpoints;
        let unusable = |action, what: String| {
            let resource = self.infra.places.named(route);
            let what = format!("{} {what}", endpoints.get(route));
            AwsError::unusable(action, &resource, what)
        };
        let Some(place) = self.infra.places.moved(route) else {
            let what = "is not moved: each request names its colour".to_owned();
            return Err(unusable(rule::MODIFY, what));
        };
        let last_read = &self.aws.last_read;
        let actions = match last_read.of(place.arn()) {
            Some(actions) => actions,
            None => {
                self.read().await?;
                last_read.of(place.arn()).unwrap_or_default()
            }
        };
        let aimed = aimed_at(self.infra, &actions, to, self.stickiness);
        match place {
            Place::Listener(arn) => {
                let actions = aimed.map_err(|what| unusable(listener::MODIFY, what))?;
                listener::modify(self.aws, arn, actions).await
            }
            Place::Rule(arn) => {
                let actions = aimed.map_err(|what| unusable(rule::MODIFY, what))?;
                rule::modify(self.aws, arn, actions).await
            }
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

    /// What is written to move the routes.
    fn by_kind(&self) -> (Vec<&'a ListenerArn>, Vec<&'a RuleArn>) {
        let (mut listeners, mut rules) = (Vec::new(), Vec::new());
        for route in [Route::Production, Route::Test] {
            match self.infra.places.moved(route) {
                Some(Place::Listener(arn)) => listeners.push(arn),
                Some(Place::Rule(arn)) => rules.push(arn),
                None => {}
            }
        }
        (listeners, rules)
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
        let of = |place: &Place| {
            let actions = actions.get(place.arn()).ok_or_else(|| gone(place))?;
            self.aws.last_read.keep(place.arn(), actions);
            Ok(found(self.infra, actions))
        };
        Ok(PerRoute {
            production: of(&self.infra.places.production)?,
            test: match &self.infra.places.test {
                TestPlace::At(place) => of(place)?,
                TestPlace::ByHeader(_) => Found::ByRequest,
            },
        })
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
mod tests;
