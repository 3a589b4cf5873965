//! Which node of a load balancer is met at the gate's own port. Nodes have
//! addresses of their own, which only Linux has by itself.
#![cfg(target_os = "linux")]

use std::time::Duration;

use localstack::gate::faults::Fault;
use localstack::gate::{Addresses, Options};

use crate::api::{Api, Outcome, With};
use crate::door::Door;
use crate::subject::Subject;

/// A listener that says that by itself.
fn says(text: &str) -> With {
    let action = "DefaultActions.member.1";
    let config = format!("{action}.FixedResponseConfig");
    With::new()
        .and(format!("{action}.Type"), "fixed-response")
        .and(format!("{config}.StatusCode"), 200)
        .and(format!("{config}.ContentType"), "text/plain")
        .and(format!("{config}.MessageBody"), text)
}

/// A gate that answers at the address of each of three nodes.
async fn at_each_node() -> Outcome<Subject> {
    Subject::gate_as(&Options {
        nodes: 3,
        addresses: Addresses::EachNode,
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn connections_to_the_gate_meet_the_nodes_in_turn_and_stay_with_theirs() -> Outcome {
    let subject = Subject::gate_of_nodes(2).await?;
    let gate = subject.behind()?;
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

#[tokio::test]
async fn connections_to_the_address_of_a_node_meet_that_node() -> Outcome {
    let subject = at_each_node().await?;
    let gate = subject.behind()?;
    let one = subject.load_balancer().await?;
    let listener = subject.listener(&one, 80, says("old")).await?;
    let (balancer, _) = gate.elb.balancer_of(&one.dns).ok_or("no load balancer")?;
    balancer.set_lag(1, Duration::from_secs(3600));
    subject.modify_listener(&listener, says("new")).await?;

    let mut seen = Vec::new();
    for &address in [gate.gate.addresses(), gate.gate.addresses()]
        .concat()
        .iter()
    {
        let host = one.dns.clone();
        let answer = Door { address, host }.get("/", &[]).await?;
        seen.push(answer.text());
    }
    assert_eq!(seen, ["new", "old", "new", "new", "old", "new"]);
    Ok(())
}

#[tokio::test]
async fn calls_are_recorded_and_spoilt_at_every_address() -> Outcome {
    let subject = at_each_node().await?;
    let gate = &subject.behind()?.gate;
    let before = gate.calls().mark();
    let describe = Fault::on("elasticloadbalancing", "DescribeLoadBalancers");
    gate.faults().add(describe.throttle());
    for address in gate.addresses() {
        let api = Api::new(address.to_string());
        let refused = api.refusal("DescribeLoadBalancers", With::new()).await?;
        assert_eq!(refused.code, "Throttling", "{address}");
    }
    assert_eq!(gate.calls().since(before).len(), 3);
    Ok(())
}
