//! What is seen at the gate's own port of the load balancers behind it.

use serde_json::{Value, json};

use crate::api::{Outcome, With};
use crate::subject::Subject;

#[tokio::test]
async fn the_gate_says_where_load_balancers_listen_and_what_is_amiss() -> Outcome {
    let subject = Subject::gate().await?;
    let gate = subject.behind()?;
    let group = subject.group(&[]).await?;
    let (one, _) = subject.forwarding_to(&group).await?;
    let to = With::new().forward_to("DefaultActions", &group);
    subject.listener(&one, 81, to).await?;
    let shown = async || -> Outcome<Value> {
        let answer = gate.entrance("any")?.get("/_gate/balancers", &[]).await?;
        assert_eq!(answer.status, 200);
        Ok(serde_json::from_str(&answer.text())?)
    };
    // Whatever a look under way has found.
    gate.elb.look().await?;
    let doors = [subject.door(&one, 80).await?, subject.door(&one, 81).await?];
    let [prod, test] = doors.map(|door| door.address.to_string());
    let balancers = shown().await?;
    assert_eq!(balancers["trouble"], Value::Null);
    let balancer = &balancers["load_balancers"][0];
    assert_eq!(balancer["dns_name"], one.dns);
    assert!(
        one.arn
            .contains(balancer["name"].as_str().ok_or("no name")?)
    );
    assert_eq!(balancer["listeners"], json!({"80": [prod], "81": [test]}));

    gate.store.break_down(true);
    assert!(gate.elb.look().await.is_err());
    let balancers = shown().await?;
    let trouble = balancers["trouble"].as_str().ok_or("no trouble")?;
    assert!(trouble.contains("out of order"), "{trouble}");
    assert_eq!(balancers["load_balancers"][0]["dns_name"], one.dns);
    Ok(())
}
