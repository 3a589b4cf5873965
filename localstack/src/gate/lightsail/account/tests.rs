use super::*;

const GAP: Duration = Duration::from_secs(3);

struct Case {
    account: Account,
    now: Now,
}

impl Case {
    /// Two instances, and an address that is attached to the first.
    fn start(attach: Attach) -> Self {
        let own = |last| Ipv4Addr::new(127, 0, 5, last);
        let options = Options {
            attach,
            gap: GAP,
            instances: vec![("blue".to_owned(), own(1)), ("green".to_owned(), own(2))],
            ..Options::default()
        };
        let now = Now {
            at: Instant::now(),
            epoch: 1.5,
        };
        let account = Account::new(&options, now);
        let mut case = Self { account, now };
        case.call("AllocateStaticIp", &json!({"staticIpName": "front"}));
        case.call("AttachStaticIp", &attachment("blue"));
        case
    }

    fn obey(&mut self, operation: &str, input: &Value) -> Result<Value, Refused> {
        self.account.obey(operation, input, self.now)
    }

    fn call(&mut self, operation: &str, input: &Value) -> Value {
        self.obey(operation, input).unwrap()
    }

    /// Where the address is attached, and where it leads.
    fn front(&mut self) -> (Value, Option<Route>) {
        let front = self.call("GetStaticIp", &json!({"staticIpName": "front"}));
        let routes = self.account.routes();
        let route = routes[&Ipv4Addr::new(127, 0, 6, 1)];
        assert_eq!(front["staticIp"]["isAttached"], route.is_some());
        (front["staticIp"]["attachedTo"].clone(), route)
    }

    /// The public address of an instance, and whether it is a static one.
    fn public(&mut self, name: &str) -> (String, bool) {
        let answer = self.call("GetInstance", &json!({"instanceName": name}));
        let it = &answer["instance"];
        let address = it["publicIpAddress"].as_str().unwrap().to_owned();
        (address, it["isStaticIp"].as_bool().unwrap())
    }
}

fn attachment(instance: &str) -> Value {
    json!({"staticIpName": "front", "instanceName": instance})
}

fn own(last: u8) -> (String, bool) {
    (format!("127.0.5.{last}"), false)
}

#[test]
fn an_instance_has_the_address_that_is_attached_to_it_and_its_own_again_after_that() {
    let mut case = Case::start(Attach::Moves);
    let fixed = ("127.0.6.1".to_owned(), true);
    assert_eq!(
        (case.public("blue"), case.public("green")),
        (fixed.clone(), own(2))
    );
    case.call("AttachStaticIp", &attachment("green"));
    assert_eq!((case.public("blue"), case.public("green")), (own(1), fixed));
    case.call("DetachStaticIp", &json!({"staticIpName": "front"}));
    assert_eq!(
        (case.public("blue"), case.public("green")),
        (own(1), own(2))
    );
    assert_eq!(case.front(), (Value::Null, None));
}

#[test]
fn an_address_that_moves_leads_to_the_other_instance_after_the_gap() {
    let mut case = Case::start(Attach::Moves);
    case.now.at += Duration::from_secs(60);
    let done = case.call("AttachStaticIp", &attachment("green"));
    let operations = done["operations"].as_array().unwrap();
    let fields = ["operationType", "resourceName", "status"];
    let told = operations
        .iter()
        .map(|it| fields.map(|field| it[field].as_str().unwrap()));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ["AttachStaticIp", "front", "Succeeded"],
            ["AttachStaticIp", "green", "Succeeded"]
        ]
    );
    let route = Route {
        to: Ipv4Addr::new(127, 0, 5, 2),
        opens: case.now.at + GAP,
    };
    assert_eq!(case.front(), (json!("green"), Some(route)));
    // It is there: nothing moves, and nothing is shut.
    case.now.at += Duration::from_secs(60);
    case.call("AttachStaticIp", &attachment("green"));
    assert_eq!(case.front(), (json!("green"), Some(route)));
}

#[test]
fn an_address_that_does_not_move_stays_until_it_is_detached() {
    let mut case = Case::start(Attach::Refuses);
    let before = case.front();
    let refused = case
        .obey("AttachStaticIp", &attachment("green"))
        .unwrap_err();
    assert_eq!(refused.code(), "InvalidInputException");
    assert!(
        refused.to_string().contains("already attached"),
        "{refused}"
    );
    assert_eq!(case.front(), before);
    case.call("DetachStaticIp", &json!({"staticIpName": "front"}));
    case.call("AttachStaticIp", &attachment("green"));
    assert_eq!(case.front().0, "green");
}

#[test]
fn how_it_is_attached_may_change_and_what_is_attached_stays() {
    let mut case = Case::start(Attach::Moves);
    let before = case.front();
    case.account.set_attach(Attach::Refuses, Duration::ZERO);
    assert_eq!(case.front(), before);
    assert!(case.obey("AttachStaticIp", &attachment("green")).is_err());
    case.call("DetachStaticIp", &json!({"staticIpName": "front"}));
    case.call("AttachStaticIp", &attachment("green"));
    let opens = case.front().1.map(|route| route.opens);
    assert_eq!(opens, Some(case.now.at));
}

#[test]
fn instances_and_addresses_are_given_the_next_that_is_free() {
    let mut case = Case::start(Attach::Moves);
    let names = json!({"instanceNames": ["red", "white"], "availabilityZone": "eu-west-1b"});
    case.call("CreateInstances", &names);
    assert_eq!((case.public("red"), case.public("white")), (own(3), own(4)));
    case.call("DeleteInstance", &json!({"instanceName": "red"}));
    let again = json!({"instanceNames": ["black"]});
    case.call("CreateInstances", &again);
    assert_eq!(case.public("black"), own(3));
    case.call("AllocateStaticIp", &json!({"staticIpName": "other"}));
    let all = case.call("GetStaticIps", &json!({}));
    let addresses = all["staticIps"].as_array().unwrap().iter();
    let addresses: Vec<_> = addresses.map(|it| &it["ipAddress"]).collect();
    assert_eq!(addresses, ["127.0.6.1", "127.0.6.2"]);
    let all = case.call("GetInstances", &json!({}));
    let white = &all["instances"][3];
    assert_eq!(
        white["location"],
        json!({"availabilityZone": "eu-west-1b", "regionName": "eu-west-1"})
    );
}

#[test]
fn an_address_outlives_its_instance_and_may_be_released_as_it_is() {
    let mut case = Case::start(Attach::Moves);
    case.call("DeleteInstance", &json!({"instanceName": "blue"}));
    assert_eq!(case.front(), (Value::Null, None));
    case.call("AttachStaticIp", &attachment("green"));
    case.call("ReleaseStaticIp", &json!({"staticIpName": "front"}));
    assert!(case.account.routes().is_empty());
    assert_eq!(case.public("green"), own(2));
}

#[test]
fn what_cannot_be_done_is_refused_and_nothing_changes() {
    let mut case = Case::start(Attach::Moves);
    let before = case.front();
    case.call("AllocateStaticIp", &json!({"staticIpName": "other"}));
    for (operation, input, code) in [
        (
            "GetStaticIp",
            json!({"staticIpName": "none"}),
            "NotFoundException",
        ),
        (
            "GetInstance",
            json!({"instanceName": "none"}),
            "NotFoundException",
        ),
        ("AttachStaticIp", attachment("none"), "NotFoundException"),
        (
            "AttachStaticIp",
            json!({"staticIpName": "other", "instanceName": "blue"}),
            "InvalidInputException",
        ),
        (
            "DetachStaticIp",
            json!({"staticIpName": "other"}),
            "InvalidInputException",
        ),
        (
            "AllocateStaticIp",
            json!({"staticIpName": "blue"}),
            "InvalidInputException",
        ),
        (
            "CreateInstances",
            json!({"instanceNames": ["new", "blue"]}),
            "InvalidInputException",
        ),
        ("CreateInstances", json!({}), "InvalidInputException"),
        ("ReleaseStaticIp", json!({}), "InvalidInputException"),
        (
            "RebootInstance",
            json!({"instanceName": "blue"}),
            "UnknownOperationException",
        ),
    ] {
        assert_eq!(
            case.obey(operation, &input).unwrap_err().code(),
            code,
            "{operation}"
        );
    }
    assert_eq!(case.front(), before);
    assert_eq!(case.account.instances.len(), 2);
}
