//! AWS's XML, whatever its namespace: what is in an element, and text put into
//! one. Pure; it knows no call by name.

use std::ops::Range;

use roxmltree::{Document, Node};

use crate::gate::refusal::escaped;

/// The first element of that name, anywhere.
pub fn find<'a, 'i>(document: &'a Document<'i>, name: &str) -> Option<Node<'a, 'i>> {
    document
        .descendants()
        .find(|node| node.is_element() && node.tag_name().name() == name)
}

/// The first child element of that name.
pub fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children()
        .find(|child| child.is_element() && child.tag_name().name() == name)
}

/// The element at a path of names with dots between.
pub fn at<'a, 'i>(node: Node<'a, 'i>, path: &str) -> Option<Node<'a, 'i>> {
    path.split('.').try_fold(node, child)
}

/// The text at a path of names with dots between; None if there is none.
pub fn text<'a>(node: Node<'a, '_>, path: &str) -> Option<&'a str> {
    at(node, path)?
        .text()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// The `member` elements of the list at that path; none if it is missing.
pub fn members<'a, 'i>(node: Node<'a, 'i>, path: &str) -> Vec<Node<'a, 'i>> {
    at(node, path).map(members_of).unwrap_or_default()
}

/// The `member` elements of a list.
pub fn members_of<'a, 'i>(list: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    list.children()
        .filter(|child| child.is_element() && child.tag_name().name() == "member")
        .collect()
}

/// The texts of the list at that path.
pub fn texts(node: Node<'_, '_>, path: &str) -> Vec<String> {
    members(node, path)
        .iter()
        .filter_map(Node::text)
        .map(|text| text.trim().to_owned())
        .collect()
}

/// An element with text in it.
pub fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escaped(text))
}

/// The text with parts of it replaced: from the end on, so that the ranges stay true.
pub fn replace(text: &str, mut parts: Vec<(Range<usize>, String)>) -> String {
    parts.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    let mut text = text.to_owned();
    for (range, part) in parts {
        text.replace_range(range, &part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_the_namespace_is() {
        let document = Document::parse(
            "<R xmlns='urn:x'><L><member> a </member><other/><member><B><C/></B></member></L></R>",
        )
        .unwrap();
        let list = find(&document, "L").unwrap();
        assert_eq!(texts(document.root_element(), "L"), ["a"]);
        assert_eq!(members_of(list).len(), 2);
        assert!(at(members_of(list)[1], "B.C").is_some());
        assert_eq!(text(members_of(list)[1], "B.C"), None);
        assert!(members(list, "Nothing").is_empty());
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(element("A", "<&>\""), "<A>&lt;&amp;&gt;&quot;</A>");
    }
}
