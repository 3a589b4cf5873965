//! Rules of DynamoDB for expressions that a local one may not enforce.

use std::collections::BTreeSet;

use super::*;

/// One request of every form that is ever sent.
async fn every_request() -> Vec<Request> {
    let mut wire = Wire::new();
    for _ in 0..16 {
        for call in ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"] {
            wire = wire.on(call, done());
        }
    }
    let aws = wire.aws();
    let id = OperationId::named(ID);
    let operation = operation();
    let _ = aws.read_head(TABLE).await;
    let _ = aws.take_lease(TABLE, &holder(), moment(), None).await;
    let _ = aws
        .take_lease(TABLE, &holder(), moment(), Some(&lease()))
        .await;
    for slot in [
        OperationChange::Keep,
        OperationChange::Write(&operation),
        OperationChange::Clear,
    ] {
        for truth in [None, Some(TRUTH)] {
            for tenure in [LeaseChange::Until(moment()), LeaseChange::Release] {
                let change = HeadChange {
                    operation: slot,
                    truth: truth.clone(),
                    tenure,
                    version: 1,
                };
                aws.change_head(TABLE, 7, &id, &change).await.unwrap();
            }
        }
    }
    aws.break_lease(TABLE, &id).await.unwrap();
    aws.add_to_history(TABLE, 7, &operation).await.unwrap();
    aws.read_history(TABLE, 5).await.unwrap();
    aws.stand_in_line(TABLE, &id, moment()).await.unwrap();
    aws.read_line(TABLE).await.unwrap();
    aws.leave_line(TABLE, &id).await.unwrap();
    wire.requests()
}

fn declared(sent: &Value, field: &str) -> BTreeSet<String> {
    let names = sent[field].as_object();
    names
        .map(|names| names.keys().cloned().collect())
        .unwrap_or_default()
}

/// DynamoDB rejects what is used but not declared, what is declared but not used, an
/// empty expression, and a name that is one of its reserved words
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>).
#[tokio::test]
async fn every_expression_uses_exactly_what_is_declared() {
    const WORDS: [&str; 8] = [
        "SET",
        "REMOVE",
        "ADD",
        "AND",
        "OR",
        "attribute_not_exists",
        // An attribute that is not a reserved word.
        "pk",
        "",
    ];
    let requests = every_request().await;
    assert_eq!(requests.len(), 21);
    for request in requests {
        let sent = request.json();
        let mut used = BTreeSet::new();
        for (_, expression) in sent
            .as_object()
            .unwrap()
            .iter()
            .filter(|(field, _)| field.ends_with("Expression"))
        {
            let expression = expression.as_str().unwrap();
            assert_ne!(expression, "", "{sent}");
            let of_a_name = |c: char| c.is_alphanumeric() || "#:_".contains(c);
            for word in expression.split(|c| !of_a_name(c)) {
                if word.starts_with(['#', ':']) {
                    used.insert(word.to_owned());
                } else {
                    assert!(WORDS.contains(&word), "{word} in {expression}");
                }
            }
        }
        let mut named = declared(&sent, "ExpressionAttributeNames");
        named.extend(declared(&sent, "ExpressionAttributeValues"));
        assert_eq!(used, named, "{sent}");
    }
}
