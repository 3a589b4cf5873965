use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::Split;
use crate::model::journal::Head;
use crate::model::testing::{move_to, observed};

/// The fault that a write with this answer counts as.
async fn fault(reply: Reply) -> WriteFault {
    let wire = Wire::new()
        .on("DescribeListeners", crate::aws::testing::listeners())
        .on("ModifyListener", reply);
    let aws = wire.aws();
    let turn = Turn::for_tests(&aws, Head::default());
    let world = LiveWorld {
        session: &Session::of_hello(wire.aws()),
        aws: &aws,
        to: Color::Blue,
        report: None,
        order: None,
        observed: &observed(),
        turn: &turn,
        seat: None,
    };
    let written = world
        .apply(move_to(Route::Test, Color::Green), Urgency::Forward)
        .await;
    // The listener had not been read yet, and its other actions have to be kept.
    let sent = wire.requests().pop().unwrap();
    assert_eq!(sent.field("ListenerArn").as_deref(), Some("listener/test"));
    assert_eq!(
        sent.field("DefaultActions.member.1.TargetGroupArn")
            .as_deref(),
        Some("tg/green")
    );
    written.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_split_is_as_sticky_as_the_configuration_says() {
    let modified = Reply::xml("ModifyListener", "<Listeners/>");
    let wire = Wire::new()
        .on("DescribeListeners", crate::aws::testing::listeners())
        .on("ModifyListener", modified);
    let aws = wire.aws();
    let turn = Turn::for_tests(&aws, Head::default());
    let mut session = Session::of_hello(wire.aws());
    session.config.shift.stickiness = Some(Duration::from_secs(600));
    let world = LiveWorld {
        session: &session,
        aws: &aws,
        to: Color::Blue,
        report: None,
        order: None,
        observed: &observed(),
        turn: &turn,
        seat: None,
    };
    let tenth = Move {
        to: Split::with_share(Color::Blue, 1_000),
        ..move_to(Route::Production, Color::Blue)
    };
    world.apply(tenth, Urgency::Back).await.unwrap();
    let sent = wire.requests().pop().unwrap();
    let seconds =
        "DefaultActions.member.1.ForwardConfig.TargetGroupStickinessConfig.DurationSeconds";
    assert_eq!(sent.field(seconds).as_deref(), Some("600"));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_refused_for_good_or_worth_another_look() {
    for (reply, ambiguous) in [
        (Reply::xml_error(403, "AccessDenied", "no"), false),
        (Reply::xml_error(400, "TargetGroupNotFound", "no"), false),
        (Reply::xml_error(400, "Throttling", "Rate exceeded"), true),
        (Reply::xml_error(500, "InternalFailure", "oh"), true),
        (Reply::Reset, true),
        (Reply::Never, true),
    ] {
        let fault = fault(reply.clone()).await;
        assert_eq!(fault.is_ambiguous(), ambiguous, "{reply:?}: {fault:?}");
        assert!(
            fault
                .message
                .starts_with("elasticloadbalancing:ModifyListener on listener/test: "),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_colour_is_healthy_with_one_healthy_target() {
    let targets = |states: &[&str]| {
        let members: String = states
            .iter()
            .map(|state| {
                format!("<member><TargetHealth><State>{state}</State></TargetHealth></member>")
            })
            .collect();
        Reply::xml(
            "DescribeTargetHealth",
            &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
        )
    };
    for (states, expected) in [
        (&["unhealthy", "healthy"][..], true),
        (&["unhealthy", "initial", "draining", "unused"], false),
        (&[], false),
    ] {
        let wire = Wire::new().on("DescribeTargetHealth", targets(states));
        let aws = wire.aws();
        let turn = Turn::for_tests(&aws, Head::default());
        let world = LiveWorld {
            session: &Session::of_hello(wire.aws()),
            aws: &aws,
            to: Color::Blue,
            report: None,
            order: None,
            observed: &observed(),
            turn: &turn,
            seat: None,
        };
        assert_eq!(
            world.is_healthy(Color::Blue).await,
            Ok(expected),
            "{states:?}"
        );
        assert_eq!(
            wire.request().field("TargetGroupArn").as_deref(),
            Some("tg/blue")
        );
    }
}

/// Forward only under a lease that is certainly held; back unless somebody else is known
/// to hold it, and without checking.
#[tokio::test(start_paused = true)]
async fn the_lease_forbids_less_on_the_way_back() {
    let no = || Reply::json_error(400, "ConditionalCheckFailedException", "no");
    for (answer, urgency, is_written) in [
        (None, Urgency::Back, true),
        (Some(Reply::Never), Urgency::Forward, false),
        (Some(no()), Urgency::Forward, false),
    ] {
        let mut wire = Wire::new()
            .on("DescribeListeners", crate::aws::testing::listeners())
            .on("ModifyListener", Reply::xml("ModifyListener", ""))
            .on("GetItem", Reply::json(&serde_json::json!({})));
        for _ in 0..2 {
            wire = match &answer {
                Some(answer) => wire.on("UpdateItem", answer.clone()),
                None => wire,
            };
        }
        let aws = wire.aws();
        // Its length is zero, so the lease has run out at once.
        let turn = Turn::for_tests_of(&aws, Head::default(), std::time::Duration::ZERO);
        let world = LiveWorld {
            session: &Session::of_hello(wire.aws()),
            aws: &aws,
            to: Color::Blue,
            report: None,
            order: None,
            observed: &observed(),
            turn: &turn,
            seat: None,
        };
        // As at the beginning of the operation.
        let _ = world.read(Route::Production).await;
        let written = world
            .apply(move_to(Route::Production, Color::Blue), urgency)
            .await;
        assert_eq!(written.is_ok(), is_written, "{urgency:?}: {written:?}");
        assert!(written.err().is_none_or(|fault| !fault.is_ambiguous()));
        let sent = wire.requests();
        let is_sent = sent.iter().any(|one| one.operation == "ModifyListener");
        assert_eq!(is_sent, is_written);
        assert!(
            !is_written || sent.len() == 2,
            "nothing is asked ahead of it"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_users_may_wait_for_is_given_up_after_two_short_attempts() {
    let wire = Wire::new()
        .on("DescribeTargetHealth", Reply::Never)
        .on("DescribeTargetHealth", Reply::Never);
    let aws = wire
        .aws_with(crate::aws::testing::credentials(), 5)
        .impatient();
    let turn = Turn::for_tests(&aws, Head::default());
    let world = LiveWorld {
        session: &Session::of_hello(wire.aws()),
        aws: &aws,
        to: Color::Blue,
        report: None,
        order: None,
        observed: &observed(),
        turn: &turn,
        seat: None,
    };
    let began = tokio::time::Instant::now();
    assert!(world.is_healthy(Color::Blue).await.is_err());
    let took = began.elapsed().as_secs();
    assert!((8..10).contains(&took), "{took} s");
}
