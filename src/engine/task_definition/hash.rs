//! Tells whether two bodies would run the same.

use serde_json::{Map, Value};

use crate::hex;

/// SHA-256, in hex, of a body's canonical JSON: keys sorted at every depth,
/// no white space. The order of a list is part of what it says.
pub(super) fn of(body: &Map<String, Value>) -> String {
    hex::sha256(sorted(body).to_string())
}

fn sorted(object: &Map<String, Value>) -> Value {
    let mut entries: Vec<(&String, &Value)> = object.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
        .into_iter()
        .map(|(key, value)| (key.clone(), canonical(value)))
        .collect()
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(object) => sorted(object),
        Value::Array(items) => items.iter().map(canonical).collect(),
        plain => plain.clone(),
    }
}
