//! Stands in for the kinds of routers that this bgecs was built without
//! (`--no-default-features`): each call says so.

use super::{Router, Unmoved};
use crate::aws::Aws;
use crate::aws::error::AwsError;
use crate::model::{
    Found, Move, Patience, PerRoute, RoutedPointer, RoutingMode, RoutingRule, Strategy, TestRule,
    Urgency,
};

#[derive(Debug, Clone, Copy)]
pub struct NotBuiltRouter<'a> {
    pub(super) it: &'a RoutedPointer,
}

impl Router for NotBuiltRouter<'_> {
    fn patience(&self) -> Patience {
        Patience::default()
    }

    fn fit(&self, strategy: Strategy) -> Result<Strategy, String> {
        super::all_or_nothing(&self.it.pointer, strategy)
    }

    async fn read(&self) -> Result<PerRoute<Found>, AwsError> {
        Err(not_built(self.it.pointer.kind()))
    }

    async fn apply(&self, _: Move, _: Urgency) -> Result<(), Unmoved> {
        Err(not_built(self.it.pointer.kind()).into())
    }
}

fn not_built(kind: &str) -> AwsError {
    let what = "this bgecs was built without the feature `edges`, which it needs";
    AwsError::unusable("the router", kind, what)
}

/// The other calls to AWS for these kinds, which are not available either.
impl Aws {
    pub async fn instance_address(&self, _instance: &str) -> Result<String, AwsError> {
        Err(not_built("static-ip"))
    }

    pub async fn routing_mode(&self, _domain: &str) -> Result<RoutingMode, AwsError> {
        Err(not_built("api-mapping"))
    }

    pub async fn routing_rules(&self, _domain: &str) -> Result<Vec<RoutingRule>, AwsError> {
        Err(not_built("api-mapping"))
    }

    pub async fn make_test_rule(
        &self,
        _domain: &str,
        _rule: &TestRule,
        _priority: i32,
    ) -> Result<(), AwsError> {
        Err(not_built("api-mapping"))
    }

    pub async fn change_test_rule(
        &self,
        _domain: &str,
        _rule: &TestRule,
        _at: (&str, i32),
    ) -> Result<(), AwsError> {
        Err(not_built("api-mapping"))
    }

    pub async fn delete_routing_rule(&self, _domain: &str, _id: &str) -> Result<(), AwsError> {
        Err(not_built("api-mapping"))
    }
}
