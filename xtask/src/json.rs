//! Reading what bgecs says with `--json`.

use serde_json::Value;

use crate::Result;

pub fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter()
        .fold(value, |value, key| match key.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[*key],
        })
}

pub fn text<'a>(value: &'a Value, path: &[&str]) -> Result<&'a str> {
    at(value, path)
        .as_str()
        .ok_or_else(|| format!("{} is missing", path.join(".")).into())
}

pub fn expect(value: &Value, path: &[&str], expected: impl Into<Value>) -> Result<()> {
    let (found, expected) = (at(value, path), expected.into());
    if *found == expected {
        return Ok(());
    }
    Err(format!("{} is {found}, not {expected}", path.join(".")).into())
}
