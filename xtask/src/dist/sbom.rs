//! The software bill of materials, as CycloneDX JSON: the crates linked into the binary
//! and their dependencies on each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::target::Target;
use super::{Release, build, program};
use crate::Result;
use crate::json::{at, text};

/// A crate's name and version, which both `cargo tree` and `cargo metadata` print.
type Name = (String, String);

pub fn of(release: &Release, target: Target) -> Result<String> {
    let words = [
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--filter-platform",
    ];
    let mut metadata = build::cargo(&release.root, &words);
    let metadata = program::said(metadata.arg(target.as_str()))?;
    // `cargo metadata` resolves features for the whole workspace, `cargo tree` for bgecs
    // alone.
    let words = [
        "tree",
        "--locked",
        "--package",
        "bgecs",
        "--edges",
        "normal,no-proc-macro",
    ];
    let mut tree = build::cargo(&release.root, &words);
    tree.args(["--prefix", "none", "--no-dedupe", "--format", "{p}"]);
    let tree = program::said(tree.args(["--target", target.as_str()]))?;
    let document = document(
        &serde_json::from_str(&metadata)?,
        &linked(&tree),
        OffsetDateTime::from_unix_timestamp(release.stamp.0.cast_signed())?,
    )?;
    Ok(format!("{document:#}\n"))
}

/// Reads the lines of `cargo tree`, such as `ring v0.17.14`.
fn linked(tree: &str) -> BTreeSet<Name> {
    let names = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let name = words.next()?.to_owned();
        Some((name, words.next()?.strip_prefix('v')?.to_owned()))
    });
    names.collect()
}

fn document(metadata: &Value, linked: &BTreeSet<Name>, time: OffsetDateTime) -> Result<Value> {
    let mut references = BTreeMap::new();
    let mut components = BTreeMap::new();
    for package in array(metadata, "packages") {
        let name = (text(package, &["name"])?, text(package, &["version"])?);
        let name = (name.0.to_owned(), name.1.to_owned());
        if linked.contains(&name) {
            let reference = format!("pkg:cargo/{}@{}", name.0, name.1);
            references.insert(text(package, &["id"])?, reference.clone());
            components.insert(reference, component(package));
        }
    }
    let mut dependencies = BTreeMap::new();
    for node in array(at(metadata, &["resolve"]), "nodes") {
        let Some(reference) = references.get(text(node, &["id"])?) else {
            continue;
        };
        let needed: BTreeSet<&String> = array(node, "deps")
            .filter(|edge| array(edge, "dep_kinds").any(|kind| kind["kind"].is_null()))
            .filter_map(|edge| references.get(edge["pkg"].as_str()?))
            .collect();
        dependencies.insert(reference, needed);
    }
    let bgecs = components
        .keys()
        .find(|it| it.starts_with("pkg:cargo/bgecs@"));
    let bgecs = bgecs
        .cloned()
        .ok_or("`cargo metadata` does not list bgecs")?;
    let mut own = components.remove(&bgecs).unwrap_or_default();
    own["type"] = "application".into();
    let dependencies = dependencies
        .iter()
        .map(|(reference, needed)| json!({ "ref": reference, "dependsOn": needed }));
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "timestamp": time.format(&Rfc3339)?, "component": own },
        "components": components.into_values().collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    }))
}

fn component(package: &Value) -> Value {
    let (name, version) = (&package["name"], &package["version"]);
    let reference = format!(
        "pkg:cargo/{}@{}",
        name.as_str().unwrap_or_default(),
        version.as_str().unwrap_or_default()
    );
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
    });
    if let Some(license) = package["license"].as_str() {
        // Older crates write a slash instead of `OR`.
        let license = license.replace('/', " OR ");
        component["licenses"] = json!([{ "expression": license }]);
    }
    if let Some(repository) = package["repository"].as_str() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

fn array<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_linked_is_in_the_list() {
        let package = |name: &str, license: &str| json!({ "name": name, "version": "1.0.0", "id": format!("id#{name}"), "license": license });
        let kinds = |kind: Value| json!([{ "kind": kind }]);
        let metadata = json!({
            "packages": [package("ring", "MIT/ISC"), package("bgecs", "MIT"), package("cc", "MIT")],
            "resolve": { "nodes": [
                { "id": "id#bgecs", "deps": [{ "pkg": "id#ring", "dep_kinds": kinds(Value::Null) }] },
                { "id": "id#ring", "deps": [{ "pkg": "id#cc", "dep_kinds": kinds("build".into()) }] },
                { "id": "id#cc", "deps": [] },
            ]},
        });
        let linked = linked("bgecs v1.0.0 (/somewhere)\nring v1.0.0\n");
        let list = document(&metadata, &linked, OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_eq!(list["metadata"]["component"]["type"], "application");
        assert_eq!(list["metadata"]["timestamp"], "1970-01-01T00:00:00Z");
        let components = list["components"].as_array().unwrap();
        assert_eq!(components.len(), 1);
        assert_eq!(components[0]["purl"], "pkg:cargo/ring@1.0.0");
        assert_eq!(components[0]["licenses"][0]["expression"], "MIT OR ISC");
        let expected = json!([
            { "ref": "pkg:cargo/bgecs@1.0.0", "dependsOn": ["pkg:cargo/ring@1.0.0"] },
            { "ref": "pkg:cargo/ring@1.0.0", "dependsOn": [] },
        ]);
        assert_eq!(list["dependencies"], expected);
    }
}
