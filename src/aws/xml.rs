//! Answers and requests of APIs that speak XML: elements by their names. In the calls
//! that bgecs makes, AWS uses no attributes, and one namespace for a whole document.

use std::fmt::{self, Display};

use roxmltree::{Document, Node};

/// An element with either text or others in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    name: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    pub fn leaf(name: &str, text: impl Display) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_string(),
            children: Vec::new(),
        }
    }

    pub fn branch(name: &str, children: impl IntoIterator<Item = Self>) -> Self {
        Self {
            name: name.to_owned(),
            text: String::new(),
            children: children.into_iter().collect(),
        }
    }

    /// # Errors
    /// In words: it is not XML.
    pub fn parse(document: &str) -> Result<Self, String> {
        let document = Document::parse(document).map_err(|error| error.to_string())?;
        Ok(Self::read(document.root_element()))
    }

    fn read(node: Node<'_, '_>) -> Self {
        let children: Vec<_> = node.children().filter(Node::is_element).collect();
        let text = match children.as_slice() {
            [] => node.text().unwrap_or_default(),
            _ => "",
        };
        Self {
            name: node.tag_name().name().to_owned(),
            text: text.to_owned(),
            children: children.into_iter().map(Self::read).collect(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The elements in it, in order.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// Every element at that path, such as `Origins/Items/Origin`, in order.
    pub fn all(&self, path: &str) -> Vec<&Self> {
        path.split('/').fold(vec![self], |found, name| {
            let inner = found.into_iter().flat_map(|it| &it.children);
            inner.filter(|it| it.name == name).collect()
        })
    }

    /// The first element at that path.
    pub fn at(&self, path: &str) -> Option<&Self> {
        self.all(path).into_iter().next()
    }

    /// The texts of all elements at that path.
    pub fn texts(&self, path: &str) -> Vec<&str> {
        let all = self.all(path).into_iter();
        all.map(|it| it.text.as_str()).collect()
    }

    /// The text of the first element at that path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.at(path).map(|it| it.text.as_str())
    }

    pub fn number(&self, path: &str) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// Whether the element at that path says `true`.
    pub fn is(&self, path: &str) -> bool {
        self.text(path) == Some("true")
    }

    /// Replaces the text of every element at that path by what `text` makes of it.
    #[cfg(feature = "edges")]
    pub fn rewrite(&mut self, path: &str, text: &impl Fn(&str) -> String) {
        let (name, below) = path.split_once('/').unwrap_or((path, ""));
        for child in self.children.iter_mut().filter(|it| it.name == name) {
            match below {
                "" => child.text = text(&child.text),
                below => child.rewrite(below, text),
            }
        }
    }

    /// Replaces the element of the same name, or appends it.
    #[cfg(feature = "edges")]
    pub fn put(&mut self, child: Self) {
        match self.children.iter_mut().find(|it| it.name == child.name) {
            Some(there) => *there = child,
            None => self.children.push(child),
        }
    }

    /// As a document in that namespace.
    pub fn document(&self, namespace: &str) -> String {
        let whole = self.to_string();
        let named = format!("<{} xmlns=\"{namespace}\">", self.name);
        whole.replacen(&format!("<{}>", self.name), &named, 1)
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            text,
            children,
        } = self;
        write!(f, "<{name}>{}", escaped(text))?;
        children.iter().try_for_each(|child| child.fmt(f))?;
        write!(f, "</{name}>")
    }
}

/// Escaped as the text of an element.
pub fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETS: &str = "<?xml version=\"1.0\"?>\n<List xmlns=\"urn:a\">\n  <Sets>\n    <Set><Name>a</Name><Value>1 &amp; 2</Value></Set>\
        <Set><Value> x </Value></Set><Other/></Sets><IsTruncated>true</IsTruncated></List>";

    #[test]
    fn an_element_is_found_by_its_path() {
        let it = Element::parse(SETS).unwrap();
        assert_eq!(it.name(), "List");
        assert_eq!(it.texts("Sets/Set/Value"), ["1 & 2", " x "]);
        assert_eq!(it.text("Sets/Set/Name"), Some("a"));
        assert_eq!(it.text("Sets/Other"), Some(""));
        assert_eq!(it.all("Sets/Set").len(), 2);
        assert!(it.is("IsTruncated") && !it.is("IsOther"));
        assert_eq!(it.at("Set"), None);
    }

    #[test]
    fn what_is_written_reads_as_the_same() {
        let it = Element::parse(SETS).unwrap();
        assert_eq!(Element::parse(&it.to_string()), Ok(it.clone()));
        let document = it.document("urn:b");
        assert!(document.starts_with("<List xmlns=\"urn:b\"><Sets><Set>"));
        assert!(document.contains("1 &amp; 2"));
        assert_eq!(Element::parse(&document), Ok(it));
        assert!(Element::parse("<a>").is_err());
    }

    #[cfg(feature = "edges")]
    #[test]
    fn what_is_there_can_be_written_anew() {
        let mut it = Element::parse(SETS).unwrap();
        it.rewrite("Sets/Set/Value", &|text| text.trim().to_uppercase());
        assert_eq!(it.texts("Sets/Set/Value"), ["1 & 2", "X"]);
        it.put(Element::leaf("IsTruncated", false));
        it.put(Element::leaf("More", 2));
        let names: Vec<_> = it.children().iter().map(Element::name).collect();
        assert_eq!(names, ["Sets", "IsTruncated", "More"]);
        assert!(!it.is("IsTruncated"));
        assert_eq!(it.number("More"), Some(2));
    }
}
