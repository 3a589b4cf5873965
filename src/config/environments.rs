//! `[env.<name>]`: what differs from the rest of the file in one environment.
//! Tables merge key by key; all else is replaced. Every value keeps the place
//! where it stands, so that a mistake in one is shown there.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The key of the environments, which no environment has.
pub(super) const KEY: &str = "env";

/// An environment as it is written.
pub(super) struct EnvironmentSection<'a> {
    pub(super) name: String,
    pub(super) key: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) value: DeValue<'a>,
}

/// Which keys an environment brought with it.
#[derive(Debug, Default)]
pub(super) struct Brought {
    /// `env.staging`; empty where there is no environment.
    prefix: String,
    /// Where they begin.
    keys: HashSet<usize>,
}

impl Brought {
    /// The key as it is written, from the top of the file.
    pub(super) fn whole(&self, key: &Range<usize>, path: String) -> String {
        match self.has(key) {
            true => format!("{}.{path}", self.prefix),
            false => path,
        }
    }

    pub(super) fn has(&self, key: &Range<usize>) -> bool {
        self.keys.contains(&key.start)
    }
}

/// Takes the environments out of the file's own keys.
pub(super) fn take<'a>(top: &mut DeTable<'a>) -> Option<Spanned<DeValue<'a>>> {
    top.remove(KEY)
}

pub(super) fn list(all: DeTable<'_>) -> Vec<EnvironmentSection<'_>> {
    let all = all.into_iter();
    all.map(|(name, value)| EnvironmentSection {
        key: name.span(),
        name: name.into_inner().into_owned(),
        span: value.span(),
        value: value.into_inner(),
    })
    .collect()
}

/// Lays an environment over what all have in common.
pub(super) fn merge<'a>(top: &mut DeTable<'a>, name: &str, over: DeTable<'a>) -> Rc<Brought> {
    let mut brought = Brought {
        prefix: format!("{KEY}.{name}"),
        keys: HashSet::new(),
    };
    lay_over(top, over, &mut brought.keys);
    Rc::new(brought)
}

fn lay_over<'a>(below: &mut DeTable<'a>, over: DeTable<'a>, brought: &mut HashSet<usize>) {
    for (key, mut value) in over {
        let name: &str = key.get_ref();
        if let DeValue::Table(over) = value.get_mut()
            && let Some(DeValue::Table(below)) = below.get_mut(name).map(Spanned::get_mut)
        {
            lay_over(below, std::mem::replace(over, DeTable::new()), brought);
            continue;
        }
        note(&key, value.get_ref(), brought);
        // The key itself is replaced too: it says where the value stands.
        below.remove(name);
        below.insert(key, value);
    }
}

fn note(key: &Spanned<DeString<'_>>, value: &DeValue<'_>, brought: &mut HashSet<usize>) {
    brought.insert(key.span().start);
    if let DeValue::Table(table) = value {
        for (key, value) in table {
            note(key, value.get_ref(), brought);
        }
    }
}
