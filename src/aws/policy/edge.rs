//! The permissions for an app whose colours bgecs does not run, depending on what routes
//! its users.

use serde_json::Value;

use super::table::{
    API_MAPPING_DEPLOYER, CLOUDFRONT_ALIAS_DEPLOYER, CLOUDFRONT_CANARY_DEPLOYER,
    CLOUDFRONT_ORIGIN_DEPLOYER, EDGE_DEPLOYER, EDGE_OPERATOR_TOO, Grant, RECORD_DEPLOYER,
    RECORD_OPERATOR_TOO, STATIC_IP_DEPLOYER, TEST_RULES_DEPLOYER, TEST_RULES_OPERATOR_TOO,
};
use super::{Names, Role};
use crate::model::{AppName, AwsPlace, Pointer};

/// What routes the users of an app whose colours bgecs does not run, as far as that is
/// known without AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutedBy<'a> {
    Record {
        name: &'a str,
        /// The id of its hosted zone.
        zone: Option<&'a str>,
    },
    Pointer {
        pointer: &'a Pointer,
        /// Whether testers reach the colours by rules beside it.
        by_rules: bool,
    },
}

impl RoutedBy<'_> {
    /// For a deployer.
    fn grants(self) -> &'static [&'static [Grant]] {
        let (pointer, by_rules) = match self {
            Self::Record { .. } => return &[EDGE_DEPLOYER, RECORD_DEPLOYER],
            Self::Pointer { pointer, by_rules } => (pointer, by_rules),
        };
        match pointer {
            Pointer::ApiMapping { .. } if by_rules => {
                &[EDGE_DEPLOYER, API_MAPPING_DEPLOYER, TEST_RULES_DEPLOYER]
            }
            Pointer::ApiMapping { .. } => &[EDGE_DEPLOYER, API_MAPPING_DEPLOYER],
            Pointer::CloudfrontAlias { .. } => &[EDGE_DEPLOYER, CLOUDFRONT_ALIAS_DEPLOYER],
            Pointer::CloudfrontOrigin { staging: None, .. } => {
                &[EDGE_DEPLOYER, CLOUDFRONT_ORIGIN_DEPLOYER]
            }
            Pointer::CloudfrontOrigin { .. } => &[
                EDGE_DEPLOYER,
                CLOUDFRONT_ORIGIN_DEPLOYER,
                CLOUDFRONT_CANARY_DEPLOYER,
            ],
            Pointer::StaticIp { .. } => &[EDGE_DEPLOYER, STATIC_IP_DEPLOYER],
        }
    }

    /// For an operator, in addition.
    fn operator_grants(self) -> &'static [&'static [Grant]] {
        match self {
            Self::Record { .. } => &[EDGE_OPERATOR_TOO, RECORD_OPERATOR_TOO],
            Self::Pointer { by_rules: true, .. } => &[EDGE_OPERATOR_TOO, TEST_RULES_OPERATOR_TOO],
            Self::Pointer { .. } => &[EDGE_OPERATOR_TOO],
        }
    }

    fn names(self) -> Vec<(&'static str, Vec<String>)> {
        let all = |zone: &str, record: &str| {
            vec![
                ("{record}", vec![record.to_owned()]),
                ("{zone}", vec![zone.to_owned()]),
            ]
        };
        let pointer = match self {
            Self::Record { name, zone } => return all(zone.unwrap_or("*"), name),
            Self::Pointer { pointer, .. } => pointer,
        };
        match pointer {
            Pointer::ApiMapping { domain, .. } => vec![("{domain}", vec![domain.clone()])],
            Pointer::CloudfrontAlias { alias } => {
                let mut names = all("*", alias);
                names.push(("{distribution}", vec!["*".to_owned()]));
                names
            }
            Pointer::CloudfrontOrigin {
                distribution,
                staging,
                ..
            } => {
                let both = std::iter::once(distribution).chain(staging);
                vec![("{distribution}", both.cloned().collect())]
            }
            Pointer::StaticIp { .. } => Vec::new(),
        }
    }
}

/// The policy for an app whose colours bgecs does not run.
pub fn of_edge(role: Role, app: &AppName, place: &AwsPlace, routed: RoutedBy<'_>) -> Value {
    let mut names = Names(routed.names());
    names.add_own(app, place);
    names.policy(match role {
        Role::Deployer => routed.grants(),
        Role::Operator => routed.operator_grants(),
    })
}
