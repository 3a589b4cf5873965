//! Actions that an emulator accepts and then does not keep. Pure.
//!
//! An emulator may drop what it does not imitate, such as the weights of a
//! forward, and still answer 200. So the actions of a call that succeeded are
//! kept as they were sent, together with what the emulator said of that listener
//! or rule right after: their *shadow*. As long as it says the same, nobody has
//! changed it, and the kept actions are the truth. When it says anything else,
//! someone else has (a stack update does it inside of the emulator), and what
//! was kept is forgotten.

use std::collections::HashMap;

use crate::balancer::config::{Action, Arn};

#[derive(Debug, Default)]
pub struct Overlay(HashMap<Arn, Kept>);

#[derive(Debug)]
struct Kept {
    actions: Vec<Action>,
    shadow: Vec<Action>,
}

impl Overlay {
    /// These were sent, and that is what the emulator made of them.
    pub fn keep(&mut self, arn: Arn, actions: Vec<Action>, shadow: Vec<Action>) {
        self.0.insert(arn, Kept { actions, shadow });
    }

    /// The actions of a listener or rule of which the emulator says that.
    pub fn truth<'a>(&'a self, arn: &Arn, said: &'a [Action]) -> &'a [Action] {
        match self.0.get(arn) {
            Some(kept) if kept.shadow == said => &kept.actions,
            _ => said,
        }
    }

    /// Forgets what was kept if the emulator says something else now. To be
    /// told of each reading, in the order of the readings.
    pub fn settle(&mut self, arn: &Arn, said: &[Action]) {
        if self.0.get(arn).is_some_and(|kept| kept.shadow != said) {
            self.0.remove(arn);
        }
    }

    /// Forgets the listeners and rules that are no more.
    pub fn retain(&mut self, lives: impl Fn(&Arn) -> bool) {
        self.0.retain(|arn, _| lives(arn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::config::{Forward, WeightedGroup};

    fn to(group: &str) -> Vec<Action> {
        vec![Action::Forward(Forward::to(Arn::new(group)))]
    }

    fn split() -> Vec<Action> {
        let group = |name: &str, weight| WeightedGroup {
            arn: Arn::new(name),
            weight,
        };
        vec![Action::Forward(Forward {
            groups: vec![group("blue", 90), group("green", 10)],
            stickiness: None,
        })]
    }

    fn kept() -> (Overlay, Arn, Vec<Action>) {
        let dropped = vec![Action::Forward(Forward {
            groups: vec![],
            stickiness: None,
        })];
        let listener = Arn::new("listener");
        let mut overlay = Overlay::default();
        overlay.keep(listener.clone(), split(), dropped.clone());
        (overlay, listener, dropped)
    }

    #[test]
    fn what_was_sent_is_the_truth_while_the_emulator_says_the_same() {
        let (mut overlay, listener, dropped) = kept();
        overlay.settle(&listener, &dropped);
        assert_eq!(overlay.truth(&listener, &dropped), split());
    }

    #[test]
    fn anothers_change_is_the_truth_and_stays_it() {
        let (mut overlay, listener, dropped) = kept();
        overlay.settle(&listener, &to("green"));
        assert_eq!(overlay.truth(&listener, &to("green")), to("green"));
        assert_eq!(overlay.truth(&listener, &dropped), dropped);
    }

    #[test]
    fn a_later_call_replaces_what_was_kept() {
        let (mut overlay, listener, dropped) = kept();
        overlay.keep(listener.clone(), to("green"), dropped.clone());
        assert_eq!(overlay.truth(&listener, &dropped), to("green"));
    }

    #[test]
    fn of_others_the_emulators_word_holds() {
        let (mut overlay, listener, dropped) = kept();
        assert_eq!(overlay.truth(&Arn::new("other"), &to("blue")), to("blue"));
        overlay.retain(|arn| *arn != listener);
        assert_eq!(overlay.truth(&listener, &dropped), dropped);
    }
}
