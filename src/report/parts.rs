//! The results of a command that runs other commands: programs get one document, in which
//! each earlier part stands under its own name.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

#[derive(Debug, Default)]
pub struct Parts(Mutex<Held>);

#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    /// The next result is not the last one.
    Next,
    Part(Value),
}

impl Parts {
    fn locked(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next result is a part, and what comes after it the whole.
    pub fn begin(&self) {
        *self.locked() = Held::Next;
    }

    /// The document to print with that result, if it is time for one.
    pub fn whole(&self, mut value: Value) -> Option<Value> {
        let mut held = self.locked();
        match std::mem::take(&mut *held) {
            Held::Nothing => {}
            Held::Next => {
                *held = Held::Part(value);
                return None;
            }
            Held::Part(part) => {
                let name = part["operation"].as_str().unwrap_or("part").to_owned();
                if let Some(object) = value.as_object_mut() {
                    object.insert(name, part);
                }
            }
        }
        Some(value)
    }

    /// The part that nothing came after.
    pub fn left(&self) -> Option<Value> {
        match std::mem::take(&mut *self.locked()) {
            Held::Part(part) => Some(part),
            Held::Nothing | Held::Next => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_is_in_the_whole_under_its_own_name_or_is_all_there_is() {
        let parts = Parts::default();
        let init = json!({ "operation": "init", "outcome": "updated" });
        let promote = json!({ "operation": "promote" });
        assert_eq!(parts.whole(promote.clone()), Some(promote.clone()));
        parts.begin();
        assert_eq!(parts.whole(init.clone()), None);
        let both = json!({ "operation": "promote", "init": init });
        assert_eq!(parts.whole(promote), Some(both));
        parts.begin();
        assert_eq!(parts.whole(init.clone()), None);
        assert_eq!((parts.left(), parts.left()), (Some(init), None));
    }
}
