//! The values that have rules of their own.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::network::registry;
use super::*;
use crate::model::AlarmsWithoutData;

#[test]
fn app_names() {
    for good in ["ab", "a1", "hello", "a-b-c", "h2-o", "abcdefghij0123456789"] {
        assert_eq!(good.parse::<AppName>().unwrap().to_string(), good);
    }
    let bad = [
        "",
        "a",
        "1a",
        "-ab",
        "ab-",
        "a--b",
        "Hello",
        "a_b",
        "a.b",
        "ä-b",
        "a b",
        "abcdefghij0123456789x",
    ];
    for bad in bad {
        assert!(bad.parse::<AppName>().is_err(), "{bad}");
    }
}

proptest! {
    /// The rule in other words: what it is for.
    #[test]
    fn an_app_name_makes_good_names(text in "[a-z0-9-]{1,22}") {
        let Ok(app) = text.parse::<AppName>() else { return Ok(()) };
        let longest = format!("{}-green", app.stack_name());
        prop_assert!(longest.len() <= 32);
        prop_assert!(!longest.contains("--"));
        prop_assert!(longest.starts_with(|c: char| c.is_ascii_alphabetic()));
    }

    #[test]
    fn a_network_is_one_exactly_if_no_bit_is_beyond_its_prefix(bits: u32, prefix in 0_u32..=32) {
        let text = format!("{}/{prefix}", std::net::Ipv4Addr::from_bits(bits));
        let beyond = u64::from(bits) & ((1_u64 << (32 - prefix)) - 1);
        let parsed = text.parse::<Ipv4Cidr>();
        prop_assert_eq!(parsed.is_ok(), beyond == 0);
        if let Ok(cidr) = parsed {
            prop_assert_eq!(cidr.to_string(), text);
        }
    }
}

#[test]
fn a_shift_may_be_watched_by_alarms_and_hold_users_to_a_release() {
    let shift = |text: &str| {
        let config = parse(&format!("app = 'hello'\n[shift]\n{text}"));
        config.unwrap().shift
    };
    let said = shift("alarms = ['slow', '5xx']\nalarms_without_data = 'ignore'");
    assert_eq!(said.alarms, ["slow", "5xx"]);
    assert_eq!(said.alarms_without_data, AlarmsWithoutData::Ignore);
    let unsaid = shift("");
    assert!(unsaid.alarms.is_empty() && unsaid.stickiness.is_none());
    assert_eq!(unsaid.alarms_without_data, AlarmsWithoutData::Stop);
    for (text, seconds) in [("1s", 1), ("10m", 600), ("168h", 604_800)] {
        let stickiness = shift(&format!("stickiness = '{text}'")).stickiness;
        assert_eq!(stickiness, Some(std::time::Duration::from_secs(seconds)));
    }
}

#[test]
fn a_shift_is_laid_out_in_any_of_three_ways() {
    let steps = |text: &str| {
        let shift = parse(&format!("app = 'hello'\n[shift]\n{text}"))
            .unwrap()
            .shift;
        (shift.steps.to_string(), shift.bake)
    };
    let bake = Some(std::time::Duration::from_secs(900));
    for (text, expected, bake) in [
        (
            "steps = ['5% for 5m', '25% pause']\nbake = '15m'",
            "5% for 300s,25% pause",
            bake,
        ),
        ("canary = '10% for 15m'", "10% for 900s", None),
        ("linear = '40% every 1m'", "40% for 60s,80% for 60s", None),
        ("", "", None),
    ] {
        assert_eq!(steps(text), (expected.to_owned(), bake), "{text}");
    }
}

#[test]
fn networks() {
    assert_eq!("0.0.0.0/0".parse(), Ok(Ipv4Cidr::ANYWHERE));
    for bad in [
        "",
        "10.0.0.0",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0/8",
        "a/8",
        "::1/128",
    ] {
        assert!(bad.parse::<Ipv4Cidr>().is_err(), "{bad}");
    }
}

#[test]
fn registries() {
    for good in [
        "localhost",
        "localhost:4566",
        "proxy:5000",
        "127.0.0.1:80",
        "a.example.com",
    ] {
        assert_eq!(registry(good).as_deref(), Ok(good));
    }
    for bad in [
        "",
        "proxy",
        "http://localhost",
        "localhost/ecr",
        "localhost:",
        "a b.c",
        "a..b",
        "localhost:0",
    ] {
        assert!(registry(bad).is_err(), "{bad}");
    }
}

const SECRET: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/db-AbCdEf";

#[test]
fn secrets() {
    for suffix in ["", ":password::", "::AWSPREVIOUS:", ":::9d4cb84b", ":::"] {
        let text = format!("{SECRET}{suffix}");
        let secret: SecretRef = text.parse().unwrap();
        assert_eq!(secret.kind(), SecretKind::SecretsManager);
        assert_eq!(secret.value_from(), text);
        assert_eq!(secret.arn(), SECRET);
    }
    let text = "arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/a/b.c";
    let secret: SecretRef = text.parse().unwrap();
    assert_eq!(secret.kind(), SecretKind::Parameter);
    assert_eq!((secret.value_from(), secret.arn()), (text, text));
}

#[test]
fn what_is_no_secret() {
    let bad = [
        ("hunter2", "whole ARN"),
        ("db-password", "whole ARN"),
        (
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:",
            "whole ARN",
        ),
        ("arn:aws:secretsmanager::123456789012:secret:a", "whole ARN"),
        (
            "arn:aws:secretsmanager:eu-central-1:1234:secret:a",
            "whole ARN",
        ),
        ("arn:aws:s3:eu-central-1:123456789012:secret:a", "whole ARN"),
        (
            "arn:aws:ssm:eu-central-1:123456789012:document/a",
            "whole ARN",
        ),
        (
            "arn:aws:ssm:eu-central-1:123456789012:parameter/",
            "whole ARN",
        ),
        (
            "arn:aws:ssm:eu-central-1:123456789012:parameter/a:3",
            "no version or label",
        ),
        (
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a:key",
            "all three colons",
        ),
        (
            "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a::b:c",
            "not both",
        ),
    ];
    for (text, message) in bad {
        let why = text.parse::<SecretRef>().unwrap_err();
        assert!(why.contains(message), "{text}: {why}");
    }
}

/// How many sizes AWS's table has for each number of CPU units.
#[test]
fn fargate_sizes() {
    let memories = |cpu: u32| -> BTreeSet<u32> {
        (0..=300_000)
            .filter(|memory| TaskSize::new(cpu, *memory).is_ok())
            .collect()
    };
    let ends = |cpu: u32| {
        let all = memories(cpu);
        (all.len(), *all.first().unwrap(), *all.last().unwrap())
    };
    assert_eq!(ends(256), (3, 512, 2048));
    assert_eq!(ends(512), (4, 1024, 4096));
    assert_eq!(ends(1024), (7, 2048, 8192));
    assert_eq!(ends(2048), (13, 4096, 16384));
    assert_eq!(ends(4096), (23, 8192, 30720));
    assert_eq!(ends(8192), (12, 16384, 61440));
    assert_eq!(ends(16384), (12, 32768, 122_880));
    assert_eq!(ends(32768), (3, 61440, 249_856));
    assert!(memories(128).is_empty() && memories(3072).is_empty());
    let default = TaskSize::default();
    assert_eq!(TaskSize::new(default.cpu(), default.memory()), Ok(default));
}

#[test]
fn fargate_sizes_as_text() {
    let size = |cpu: &str, memory: &str| {
        let size = TaskSize::new(TaskSize::cpu_units(cpu)?, TaskSize::mebibytes(memory)?);
        size.map(|it| (it.cpu(), it.memory()))
    };
    assert_eq!(size("256", "512"), Ok((256, 512)));
    assert_eq!(size(".25 vCPU", "0.5 GB"), Ok((256, 512)));
    assert_eq!(size("0.25vcpu", "0.50gb"), Ok((256, 512)));
    assert_eq!(size("1 vCPU", " 2GB "), Ok((1024, 2048)));
    assert_eq!(size("2. vCPU", "4 GB"), Ok((2048, 4096)));
    for (cpu, memory) in [
        ("", "512"),
        ("vCPU", "512"),
        (".", "512"),
        (". vCPU", "512"),
        ("-1 vCPU", "512"),
        ("0.1 vCPU", "512"),
        ("256", "1e3"),
        ("256", "0.3 GB"),
        ("1.2.3 vCPU", "512"),
        ("99999999999999999999 vCPU", "512"),
        ("0.0000000000000000000000001 vCPU", "512"),
    ] {
        assert!(size(cpu, memory).is_err(), "{cpu} {memory}");
    }
}
