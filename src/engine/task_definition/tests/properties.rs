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

/// Definitions that are nearly well: of known keys, with anything in them.
fn any_definition() -> impl Strategy<Value = Value> {
    let pointer = prop::sample::select(vec![
        "/tags",
        "/volumes",
        "/taskDefinition",
        "/containerDefinitions",
        "/containerDefinitions/0",
        "/containerDefinitions/0/name",
        "/containerDefinitions/0/environment",
        "/containerDefinitions/0/dependsOn",
        "/containerDefinitions/0/logConfiguration",
    ]);
    (pointer, any_json()).prop_map(|(pointer, value)| with(pointer, value))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Any text of a container, and any value that is passed unchecked, reaches
    /// AWS as it stands; and counts for the hash.
    #[test]
    fn every_other_value_survives(
        pairs in prop::collection::vec(("x[a-z]{1,6}", any_json()), 1..5),
        label in "[a-zé\"\\\\\n ${}]{0,9}",
    ) {
        let mut definition = minimal();
        definition["containerDefinitions"][0]["dockerLabels"] = json!({ "label": label });
        for (key, value) in &pairs {
            definition[key] = value.clone();
            definition["containerDefinitions"][0][key] = value.clone();
        }
        let own = OwnDefinition {
            unchecked: pairs.iter().map(|(key, _)| key.clone()).collect(),
            ..own()
        };
        let file = read(&definition.to_string(), &own).unwrap();
        let world = World { file, ..World::new() };
        let composed = compose(&world.file_input()).unwrap();
        let app = &composed.body["containerDefinitions"][0];
        prop_assert_eq!(&app["dockerLabels"]["label"], &label);
        for key in pairs.iter().map(|(key, _)| key.as_str()) {
            // Null says nothing.
            prop_assert_eq!(&composed.body[key], &definition[key]);
            prop_assert_eq!(&app[key], &definition[key]);
        }
        // What went out is what was hashed, and it is what AWS reads.
        let read: Value = serde_json::from_str(&composed.body.to_string()).unwrap();
        prop_assert_eq!(&read, &composed.body);

        let plain = World::with_file(&minimal());
        prop_assert_ne!(hash(&plain.file_input()), composed.config_hash);
    }

    #[test]
    fn the_hash_does_not_depend_on_the_order_of_keys(value in any_json()) {
        let own = OwnDefinition { unchecked: vec!["x".to_owned()], ..own() };
        let one = with("/x", value);
        let hash_of = |definition: &Value| {
            let file = read(&definition.to_string(), &own).unwrap();
            hash(&World { file, ..World::new() }.file_input())
        };
        prop_assert_eq!(hash_of(&one), hash_of(&reversed(&one)));
    }

    /// Composing from what was composed changes nothing.
    #[test]
    fn composing_twice_is_composing_once(definition in any_definition()) {
        if let Ok(file) = read(&definition.to_string(), &own()) {
            let world = World { file, ..World::new() };
            let first = compose(&world.file_input()).unwrap();
            let again = World::with_file(&first.body);
            prop_assert_eq!(compose(&again.file_input()).unwrap(), first);
        }
    }

    #[test]
    fn any_text_is_answered(text in "[\\[\\]{}:,$\"a0 \\n]{0,20}", expand in any::<bool>()) {
        let _ = read(&text, &OwnDefinition { expand, ..own() });
    }
}
