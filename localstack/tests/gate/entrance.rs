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

/// Nodes have addresses of their own, which only Linux has by itself.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_to_the_gate_meet_the_nodes_in_turn_and_stay_with_theirs() -> Outcome {
    use std::time::Duration;

    let subject = Subject::gate_of_nodes(2).await?;
    let gate = subject.behind()?;
    let says = |text: &str| {
        let action = "DefaultActions.member.1";
        let config = format!("{action}.FixedResponseConfig");
        With::new()
            .and(format!("{action}.Type"), "fixed-response")
            .and(format!("{config}.StatusCode"), 200)
            .and(format!("{config}.ContentType"), "text/plain")
            .and(format!("{config}.MessageBody"), text)
    };
    let one = subject.load_balancer().await?;
    let listener = subject.listener(&one, 80, says("old")).await?;
    let (balancer, _) = gate.elb.balancer_of(&one.dns).ok_or("no load balancer")?;
    assert_eq!(balancer.nodes(), 2);
    // The second node stays behind, so that the two can be told apart.
    balancer.set_lag(1, Duration::from_secs(3600));
    subject.modify_listener(&listener, says("new")).await?;

    let entrance = gate.entrance(&one.dns)?;
    let mut connections = [entrance.connect().await?, entrance.connect().await?];
    let mut seen = [Vec::new(), Vec::new()];
    for _ in 0..3 {
        for (connection, seen) in connections.iter_mut().zip(&mut seen) {
            seen.push(connection.get("/", &[]).await?.text());
        }
    }
    seen.sort();
    assert_eq!(seen, [["new"; 3], ["old"; 3]]);
    Ok(())
}
