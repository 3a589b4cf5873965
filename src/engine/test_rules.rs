//! The routing rules by which colours are looked at, on a custom domain of API Gateway
//! that has rules: which to create, change or delete. Anyone else's rules stay as they
//! are.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::journal::Effect;
use crate::model::{RoutingRule, TestRule};

/// "You can set the priority from 1-1,000,000", and the lowest comes first
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-routing-rules.html>).
const FIRST: i32 = 1;

/// What becomes of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    pub domain: String,
    /// As it is from then on; as it was, where it goes.
    pub rule: TestRule,
    pub deed: RuleDeed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleDeed {
    Make { priority: i32 },
    Change { id: String, priority: i32 },
    Delete { id: String },
}

/// What it takes until the domain has the `wanted` ones, and of those that were `made`
/// no other.
pub fn changes(
    domain: &str,
    wanted: &[TestRule],
    made: &[TestRule],
    there: &[RoutingRule],
) -> Vec<RuleChange> {
    let is_one_of = |all: &[TestRule], it: &RoutingRule| {
        let is = it.is.as_ref();
        is.is_some_and(|is| all.contains(is))
    };
    let mut stale: Vec<&RoutingRule> = there
        .iter()
        .filter(|it| is_one_of(made, it) && !is_one_of(wanted, it))
        .collect();
    let taken: BTreeSet<i32> = there.iter().map(|it| it.priority).collect();
    // The lowest are ahead of every rule that is there, where such are free.
    let mut free = (FIRST..).filter(|priority| !taken.contains(priority));
    let change = |rule: &TestRule, deed| RuleChange {
        domain: domain.to_owned(),
        rule: rule.clone(),
        deed,
    };
    let mut changes = Vec::new();
    for rule in wanted {
        if there.iter().any(|it| it.is.as_ref() == Some(rule)) {
            continue;
        }
        let is_its = |it: &&RoutingRule| it.is.as_ref().is_some_and(|is| is.color == rule.color);
        let deed = match stale.iter().position(is_its) {
            Some(at) => {
                let it = stale.swap_remove(at);
                Some(RuleDeed::Change {
                    id: it.id.clone(),
                    priority: it.priority,
                })
            }
            None => free.next().map(|priority| RuleDeed::Make { priority }),
        };
        changes.extend(deed.map(|deed| change(rule, deed)));
    }
    changes.extend(stale.into_iter().filter_map(|it| {
        let id = it.id.clone();
        Some(change(it.is.as_ref()?, RuleDeed::Delete { id }))
    }));
    changes
}

impl RuleChange {
    /// As the journal says it ahead.
    pub fn effect(&self) -> Effect {
        let (domain, color) = (self.domain.clone(), self.rule.color);
        match self.deed {
            RuleDeed::Make { .. } => Effect::MakeTestRule { domain, color },
            RuleDeed::Change { .. } => Effect::ChangeTestRule { domain, color },
            RuleDeed::Delete { .. } => Effect::DeleteTestRule { domain, color },
        }
    }
}

impl fmt::Display for RuleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, rule, .. } = self;
        match &self.deed {
            RuleDeed::Make { priority } => write!(
                f,
                "make a routing rule of {domain}, with priority {priority}: {rule}"
            ),
            RuleDeed::Change { priority, .. } => write!(
                f,
                "change the routing rule of {domain} with priority {priority}: {rule}"
            ),
            RuleDeed::Delete { .. } => write!(
                f,
                "delete the routing rule of {domain} that bgecs made: {rule}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Color;

    fn rule(color: Color, target: &str) -> TestRule {
        TestRule {
            color,
            path: "orders".to_owned(),
            target: target.to_owned(),
        }
    }

    fn both(blue: &str, green: &str) -> [TestRule; 2] {
        [rule(Color::Blue, blue), rule(Color::Green, green)]
    }

    fn there(priority: i32, is: Option<TestRule>) -> RoutingRule {
        RoutingRule {
            id: format!("r{priority}"),
            priority,
            is,
        }
    }

    fn told(wanted: &[TestRule], made: &[TestRule], there: &[RoutingRule]) -> Vec<String> {
        let all = changes("api.test", wanted, made, there);
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn they_are_made_ahead_of_all_others_where_there_is_room() {
        let wanted = both("a/prod", "b/prod");
        for (others, priorities) in [
            (&[][..], [1, 2]),
            (&[3, 7], [1, 2]),
            (&[2], [1, 3]),
            (&[1, 2, 4], [3, 5]),
        ] {
            let others: Vec<_> = others.iter().map(|it| there(*it, None)).collect();
            let deeds = changes("api.test", &wanted, &[], &others);
            let deeds: Vec<_> = deeds.into_iter().map(|it| it.deed).collect();
            assert_eq!(
                deeds,
                priorities.map(|priority| RuleDeed::Make { priority })
            );
        }
        insta::assert_snapshot!(told(&wanted, &wanted, &[there(1, None)]).join("\n"), @"
        make a routing rule of api.test, with priority 2: requests below /orders with x-bgecs-color: blue go to a/prod
        make a routing rule of api.test, with priority 3: requests below /orders with x-bgecs-color: green go to b/prod
        ");
    }

    #[test]
    fn what_is_there_stays_and_what_is_gone_is_made_again() {
        let wanted = both("a/prod", "b/prod");
        let [blue, green] = wanted.clone().map(Some);
        let all = [there(1, blue), there(2, green), there(9, None)];
        assert_eq!(told(&wanted, &wanted, &all), Vec::<String>::new());
        // Whoever lost what it was told knows them again all the same.
        assert_eq!(told(&wanted, &[], &all), Vec::<String>::new());
        let deeds = changes("api.test", &wanted, &wanted, &all[1..]);
        let [made] = deeds.as_slice() else {
            panic!("{deeds:?}")
        };
        assert_eq!(made.deed, RuleDeed::Make { priority: 1 });
        assert_eq!(made.rule.color, Color::Blue);
    }

    #[test]
    fn another_target_changes_the_colours_own_rule() {
        let (made, wanted) = (both("a/prod", "b/prod"), both("a/prod", "c/prod"));
        let [blue, green] = made.clone().map(Some);
        let all = [there(4, blue), there(6, green.clone())];
        insta::assert_snapshot!(told(&wanted, &made, &all).join("\n"), @"change the routing rule of api.test with priority 6: requests below /orders with x-bgecs-color: green go to c/prod");
        // It was changed, and nobody lived to say so in the stack.
        let [_, changed] = wanted.clone().map(Some);
        let torn = [all[0].clone(), there(6, changed.clone())];
        assert_eq!(told(&wanted, &made, &torn), Vec::<String>::new());
        // One that was left behind goes.
        let twice = [all[0].clone(), there(6, changed), there(7, green)];
        let deeds = changes("api.test", &wanted, &made, &twice);
        assert_eq!(deeds.len(), 1);
        assert_eq!(
            deeds[0].deed,
            RuleDeed::Delete {
                id: "r7".to_owned()
            }
        );
    }

    #[test]
    fn exactly_those_that_were_made_are_deleted() {
        let made = both("a/prod", "b/prod");
        let [blue, green] = made.clone().map(Some);
        let elsewhere = Some(rule(Color::Blue, "z/prod"));
        let all = [
            there(1, elsewhere),
            there(2, blue),
            there(3, None),
            there(4, green),
        ];
        insta::assert_snapshot!(told(&[], &made, &all).join("\n"), @"
        delete the routing rule of api.test that bgecs made: requests below /orders with x-bgecs-color: blue go to a/prod
        delete the routing rule of api.test that bgecs made: requests below /orders with x-bgecs-color: green go to b/prod
        ");
        let deeds = changes("api.test", &[], &made, &all);
        let ids = deeds.into_iter().map(|it| it.deed);
        let delete = |id: &str| RuleDeed::Delete { id: id.to_owned() };
        assert_eq!(ids.collect::<Vec<_>>(), [delete("r2"), delete("r4")]);
    }
}
