use super::super::request::Protocol;
use super::*;

const HERE: (Option<&str>, Option<&str>) = (Some("test"), Some("us-east-1"));

fn held() -> Held {
    Held {
        since: Instant::now(),
        left: HashMap::new(),
    }
}

fn admits(held: &mut Held, call: (&str, &str), by: (Option<&str>, Option<&str>), at: u64) -> bool {
    let operation = Operation {
        protocol: Protocol::Json,
        service: call.0.to_owned(),
        name: call.1.to_owned(),
    };
    let (account, region) = by;
    let by = (account.map(str::to_owned), region.map(str::to_owned));
    held.admit(&operation, by, at)
}

/// How many of very many calls in that second pass.
fn pass(held: &mut Held, call: (&str, &str), second: u64) -> u64 {
    let passed = (0..500).filter(|_| admits(held, call, HERE, second));
    passed.count() as u64
}

#[test]
fn a_bucket_gives_what_it_holds_and_then_what_comes_back_each_second() {
    for (service, operation, capacity, a_second) in [
        ("ecs", "DescribeServices", 100, 20),
        ("ecs", "DescribeTaskDefinition", 50, 20),
        ("ecs", "UpdateService", 50, 5),
        ("ecs", "RegisterTaskDefinition", 20, 1),
        ("ecs", "ListTasks", 100, 20),
        ("ecs", "StopTask", 100, 40),
        ("elasticloadbalancing", "DescribeListeners", 40, 10),
        ("elasticloadbalancing", "ModifyListener", 20, 3),
        ("elasticloadbalancing", "RegisterTargets", 20, 4),
        ("ec2", "DescribeVpcs", 100, 20),
        ("ec2", "CreateVpc", 50, 5),
        ("route53", "GET /2013-04-01/hostedzone", 5, 5),
    ] {
        let mut held = held();
        let call = (service, operation);
        let passed: Vec<u64> = [0, 0, 1, 3].map(|at| pass(&mut held, call, at)).into();
        let expected = [capacity, 0, a_second, 2 * a_second];
        assert_eq!(passed, expected.map(|it| it.min(capacity)), "{call:?}");
        assert_eq!(pass(&mut held, call, 1000), capacity, "no more than full");
    }
}

#[test]
fn what_comes_back_more_slowly_than_one_a_second_comes_back_whole() {
    let mut held = held();
    let call = ("elasticloadbalancing", "CreateLoadBalancer");
    let passed: Vec<u64> = (0..12).map(|at| pass(&mut held, call, at)).collect();
    assert_eq!(passed, [10, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]);
}

#[test]
fn operations_of_one_category_share_a_bucket_and_those_of_two_do_not() {
    let mut held = held();
    assert_eq!(pass(&mut held, ("ecs", "ListServices"), 0), 100);
    assert_eq!(pass(&mut held, ("ecs", "DescribeServices"), 0), 0);
    assert_eq!(pass(&mut held, ("ecs", "DescribeClusters"), 0), 50);
    // The account's bucket is shared by all of ELB's.
    let elb = "elasticloadbalancing";
    assert_eq!(pass(&mut held, (elb, "ModifyListener"), 0), 20);
    assert_eq!(pass(&mut held, (elb, "DescribeListeners"), 0), 20);
    assert_eq!(pass(&mut held, (elb, "RegisterTargets"), 0), 0);
}

/// What one bucket refuses takes nothing from another.
#[test]
fn a_call_that_is_throttled_takes_no_token() {
    let mut held = held();
    let elb = "elasticloadbalancing";
    assert_eq!(pass(&mut held, (elb, "ModifyListener"), 0), 20);
    assert_eq!(pass(&mut held, (elb, "ModifyListener"), 0), 0);
    assert_eq!(pass(&mut held, (elb, "DescribeListeners"), 0), 20);
}

#[test]
fn each_account_and_region_has_buckets_of_its_own() {
    let mut held = held();
    let call = ("ecs", "DescribeServices");
    assert_eq!(pass(&mut held, call, 0), 100);
    assert!(!admits(&mut held, call, HERE, 0));
    let (elsewhere, other) = ((HERE.0, Some("eu-west-1")), (Some("else"), HERE.1));
    assert!(admits(&mut held, call, elsewhere, 0));
    assert!(admits(&mut held, call, other, 0));
}

#[test]
fn what_aws_publishes_nothing_for_is_never_throttled() {
    let mut held = held();
    for call in [
        ("cloudformation", "DescribeStacks"),
        ("dynamodb", "BatchGetItem"),
        ("sts", "GetCallerIdentity"),
    ] {
        assert_eq!(pass(&mut held, call, 0), 500, "{call:?}");
    }
}

#[test]
fn the_busiest_bucket_says_how_long_calls_take_at_least() {
    let call = |service: &str, operation: &str| Call {
        number: 1,
        service: service.to_owned(),
        operation: operation.to_owned(),
        resource: String::new(),
        writes: false,
        access_key: None,
        began: Duration::ZERO,
        at: Instant::now(),
        struck: Vec::new(),
        end: None,
    };
    let mut calls = vec![call("ecs", "DescribeServices"); 1000];
    assert_eq!(least_time(&calls), Duration::from_secs(45));
    calls.extend(vec![call("ecs", "DescribeTaskDefinition"); 1000]);
    assert_eq!(least_time(&calls), Duration::from_millis(47_500));
    assert_eq!(least_time(&calls[..100]), Duration::ZERO);
    assert_eq!(least_time(&[]), Duration::ZERO);
}
