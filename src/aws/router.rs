//! What decides where requests go, one file a kind. A kind is known by what it
//! can do for a shift, and by nothing else.

mod actions;
mod alb;
mod listener;
mod rule;
mod weights;

use super::Aws;
use super::error::AwsError;
use crate::model::{Found, Infrastructure, Move, Patience, PerRoute, Strategy, Urgency};
pub(super) use actions::{ActionsByArn, LastRead, found, named_groups};
pub use alb::AlbRouter;
pub(super) use listener::by_arn as listener_actions;
pub(super) use rule::by_arn as rule_actions;

impl Aws {
    /// What decides where the app's requests go.
    pub fn router<'a>(&'a self, infra: &'a Infrastructure) -> AlbRouter<'a> {
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

    /// Whether it can do exactly that; asked ahead of any change.
    ///
    /// # Errors
    /// Which share it cannot do, and the nearest that it can.
    fn accepts(&self, strategy: &Strategy) -> Result<(), String>;

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
