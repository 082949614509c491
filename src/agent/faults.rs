//! What goes wrong for a while: reported when it begins, and not again until it is over or something else.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::cluster::{Event, Observer};

/// The last fault of each activity.
pub(super) struct Faults<'a> {
    observer: &'a dyn Observer,
    last: RefCell<HashMap<&'static str, String>>,
}

impl<'a> Faults<'a> {
    pub fn new(observer: &'a dyn Observer) -> Faults<'a> {
        Faults {
            observer,
            last: RefCell::default(),
        }
    }

    /// How an activity goes.
    pub fn state(&self, activity: &'static str, fault: Option<String>) {
        let mut last = self.last.borrow_mut();
        match fault {
            None => {
                last.remove(activity);
            }
            Some(fault) if last.get(activity) == Some(&fault) => {}
            Some(fault) => {
                self.observer.observe(&Event::Note(&fault));
                last.insert(activity, fault);
            }
        }
    }
}
