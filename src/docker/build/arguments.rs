//! The build arguments: those that were given, and those that Docker's clients add by
//! themselves.

use std::collections::{BTreeMap, HashMap};

use super::super::settings::Proxies;
use crate::hidden::Hidden;

/// Makes builds repeatable: <https://reproducible-builds.org/specs/source-date-epoch/>
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The arguments for the engine. A name without a value takes it from the environment,
/// and is left out if it is not set there. Given arguments win over `SOURCE_DATE_EPOCH`
/// of the environment, and over the proxies of Docker's configuration, whatever the case
/// of their names; BuildKit keeps those out of the image and its history.
pub(super) fn arguments(
    given: &[(String, Option<Hidden>)],
    variable: impl Fn(&str) -> Option<String>,
    proxies: &Proxies,
) -> HashMap<String, String> {
    let mut all = HashMap::new();
    for (name, value) in given {
        let value = value.as_ref().map(|value| value.reveal().to_owned());
        if let Some(value) = value.or_else(|| variable(name)) {
            all.insert(name.clone(), value);
        }
    }
    if !all.contains_key(EPOCH)
        && let Some(epoch) = variable(EPOCH).filter(|epoch| !epoch.is_empty())
    {
        all.insert(EPOCH.to_owned(), epoch);
    }
    let added: BTreeMap<_, _> = proxies
        .arguments()
        .filter(|(name, _)| !all.keys().any(|given| given.eq_ignore_ascii_case(name)))
        .collect();
    all.extend(
        added
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.reveal().to_owned())),
    );
    all
}

#[cfg(test)]
mod tests {
    use super::super::super::settings::testing::proxies;
    use super::*;

    fn told(given: &[(&str, Option<&str>)], set: &[(&str, &str)]) -> Vec<String> {
        let given: Vec<_> = given
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.map(Hidden::new)))
            .collect();
        let variable = |name: &str| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let proxies = proxies(r#"{"httpProxy":"http://p:1","noProxy":"here"}"#);
        let told = arguments(&given, variable, &proxies);
        let mut told: Vec<_> = told
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        told.sort_unstable();
        told
    }

    #[test]
    fn one_without_a_value_is_the_variable_s() {
        assert_eq!(
            told(
                &[("A", None), ("B", None), ("C", Some("3")), ("C", Some("4"))],
                &[("A", "1")]
            ),
            ["A=1", "C=4", "HTTP_PROXY=http://p:1", "NO_PROXY=here"]
        );
    }

    #[test]
    fn docker_s_own_are_added_where_nothing_was_given() {
        let epoch = [("SOURCE_DATE_EPOCH", "0")];
        let all = [
            "HTTP_PROXY=http://p:1",
            "NO_PROXY=here",
            "SOURCE_DATE_EPOCH=0",
        ];
        assert_eq!(told(&[], &epoch), all);
        assert_eq!(told(&[], &[("SOURCE_DATE_EPOCH", "")]), all[..2]);
        assert_eq!(
            told(
                &[("http_proxy", Some("")), ("SOURCE_DATE_EPOCH", Some("9"))],
                &epoch
            ),
            ["NO_PROXY=here", "SOURCE_DATE_EPOCH=9", "http_proxy="]
        );
    }
}
