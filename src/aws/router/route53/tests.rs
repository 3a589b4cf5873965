use super::*;
use crate::aws::AwsErrorKind;
use crate::aws::testing::{Reply, Wire};
use crate::model::{Leads, PerColor, RecordAnswer, RecordType, Route};

const API: &str = "https://route53.amazonaws.com/2013-04-01";

fn record() -> RoutedRecord {
    let answer = |address: &str| {
        vec![RecordAnswer {
            kind: RecordType::A,
            leads: Leads::Values(vec![address.to_owned()]),
        }]
    };
    RoutedRecord {
        owner: "bgecs-shop".to_owned(),
        zone: "Z1".to_owned(),
        name: "www.shop.test".to_owned(),
        ttl: 30,
        ttl_before: None,
        answers: PerColor {
            blue: answer("192.0.2.1"),
            green: answer("192.0.2.2"),
        },
    }
}

fn xml(kind: &str, inner: &str) -> Reply {
    Reply::Http {
        status: 200,
        body: format!(
            "<{kind} xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{inner}</{kind}>"
        ),
    }
}

fn set(more: &str, address: &str) -> String {
    format!(
        "<ResourceRecordSet><Name>www.shop.test.</Name><Type>A</Type>{more}<TTL>30</TTL><ResourceRecords>\
         <ResourceRecord><Value>{address}</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>"
    )
}

fn weight(color: &str, weight: u32, address: &str) -> String {
    let more =
        format!("<SetIdentifier>bgecs-shop-{color}</SetIdentifier><Weight>{weight}</Weight>");
    set(&more, address)
}

fn pair(blue: u32, green: u32) -> String {
    weight("blue", blue, "192.0.2.1") + &weight("green", green, "192.0.2.2")
}

fn listed(sets: &str) -> Reply {
    let inner = format!(
        "<ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>"
    );
    xml("ListResourceRecordSetsResponse", &inner)
}

fn change(kind: &str, status: &str) -> Reply {
    let inner = format!(
        "<ChangeInfo><Id>/change/C1</Id><Status>{status}</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
    );
    xml(kind, &inner)
}

fn list() -> String {
    format!("{API}/hostedzone/Z1/rrset?name=www.shop.test")
}

const CHANGE_SENT: &str = "POST https://route53.amazonaws.com/2013-04-01/hostedzone/Z1/rrset";

async fn found(sets: &str) -> Found {
    let wire = Wire::new().on(&list(), listed(sets));
    let (aws, record) = (wire.aws(), record());
    Route53Router::new(&aws, &record)
        .read()
        .await
        .unwrap()
        .production
}

#[tokio::test]
async fn a_name_goes_where_its_sets_say() {
    let mail = "<ResourceRecordSet><Name>www.shop.test.</Name><Type>MX</Type><TTL>60</TTL><ResourceRecords>\
        <ResourceRecord><Value>10 mail.test</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
    for (sets, told) in [
        (String::new(), "nothing"),
        (mail.to_owned(), "nothing"),
        // It has not been taken over yet, or is not any more.
        (set("", "192.0.2.2"), "A 192.0.2.2"),
        (pair(255, 0), "blue"),
        (pair(0, 1), "green"),
        (pair(3, 1), "75% blue, 25% green"),
        // Both are equally likely.
        (pair(0, 0), "50% blue, 50% green"),
        (set("", "192.0.2.9"), "A 192.0.2.9"),
        (
            pair(1, 0).replace("192.0.2.1", "192.0.2.9"),
            "A 192.0.2.9 (bgecs-shop-blue), A 192.0.2.2 (bgecs-shop-green)",
        ),
    ] {
        assert_eq!(found(&sets).await.to_string(), told, "{sets}");
    }
}

#[tokio::test]
async fn a_move_is_one_batch_of_what_was_seen_and_shows_once_it_is_everywhere() {
    let wire = Wire::new()
        .on(&list(), listed(&pair(1, 0)))
        .on(
            CHANGE_SENT,
            change("ChangeResourceRecordSetsResponse", "PENDING"),
        )
        .on(&list(), listed(&pair(0, 1)))
        .on(
            &format!("{API}/change/C1"),
            change("GetChangeResponse", "PENDING"),
        )
        .on(&list(), listed(&pair(0, 1)))
        .on(
            &format!("{API}/change/C1"),
            change("GetChangeResponse", "INSYNC"),
        )
        .on(&list(), listed(&pair(0, 1)));
    let (aws, record) = (wire.aws(), record());
    let router = Route53Router::new(&aws, &record);
    let shown = async || router.read().await.unwrap().production.only();
    assert_eq!(shown().await, Some(Color::Blue));
    let it = Move {
        route: Route::Production,
        from: Some(Split::all(Color::Blue)),
        to: Split::all(Color::Green),
    };
    router.apply(it, Urgency::Forward).await.unwrap();
    let body = wire.requests().pop().unwrap().body;
    let actions: Vec<&str> = body.split("<Action>").skip(1).collect();
    let told = |at: usize| {
        let of = |tag: &str| {
            let from = actions[at].split(&format!("<{tag}>")).nth(1).unwrap();
            from.split('<').next().unwrap().to_owned()
        };
        let action = actions[at].split('<').next().unwrap();
        format!(
            "{action} {} {} {}",
            of("SetIdentifier"),
            of("Weight"),
            of("Value")
        )
    };
    assert_eq!(
        (0..actions.len()).map(told).collect::<Vec<_>>(),
        [
            "DELETE bgecs-shop-blue 1 192.0.2.1",
            "DELETE bgecs-shop-green 0 192.0.2.2",
            "CREATE bgecs-shop-blue 0 192.0.2.1",
            "CREATE bgecs-shop-green 1 192.0.2.2",
        ]
    );
    assert_eq!(shown().await, Some(Color::Blue), "it is on its way");
    assert_eq!(shown().await, Some(Color::Green));
    assert_eq!(shown().await, Some(Color::Green));
    wire.assert_used_up();
}

#[tokio::test]
async fn what_somebody_changed_meanwhile_stays() {
    let refused = Reply::Http {
        status: 400,
        body: "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
               <Code>InvalidChangeBatch</Code><Message>the values provided do not match the current values</Message></Error>\
               <RequestId>1</RequestId></ErrorResponse>"
            .to_owned(),
    };
    let wire = Wire::new()
        .on(&list(), listed(&pair(1, 0)))
        .on(CHANGE_SENT, refused);
    let (aws, record) = (wire.aws(), record());
    let it = Move {
        route: Route::Production,
        from: None,
        to: Split::all(Color::Green),
    };
    let router = Route53Router::new(&aws, &record);
    let unmoved = router.apply(it, Urgency::Forward).await.unwrap_err();
    assert_eq!(unmoved.error.kind, AwsErrorKind::Other);
    assert!(unmoved.error.has_code("InvalidChangeBatch"));
    assert!(!unmoved.is_in_part && !unmoved.error.is_retryable());
}

/// Weights are coarser than a load balancer's: no stage gives more than was requested.
#[test]
fn no_stage_exceeds_its_share() {
    let aws = Wire::new().aws();
    let record = record();
    let router = Route53Router::new(&aws, &record);
    let found = PerRoute {
        production: Color::Blue.into(),
        test: Found::ByRequest,
    };
    let fit = |steps: &str| {
        let steps = steps.parse().unwrap();
        let strategy = Strategy::gradual(Color::Green, &found, &steps, Duration::ZERO);
        router.fit(strategy)
    };
    for (asked, given) in [(500, 500), (3333, 3333), (777, 777), (4999, 4990), (40, 40)] {
        let strategy = fit(&format!("{}% for 1m", f64::from(asked) / 100.0)).unwrap();
        assert!(strategy.first_share() <= asked);
        assert_eq!(strategy.first_share(), given, "{asked}");
        assert!(weights_up_to(HEAVIEST, strategy.stages[0].it.to).is_some());
        assert_eq!(strategy.stages[1].it.from, Some(strategy.stages[0].it.to));
    }
    let told = fit("0.1% for 1m").unwrap_err();
    assert!(told.contains("0.1%") && told.contains("0.39%"), "{told}");
}
