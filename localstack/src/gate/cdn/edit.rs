//! Changes of a configuration's XML. Pure.

use std::fmt::Write as _;

use roxmltree::Document;

use crate::gate::elb::xml::{child, element, replace};

/// A configuration with other elements of these names: each is given what is in it,
/// as XML. What cannot be read stays as it is.
pub fn with(config: &str, elements: &[(&str, &str)]) -> String {
    let Ok(document) = Document::parse(config) else {
        return config.to_owned();
    };
    let root = document.root_element();
    let mut parts = Vec::new();
    let mut more = String::new();
    for (name, inside) in elements {
        match child(root, name) {
            Some(node) => parts.push((node.range(), format!("<{name}>{inside}</{name}>"))),
            None => {
                let _ = write!(more, "<{name}>{inside}</{name}>");
            }
        }
    }
    if let Some(end) = config[..root.range().end].rfind("</") {
        parts.push((end..end, more));
    }
    replace(config, parts)
}

/// What is in an element of a configuration, as XML; nothing if there is none.
pub fn inside<'a>(config: &'a str, name: &str) -> &'a str {
    let range = Document::parse(config).ok().and_then(|document| {
        let node = child(document.root_element(), name)?;
        let (first, last) = (node.first_child()?, node.last_child()?);
        Some(first.range().start..last.range().end)
    });
    range.map_or("", |range| &config[range])
}

/// What is in the element `Aliases`.
pub fn aliases(names: &[String]) -> String {
    let items: String = names.iter().map(|name| element("CNAME", name)).collect();
    match names.len() {
        0 => "<Quantity>0</Quantity>".to_owned(),
        count => format!("<Quantity>{count}</Quantity><Items>{items}</Items>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "<?xml version='1.0'?><C xmlns='urn:x'><A>1</A><L><Q>0</Q></L></C>";

    #[test]
    fn elements_are_replaced_or_added() {
        let changed = with(CONFIG, &[("A", "2"), ("B", "3"), ("L", "")]);
        let wanted = "<?xml version='1.0'?><C xmlns='urn:x'><A>2</A><L></L><B>3</B></C>";
        assert_eq!(changed, wanted);
        assert_eq!(with("no XML", &[("A", "2")]), "no XML");
    }

    #[test]
    fn what_is_inside_is_given_as_it_stands() {
        assert_eq!(inside(CONFIG, "L"), "<Q>0</Q>");
        assert_eq!(inside(CONFIG, "A"), "1");
        assert_eq!(inside(CONFIG, "B"), "");
    }

    #[test]
    fn an_empty_list_has_no_items() {
        assert_eq!(aliases(&[]), "<Quantity>0</Quantity>");
        let two = ["a.test", "b.test"].map(str::to_owned);
        assert_eq!(
            aliases(&two),
            "<Quantity>2</Quantity><Items><CNAME>a.test</CNAME><CNAME>b.test</CNAME></Items>"
        );
    }
}
