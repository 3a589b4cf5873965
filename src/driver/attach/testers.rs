//! How testers reach an app beside a service that existed before: the place where they
//! come in, and whether anything blocks them.

use std::time::Duration;

use crate::aws::{AwsErrorKind, Router, StackSnapshot};
use crate::config::{Attached, TestKey};
use crate::engine::attachment::{self, UsersWay};
use crate::error::Result;
use crate::model::{
    Balancer, CertificateArn, Color, EcsInfrastructure, Infrastructure, PerColor, Place, Route,
    TestWay,
};
use crate::probe;
use crate::report::ReportEvent;
use crate::session::Session;

/// A new listener takes some seconds to reach each node.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where testers come in, and the notes about it.
#[derive(Debug)]
pub struct Testers {
    pub way: TestWay,
    /// The priorities of the rules by which a request names its colour.
    pub priorities: PerColor<u32>,
    pub notes: Vec<String>,
    /// The command that would open testers' port; bgecs does not run it.
    pub opening: Option<String>,
}

impl Testers {
    /// The priorities that they take on the users' listener.
    pub fn reserved(&self) -> Vec<u32> {
        let PerColor { blue, green } = self.priorities;
        match self.way {
            TestWay::Header => vec![blue, green],
            TestWay::Host { priority, .. } => vec![blue, green, priority],
            // These are on the testers' own listener.
            TestWay::Port { .. } => Vec::new(),
        }
    }
}

/// # Errors
/// There is no free priority, or no certificate (exit 6); AWS's own.
pub async fn prepare(
    session: &Session,
    attached: &Attached,
    way: UsersWay<'_>,
    (before, earlier): (Option<&StackSnapshot>, Option<&EcsInfrastructure>),
) -> Result<Testers> {
    let own = before.map(StackSnapshot::own_rules).unwrap_or_default();
    let url = attachment::test_url(attached, way.listener);
    let url = url.unwrap_or_else(|| attached.url.clone());
    let (way, priorities, notes, opening) = match &attached.test {
        TestKey::Header => {
            attachment::refuse_way_around(way)?;
            let priorities = attachment::priorities(way, &own, &[])?;
            (TestWay::Header, priorities, Vec::new(), None)
        }
        TestKey::Host(name) => {
            attachment::refuse_way_around(way)?;
            attachment::refuse_taken_name(way, name, &own)?;
            let [blue, green, priority] = attachment::priorities(way, &own, &[])?;
            let unknown = look_at_certificates(session, way, name).await?;
            let name = name.clone();
            let host = TestWay::Host {
                name,
                priority,
                url,
            };
            (host, [blue, green], unknown.into_iter().collect(), None)
        }
        TestKey::Port(port) => {
            let own = earlier.and_then(|infra| infra.places.moved(Route::Test));
            attachment::refuse_taken_port(way.balancer, *port, own.map(Place::arn))?;
            let copy = session.aws.read_listener_copy(&way.listener.arn, *port);
            let listener = copy.await?;
            let (note, opening) = opening(way.balancer, *port).unzip();
            let listener = TestWay::Port { listener, url };
            // That listener has no other rules.
            (listener, [1, 2], note.into_iter().collect(), opening)
        }
    };
    let [blue, green] = priorities;
    Ok(Testers {
        way,
        priorities: PerColor { blue, green },
        notes,
        opening,
    })
}

/// The note about security groups, and the command that would let the port in.
fn opening(balancer: &Balancer, port: u16) -> Option<(String, String)> {
    let first = balancer.security_groups.first()?;
    let all = balancer.security_groups.join(", ");
    let name = &balancer.name;
    Some((
        format!("a security group of {name} ({all}) has to let port {port} in: bgecs changes none"),
        format!(
            "aws ec2 authorize-security-group-ingress --group-id {first} --protocol tcp --port {port} --cidr YOUR-RANGE"
        ),
    ))
}

/// The note if it is not known whether a certificate covers the name.
async fn look_at_certificates(
    session: &Session,
    way: UsersWay<'_>,
    host: &str,
) -> Result<Option<String>> {
    if !way.listener.protocol.is_secured() {
        return Ok(None);
    }
    let hidden = |kind| matches!(kind, AwsErrorKind::Denied | AwsErrorKind::NotFound);
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    let aws = &session.aws;
    let arns = match aws.read_listener_certificates(&way.listener.arn).await {
        Ok(arns) => arns,
        Err(error) if hidden(error.kind) => {
            unread.push(error.to_string());
            Vec::new()
        }
        Err(error) => return Err(error.into()),
    };
    for arn in arns {
        let Ok(of_acm) = arn.parse::<CertificateArn>() else {
            unread.push(format!("{arn} is not in ACM"));
            continue;
        };
        match aws.certificate(&of_acm).await {
            Ok(certificate) => read.push(certificate),
            Err(error) if hidden(error.kind) => unread.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(attachment::refuse_uncovered(
        host,
        way.listener,
        &read,
        &unread,
    )?)
}

/// The colour that testers' place leads to: where it leads now, or else the one that
/// users are not on.
///
/// # Errors
/// AWS's own.
pub async fn color(
    session: &Session,
    earlier: Option<&EcsInfrastructure>,
    made: Color,
) -> Result<Color> {
    let Some(infra) = earlier else {
        return Ok(made);
    };
    let found = session.aws.alb_router(infra).read().await?;
    let idle = found.production.only().map(Color::other);
    Ok(found.test.only().or(idle).unwrap_or(made))
}

/// Warns if this machine cannot reach testers' port although it can reach the users'
/// place.
///
/// # Errors
/// A path that no URL can have (exit 2).
pub async fn tell_of_bar(
    session: &Session,
    infra: &Infrastructure,
    opening: Option<&String>,
) -> Result<()> {
    let Some(opening) = opening else {
        return Ok(());
    };
    let path = &session.config.container.health_path;
    let timeout = session.config.probe.timeout;
    let users = session.bare_address(infra, Route::Production, path)?;
    if probe::unreached(&users, timeout).await.is_some() {
        return Ok(());
    }
    let testers = session.bare_address(infra, Route::Test, path)?;
    let testers = probe::unreached(&testers, PATIENCE).await;
    if let Some(unreached) = testers {
        session.report.tell(&ReportEvent::Warning(format!(
            "this machine gets no connection to {unreached}; to let it in:\n  {opening}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_lets_a_port_in_is_exact() {
        let mut balancer = Balancer {
            arn: "loadbalancer/app/shared/1".to_owned(),
            name: "shared".to_owned(),
            dns_name: "shared.example".to_owned(),
            is_internal: false,
            is_application: true,
            security_groups: vec!["sg-1".to_owned(), "sg-2".to_owned()],
            listeners: Vec::new(),
        };
        let (note, opening) = super::opening(&balancer, 8443).unwrap();
        insta::assert_snapshot!(format!("{note}\n{opening}"), @"
        a security group of shared (sg-1, sg-2) has to let port 8443 in: bgecs changes none
        aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 8443 --cidr YOUR-RANGE
        ");
        balancer.security_groups.clear();
        assert_eq!(super::opening(&balancer, 8443), None);
    }
}
