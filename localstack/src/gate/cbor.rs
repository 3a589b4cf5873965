//! The part of CBOR that calls of AWS are made of, from and to JSON. Pure.
//!
//! <https://www.rfc-editor.org/rfc/rfc8949>; the subset:
//! <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#shape-serialization>.

use serde_json::{Map, Value};

/// Nothing that AWS takes is deeper.
const DEPTH: usize = 64;

/// Ends what has no length of its own.
const BREAK: u8 = 0xff;

/// None if that is not CBOR. Bytes and what JSON has no word for are null.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let mut rest = bytes;
    let value = item(&mut rest, DEPTH)?;
    rest.is_empty().then_some(value)
}

/// Of numbers only those that count something: others are null.
pub fn write(value: &Value) -> Vec<u8> {
    match value {
        Value::Null => vec![0xf6],
        Value::Bool(false) => vec![0xf4],
        Value::Bool(true) => vec![0xf5],
        Value::Number(number) => match number.as_u64() {
            Some(number) => head(0, number),
            None => write(&Value::Null),
        },
        Value::String(written) => text(written),
        Value::Array(items) => counted(4, items.len(), items.iter().flat_map(write)),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| [text(name), write(value)].concat();
            counted(5, members.len(), members.iter().flat_map(member))
        }
    }
}

fn text(text: &str) -> Vec<u8> {
    counted(3, text.len(), text.bytes())
}

fn counted(major: u8, length: usize, content: impl Iterator<Item = u8>) -> Vec<u8> {
    head(major, length as u64)
        .into_iter()
        .chain(content)
        .collect()
}

fn head(major: u8, argument: u64) -> Vec<u8> {
    let major = major << 5;
    match (u8::try_from(argument), u16::try_from(argument)) {
        (Ok(short), _) if short < 24 => vec![major | short],
        (Ok(byte), _) => vec![major | 24, byte],
        (_, Ok(two)) => [&[major | 25][..], &two.to_be_bytes()].concat(),
        _ => [&[major | 27][..], &argument.to_be_bytes()].concat(),
    }
}

fn item(rest: &mut &[u8], depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let first = byte(rest)?;
    let (major, short) = (first >> 5, first & 31);
    if short == 31 {
        return endless(rest, major, depth);
    }
    let argument = argument(rest, short)?;
    let length = usize::try_from(argument).ok()?;
    match major {
        0 => Some(argument.into()),
        1 => Some((-1 - i64::try_from(argument).ok()?).into()),
        2 => take(rest, length).map(|_| Value::Null),
        3 => read_text(take(rest, length)?),
        4 => (0..length).map(|_| item(rest, depth)).collect(),
        5 => (0..length).map(|_| member(rest, depth)).collect(),
        6 => item(rest, depth),
        _ => Some(simple(short, argument)),
    }
}

/// Texts in pieces, lists and maps whose end is marked.
fn endless(rest: &mut &[u8], major: u8, depth: usize) -> Option<Value> {
    let mut texts = String::new();
    let mut items = Vec::new();
    let mut members = Map::new();
    while rest.first() != Some(&BREAK) {
        match major {
            2 => drop(item(rest, depth)?),
            3 => texts.push_str(item(rest, depth)?.as_str()?),
            4 => items.push(item(rest, depth)?),
            5 => members.extend([member(rest, depth)?]),
            _ => return None,
        }
    }
    byte(rest)?;
    match major {
        2 => Some(Value::Null),
        3 => Some(texts.into()),
        4 => Some(items.into()),
        5 => Some(members.into()),
        _ => None,
    }
}

fn member(rest: &mut &[u8], depth: usize) -> Option<(String, Value)> {
    let name = item(rest, depth)?.as_str()?.to_owned();
    Some((name, item(rest, depth)?))
}

fn argument(rest: &mut &[u8], short: u8) -> Option<u64> {
    let width = match short {
        0..=23 => return Some(short.into()),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let bytes = take(rest, width)?;
    Some(
        bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

fn simple(short: u8, argument: u64) -> Value {
    match short {
        20 => false.into(),
        21 => true.into(),
        26 => u32::try_from(argument).map_or(Value::Null, |bits| f32::from_bits(bits).into()),
        27 => f64::from_bits(argument).into(),
        _ => Value::Null,
    }
}

fn read_text(bytes: &[u8]) -> Option<Value> {
    std::str::from_utf8(bytes).ok().map(Value::from)
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    Some(*first)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, others) = rest.split_at_checked(length)?;
    *rest = others;
    Some(taken)
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
