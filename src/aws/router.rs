//! What decides where requests go, one file a kind. A kind is known by what it
//! can do for a shift, and by nothing else.

mod actions;
mod alb;
mod listener;
mod route53;
mod rule;
mod weights;

use std::time::Duration;

use super::Aws;
use super::error::AwsError;
use crate::model::{
    EcsInfrastructure, EdgeRouter, Found, Infrastructure, Move, Patience, PerRoute, Strategy,
    Urgency,
};
pub(super) use actions::{ActionsByArn, LastRead, found, named_groups};
pub use alb::AlbRouter;
pub(super) use listener::by_arn as listener_actions;
pub(super) use route53::{LastRecords, plain_name};
pub use route53::{RecordForm, Route53Router};
pub(super) use rule::by_arn as rule_actions;

impl Aws {
    /// What decides where the app's requests go.
    pub fn router<'a>(&'a self, infra: &'a Infrastructure) -> AppRouter<'a> {
        match infra {
            Infrastructure::Ecs(ecs) => AppRouter::Alb(self.alb_router(ecs)),
            Infrastructure::Edge(edge) => match &edge.router {
                EdgeRouter::Route53(record) => AppRouter::Route53(Route53Router::new(self, record)),
            },
        }
    }

    /// The same of one that is behind load balancers.
    pub fn alb_router<'a>(&'a self, infra: &'a EcsInfrastructure) -> AlbRouter<'a> {
        AlbRouter {
            aws: self,
            infra,
            stickiness: None,
        }
    }
}

pub trait Router {
    /// How long to wait for it.
    fn patience(&self) -> Patience;

    /// The same as it can do it, and no stage with a greater share; asked ahead of
    /// any change.
    ///
    /// # Errors
    /// Which share it cannot do, and the nearest that it can.
    fn fit(&self, strategy: Strategy) -> Result<Strategy, String>;

    /// Whether it shares out request by request. One that answers with a name's
    /// addresses gives each resolver one answer, for all who ask that.
    fn shares_requests(&self) -> bool {
        true
    }

    /// Where each route goes now.
    ///
    /// # Errors
    /// AWS's own.
    async fn read(&self) -> Result<PerRoute<Found>, AwsError>;

    /// # Errors
    /// AWS's own; a route that is not to be overwritten.
    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), Unmoved>;
}

/// Why a route is not where it was to be moved.
#[derive(Debug)]
pub struct Unmoved {
    pub error: AwsError,
    /// Whether another of its ways in was moved.
    pub is_in_part: bool,
}

impl From<AwsError> for Unmoved {
    fn from(error: AwsError) -> Self {
        let is_in_part = false;
        Self { error, is_in_part }
    }
}

/// Whichever decides where an app's requests go.
#[derive(Debug, Clone, Copy)]
pub enum AppRouter<'a> {
    Alb(AlbRouter<'a>),
    Route53(Route53Router<'a>),
}

impl AppRouter<'_> {
    /// The same, but that who has once met a release meets it again for so long, as
    /// far as that is for it to say.
    #[must_use]
    pub fn sticky(self, stickiness: Option<Duration>) -> Self {
        match self {
            Self::Alb(router) => Self::Alb(router.sticky(stickiness)),
            other => other,
        }
    }
}

impl Router for AppRouter<'_> {
    fn patience(&self) -> Patience {
        match self {
            Self::Alb(router) => router.patience(),
            Self::Route53(router) => router.patience(),
        }
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        match self {
            Self::Alb(router) => router.fit(strategy),
            Self::Route53(router) => router.fit(strategy),
        }
    }

    fn shares_requests(&self) -> bool {
        match self {
            Self::Alb(router) => router.shares_requests(),
            Self::Route53(router) => router.shares_requests(),
        }
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        match self {
            Self::Alb(router) => router.read().await,
            Self::Route53(router) => router.read().await,
        }
    }

    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), Unmoved> {
        match self {
            Self::Alb(router) => router.apply(it, urgency).await,
            Self::Route53(router) => router.apply(it, urgency).await,
        }
    }
}
