//! The default actions of two listeners of one load balancer, one for users and
//! one for testers. Splits are the weights of their forwards.
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
//!   same, by the test listener's two rules.

mod actions;
mod weights;

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::Listener;

use super::Router;
use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::model::{Found, Infrastructure, ListenerArn, Move, Patience, PerRoute, Strategy};
use actions::aimed_at;

pub(in crate::aws) use actions::{LastRead, found, named_groups};

const DESCRIBE_LISTENERS: &str = "elasticloadbalancing:DescribeListeners";
const MODIFY_LISTENER: &str = "elasticloadbalancing:ModifyListener";

/// The app's two listeners.
#[derive(Debug, Clone, Copy)]
pub struct Listeners<'a> {
    pub(super) aws: &'a Aws,
    pub(super) infra: &'a Infrastructure,
    pub(super) stickiness: Option<Duration>,
}

impl Router for Listeners<'_> {
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

    /// In one call.
    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        let arns = &self.infra.listeners;
        let answer = self
            .aws
            .elb
            .describe_listeners()
            .listener_arns(arns.production.as_str())
            .listener_arns(arns.test.as_str())
            .send()
            .await
            .named(DESCRIBE_LISTENERS, arns.production.as_str())?;
        self.understand(answer.listeners())
    }

    /// Leaves all else of the listener as it was when it was last read. It is
    /// modified in place: deleting and creating one propagates separately and
    /// answers 503 in between.
    async fn apply(&self, it: Move) -> Result<(), AwsError> {
        let Move { route, to, .. } = it;
        let listener = self.infra.listener(route);
        let last_read = &self.aws.last_read;
        let actions = match last_read.of(listener) {
            Some(actions) => actions,
            None => {
                self.read().await?;
                last_read.of(listener).unwrap_or_default()
            }
        };
        let aimed = aimed_at(self.infra, &actions, to, self.stickiness);
        let actions = aimed.map_err(|what| {
            AwsError::unusable(
                MODIFY_LISTENER,
                listener.as_str(),
                format!("{} {what}", self.infra.endpoints.get(route)),
            )
        })?;
        self.aws
            .elb
            .modify_listener()
            .listener_arn(listener.as_str())
            .set_default_actions(Some(actions))
            .send()
            .await
            .named(MODIFY_LISTENER, listener.as_str())?;
        Ok(())
    }
}

impl Listeners<'_> {
    /// The same, but that who has once met a release meets it again for so long,
    /// as long as both have a share.
    #[must_use]
    pub fn sticky(self, stickiness: Option<Duration>) -> Self {
        Self { stickiness, ..self }
    }

    /// What both do; and how they do it is kept for the next write.
    pub(in crate::aws) fn understand(
        &self,
        listeners: &[Listener],
    ) -> Result<PerRoute<Found>, AwsError> {
        let of = |arn: &ListenerArn| {
            let listener = listeners
                .iter()
                .find(|listener| listener.listener_arn() == Some(arn.as_str()))
                .ok_or_else(|| AwsError {
                    kind: AwsErrorKind::NotFound,
                    ..AwsError::unusable(
                        DESCRIBE_LISTENERS,
                        arn.as_str(),
                        "the load balancer has no such listener any more",
                    )
                })?;
            let last_read = &self.aws.last_read;
            last_read.keep(arn.as_str(), listener.default_actions());
            Ok(found(self.infra, listener.default_actions()))
        };
        Ok(PerRoute {
            production: of(&self.infra.listeners.production)?,
            test: of(&self.infra.listeners.test)?,
        })
    }
}

#[cfg(test)]
mod tests;
