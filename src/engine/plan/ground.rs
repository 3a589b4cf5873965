//! What an app stands on: its network, cluster, roles, logs and images. Some of it
//! cannot go from under what runs there.

use std::collections::BTreeMap;

use super::Refusal;

/// The parameters that say which it is.
pub const NETWORK_CIDR: &str = "NetworkCidr";
pub const ENDPOINTS: &str = "Endpoints";
pub const VPC_ID: &str = "VpcId";
pub const TASK_GROUPS: &str = "TaskSecurityGroupIds";
pub const GIVEN_CLUSTER: &str = "GivenCluster";
pub const GIVEN_EXECUTION_ROLE: &str = "GivenExecutionRole";
pub const GIVEN_TASK_ROLE: &str = "GivenTaskRole";
pub const GIVEN_LOG_GROUP: &str = "GivenLogGroup";
pub const GIVEN_REPOSITORY: &str = "GivenRepository";

/// Of a stack that was made before it could be said.
const FIRST_NETWORK: &str = "10.64.0.0/16";

/// What may become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// It is what it was first.
    Stays,
    /// Only what `init` made has to stay: it would be deleted.
    StaysIfMade,
}

const GROUNDS: [(&str, Ground, &str, &str); 7] = [
    (VPC_ID, Ground::Stays, "VPC", "[network] vpc"),
    (GIVEN_CLUSTER, Ground::Stays, "cluster", "[cluster] name"),
    (
        GIVEN_REPOSITORY,
        Ground::Stays,
        "repository",
        "[registry] repository",
    ),
    (
        TASK_GROUPS,
        Ground::StaysIfMade,
        "security group of the tasks",
        "[network] security_groups",
    ),
    (
        GIVEN_EXECUTION_ROLE,
        Ground::StaysIfMade,
        "execution role",
        "[roles] execution",
    ),
    (
        GIVEN_TASK_ROLE,
        Ground::StaysIfMade,
        "role of the tasks",
        "[roles] task",
    ),
    (
        GIVEN_LOG_GROUP,
        Ground::StaysIfMade,
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
        let may_go = ground == Ground::StaysIfMade && !before.is_empty();
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
/// Another range; tasks that are to leave the private subnets.
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
    let is_private = |value: Option<&String>| value.is_some_and(|it| it == "true");
    match is_private(made.get(ENDPOINTS)) && !is_private(wanted.get(ENDPOINTS)) {
        true => Err(Refusal::new(
            "tasks may run in the private subnets, which cannot go from under them",
            "[network] endpoints = true leaves them; otherwise `bgecs destroy`, then `bgecs init`",
        )),
        false => Ok(()),
    }
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
            let may_go = ground == Ground::StaysIfMade;
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
