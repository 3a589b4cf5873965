//! What holds for any task definition at all.

use proptest::prelude::*;
use serde_json::json;

use super::from_file::{minimal, with};
use super::*;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[a-zé\"\\\\\n]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z]{1,4}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// The same value with the keys of every object in the opposite order.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let pairs = object.iter().rev();
            pairs
                .map(|(key, value)| (key.clone(), reversed(value)))
                .collect()
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        plain => plain.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any field, of the task, of the app's container or of a sidecar, known to
    /// bgecs or not, reaches AWS as it stands; and counts for the hash.
    #[test]
    fn every_other_value_survives(
        pairs in prop::collection::vec(("x[a-z]{1,6}", any_json()), 1..5),
        sidecar in any_json(),
    ) {
        let mut definition = minimal();
        for (key, value) in &pairs {
            definition[key] = value.clone();
            definition["containerDefinitions"][0][key] = value.clone();
        }
        let sidecar = json!({ "name": "sidecar", "image": "old", "deep": sidecar });
        definition["containerDefinitions"].as_array_mut().unwrap().push(sidecar.clone());
        let world = World::with_file(&definition);
        let composed = compose(&world.file_input()).unwrap();
        let app = &composed.body["containerDefinitions"][0];
        for key in pairs.iter().map(|(key, _)| key.as_str()) {
            prop_assert_eq!(&composed.body[key], &definition[key]);
            prop_assert_eq!(&app[key], &definition[key]);
        }
        prop_assert_eq!(&composed.body["containerDefinitions"][1], &sidecar);
        // What went out is what was hashed, and it is what AWS reads.
        let read: Value = serde_json::from_str(&composed.body.to_string()).unwrap();
        prop_assert_eq!(&read, &composed.body);

        let plain = World::with_file(&minimal());
        prop_assert_ne!(hash(&plain.file_input()), composed.config_hash);
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys(value in any_json()) {
        let one = with("/x", value);
        let other = reversed(&one);
        let (one, other) = (World::with_file(&one), World::with_file(&other));
        prop_assert_eq!(hash(&one.file_input()), hash(&other.file_input()));
    }

    /// Composing from what was composed changes nothing.
    #[test]
    fn composing_twice_is_composing_once(value in any_json()) {
        let world = World::with_file(&with("/x", value));
        let first = compose(&world.file_input()).unwrap();
        let again = World::with_file(&first.body);
        prop_assert_eq!(compose(&again.file_input()).unwrap(), first);
    }

    #[test]
    fn any_text_is_answered(text in "[\\[\\]{}:,\"a0 \\n]{0,20}") {
        let _ = TaskFile::parse(&text, "td.json".as_ref());
    }
}
