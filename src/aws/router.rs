//! What decides where requests go, one file for each kind. A kind is known only by what
//! it can do for a shift.

mod actions;
mod alb;
#[cfg(feature = "edges")]
mod api_mapping;
#[cfg(feature = "edges")]
mod cloudfront_alias;
#[cfg(feature = "edges")]
mod cloudfront_origin;
#[cfg(feature = "edges")]
mod distributions;
mod listener;
#[cfg(not(feature = "edges"))]
mod not_built;
#[cfg(feature = "edges")]
mod pointers;
mod route53;
mod rule;
#[cfg(feature = "edges")]
mod static_ip;
mod weights;

use std::time::Duration;

use super::Aws;
use super::error::AwsError;
use crate::model::{
    Backends, Check, Color, EcsInfrastructure, EdgeRouter, Found, Infrastructure, Move, Patience,
    PerRoute, Pointer, RoutedPointer, Strategy, Urgency,
};
pub(super) use actions::{ActionsByArn, LastRead, found, named_groups};
pub use alb::AlbRouter;
#[cfg(feature = "edges")]
pub use api_mapping::ApiMappingRouter;
#[cfg(feature = "edges")]
pub use cloudfront_alias::CloudfrontAliasRouter;
#[cfg(feature = "edges")]
pub use cloudfront_origin::CloudfrontOriginRouter;
#[cfg(feature = "edges")]
pub(super) use distributions::LastDistributions;
pub(super) use listener::by_arn as listener_actions;
#[cfg(not(feature = "edges"))]
pub use not_built::NotBuiltRouter;
pub(super) use route53::{LastRecords, plain_name};
pub use route53::{RecordForm, Route53Router};
pub(super) use rule::by_arn as rule_actions;
#[cfg(feature = "edges")]
pub use static_ip::StaticIpRouter;

impl Aws {
    /// What decides where the app's requests go.
    pub fn router<'a>(&'a self, infra: &'a Infrastructure) -> AppRouter<'a> {
        match infra {
            Infrastructure::Ecs(ecs) => AppRouter::Alb(self.alb_router(ecs)),
            Infrastructure::Edge(edge) => match &edge.router {
                EdgeRouter::Route53(record) => AppRouter::Route53(Route53Router::new(self, record)),
                EdgeRouter::Pointer(it) => self.pointer_router(it, &edge.backends),
            },
        }
    }

    #[cfg(not(feature = "edges"))]
    #[expect(clippy::unused_self, reason = "it is asked as the other is")]
    fn pointer_router<'a>(&'a self, it: &'a RoutedPointer, _: &Backends) -> AppRouter<'a> {
        AppRouter::NotBuilt(NotBuiltRouter { it })
    }

    #[cfg(feature = "edges")]
    fn pointer_router<'a>(&'a self, it: &'a RoutedPointer, backends: &Backends) -> AppRouter<'a> {
        let aws = self;
        match &it.pointer {
            Pointer::ApiMapping { domain, path } => AppRouter::ApiMapping(ApiMappingRouter {
                aws,
                it,
                domain,
                path,
                by_header: *backends == Backends::ByHeader,
            }),
            Pointer::CloudfrontAlias { alias } => {
                AppRouter::CloudfrontAlias(CloudfrontAliasRouter { aws, it, alias })
            }
            Pointer::CloudfrontOrigin {
                distribution,
                behavior,
                staging,
                invalidate,
            } => AppRouter::CloudfrontOrigin(CloudfrontOriginRouter {
                aws,
                it,
                distribution,
                behavior: behavior.as_deref(),
                staging: staging.as_deref(),
                invalidate,
            }),
            Pointer::StaticIp { name, gap } => AppRouter::StaticIp(StaticIpRouter {
                aws,
                it,
                name,
                gap: Duration::from_secs(u64::from(*gap)),
            }),
        }
    }

    /// The router of an app that is behind load balancers.
    pub fn alb_router<'a>(&'a self, infra: &'a EcsInfrastructure) -> AlbRouter<'a> {
        AlbRouter {
            aws: self,
            infra,
            stickiness: None,
        }
    }
}

pub trait Router {
    /// How long to wait for its effects.
    fn patience(&self) -> Patience;

    /// The strategy as this router can carry it out, with no stage's share increased;
    /// called before any change.
    ///
    /// # Errors
    /// The share that it cannot set, and the nearest one that it can.
    fn fit(&self, strategy: Strategy) -> Result<Strategy, String>;

    /// Whether it distributes single requests. A router that answers with addresses for a
    /// name gives each resolver one answer, for everybody who asks that resolver.
    fn shares_requests(&self) -> bool {
        true
    }

    /// Whether what was written is in force wherever users come in, as far as AWS says:
    /// another process may have written it, so [`Self::read`] would not know.
    ///
    /// # Errors
    /// AWS's own.
    async fn is_everywhere(&self) -> Result<bool, AwsError> {
        Ok(true)
    }

    /// Where each route goes now.
    ///
    /// # Errors
    /// AWS's own.
    async fn read(&self) -> Result<PerRoute<Found>, AwsError>;

    /// # Errors
    /// AWS's own; a route that must not be overwritten.
    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), Unmoved>;

    /// What to check and tell before all users are moved to that colour, including what
    /// prevents the move.
    ///
    /// # Errors
    /// AWS's own.
    async fn checks(&self, _to: Color) -> Result<Vec<Check>, AwsError> {
        Ok(Vec::new())
    }

    /// Does what is left once that colour has all users, and returns it in words;
    /// repeating it with the same reference has no further effect.
    ///
    /// # Errors
    /// AWS's own.
    async fn afterwards(&self, _on: Color, _reference: &str) -> Result<Option<String>, AwsError> {
        Ok(None)
    }
}

/// Why a route could not be moved.
#[derive(Debug)]
pub struct Unmoved {
    pub error: AwsError,
    /// Whether another of its ways in has been moved.
    pub is_in_part: bool,
}

impl From<AwsError> for Unmoved {
    fn from(error: AwsError) -> Self {
        let is_in_part = false;
        Self { error, is_in_part }
    }
}

/// Refuses shares in advance if the pointer cannot split users.
fn all_or_nothing(pointer: &Pointer, strategy: Strategy) -> Result<Strategy, String> {
    strategy.with_shares(|_| {
        Err(format!(
            "the {pointer} leads all users to one place: it cannot share them out, and moves them all at once"
        ))
    })
}

/// The router of an app, of whichever kind.
#[derive(Debug, Clone, Copy)]
pub enum AppRouter<'a> {
    Alb(AlbRouter<'a>),
    #[cfg(feature = "edges")]
    ApiMapping(ApiMappingRouter<'a>),
    #[cfg(feature = "edges")]
    CloudfrontAlias(CloudfrontAliasRouter<'a>),
    #[cfg(feature = "edges")]
    CloudfrontOrigin(CloudfrontOriginRouter<'a>),
    #[cfg(not(feature = "edges"))]
    NotBuilt(NotBuiltRouter<'a>),
    Route53(Route53Router<'a>),
    #[cfg(feature = "edges")]
    StaticIp(StaticIpRouter<'a>),
}

impl AppRouter<'_> {
    /// The same, but clients that have met a release keep meeting it for that long, if
    /// the router can do that.
    #[must_use]
    pub fn sticky(self, stickiness: Option<Duration>) -> Self {
        match self {
            Self::Alb(router) => Self::Alb(router.sticky(stickiness)),
            other => other,
        }
    }
}

/// Calls the same method of whichever router it is. The calls are boxed: together they
/// would make futures too large for a thread's stack.
macro_rules! of_each {
    ($self:ident, $router:ident => $what:expr) => {
        match $self {
            AppRouter::Alb($router) => $what,
            #[cfg(feature = "edges")]
            AppRouter::ApiMapping($router) => $what,
            #[cfg(feature = "edges")]
            AppRouter::CloudfrontAlias($router) => $what,
            #[cfg(feature = "edges")]
            AppRouter::CloudfrontOrigin($router) => $what,
            #[cfg(not(feature = "edges"))]
            AppRouter::NotBuilt($router) => $what,
            AppRouter::Route53($router) => $what,
            #[cfg(feature = "edges")]
            AppRouter::StaticIp($router) => $what,
        }
    };
}

impl Router for AppRouter<'_> {
    fn patience(&self) -> Patience {
        of_each!(self, router => router.patience())
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        of_each!(self, router => router.fit(strategy))
    }

    fn shares_requests(&self) -> bool {
        of_each!(self, router => router.shares_requests())
    }

    async fn is_everywhere(&self) -> Result<bool, AwsError> {
        of_each!(self, router => Box::pin(router.is_everywhere()).await)
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        of_each!(self, router => Box::pin(router.read()).await)
    }

    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), Unmoved> {
        of_each!(self, router => Box::pin(router.apply(it, urgency)).await)
    }

    async fn checks(&self, to: Color) -> Result<Vec<Check>, AwsError> {
        of_each!(self, router => Box::pin(router.checks(to)).await)
    }

    async fn afterwards(&self, on: Color, reference: &str) -> Result<Option<String>, AwsError> {
        of_each!(self, router => Box::pin(router.afterwards(on, reference)).await)
    }
}
