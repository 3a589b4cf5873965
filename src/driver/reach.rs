//! Whether this machine can reach the load balancer at all, checked before anything
//! depends on its answers; and what to do if it cannot.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};

use super::asking;
use super::attempt::SwapKind;
use crate::config::TestKey;
use crate::error::{Error, Result};
use crate::model::{
    Answer, Barrier, Color, Endpoint, Infrastructure, Lost, Observed, Route, Unreached,
};
use crate::probe::{self, Address};
use crate::report::ReportEvent;
use crate::session::Session;

/// ELB uses this prefix for internal load balancers only; no other name may start with
/// it.
const INTERNAL: &str = "internal-";

/// The routes that a swap must be able to ask before it begins. On the way back none is
/// required.
pub fn needed(kind: SwapKind, fixes_forward: bool, is_there: bool) -> Vec<Route> {
    let production = (!fixes_forward).then_some(Route::Production);
    let test = (!is_there).then_some(Route::Test);
    match kind {
        SwapKind::Promote => production.into_iter().chain(test).collect(),
        SwapKind::Rollback => Vec::new(),
    }
}

/// # Errors
/// No node of a route accepts a connection (exit 6).
pub async fn require(
    session: &Session,
    observed: &Observed,
    routes: &[Route],
    (path, patience): (&str, Duration),
) -> Result<()> {
    let infra = &observed.infrastructure;
    // By header, testers come in where users do. If each colour has a URL of its own, its
    // answers have been asked for already.
    let is_one = infra.edge().is_some()
        || infra.endpoints().test == Endpoint::Header && routes.contains(&Route::Production);
    let asked = routes
        .iter()
        .filter(|route| !(is_one && **route == Route::Test));
    let finding = asked.map(|route| async move {
        let found = match route {
            Route::Production => {
                let ways = production(session, infra, path, patience).await?;
                // One that can be reached is enough; the others are told as warnings.
                ways.left_out
                    .into_iter()
                    .filter(|_| ways.asked.is_empty())
                    .collect()
            }
            Route::Test => {
                let path = &session.config.container.health_path;
                let address = session.bare_address(infra, Route::Test, path)?;
                Vec::from_iter(probe::unreached(&address, patience).await)
            }
        };
        let found = found.into_iter().map(|unreached| (*route, unreached));
        Ok::<_, Error>(found.collect::<Vec<_>>())
    });
    let found: Vec<_> = try_join_all(finding).await?.concat();
    if found.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = found.iter().map(|(_, it)| it.to_string()).collect();
    let is_test = found.iter().any(|(route, _)| *route == Route::Test);
    let message = format!(
        "this machine gets no connection to {}",
        told.join("; nor to ")
    );
    Err(Error::refused(message)
        .untouched(observed)
        .hint(way_out(session, infra, is_test)))
}

/// What the health path of a colour answers on the test route, or why it cannot be asked
/// from here.
///
/// # Errors
/// A path that no URL can have (exit 2).
pub async fn ask_health(
    session: &Session,
    infra: &Infrastructure,
    color: Color,
) -> Result<(Answer, Option<Barrier>)> {
    let path = &session.config.container.health_path;
    let question = asking::of_health(&session.config.probe);
    let answer = session.ask(infra, color, path, &question).await?;
    let address = session.bare_color_address(infra, color, path).await?;
    let barrier = match &*answer {
        Answer::Nothing {
            why: Lost::Tls,
            error,
        } => Some(Barrier::Tls {
            url: address.to_string(),
            error: error.clone(),
        }),
        answer if answer.may_lack_a_connection() => {
            let patience = session.config.probe.timeout;
            let unreached = probe::unreached(&address, patience).await;
            unreached.map(Barrier::NoConnection)
        }
        _ => None,
    };
    Ok((Answer::clone(&answer), barrier))
}

/// The ways by which users come in, grouped by whether they can be probed from here.
#[derive(Debug)]
pub struct ReachedWays {
    pub asked: Vec<Address>,
    pub left_out: Vec<Unreached>,
}

/// # Errors
/// A path that no URL can have (exit 2).
pub async fn production(
    session: &Session,
    infra: &Infrastructure,
    path: &str,
    patience: Duration,
) -> Result<ReachedWays> {
    let all = session.production_addresses(infra, path).await?;
    let knocks = all.iter().map(|it| probe::unreached(it, patience));
    let (mut asked, mut left_out) = (Vec::new(), Vec::new());
    for (address, unreached) in all.iter().zip(join_all(knocks).await) {
        match unreached {
            Some(unreached) => left_out.push(unreached),
            None => asked.push(address.clone()),
        }
    }
    Ok(ReachedWays { asked, left_out })
}

/// Where to probe production while users are moved. If there are several ways, those that
/// cannot be reached from here are left out with a warning; if there is only one, or none
/// can be reached, the probe's results will tell.
///
/// # Errors
/// A path that no URL can have (exit 2).
pub async fn to_ask(
    session: &Session,
    infra: &Infrastructure,
    path: &str,
    patience: Duration,
) -> Result<Vec<Address>> {
    let all = session.production_addresses(infra, path).await?;
    if all.len() == 1 {
        return Ok(all);
    }
    let ways = production(session, infra, path, patience).await?;
    if ways.asked.is_empty() {
        return Ok(all);
    }
    for unreached in &ways.left_out {
        session.report.tell(&ReportEvent::Warning(format!(
            "this machine gets no connection to {unreached}; its users are moved along, and judged by the others' answers and by target health"
        )));
    }
    Ok(ways.asked)
}

/// What to do if a load balancer cannot be reached; `is_test`: on its test route.
pub fn way_out(session: &Session, infra: &Infrastructure, is_test: bool) -> String {
    let through = session.connect_to();
    if !through.is_empty() {
        return format!(
            "connections go to {}, as --connect-to, [load_balancer] connect_to or --endpoint-url says: check that it runs, and leads to the load balancer; or go by target health and alarms alone, with --blind",
            through.join(", ")
        );
    }
    let Ok(infra) = infra.ecs() else {
        return "check that its name resolves, and that what it leads to lets this machine in; or go by health and alarms alone, with --blind".to_owned();
    };
    let why = match infra.load_balancer_dns_name.starts_with(INTERNAL) {
        true => "the load balancer is internal",
        false => {
            "the load balancer may be internal, or its security group may not admit this machine"
        }
    };
    let mut hint = format!(
        "{why}: run bgecs on a runner inside its VPC, or over a VPN into it, or lead there with --connect-to HOST:PORT; or go by target health and alarms alone, with --blind"
    );
    match &session.config.attached {
        _ if !is_test => {}
        Some(attached) => {
            if let TestKey::Port(port) = attached.test {
                hint += &format!(
                    "\na security group of the load balancer has to let port {port} in: bgecs changes none"
                );
            }
        }
        None => {
            hint += &format!(
                "\n[network] test_cidr, which says who may reach the test route, is {}",
                session.config.network.test_cidr
            );
        }
    }
    hint
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::aws::testing::Wire;
    use crate::error::Exit;
    use crate::model::PerRoute;
    use crate::model::testing::observed;
    use crate::probe::testing::{Reply, Server, with_status};

    const PATIENCE: Duration = Duration::from_millis(200);

    async fn free() -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }

    fn on(production: SocketAddr, test: SocketAddr) -> Observed {
        let mut world = observed();
        world.ecs_mut().load_balancer_dns_name = "127.0.0.1".to_owned();
        world.ecs_mut().endpoints = PerRoute {
            production: Endpoint::Port(production.port()),
            test: Endpoint::Port(test.port()),
        };
        world
    }

    #[test]
    fn a_promotion_needs_both_routes_and_a_way_back_none() {
        let both = vec![Route::Production, Route::Test];
        assert_eq!(needed(SwapKind::Promote, false, false), both);
        assert_eq!(needed(SwapKind::Promote, true, false), [Route::Test]);
        assert_eq!(needed(SwapKind::Promote, false, true), [Route::Production]);
        assert_eq!(needed(SwapKind::Rollback, false, false), []);
    }

    #[tokio::test]
    async fn a_route_that_takes_no_connection_is_refused_with_what_to_do() {
        // Others judge what it answers.
        let server = Server::start(|_| Reply::Send(with_status(503, ""))).await;
        let (session, nobody) = (Session::of_hello(Wire::new().aws()), free().await);
        let routes = [Route::Production, Route::Test];
        let asked = ("/", PATIENCE);
        let world = on(server.address(), server.address());
        assert!(require(&session, &world, &routes, asked).await.is_ok());

        let world = on(server.address(), nobody);
        let error = require(&session, &world, &routes, asked).await.unwrap_err();
        let url = format!("http://{nobody}/health within 200 ms: {nobody} refuses it");
        assert_eq!(error.exit, Exit::Refused);
        let message = format!("this machine gets no connection to {url}");
        assert_eq!(error.message, message);
        assert!(error.traffic.unwrap().contains("unchanged"));
        let hint = error.hint.unwrap();
        for part in [
            "security group",
            "VPC",
            "VPN",
            "--connect-to",
            "--blind",
            "test_cidr",
            "0.0.0.0/0",
        ] {
            assert!(hint.contains(part), "{part}: {hint}");
        }
        let error = require(&session, &world, &[Route::Production], asked).await;
        assert!(error.is_ok());

        // If a header alone makes a tester, it is told once, without the range that may
        // reach the test route.
        let mut world = on(nobody, nobody);
        world.ecs_mut().endpoints.test = Endpoint::Header;
        let error = require(&session, &world, &routes, asked).await.unwrap_err();
        assert_eq!(error.message.matches("refuses it").count(), 1);
        assert!(!error.hint.unwrap().contains("test_cidr"));
    }

    /// A slow or bad answer is still an answer.
    #[tokio::test]
    async fn a_colour_that_nobody_can_ask_is_not_one_that_answers_badly() {
        let mut session = Session::of_hello(Wire::new().aws());
        session.config.probe.timeout = PATIENCE;
        let ask = async |test| {
            let infra = on(test, test).infrastructure;
            ask_health(&session, &infra, Color::Blue).await.unwrap()
        };
        let slow = Server::start(|_| Reply::Stall(String::new(), String::new())).await;
        let broken = Server::start(|_| Reply::Reset).await;
        let bad = Server::start(|_| Reply::Send(with_status(500, ""))).await;
        for server in [slow, broken, bad] {
            let (answer, barrier) = ask(server.address()).await;
            assert!(!answer.is_ok());
            assert_eq!(barrier, None);
        }
        let (answer, barrier) = ask(free().await).await;
        assert!(!answer.is_ok());
        assert!(matches!(barrier, Some(Barrier::NoConnection(_))));
    }

    #[test]
    fn an_internal_load_balancer_is_called_so() {
        let session = Session::of_hello(Wire::new().aws());
        let mut world = observed();
        let name = "internal-web-1.eu-west-1.elb.amazonaws.com";
        name.clone_into(&mut world.ecs_mut().load_balancer_dns_name);
        let hint = way_out(&session, &world.infrastructure, false);
        assert!(
            hint.starts_with("the load balancer is internal: "),
            "{hint}"
        );
        assert!(!hint.contains("test_cidr"), "{hint}");
    }
}
