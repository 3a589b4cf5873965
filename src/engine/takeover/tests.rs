use super::*;
use crate::model::{Alias, Foreign, Leads, PerColor, Pointer, RecordAnswer, RecordType, Split};

fn to(name: &str) -> Leads {
    Leads::Values(vec![name.to_owned()])
}

fn record() -> RoutedRecord {
    let answer = |name| {
        vec![RecordAnswer {
            kind: RecordType::Cname,
            leads: to(name),
        }]
    };
    RoutedRecord {
        owner: "bgecs-shop".to_owned(),
        zone: "Z1".to_owned(),
        name: "www.shop.test".to_owned(),
        ttl: 60,
        ttl_before: None,
        answers: PerColor {
            blue: answer("blue.test"),
            green: answer("green.test"),
        },
    }
}

fn simple(name: &str, ttl: u32) -> RecordSet {
    RecordSet {
        kind: "CNAME".to_owned(),
        identifier: None,
        weight: None,
        chosen_by: None,
        ttl: Some(ttl),
        leads: to(name),
    }
}

fn weighted(identifier: &str, name: &str, weight: u32) -> RecordSet {
    RecordSet {
        identifier: Some(identifier.to_owned()),
        weight: Some(weight),
        ..simple(name, 60)
    }
}

fn refused(sets: &[RecordSet]) -> String {
    takeover(&record(), None, sets).unwrap_err().message
}

#[test]
fn one_answer_for_all_is_taken_over_and_a_long_ttl_made_short_first() {
    let taken = |sets: &[RecordSet]| takeover(&record(), None, sets).unwrap();
    assert_eq!(taken(&[]), Takeover::FromNothing);
    for (ttl, shorten_from) in [(300, Some(300)), (61, Some(61)), (60, None), (5, None)] {
        let expected = Takeover::Take {
            live: Color::Green,
            shorten_from,
            ttl: Some(ttl),
        };
        assert_eq!(taken(&[simple("green.test", ttl)]), expected);
    }
    // What a name has beside its address is nobody's way.
    let mail = RecordSet {
        kind: "MX".to_owned(),
        ..simple("10 mail.test", 60)
    };
    assert_eq!(taken(&[mail]), Takeover::FromNothing);
}

#[test]
fn weights_of_its_own_are_taken_over_already() {
    for (weights, live) in [
        ((255, 0), Some(Color::Blue)),
        ((0, 1), Some(Color::Green)),
        ((200, 50), None),
        ((0, 0), None),
    ] {
        let sets = [
            weighted("bgecs-shop-blue", "blue.test", weights.0),
            weighted("bgecs-shop-green", "green.test", weights.1),
        ];
        assert_eq!(
            takeover(&record(), None, &sets).unwrap(),
            Takeover::Done(live)
        );
    }
}

#[test]
fn what_is_a_stranger_s_is_refused_by_what_it_is() {
    let chosen_by = |by| RecordSet {
        chosen_by: Some(by),
        ..weighted("eu", "blue.test", 1)
    };
    for by in ["latency", "failover", "geolocation", "health check"] {
        let message = refused(&[chosen_by(by)]);
        assert!(
            message.contains(&format!("is answered by {by}")),
            "{message}"
        );
    }
    assert!(refused(&[simple("old.test", 60)]).contains("leads to neither colour"));
    let strange = weighted("one", "blue.test", 1);
    let theirs = weighted("bgecs-site-blue", "blue.test", 1);
    for stranger in [&strange, &theirs] {
        let message = refused(std::slice::from_ref(stranger));
        assert!(message.contains("did not set for this app"), "{message}");
    }
    let ours = weighted("bgecs-shop-blue", "blue.test", 1);
    assert!(refused(&[ours, strange]).contains("did not set for this app"));
    let address = RecordSet {
        kind: "A".to_owned(),
        ..simple("192.0.2.1", 60)
    };
    assert!(refused(&[address]).contains("of another type"));
}

/// Of an alias there can be one for each family.
#[test]
fn aliases_of_both_families_lead_to_one_colour() {
    let alias = |name: &str| {
        Leads::Alias(Alias {
            zone: "Z2".to_owned(),
            name: name.to_owned(),
            evaluates_health: false,
        })
    };
    let both = |name| {
        [RecordType::A, RecordType::Aaaa]
            .map(|kind| RecordAnswer {
                kind,
                leads: alias(name),
            })
            .to_vec()
    };
    let record = RoutedRecord {
        answers: PerColor {
            blue: both("blue.elb.test"),
            green: both("green.elb.test"),
        },
        ..record()
    };
    let set = |kind: &str, name: &str| RecordSet {
        kind: kind.to_owned(),
        ttl: None,
        leads: alias(name),
        ..simple("", 0)
    };
    let pair = [set("A", "blue.elb.test"), set("AAAA", "blue.elb.test")];
    let expected = Takeover::Take {
        live: Color::Blue,
        shorten_from: None,
        ttl: None,
    };
    assert_eq!(takeover(&record, None, &pair).unwrap(), expected);
    let apart = [set("A", "blue.elb.test"), set("AAAA", "green.elb.test")];
    assert!(takeover(&record, None, &apart).is_err());
    assert!(takeover(&record, None, &pair[..1]).is_err());
}

#[test]
fn the_nearest_public_zone_serves_a_name() {
    let zone = |id: &str, name: &str, is_private| HostedZone {
        id: id.to_owned(),
        name: name.to_owned(),
        is_private,
    };
    let zones = [
        zone("Z1", "shop.test", false),
        zone("Z2", "www.shop.test", false),
        zone("Z3", "www.shop.test", true),
        zone("Z4", "other.test", false),
        zone("Z5", "other.test", false),
    ];
    let found = |name| zone_of(name, &zones).map(|zone| zone.id.as_str());
    assert_eq!(found("a.shop.test"), Ok("Z1"));
    assert_eq!(found("www.shop.test"), Ok("Z2"));
    assert_eq!(found("a.www.shop.test"), Ok("Z2"));
    assert!(
        found("myshop.test")
            .unwrap_err()
            .message
            .contains("no public hosted zone")
    );
    let two = found("www.other.test").unwrap_err();
    assert!(two.message.ends_with("Z4, Z5"), "{two:?}");
}

#[test]
fn a_wildcard_answers_for_what_is_below_it() {
    let of = |name| wildcards(name).collect::<Vec<_>>();
    assert_eq!(of("a.www.shop.test"), ["*.www.shop.test", "*.shop.test"]);
    assert_eq!(of("shop.test"), Vec::<String>::new());
}

#[test]
fn a_zone_that_nobody_is_sent_to_is_refused() {
    let names = |all: &[&str]| {
        all.iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let own = names(&["ns-1.test", "ns-2.test"]);
    let told = |all: &[&str]| refuse_unserved("shop.test", &own, &names(all));
    assert!(told(&["ns-2.test", "ns-9.test"]).is_ok());
    assert!(
        told(&["ns-9.test"])
            .unwrap_err()
            .message
            .contains("sent to ns-9.test")
    );
    assert!(told(&[]).unwrap_err().message.contains("sent to nobody"));
}

/// The idle colour may be somewhere else from now on; the live one may not.
#[test]
fn what_is_idle_may_change_and_users_stay() {
    let made = record();
    let sets = [
        weighted("bgecs-shop-blue", "blue.test", 255),
        weighted("bgecs-shop-green", "green.test", 0),
    ];
    let elsewhere = |color: Color, ttl| {
        let mut wanted = record();
        wanted.ttl = ttl;
        wanted.answers.get_mut(color)[0].leads = to("new.test");
        takeover(&wanted, Some(&made), &sets)
    };
    let renew = |shorten_from| Takeover::Renew {
        live: Color::Blue,
        shorten_from,
    };
    assert_eq!(elsewhere(Color::Green, 60), Ok(renew(None)));
    assert_eq!(elsewhere(Color::Green, 5), Ok(renew(Some(60))));
    let refused = elsewhere(Color::Blue, 60).unwrap_err().message;
    assert!(refused.contains("blue is live"), "{refused}");
    let shorter = RoutedRecord { ttl: 5, ..record() };
    let renewed = takeover(&shorter, Some(&made), &sets);
    assert_eq!(renewed, Ok(renew(Some(60))));
    let both = [
        weighted("bgecs-shop-blue", "blue.test", 3),
        weighted("bgecs-shop-green", "green.test", 1),
    ];
    assert!(takeover(&shorter, Some(&made), &both).is_err());
    // As it is once the file's own words were carried out.
    assert_eq!(
        takeover(&made, Some(&made), &both),
        Ok(Takeover::Done(None))
    );
}

fn pointer(blue: &str, green: &str) -> RoutedPointer {
    RoutedPointer {
        pointer: Pointer::StaticIp {
            name: "ip".to_owned(),
            gap: 10,
        },
        targets: PerColor {
            blue: blue.to_owned(),
            green: green.to_owned(),
        },
    }
}

#[test]
fn what_has_one_value_is_the_colour_s_to_which_it_leads() {
    let it = pointer("web-1", "web-2");
    let of = |found| of_pointer(&it, None, &found).unwrap();
    assert_eq!(of(Found::Nowhere), Takeover::FromNothing);
    assert_eq!(of(Color::Green.into()), Takeover::Done(Some(Color::Green)));
    let shared = Found::Split(Split::with_share(Color::Blue, 1_000));
    assert_eq!(of(shared), Takeover::Done(None));
    let again = of_pointer(&it, Some(&it), &Color::Green.into()).unwrap();
    assert_eq!(again, Takeover::Done(Some(Color::Green)));
}

#[test]
fn what_leads_elsewhere_or_is_told_otherwise_is_left() {
    let it = pointer("web-1", "web-2");
    let elsewhere = Found::Foreign(Foreign {
        verb: "leads to",
        what: "web-9".to_owned(),
        reaches: PerColor::default(),
    });
    let refused = of_pointer(&it, None, &elsewhere).unwrap_err().message;
    assert!(refused.contains("leads to web-9"), "{refused}");
    // The names of the colours are exchanged in the file: what was green is blue.
    let exchanged = pointer("web-2", "web-1");
    let refused = of_pointer(&exchanged, Some(&it), &Color::Blue.into());
    let refused = refused.unwrap_err().message;
    assert!(refused.contains("another colour was"), "{refused}");
    let other = RoutedPointer {
        pointer: Pointer::StaticIp {
            name: "other".to_owned(),
            gap: 10,
        },
        ..it.clone()
    };
    let refused = of_pointer(&other, Some(&it), &Color::Blue.into());
    let refused = refused.unwrap_err().message;
    assert!(refused.contains("static address ip"), "{refused}");
}
