//! Holds a JSON object to [`super::model`]: names, types, what is required,
//! enumerations, bounds, and what Fargate takes.
//!
//! What comes out is the object as it is meant: keys of others' spelling by
//! ECS's name, numbers as the texts that they stand for, nulls left out. So the
//! rules that look at it next do not stumble over what was found here.

use serde_json::{Map, Value};

use super::mistake::{MistakePlace, Mistakes};
use super::model::{CONTAINER, Fargate, Member, Shape, ValueKind};
use super::spelling::guess;

pub(super) struct Walk<'a> {
    /// Keys that are passed on as they are.
    pub(super) unchecked: &'a [String],
    /// Whether placeholders were expanded: a number in quotes came of one.
    pub(super) is_expanded: bool,
    pub(super) mistakes: Mistakes,
}

impl Walk<'_> {
    pub(super) fn object(
        &mut self,
        shape: &'static Shape,
        found: &Map<String, Value>,
        at: &MistakePlace,
    ) -> Map<String, Value> {
        let mut meant = Map::new();
        let mut named = Vec::new();
        for (key, value) in found.iter().filter(|(_, value)| !value.is_null()) {
            if self.unchecked.contains(key) {
                meant.insert(key.clone(), value.clone());
                continue;
            }
            let at = at.key(key);
            let member = match shape.member(key) {
                Some(member) => member,
                None => {
                    let guess = guess(key, shape);
                    self.mistakes.add(at.clone(), guess.sentence);
                    match guess.member {
                        Some(member) if !found.contains_key(member.name) => member,
                        _ => continue,
                    }
                }
            };
            if is_left_empty(member, value) {
                continue;
            }
            named.push(member.name);
            if let Some(value) = self.member(member, value, &at) {
                meant.insert(member.name.to_owned(), value);
            }
        }
        for member in shape.members.iter().filter(|member| member.is_required) {
            if !named.contains(&member.name) && !meant.contains_key(member.name) {
                let what = missing(shape, member);
                self.mistakes.add(at.key(member.name), what);
            }
        }
        meant
    }

    fn member(
        &mut self,
        member: &'static Member,
        value: &Value,
        at: &MistakePlace,
    ) -> Option<Value> {
        match member.fargate {
            Fargate::Takes => {}
            Fargate::Refuses(why) if !says_nothing(value) => {
                self.mistakes
                    .add(at.clone(), format!("Fargate does not take it: {why}"));
                return None;
            }
            Fargate::Refuses(_) => return Some(value.clone()),
            Fargate::Only(these) => {
                let texts = match value {
                    Value::Array(items) => items.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let texts = texts.iter().filter_map(Value::as_str);
                for text in texts.filter(|text| !these.contains(text)) {
                    if is_known(&member.kind, text) {
                        let what = format!("`{text}`: Fargate takes {}", these.join(", "));
                        self.mistakes.add(at.clone(), what);
                        return None;
                    }
                }
            }
        }
        self.value(member.kind, value, at)
    }

    fn value(&mut self, kind: ValueKind, value: &Value, at: &MistakePlace) -> Option<Value> {
        match (kind, value) {
            (ValueKind::Anything, value)
            | (ValueKind::Text | ValueKind::Size, value @ Value::String(_))
            | (ValueKind::Flag, value @ Value::Bool(_)) => Some(value.clone()),
            (ValueKind::Size, Value::Number(number)) => Some(Value::from(number.to_string())),
            (ValueKind::Flag, Value::String(text)) if self.is_expanded => {
                match text.parse::<bool>() {
                    Ok(flag) => Some(Value::from(flag)),
                    Err(_) => self.wrong(kind, value, at),
                }
            }
            (ValueKind::Whole(least, most), value) => match self.whole(value) {
                Some(number) if (least..=most).contains(&number) => Some(Value::from(number)),
                _ => self.wrong(kind, value, at),
            },
            (ValueKind::OneOf(choices), Value::String(text))
                if choices.contains(&text.as_str()) =>
            {
                Some(value.clone())
            }
            (ValueKind::Of(shape), Value::Object(found)) => {
                Some(Value::Object(self.object(shape, found, at)))
            }
            (ValueKind::Many(shape), Value::Array(items)) => Some(self.objects(shape, items, at)),
            (ValueKind::Texts, Value::Array(items)) => self.each(ValueKind::Text, items, at),
            (ValueKind::Wholes, Value::Array(items)) => {
                self.each(ValueKind::Whole(i64::MIN, i64::MAX), items, at)
            }
            (ValueKind::SomeOf(choices), Value::Array(items)) => {
                self.each(ValueKind::OneOf(choices), items, at)
            }
            (ValueKind::Map, Value::Object(found)) => {
                let mut texts = Map::new();
                for (key, value) in found.iter().filter(|(_, value)| !value.is_null()) {
                    let text = self.value(ValueKind::Text, value, &at.key(key));
                    texts.extend(text.map(|text| (key.clone(), text)));
                }
                Some(Value::Object(texts))
            }
            _ => self.wrong(kind, value, at),
        }
    }

    fn objects(&mut self, shape: &'static Shape, items: &[Value], at: &MistakePlace) -> Value {
        let mut meant = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let name = name_of(item);
            let at = match name {
                Some(name) if std::ptr::eq(shape, &CONTAINER) => {
                    MistakePlace::in_container(name, "")
                }
                name => at.item(index).named(name),
            };
            match item {
                Value::Object(found) => meant.push(Value::Object(self.object(shape, found, &at))),
                item => {
                    self.wrong(ValueKind::Of(shape), item, &at);
                    // So that the others keep their places.
                    meant.push(Value::Null);
                }
            }
        }
        Value::Array(meant)
    }

    fn each(&mut self, kind: ValueKind, items: &[Value], at: &MistakePlace) -> Option<Value> {
        let meant = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| self.value(kind, item, &at.item(index)));
        Some(Value::Array(meant.collect()))
    }

    fn whole(&self, value: &Value) -> Option<i64> {
        match value {
            Value::String(text) if self.is_expanded => text.trim().parse().ok(),
            value => value.as_i64(),
        }
    }

    fn wrong(&mut self, kind: ValueKind, value: &Value, at: &MistakePlace) -> Option<Value> {
        let mut what = format!("it takes {}, {}", wanted(kind), instead(kind, value));
        if let Value::String(text) = value {
            what += &self.placeholder(text);
        }
        self.mistakes.add(at.clone(), what);
        None
    }

    /// What to say more of a text that cannot be what it should, if there is a
    /// placeholder in it.
    pub(super) fn placeholder(&self, text: &str) -> String {
        match self.is_expanded {
            true => String::new(),
            false => placeholder(text).to_owned(),
        }
    }
}

pub(super) fn placeholder(text: &str) -> &'static str {
    match text.contains("${") {
        true => {
            "; with `expand = true` in [container] of bgecs.toml, `${NAME}` is replaced by the environment variable"
        }
        false => "",
    }
}

/// What the console and `describe-task-definition` print of what was not given.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.values().all(says_nothing),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// Emulators and old consoles print what was not given so, and ECS would not take
/// it back.
fn is_left_empty(member: &Member, value: &Value) -> bool {
    let cannot_be_empty = match member.kind {
        ValueKind::OneOf(_) | ValueKind::Size => true,
        ValueKind::Of(shape) => shape.members.iter().any(|member| member.is_required),
        ValueKind::Text => matches!(member.name, "executionRoleArn" | "taskRoleArn"),
        _ => false,
    };
    cannot_be_empty && !member.is_required && says_nothing(value)
}

fn is_known(kind: &ValueKind, text: &str) -> bool {
    match kind {
        ValueKind::OneOf(choices) | ValueKind::SomeOf(choices) => choices.contains(&text),
        _ => true,
    }
}

fn name_of(item: &Value) -> Option<&str> {
    let mut pairs = item.as_object()?.iter();
    let (_, name) = pairs.find(|(key, _)| key.eq_ignore_ascii_case("name"))?;
    name.as_str()
}

fn missing(shape: &Shape, member: &Member) -> String {
    match member.kind {
        ValueKind::Size => {
            let example = if member.name == "cpu" { "256" } else { "512" };
            format!("it is missing, and Fargate needs it: \"{example}\", say")
        }
        _ => format!("it is missing: a {} is {}", shape.name, shape.example),
    }
}

fn wanted(kind: ValueKind) -> String {
    match kind {
        ValueKind::Anything => "anything".to_owned(),
        ValueKind::Text | ValueKind::Size => "text in quotes".to_owned(),
        ValueKind::Whole(i64::MIN, _) => "a whole number".to_owned(),
        ValueKind::Whole(least, most) if most >= i64::from(i32::MAX) => {
            format!("a whole number from {least}")
        }
        ValueKind::Whole(least, most) => format!("a whole number from {least} to {most}"),
        ValueKind::Flag => "true or false".to_owned(),
        ValueKind::OneOf([only]) => format!("`{only}`"),
        ValueKind::OneOf(choices) => format!("one of {}", choices.join(", ")),
        ValueKind::Of(shape) => format!("an object such as {}", shape.example),
        ValueKind::Many(shape) => format!("a list of {}s, such as [{}]", shape.name, shape.example),
        ValueKind::Texts => "a list of texts in quotes".to_owned(),
        ValueKind::Wholes => "a list of whole numbers".to_owned(),
        ValueKind::SomeOf(choices) => format!("a list of some of {}", choices.join(", ")),
        ValueKind::Map => "an object of texts in quotes".to_owned(),
    }
}

/// What stands there, shown where it cannot be a secret.
fn instead(kind: ValueKind, value: &Value) -> String {
    match (kind, value) {
        (ValueKind::Whole(..) | ValueKind::Flag, Value::String(text)) if is_plain(kind, text) => {
            format!("without quotes: {text}")
        }
        (ValueKind::OneOf(choices), Value::String(text)) => match alike(choices, text) {
            Some(choice) => format!("not `{text}`: write `{choice}`"),
            None => format!("not `{text}`"),
        },
        (ValueKind::Whole(..), Value::String(text)) => format!("not `{text}`"),
        (ValueKind::Whole(..), Value::Number(number)) => format!("not {number}"),
        (_, Value::Null) => "not null".to_owned(),
        (_, Value::Bool(_)) => "not true or false".to_owned(),
        (_, Value::Number(_)) => "not a number".to_owned(),
        (_, Value::String(_)) => "not text".to_owned(),
        (_, Value::Array(_)) => "not a list".to_owned(),
        (_, Value::Object(_)) => "not an object".to_owned(),
    }
}

fn is_plain(kind: ValueKind, text: &str) -> bool {
    match kind {
        ValueKind::Flag => text.parse::<bool>().is_ok(),
        _ => text.parse::<i64>().is_ok(),
    }
}

/// Also what Docker calls an architecture.
fn alike(choices: &[&'static str], text: &str) -> Option<&'static str> {
    let meant = match text.to_ascii_lowercase().as_str() {
        "amd64" | "x86-64" | "x64" => "X86_64".to_owned(),
        "aarch64" => "ARM64".to_owned(),
        other => other.to_owned(),
    };
    let mut choices = choices.iter().copied();
    choices.find(|choice| choice.eq_ignore_ascii_case(&meant))
}
