//! `bgecs routers`: what can route users, and what each kind can do.

use serde::Serialize;

use crate::error::Exit;
use crate::report::{Audience, CommandResult, Reporter, Style};

/// A kind of router, in words.
#[derive(Debug, Clone, Copy, Serialize)]
struct RouterKind {
    kind: &'static str,
    /// What of AWS decides where users go.
    route: &'static str,
    colors: &'static str,
    splits: &'static str,
    test_route: &'static str,
    /// How a change of somebody else's is not overwritten.
    compare_and_set: &'static str,
    /// When users have what was written.
    seen: &'static str,
}

const ENDPOINTS: &str = "anybody's endpoints, by `target` and `url`";
const OWN_URL: &str = "each colour's own URL";

const KINDS: [RouterKind; 7] = [
    RouterKind {
        kind: "listener",
        route: "the default action of a load balancer's listener",
        colors: "ECS services",
        splits: "weights of 0 to 999",
        test_route: "a listener of its own, or a header",
        compare_and_set: "a look just ahead of the write",
        seen: "read back, and seen by the probe at every node",
    },
    RouterKind {
        kind: "rule",
        route: "a rule of a load balancer's listener",
        colors: "ECS services",
        splits: "weights of 0 to 999",
        test_route: "a header, a host name, or a listener of its own",
        compare_and_set: "a look just ahead of the write",
        seen: "read back, and seen by the probe at every node",
    },
    RouterKind {
        kind: "route53",
        route: "a record of Route 53",
        colors: ENDPOINTS,
        splits: "weights of 0 to 255, by resolver",
        test_route: OWN_URL,
        compare_and_set: "one batch that deletes exactly what was seen",
        seen: "INSYNC, then the record's TTL, and seen by the probe at every resolver",
    },
    RouterKind {
        kind: "cloudfront-origin",
        route: "the origin of a behaviour of a distribution",
        colors: ENDPOINTS,
        splits: "none; up to 15% with a staging distribution",
        test_route: OWN_URL,
        compare_and_set: "the distribution's ETag, sent as If-Match",
        seen: "the distribution is Deployed, and seen by the probe",
    },
    RouterKind {
        kind: "cloudfront-alias",
        route: "an alias, between two distributions",
        colors: ENDPOINTS,
        splits: "none",
        test_route: OWN_URL,
        compare_and_set: "the distribution's ETag, sent as If-Match; none by AssociateAlias",
        seen: "both distributions are Deployed, and seen by the probe",
    },
    RouterKind {
        kind: "api-mapping",
        route: "a mapping of a custom domain of API Gateway",
        colors: ENDPOINTS,
        splits: "none",
        test_route: "a routing rule by header where the domain has them, or each colour's own URL",
        compare_and_set: "a look just ahead of the write",
        seen: "read back, and seen by the probe",
    },
    RouterKind {
        kind: "static-ip",
        route: "a static address of Lightsail",
        colors: ENDPOINTS,
        splits: "none",
        test_route: OWN_URL,
        compare_and_set: "a look just ahead of the write",
        seen: "read back, and seen by the probe, perhaps after a gap",
    },
];

#[derive(Debug, Serialize)]
struct Routers {
    operation: &'static str,
    routers: [RouterKind; 7],
}

impl CommandResult for Routers {
    fn human(&self, style: &Style) -> String {
        let shown = self.routers.iter().map(|it| {
            format!(
                "{}\n  a route is   {}\n  colours      {}\n  splits       {}\n  test route   {}\n  no overwrite {}\n  users have it {}",
                style.strong(it.kind),
                it.route,
                it.colors,
                it.splits,
                it.test_route,
                it.compare_and_set,
                it.seen
            )
        });
        shown.collect::<Vec<_>>().join("\n\n")
    }
}

/// Asks nobody, and needs no bgecs.toml.
pub fn run(audience: Audience) -> Exit {
    Reporter::new(audience).result(&Routers {
        operation: "routers",
        routers: KINDS,
    });
    Exit::Done
}
