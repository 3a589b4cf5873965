//! What else is looked at to tell whether the two services are each other's equals.

use crate::model::{ColorServices, Scaling};
use crate::report::ReportEvent;
use crate::session::Session;

/// What scales them. None where AWS does not say, which is told of: releases need it not.
pub async fn scaling(session: &Session, services: &ColorServices) -> Option<Scaling> {
    match session.aws.read_scaling(services).await {
        Ok(scaling) => Some(scaling),
        Err(error) => {
            let told = format!("whether anything scales the two colours is not known: {error}");
            session.report.tell(&ReportEvent::Warning(told));
            None
        }
    }
}
