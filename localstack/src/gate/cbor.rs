//! CBOR, as calls of AWS are made of, from and to JSON. Pure.
//!
//! <https://www.rfc-editor.org/rfc/rfc8949>; what AWS takes of it:
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#shape-serialization>.

use ciborium::Value as Cbor;
use serde_json::Value;

/// None if that is not CBOR. Bytes and what JSON has no word for are null.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    let value: Cbor = ciborium::from_reader(&mut rest).ok()?;
    if !rest.is_empty() {
        return None;
    }
    json(value)
}

/// # Panics
/// Never: a vector takes whatever is written to it.
pub fn write(value: &Value) -> Vec<u8> {
    let mut written = Vec::new();
    let done = ciborium::into_writer(value, &mut written);
    debug_assert!(done.is_ok(), "{done:?}");
    written
}

fn json(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Integer(number) => match i64::try_from(number) {
            Ok(number) => number.into(),
            Err(_) => u64::try_from(number).ok()?.into(),
        },
        Cbor::Float(number) => number.into(),
        Cbor::Text(text) => text.into(),
        Cbor::Bool(yes) => yes.into(),
        Cbor::Tag(_, tagged) => json(*tagged)?,
        Cbor::Array(items) => items.into_iter().map(json).collect::<Option<_>>()?,
        Cbor::Map(members) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| Some((name.into_text().ok()?, json(value)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
        _ => Value::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        for (bytes, value) in [
            (&b"\x00"[..], json!(0)),
            (b"\x18\x64", json!(100)),
            (b"\x1a\x00\x0f\x42\x40", json!(1_000_000)),
            (b"\x39\x03\xe7", json!(-1000)),
            (b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", json!(1.1)),
            (b"\xf5", json!(true)),
            (b"\xf6", json!(null)),
            (b"\xc1\x1a\x51\x4b\x67\xb0", json!(1_363_896_240)),
            (b"\x44\x01\x02\x03\x04", json!(null)),
            (b"\x64IETF", json!("IETF")),
            (
                b"\x83\x01\x82\x02\x03\x82\x04\x05",
                json!([1, [2, 3], [4, 5]]),
            ),
            (
                b"\xa2\x61a\x01\x61b\x82\x02\x03",
                json!({"a": 1, "b": [2, 3]}),
            ),
            (b"\x7f\x65strea\x64ming\xff", json!("streaming")),
            (
                b"\xbf\x63Fun\xf5\x63Amt\x21\xff",
                json!({"Fun": true, "Amt": -2}),
            ),
            (b"\x9f\x01\x82\x02\x03\xff", json!([1, [2, 3]])),
        ] {
            assert_eq!(read(bytes), Some(value));
        }
    }

    #[test]
    fn what_is_no_cbor_is_refused() {
        for bytes in [
            &b""[..],
            b"\x18",
            b"\x64IET",
            b"\x00\x00",
            b"\x9f\x01",
            b"\x1c",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            &[0x81; 10_000],
        ] {
            assert_eq!(read(bytes), None, "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        assert_eq!(write(&json!({"a": "A"})), b"\xa1\x61a\x61A");
        for length in [0, 23, 24, 255, 256, 70_000] {
            let value = json!({
                "text": "x".repeat(length),
                "list": vec![length; length % 300],
                "of": [{"n": length, "yes": true}, [false, null]],
            });
            assert_eq!(read(&write(&value)), Some(value));
        }
    }
}
