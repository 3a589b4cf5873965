use super::*;

fn set(name: &str, kind: &str, value: &str) -> Set {
    Set {
        name: name.to_owned(),
        kind: kind.to_owned(),
        weight: None,
        ttl: 30,
        values: vec![value.to_owned()],
        alias: None,
    }
}

fn weighted(value: &str, weight: u64) -> Set {
    Set {
        weight: Some(weight),
        ..set("www.shop.test", "A", value)
    }
}

fn said(sets: Vec<Set>, name: &str, kind: &str, at: u64) -> Option<Vec<String>> {
    let zones = [Zone {
        id: "Z1".to_owned(),
        name: "shop.test".to_owned(),
        sets,
    }];
    let balancer = |name: &str| match name {
        "d1.cloudfront.net" => vec!["127.0.4.1".parse().unwrap()],
        "app.elb.test" => vec!["127.0.0.5".parse().unwrap()],
        _ => Vec::new(),
    };
    let said = answer(&zones, (name, kind), &mut |_| at, &balancer)?;
    let told = |said: &Said| format!("{} {} {} {}", said.name, said.ttl, said.kind, said.value);
    Some(said.iter().map(told).collect())
}

#[test]
fn a_name_in_no_zone_is_nobody_s() {
    assert_eq!(said(Vec::new(), "www.other.test", "A", 0), None);
    assert_eq!(said(Vec::new(), "www.shop.test", "A", 0), Some(Vec::new()));
}

#[test]
fn weights_are_parts_of_their_sum_and_none_at_all_is_even() {
    let pair = |one, other| vec![weighted("1.1.1.1", one), weighted("2.2.2.2", other)];
    for (sets, at, value) in [
        (pair(3, 1), 0, "1.1.1.1"),
        (pair(3, 1), 2, "1.1.1.1"),
        (pair(3, 1), 3, "2.2.2.2"),
        (pair(0, 1), 0, "2.2.2.2"),
        (pair(0, 0), 1, "2.2.2.2"),
    ] {
        let said = said(sets, "www.shop.test", "A", at).unwrap();
        assert_eq!(said, [format!("www.shop.test 30 A {value}")]);
    }
}

#[test]
fn a_name_that_leads_elsewhere_is_followed_and_an_alias_is_not_told() {
    let chain = vec![
        set("www.shop.test", "CNAME", "Blue.shop.test."),
        set("blue.shop.test", "A", "1.1.1.1"),
    ];
    assert_eq!(
        said(chain.clone(), "www.shop.test", "A", 0).unwrap(),
        [
            "www.shop.test 30 CNAME blue.shop.test",
            "blue.shop.test 30 A 1.1.1.1"
        ]
    );
    assert_eq!(said(chain, "www.shop.test", "CNAME", 0).unwrap().len(), 1);
    let alias = Set {
        alias: Some("dualstack.app.elb.test".to_owned()),
        values: Vec::new(),
        ..set("www.shop.test", "A", "")
    };
    assert_eq!(
        said(vec![alias.clone()], "www.shop.test", "A", 0).unwrap(),
        ["www.shop.test 60 A 127.0.0.5"]
    );
    assert_eq!(
        said(vec![alias], "www.shop.test", "AAAA", 0).unwrap(),
        Vec::<String>::new()
    );
}

#[test]
fn the_emulator_s_words_are_read() {
    let all = zones(
        "<R><HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>Shop.Test.</Name></HostedZone></HostedZones></R>",
    );
    assert_eq!(all, [("Z1".to_owned(), "shop.test".to_owned())]);
    let read = sets(
        "<R><ResourceRecordSet><Name>www.shop.test.</Name><Type>A</Type><Weight>7</Weight><TTL>5</TTL>\
         <ResourceRecords><ResourceRecord><Value>1.1.1.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></R>",
    );
    let expected = Set {
        ttl: 5,
        ..weighted("1.1.1.1", 7)
    };
    assert_eq!(read, [expected]);
    let change = "<R><ChangeInfo><Id>/change/C1</Id></ChangeInfo></R>";
    assert_eq!(change_id(change).as_deref(), Some("C1"));
}

#[test]
fn a_chain_that_leads_to_a_distribution_ends_with_the_edges() {
    let chain = || vec![set("www.shop.test", "CNAME", "d1.cloudfront.net.")];
    let cname = "www.shop.test 30 CNAME d1.cloudfront.net".to_owned();
    let edge = "d1.cloudfront.net 60 A 127.0.4.1".to_owned();
    let answer = said(chain(), "www.shop.test", "A", 0);
    assert_eq!(answer, Some(vec![cname.clone(), edge.clone()]));
    let answer = said(chain(), "www.shop.test", "AAAA", 0);
    assert_eq!(answer, Some(vec![cname]));
    assert_eq!(said(chain(), "d1.cloudfront.net", "A", 0), Some(vec![edge]));
}
