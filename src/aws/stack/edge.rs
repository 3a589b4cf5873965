//! The stack of an app whose colours bgecs does not run: the journal's table, and in its
//! outputs what `init` was given, which every other command uses.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::StackSnapshot;
use crate::model::{
    AppName, Backends, COLOR_HEADER, EdgeInfrastructure, EdgeRouter, PerColor, RoutedPointer,
    RoutedRecord,
};

/// The kind of the router; only such a stack has this output.
pub const ROUTER: &str = "Router";

const ROUTE53: &str = "route53";
const TABLE: &str = "JournalTable";
/// A pointer with all its settings.
const POINTER: &str = "RouterPointer";
const TTL_BEFORE: &str = "RecordTtlBefore";
/// The header by which testers reach a colour that has no URL.
const TEST_HEADER: &str = "TestHeader";

/// The template as text; the same app always gives the same text.
pub fn template(app: &AppName, it: &EdgeInfrastructure) -> String {
    let mut outputs: Vec<(&str, Value)> = vec![
        ("JournalTableName", json!({ "Ref": TABLE })),
        ("Url", json!(it.url)),
    ];
    match &it.backends {
        Backends::Urls(urls) => outputs.extend([
            ("BlueUrl", json!(urls.blue)),
            ("GreenUrl", json!(urls.green)),
        ]),
        Backends::ByHeader => outputs.push((TEST_HEADER, json!(COLOR_HEADER))),
    }
    outputs.push((ROUTER, json!(it.router.kind())));
    match &it.router {
        EdgeRouter::Route53(record) => {
            outputs.extend([
                ("HostedZoneId", json!(record.zone)),
                ("RecordName", json!(record.name)),
                ("RecordTtl", json!(record.ttl.to_string())),
                ("BlueRecord", json!(text(&record.answers.blue))),
                ("GreenRecord", json!(text(&record.answers.green))),
            ]);
            let before = record.ttl_before;
            outputs.extend(before.map(|ttl| (TTL_BEFORE, json!(ttl.to_string()))));
        }
        EdgeRouter::Pointer(pointer) => outputs.push((POINTER, json!(text(pointer)))),
    }
    let outputs = outputs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!({ "Value": value })));
    let all = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": format!("What bgecs made for {app}: its journal"),
        "Resources": { TABLE: super::attached::table(app) },
        "Outputs": outputs.collect::<Map<_, _>>(),
    });
    format!("{all:#}")
}

fn text(it: &impl Serialize) -> String {
    serde_json::to_string(it).unwrap_or_default()
}

impl StackSnapshot {
    /// Its outputs, typed.
    ///
    /// # Errors
    /// The name of an output that is missing, or was not written by this bgecs.
    pub(super) fn edge_infrastructure(&self) -> Result<EdgeInfrastructure, String> {
        let output = |name: &str| self.output(name);
        let router = match output(ROUTER)?.as_str() {
            ROUTE53 => EdgeRouter::Route53(self.record()?),
            kind => {
                let pointer: RoutedPointer = self.typed(POINTER)?;
                match pointer.pointer.kind() == kind {
                    true => EdgeRouter::Pointer(pointer),
                    false => return Err(ROUTER.to_owned()),
                }
            }
        };
        let backends = match self.outputs.contains_key(TEST_HEADER) {
            true => Backends::ByHeader,
            false => Backends::Urls(PerColor {
                blue: output("BlueUrl")?,
                green: output("GreenUrl")?,
            }),
        };
        Ok(EdgeInfrastructure {
            endpoints: router.endpoints(&backends),
            router,
            backends,
            url: output("Url")?,
            journal_table: output("JournalTableName")?,
        })
    }

    fn record(&self) -> Result<RoutedRecord, String> {
        let ttl = "RecordTtl";
        Ok(RoutedRecord {
            owner: self.name.clone(),
            zone: self.output("HostedZoneId")?,
            name: self.output("RecordName")?,
            ttl: self.output(ttl)?.parse().map_err(|_| ttl.to_owned())?,
            ttl_before: self
                .outputs
                .get(TTL_BEFORE)
                .and_then(|ttl| ttl.parse().ok()),
            answers: PerColor {
                blue: self.typed("BlueRecord")?,
                green: self.typed("GreenRecord")?,
            },
        })
    }

    fn typed<T: DeserializeOwned>(&self, name: &str) -> Result<T, String> {
        serde_json::from_str(&self.output(name)?).map_err(|_| name.to_owned())
    }
}
