//! How the parts of a fault look in JSON.

/// A duration as a whole number of milliseconds.
pub mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, Match, What, When};
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn a_fault_is_json_and_back() {
        let fault = Fault::on("ecs", "UpdateService").resource("web").nth(2);
        let fault = fault.delay(Duration::from_millis(500));
        let text = json!({
            "on": {
                "service": "ecs",
                "operation": "UpdateService",
                "resource": "web",
                "writes": false,
            },
            "when": {"nth": 2},
            "what": {"delay_ms": 500},
        });
        assert_eq!(serde_json::to_value(&fault).unwrap(), text);
        assert_eq!(serde_json::from_value::<Fault>(text).unwrap(), fault);
    }

    #[test]
    fn a_hold_on_writes_is_json_and_back() {
        let fault = Fault::on_writes().nth(7).hold_after();
        let text = json!({"on": {"writes": true}, "when": {"nth": 7}, "what": "hold_after"});
        assert_eq!(serde_json::from_value::<Fault>(text).unwrap(), fault);
        let text = serde_json::to_value(&fault).unwrap();
        assert_eq!(serde_json::from_value::<Fault>(text).unwrap(), fault);
    }

    #[test]
    fn what_is_not_said_means_every_call() {
        let fault: Fault = serde_json::from_value(json!({"what": "drop_after"})).unwrap();
        assert_eq!(fault.on, Match::default());
        assert_eq!((fault.when, fault.what), (When::Always, What::DropAfter));
    }

    #[test]
    fn a_slip_in_a_name_is_refused() {
        for text in [
            json!({"what": "drop"}),
            json!({"what": "throttle", "on": {"servcie": "ecs"}}),
            json!({"what": "throttle", "wehn": {"nth": 1}}),
            json!({"on": {}}),
        ] {
            assert!(
                serde_json::from_value::<Fault>(text.clone()).is_err(),
                "{text}"
            );
        }
    }
}
