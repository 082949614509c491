//! Long lists of an object, which are built only when the whole object is needed, and not kept.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::chart::held::{List, placeholder, whole};
use crate::values::write::{self, Item};

/// The long lists of an object, with placeholders in its content.
#[derive(Debug, Clone, Default)]
pub struct Lists(Vec<(usize, Arc<dyn List>)>);

impl Lists {
    /// Adds the list of the placeholder with this number. It is added once for each placeholder.
    pub fn add(&mut self, number: usize, list: &Arc<dyn List>) {
        self.0.push((number, Arc::clone(list)));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An upper limit of their size as JSON, in bytes.
    pub fn max_size(&self) -> usize {
        self.0.iter().map(|(_, list)| list.max_size()).sum()
    }

    /// The content with the lists in place of the placeholders.
    pub fn insert_into<'a>(&self, content: &'a Map<String, Json>) -> Cow<'a, Map<String, Json>> {
        if self.is_empty() {
            return Cow::Borrowed(content);
        }
        let mut whole = content.clone();
        whole.values_mut().for_each(|value| self.fill(value));
        Cow::Owned(whole)
    }

    /// The list whose placeholder this text is.
    fn list(&self, text: &str) -> Option<&dyn List> {
        let number = placeholder(text)?;
        let (_, list) = self.0.iter().find(|(known, _)| *known == number)?;
        Some(&**list)
    }

    fn fill(&self, value: &mut Json) {
        match value {
            Json::String(text) => {
                if let Some(list) = self.list(text) {
                    *value = whole(list);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Json::Object(map) => map.values_mut().for_each(|value| self.fill(value)),
            _ => {}
        }
    }
}

impl write::Lists for Lists {
    fn list_for(&self, text: &str) -> Option<Box<dyn Iterator<Item = Item> + '_>> {
        self.list(text).map(List::items)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chart::held::MARK;

    #[derive(Debug)]
    struct Numbers(usize);

    impl List for Numbers {
        fn items(&self) -> Box<dyn Iterator<Item = Item> + '_> {
            Box::new((0..self.0).map(|number| vec![("n", number.into())]))
        }

        fn max_size(&self) -> usize {
            self.0 * 8
        }
    }

    #[test]
    fn lists_replace_their_placeholders() {
        let mut lists = Lists::default();
        for _ in 0..3 {
            lists.add(3, &(Arc::new(Numbers(2)) as Arc<dyn List>));
        }
        let Json::Object(content) = json!({
            "a": [{"b": format!("{MARK}3")}, format!("{MARK}4")],
            "c": format!("{MARK}3"),
            "d": [format!("{MARK}3")],
        }) else {
            unreachable!()
        };
        let list = json!([{"n": 0}, {"n": 1}]);
        let whole = json!({"a": [{"b": list}, format!("{MARK}4")], "c": list, "d": [list]});
        let mut text = String::new();
        write::push_map_with(&mut text, &content, &lists);
        let filled = lists.insert_into(&content).into_owned();
        assert_eq!(text, write::map_to_yaml(&filled));
        assert_eq!(Json::Object(filled), whole);
        assert_eq!(lists.max_size(), 48);
    }
}
