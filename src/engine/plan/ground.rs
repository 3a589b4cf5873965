//! What an app stands on: its network, cluster, roles, logs and images. Refuses changes
//! that would pull it from under what runs.

use std::collections::BTreeMap;

use super::Refusal;

/// The parameters that say which it is.
pub const NETWORK_CIDR: &str = "NetworkCidr";
pub const ENDPOINTS: &str = "Endpoints";
pub const NAT: &str = "Nat";
pub const ZONES: &str = "Zones";
pub const VPC_ID: &str = "VpcId";
pub const TASK_GROUPS: &str = "TaskSecurityGroupIds";
pub const GIVEN_CLUSTER: &str = "GivenCluster";
pub const GIVEN_EXECUTION_ROLE: &str = "GivenExecutionRole";
pub const GIVEN_TASK_ROLE: &str = "GivenTaskRole";
pub const GIVEN_LOG_GROUP: &str = "GivenLogGroup";
pub const GIVEN_REPOSITORY: &str = "GivenRepository";

/// The range of stacks that were made before the file could name one.
const FIRST_NETWORK: &str = "10.64.0.0/16";

/// Whether something else may take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MayChange {
    Never,
    /// What `init` made has to stay: it would be deleted.
    IfGiven,
}

const GROUNDS: [(&str, MayChange, &str, &str); 7] = [
    (VPC_ID, MayChange::Never, "VPC", "[network] vpc"),
    (GIVEN_CLUSTER, MayChange::Never, "cluster", "[cluster] name"),
    (
        GIVEN_REPOSITORY,
        MayChange::Never,
        "repository",
        "[registry] repository",
    ),
    (
        TASK_GROUPS,
        MayChange::IfGiven,
        "security group of the tasks",
        "[network] security_groups",
    ),
    (
        GIVEN_EXECUTION_ROLE,
        MayChange::IfGiven,
        "execution role",
        "[roles] execution",
    ),
    (
        GIVEN_TASK_ROLE,
        MayChange::IfGiven,
        "role of the tasks",
        "[roles] task",
    ),
    (
        GIVEN_LOG_GROUP,
        MayChange::IfGiven,
        "log group",
        "[logs] group",
    ),
];

/// What the stack is told of a thing that is given, and only AWS tells.
const FOUND: [(&str, &[&str]); 3] = [
    (VPC_ID, &[NETWORK_CIDR]),
    (GIVEN_LOG_GROUP, &["OtherLogGroupArns"]),
    (
        GIVEN_REPOSITORY,
        &["OtherRepositoryArns", "GivenRepositoryUri"],
    ),
];

/// Leaves it as the stack has it, for who compares it with a file.
pub fn keep_found(made: &BTreeMap<String, String>, wanted: &mut BTreeMap<&'static str, String>) {
    for (given, found) in FOUND {
        if wanted.get(given).is_none_or(String::is_empty) {
            continue;
        }
        for parameter in found {
            wanted.insert(parameter, made.get(*parameter).cloned().unwrap_or_default());
        }
    }
}

/// # Errors
/// Something that services, tasks or images are in would go, or become another.
pub fn refuse_other_ground(
    made: &BTreeMap<String, String>,
    wanted: &BTreeMap<&'static str, String>,
) -> Result<(), Refusal> {
    for (parameter, ground, what, key) in GROUNDS {
        let before = made.get(parameter).map_or("", String::as_str);
        let after = wanted.get(parameter).map_or("", String::as_str);
        let may_go = ground == MayChange::IfGiven && !before.is_empty();
        if before != after && !may_go {
            return Err(moved(what, key, before, after));
        }
    }
    // Of a VPC that is given, its owner says it.
    match wanted.get(VPC_ID).is_some_and(|vpc| !vpc.is_empty()) {
        true => Ok(()),
        false => refuse_another_network(made, wanted),
    }
}

fn moved(what: &str, key: &str, before: &str, after: &str) -> Refusal {
    let named = |name: &str| match name {
        "" => "the one that `bgecs init` made".to_owned(),
        name => name.to_owned(),
    };
    let leaves = match before {
        "" => format!("leave {key} out"),
        before => format!("{key} = \"{before}\" leaves it"),
    };
    let (from, to) = match after {
        "" => (named(before), "one of its own".to_owned()),
        after => (named(before), after.to_owned()),
    };
    Refusal::new(
        format!("the {what} of the app is {from}, and cannot become {to} under what uses it"),
        format!("{leaves}; another one needs `bgecs destroy`, then `bgecs init`"),
    )
}

/// Everything in a network goes with its range, and what runs in a subnet keeps that from
/// going.
///
/// # Errors
/// Another range; tasks that are to leave a zone, or the private subnets.
fn refuse_another_network(
    made: &BTreeMap<String, String>,
    wanted: &BTreeMap<&'static str, String>,
) -> Result<(), Refusal> {
    let before = made.get(NETWORK_CIDR).map_or(FIRST_NETWORK, String::as_str);
    let after = wanted.get(NETWORK_CIDR).map_or(before, String::as_str);
    if before != after {
        return Err(Refusal::new(
            format!("the network is {before}, and cannot become {after} under what is in it"),
            format!(
                "[network] cidr = \"{before}\" leaves it; another one needs `bgecs destroy`, then `bgecs init`"
            ),
        ));
    }
    let is_three = |value: Option<&String>| value.is_some_and(|it| it == "3");
    if is_three(made.get(ZONES)) && !is_three(wanted.get(ZONES)) {
        return Err(Refusal::new(
            "tasks may run in the third zone, which cannot go from under them",
            "[network] zones = 3 leaves it; otherwise `bgecs destroy`, then `bgecs init`",
        ));
    }
    let was_private = is_private(made.get(ENDPOINTS), made.get(NAT));
    match was_private && !is_private(wanted.get(ENDPOINTS), wanted.get(NAT)) {
        true => Err(Refusal::new(
            "tasks may run in the private subnets, which cannot go from under them",
            "[network] endpoints = true, or nat, leaves them; otherwise `bgecs destroy`, then `bgecs init`",
        )),
        false => Ok(()),
    }
}

/// Whether there are subnets that the internet does not reach.
fn is_private(endpoints: Option<&String>, nat: Option<&String>) -> bool {
    endpoints.is_some_and(|it| it == "true") || nat.is_some_and(|it| it != "none")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_something_stands_on_stays() {
        let of = |parameter: &'static str, before: &str, after: &str| {
            let made = BTreeMap::from([(parameter.to_owned(), before.to_owned())]);
            let wanted = BTreeMap::from([(parameter, after.to_owned())]);
            refuse_other_ground(&made, &wanted).map_err(|refusal| refusal.message)
        };
        for (parameter, ground, ..) in GROUNDS {
            assert_eq!(of(parameter, "", ""), Ok(()));
            assert_eq!(of(parameter, "one", "one"), Ok(()));
            assert!(of(parameter, "", "one").is_err(), "{parameter}");
            let may_go = ground == MayChange::IfGiven;
            assert_eq!(of(parameter, "one", "other").is_ok(), may_go, "{parameter}");
            assert_eq!(of(parameter, "one", "").is_ok(), may_go, "{parameter}");
        }
        assert_eq!(
            of(VPC_ID, "", "vpc-1").unwrap_err(),
            "the VPC of the app is the one that `bgecs init` made, and cannot become vpc-1 under what uses it"
        );
        assert_eq!(
            of(GIVEN_CLUSTER, "prod", "").unwrap_err(),
            "the cluster of the app is prod, and cannot become one of its own under what uses it"
        );
        // A stack of before it could be said.
        let wanted = BTreeMap::from([(GIVEN_LOG_GROUP, String::new())]);
        assert_eq!(refuse_other_ground(&BTreeMap::new(), &wanted), Ok(()));
    }

    #[test]
    fn what_tasks_may_be_in_does_not_go() {
        let of = |made: [&str; 3], wanted: [&str; 3]| {
            let names = [ENDPOINTS, NAT, ZONES];
            let made = names
                .map(str::to_owned)
                .into_iter()
                .zip(made.map(str::to_owned));
            let wanted = names.into_iter().zip(wanted.map(str::to_owned));
            refuse_other_ground(&made.collect(), &wanted.collect()).is_ok()
        };
        let public = ["false", "none", "2"];
        assert!(of(public, ["false", "one", "3"]));
        assert!(of(["false", "one", "2"], ["false", "per-zone", "2"]));
        assert!(of(["false", "per-zone", "2"], ["true", "none", "2"]));
        assert!(of(["true", "one", "3"], ["false", "one", "3"]));
        assert!(!of(["false", "one", "2"], public));
        assert!(!of(["true", "none", "2"], public));
        assert!(!of(["false", "none", "3"], public));
        // Of a stack that had no such parameter.
        let wanted = BTreeMap::from([(NAT, "one".to_owned()), (ZONES, "3".to_owned())]);
        assert_eq!(refuse_other_ground(&BTreeMap::new(), &wanted), Ok(()));
    }

    #[test]
    fn a_network_stays_under_what_is_in_it() {
        let of = |made: &[(&str, &str)], wanted: [&str; 2]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            let made = made.iter().map(owned).collect();
            let [cidr, endpoints] = wanted.map(str::to_owned);
            let wanted = BTreeMap::from([(NETWORK_CIDR, cidr), (ENDPOINTS, endpoints)]);
            refuse_other_ground(&made, &wanted).map_err(|refusal| refusal.message)
        };
        let (usual, other) = (FIRST_NETWORK, "10.65.0.0/16");
        assert_eq!(of(&[], [usual, "false"]), Ok(()));
        assert_eq!(of(&[], [usual, "true"]), Ok(()));
        let moved =
            "the network is 10.64.0.0/16, and cannot become 10.65.0.0/16 under what is in it";
        assert_eq!(of(&[], [other, "false"]), Err(moved.to_owned()));
        assert_eq!(of(&[(NETWORK_CIDR, other)], [other, "false"]), Ok(()));
        let private = [(NETWORK_CIDR, usual), (ENDPOINTS, "true")];
        assert_eq!(of(&private, [usual, "true"]), Ok(()));
        let left = "tasks may run in the private subnets, which cannot go from under them";
        assert_eq!(of(&private, [usual, "false"]), Err(left.to_owned()));
    }
}
