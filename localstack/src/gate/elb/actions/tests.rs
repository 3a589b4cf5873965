use roxmltree::Document;

use super::*;

fn form(parameters: &[(&str, &str)]) -> Form {
    Form::new(
        parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    )
}

fn read(members: &str) -> Vec<Action> {
    let text = format!("<Actions xmlns='urn:aws'>{members}</Actions>");
    of_xml(Document::parse(&text).unwrap().root_element())
}

fn weighted_pair(stickiness: Option<Duration>) -> Vec<Action> {
    vec![Action::Forward(Forward {
        groups: vec![
            WeightedGroup {
                arn: Arn::new("blue"),
                weight: 90,
            },
            WeightedGroup {
                arn: Arn::new("green"),
                weight: 0,
            },
        ],
        stickiness,
    })]
}

#[test]
fn a_weighted_forward_is_read_from_a_form() {
    let one = "DefaultActions.member.1.ForwardConfig";
    let sent = form(&[
        ("DefaultActions.member.1.Type", "forward"),
        (
            &format!("{one}.TargetGroups.member.1.TargetGroupArn"),
            "blue",
        ),
        (&format!("{one}.TargetGroups.member.1.Weight"), "90"),
        (
            &format!("{one}.TargetGroups.member.2.TargetGroupArn"),
            "green",
        ),
        (&format!("{one}.TargetGroups.member.2.Weight"), "0"),
        (
            &format!("{one}.TargetGroupStickinessConfig.Enabled"),
            "true",
        ),
        (
            &format!("{one}.TargetGroupStickinessConfig.DurationSeconds"),
            "7",
        ),
    ]);
    let actions = of_form(&sent, "DefaultActions").unwrap();
    assert_eq!(actions, weighted_pair(Some(Duration::from_secs(7))));
    assert_eq!(
        groups(&actions).map(Arn::as_str).collect::<Vec<_>>(),
        ["blue", "green"]
    );
    assert_eq!(of_form(&sent, "Actions"), None);
}

#[test]
fn a_group_alone_is_a_forward_in_either_form() {
    let sent = form(&[
        ("Actions.member.1.Type", "forward"),
        ("Actions.member.1.TargetGroupArn", "blue"),
    ]);
    let to_blue = vec![Action::Forward(Forward::to(Arn::new("blue")))];
    assert_eq!(of_form(&sent, "Actions"), Some(to_blue.clone()));
    let described = "<member><Type>forward</Type><TargetGroupArn>blue</TargetGroupArn></member>";
    assert_eq!(read(described), to_blue);
}

#[test]
fn a_forward_whose_groups_an_emulator_dropped_names_none() {
    assert_eq!(
        read("<member><Type>forward</Type><Order>1</Order></member>"),
        [Action::Forward(Forward {
            groups: vec![],
            stickiness: None
        })]
    );
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let mut actions = weighted_pair(Some(Duration::from_secs(60)));
    actions.push(Action::FixedResponse {
        status: 503,
        content_type: Some("text/html".into()),
        body: Some("<b>shut & closed</b>".into()),
    });
    actions.push(Action::Redirect {
        status: 301,
        protocol: "HTTPS".into(),
        host: "#{host}".into(),
        port: "443".into(),
        path: "/#{path}".into(),
        query: "a=1&#{query}".into(),
    });
    assert_eq!(read(&to_xml(&actions).unwrap()), actions);
}

#[test]
fn one_group_is_described_by_its_arn_and_its_configuration() {
    let text = to_xml(&[Action::Forward(Forward::to(Arn::new("blue")))]).unwrap();
    assert_eq!(
        text,
        "<member><Type>forward</Type><Order>1</Order><TargetGroupArn>blue</TargetGroupArn>\
         <ForwardConfig><TargetGroups><member><TargetGroupArn>blue</TargetGroupArn>\
         <Weight>1</Weight></member></TargetGroups><TargetGroupStickinessConfig>\
         <Enabled>false</Enabled></TargetGroupStickinessConfig></ForwardConfig></member>"
    );
    let pair = to_xml(&weighted_pair(None)).unwrap();
    assert!(!pair.contains("<Order>1</Order><TargetGroupArn>"), "{pair}");
}

#[test]
fn a_redirect_keeps_what_it_does_not_name() {
    let sent = form(&[
        ("Actions.member.1.Type", "redirect"),
        ("Actions.member.1.RedirectConfig.Protocol", "HTTPS"),
        ("Actions.member.1.RedirectConfig.StatusCode", "HTTP_302"),
    ]);
    assert_eq!(
        of_form(&sent, "Actions").unwrap(),
        [Action::Redirect {
            status: 302,
            protocol: "HTTPS".into(),
            host: "#{host}".into(),
            port: "#{port}".into(),
            path: "/#{path}".into(),
            query: "#{query}".into(),
        }]
    );
}

#[test]
fn what_is_not_known_is_not_written() {
    let sent = form(&[("Actions.member.1.Type", "authenticate-oidc")]);
    let actions = of_form(&sent, "Actions").unwrap();
    assert_eq!(actions, [Action::Unknown("authenticate-oidc".into())]);
    assert_eq!(to_xml(&actions), None);
}
