//! Lists of an object that are so long that they are made only where the whole object is asked for, and not kept.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::chart::held::{List, placeholder};

/// The long lists of an object, in whose content their placeholders stand.
#[derive(Debug, Clone, Default)]
pub struct Lists(Vec<(usize, Arc<dyn List>)>);

impl Lists {
    /// Adds the list whose placeholder has this number, once for each place that it stands at.
    pub fn add(&mut self, number: usize, list: &Arc<dyn List>) {
        self.0.push((number, Arc::clone(list)));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// No fewer bytes than they have as JSON.
    pub fn longest(&self) -> usize {
        self.0.iter().map(|(_, list)| list.longest()).sum()
    }

    /// A content with the lists in their places.
    pub fn within<'a>(&self, content: &'a Map<String, Json>) -> Cow<'a, Map<String, Json>> {
        if self.is_empty() {
            return Cow::Borrowed(content);
        }
        let mut whole = content.clone();
        whole.values_mut().for_each(|value| self.fill(value));
        Cow::Owned(whole)
    }

    fn fill(&self, value: &mut Json) {
        match value {
            Json::String(text) => {
                let number = placeholder(text);
                let list = self.0.iter().find(|(known, _)| Some(*known) == number);
                if let Some((_, list)) = list {
                    *value = Json::Array(list.items());
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.fill(item)),
            Json::Object(map) => map.values_mut().for_each(|value| self.fill(value)),
            _ => {}
        }
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
        fn items(&self) -> Vec<Json> {
            (0..self.0).map(Json::from).collect()
        }

        fn longest(&self) -> usize {
            self.0 * 8
        }
    }

    #[test]
    fn lists_stand_in_the_places_of_their_placeholders() {
        let mut lists = Lists::default();
        for _ in 0..2 {
            lists.add(3, &(Arc::new(Numbers(2)) as Arc<dyn List>));
        }
        let Json::Object(content) = json!({
            "a": [{"b": format!("{MARK}3")}, format!("{MARK}4")],
            "c": format!("{MARK}3"),
        }) else {
            unreachable!()
        };
        let whole = json!({"a": [{"b": [0, 1]}, format!("{MARK}4")], "c": [0, 1]});
        assert_eq!(Json::Object(lists.within(&content).into_owned()), whole);
        assert_eq!(lists.longest(), 32);
    }
}
