use super::*;
use crate::aws::testing::{Reply, Wire};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/releases.fifo";

fn message() -> Message {
    Message {
        id: "m1".to_owned(),
        body: "{}".to_owned(),
        receipt: "r1".to_owned(),
        received: 3,
        group: Some("shop".to_owned()),
    }
}

#[tokio::test]
async fn a_message_comes_with_what_tells_its_age_and_order() {
    let received = json!({ "Messages": [{
        "MessageId": "m1", "ReceiptHandle": "r1", "Body": "{}",
        "Attributes": { "ApproximateReceiveCount": "3", "MessageGroupId": "shop" },
    }]});
    let wire = Wire::new()
        .on("ReceiveMessage", Reply::json(&received))
        .on("ReceiveMessage", Reply::json(&json!({})));
    let aws = wire.aws();
    let (wait, keep) = (Duration::from_secs(20), Duration::from_secs(60));
    assert_eq!(
        aws.receive(URL, (wait, keep)).await.unwrap(),
        Some(message())
    );
    let asked = wire.request().json();
    assert_eq!(asked["QueueUrl"], URL);
    assert_eq!(
        (&asked["WaitTimeSeconds"], &asked["VisibilityTimeout"]),
        (&json!(20), &json!(60))
    );
    assert_eq!(aws.receive(URL, (wait, keep)).await.unwrap(), None);
}

#[tokio::test]
async fn a_queue_is_asked_in_its_own_region() {
    let wire = Wire::new().on("ReceiveMessage", Reply::json(&json!({})));
    let url = URL.replace("eu-west-1", "us-east-2");
    let times = (Duration::ZERO, Duration::from_secs(30));
    wire.aws().receive(&url, times).await.unwrap();
    assert_eq!(wire.request().uri, "https://sqs.us-east-2.amazonaws.com/");
}

#[tokio::test]
async fn a_queue_says_where_its_dead_letters_go_in_either_form() {
    for count in [json!(40), json!("40")] {
        let arn = "arn:aws:sqs:eu-west-1:123456789012:dead.fifo";
        let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": count });
        let attributes = json!({ "FifoQueue": "true", "RedrivePolicy": policy.to_string() });
        let wire = Wire::new().on(
            "GetQueueAttributes",
            Reply::json(&json!({ "Attributes": attributes })),
        );
        let kind = wire.aws().queue_kind(URL).await.unwrap();
        assert!(kind.is_fifo);
        let letters = kind.dead_letters.unwrap();
        assert_eq!((letters.arn.as_str(), letters.max_receive_count), (arn, 40));
    }
    let wire = Wire::new().on("GetQueueAttributes", Reply::json(&json!({})));
    let kind = wire.aws().queue_kind(URL).await.unwrap();
    assert_eq!((kind.is_fifo, kind.dead_letters), (false, None));
}

#[tokio::test]
async fn what_is_buried_keeps_its_group_and_says_why() {
    let letters = DeadLetters {
        arn: "arn:aws:sqs:eu-west-1:123456789012:dead.fifo".to_owned(),
        max_receive_count: 40,
    };
    let wire = Wire::new()
        .on(
            "GetQueueUrl",
            Reply::json(&json!({ "QueueUrl": "https://dead" })),
        )
        .on("SendMessage", Reply::json(&json!({ "MessageId": "m2" })));
    wire.aws()
        .bury(&letters, &message(), "it is no event")
        .await
        .unwrap();
    let sent = wire.requests()[1].json();
    assert_eq!(
        (&sent["QueueUrl"], &sent["MessageGroupId"]),
        (&json!("https://dead"), &json!("shop"))
    );
    let reason = &sent["MessageAttributes"]["bgecs-reason"]["StringValue"];
    assert_eq!(reason, "it is no event");
}
