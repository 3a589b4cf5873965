//! The parameters of a Query call, by name. Pure.
//!
//! Lists and structures are flat there: `Targets.member.2.Id`.
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    pub fn new(parameters: Vec<(String, String)>) -> Self {
        Self(parameters.into_iter().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// What the list's members are called, in their order: `LIST.member.1`.
    pub fn members(&self, list: &str) -> Vec<String> {
        let prefix = format!("{list}.member.");
        let numbers: BTreeSet<u32> = self
            .0
            .range(prefix.clone()..)
            .map_while(|(name, _)| name.strip_prefix(&prefix))
            .filter_map(|rest| rest.split('.').next()?.parse().ok())
            .collect();
        numbers
            .into_iter()
            .map(|number| format!("{prefix}{number}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_of_a_list_are_in_the_order_of_their_numbers() {
        let form = Form::new(
            ["L.member.10.Id", "L.member.2.Id", "L.member.2.Port", "Lx"]
                .map(|name| (name.to_owned(), String::new()))
                .to_vec(),
        );
        assert_eq!(form.members("L"), ["L.member.2", "L.member.10"]);
        assert!(form.members("M").is_empty());
    }
}
