//! Checks whether somebody's DNS would fail over from the load balancer, before it is
//! left with a target group without targets.

use url::Url;

use crate::engine::failover;
use crate::error::Result;
use crate::model::{Attachment, EcsInfrastructure, Route};
use crate::report::ReportEvent;
use crate::session::Session;

/// The names that users ask for, and those of the load balancers that they lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedTo {
    pub urls: Vec<String>,
    pub balancers: Vec<String>,
}

impl From<&EcsInfrastructure> for LedTo {
    fn from(infra: &EcsInfrastructure) -> Self {
        let name = infra.load_balancer_dns_name.clone();
        let further = infra.further_ways.iter();
        let further = further.map(|way| (way.url.clone(), way.load_balancer_dns_name.clone()));
        let first = (infra.url(Route::Production), name);
        let (urls, balancers) = further.chain([first]).unzip();
        Self { urls, balancers }
    }
}

/// For a service that is about to get a second colour.
impl From<&Attachment> for LedTo {
    fn from(it: &Attachment) -> Self {
        let name = it.load_balancer_dns_name.clone();
        let further = it.further_ways.iter();
        let further = further.map(|way| (way.url.clone(), way.load_balancer_dns_name.clone()));
        let (urls, balancers) = further.chain([(it.url.clone(), name)]).unzip();
        Self { urls, balancers }
    }
}

/// Without permission to look, only a note is told.
///
/// # Errors
/// A record would fail over, and nobody has allowed that (exit 6).
pub async fn refuse(session: &Session, to: &LedTo, is_allowed: bool) -> Result<()> {
    let hosts = to.urls.iter().filter_map(|url| Url::parse(url).ok());
    let hosts: Vec<String> = hosts
        .filter_map(|url| url.host_str().map(str::to_owned))
        .collect();
    let warn = |text| session.report.tell(&ReportEvent::Warning(text));
    let found = match session.aws.dns_records(&hosts).await {
        Ok(found) => found,
        Err(error) => {
            session.report.tell(&ReportEvent::Note(format!(
                "whether a record of Route 53 evaluates the load balancer's health, and would fail over, is not known: {error}"
            )));
            return Ok(());
        }
    };
    if !found.unread.is_empty() {
        warn(format!(
            "these zones of Route 53 are too large to be searched for records that would fail over: {}",
            found.unread.join(", ")
        ));
    }
    let failing = failover::failing_over(&found.records, &to.balancers);
    if let Some(told) = failover::refuse(&failing, is_allowed)? {
        warn(told);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Reply, Wire};
    use crate::model::testing::infrastructure;
    use crate::report::Style;
    use crate::report::capture::{To, reporter};

    /// As with a role whose policy is older.
    #[tokio::test]
    async fn who_may_not_look_goes_on_and_is_told() {
        let denied = "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
            <Code>AccessDenied</Code><Message>User: ci is not authorized to perform: route53:ListHostedZones</Message></Error>\
            <RequestId>1</RequestId></ErrorResponse>";
        let wire = Wire::new().on(
            "https://route53.amazonaws.com/2013-04-01/hostedzone",
            Reply::Http {
                status: 403,
                body: denied.to_owned(),
            },
        );
        let (report, seen) = reporter(To::Pipe, false, Style::plain());
        let session = Session::of_hello_telling(wire.aws(), report);
        let to = LedTo::from(&infrastructure());
        assert!(refuse(&session, &to, false).await.is_ok());
        drop(session);
        let said = seen.err.text();
        assert!(
            said.contains("is not known: route53:ListHostedZones"),
            "{said}"
        );
    }
}
