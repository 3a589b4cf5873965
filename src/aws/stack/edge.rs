//! The stack of an app whose colours bgecs does not run: the journal's table, and
//! in its outputs what `init` was told, which every other command goes by.

use serde_json::{Map, Value, json};

use super::StackSnapshot;
use crate::model::{
    AppName, EdgeInfrastructure, EdgeRouter, Endpoint, PerColor, PerRoute, RecordAnswer,
    RoutedRecord,
};

/// What tells such a stack: the kind of its router.
pub const ROUTER: &str = "Router";

const ROUTE53: &str = "route53";
const TABLE: &str = "JournalTable";
const TTL_BEFORE: &str = "RecordTtlBefore";

/// The template as text: the same for the same app.
pub fn template(app: &AppName, it: &EdgeInfrastructure) -> String {
    let mut outputs: Vec<(&str, Value)> = vec![
        ("JournalTableName", json!({ "Ref": TABLE })),
        ("Url", json!(it.url)),
        ("BlueUrl", json!(it.backends.blue)),
        ("GreenUrl", json!(it.backends.green)),
    ];
    outputs.extend(match &it.router {
        EdgeRouter::Route53(record) => vec![
            (ROUTER, json!(ROUTE53)),
            ("HostedZoneId", json!(record.zone)),
            ("RecordName", json!(record.name)),
            ("RecordTtl", json!(record.ttl.to_string())),
            ("BlueRecord", json!(text(&record.answers.blue))),
            ("GreenRecord", json!(text(&record.answers.green))),
        ],
    });
    let EdgeRouter::Route53(record) = &it.router;
    let before = record.ttl_before;
    outputs.extend(before.map(|ttl| (TTL_BEFORE, json!(ttl.to_string()))));
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

fn text(answers: &[RecordAnswer]) -> String {
    serde_json::to_string(answers).unwrap_or_default()
}

impl StackSnapshot {
    /// Its outputs, typed.
    ///
    /// # Errors
    /// The name of the output that is missing, or is none that this bgecs wrote.
    pub(super) fn edge_infrastructure(&self) -> Result<EdgeInfrastructure, String> {
        let output = |name: &str| self.output(name);
        if output(ROUTER)? != ROUTE53 {
            return Err(ROUTER.to_owned());
        }
        let answers = |name: &str| {
            serde_json::from_str::<Vec<RecordAnswer>>(&output(name)?).map_err(|_| name.to_owned())
        };
        let ttl = "RecordTtl";
        let record = RoutedRecord {
            owner: self.name.clone(),
            zone: output("HostedZoneId")?,
            name: output("RecordName")?,
            ttl: output(ttl)?.parse().map_err(|_| ttl.to_owned())?,
            ttl_before: self
                .outputs
                .get(TTL_BEFORE)
                .and_then(|ttl| ttl.parse().ok()),
            answers: PerColor {
                blue: answers("BlueRecord")?,
                green: answers("GreenRecord")?,
            },
        };
        Ok(EdgeInfrastructure {
            endpoints: endpoints(&record),
            router: EdgeRouter::Route53(record),
            backends: PerColor {
                blue: output("BlueUrl")?,
                green: output("GreenUrl")?,
            },
            url: output("Url")?,
            journal_table: output("JournalTableName")?,
        })
    }
}

/// What the routes are called.
pub fn endpoints(record: &RoutedRecord) -> PerRoute<Endpoint> {
    PerRoute {
        production: Endpoint::Named(format!("record {}", record.name)),
        test: Endpoint::Named("each colour's own URL".to_owned()),
    }
}
