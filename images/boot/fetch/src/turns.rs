//! Whose turn it is: the sources one after the other, without those that were wrong too often.

use std::collections::VecDeque;

/// So often may a source deliver the same wrong thing. Once is a fault of the way; in between, a rollout may bring
/// the right release; after that it is what the source has.
const WRONGS: u32 = 3;

struct Source {
    url: String,
    wrongs: u32,
}

pub struct Turns {
    queue: VecDeque<Source>,
    out: Vec<Source>,
}

impl Turns {
    pub fn new(urls: &[String]) -> Self {
        let source = |url: &String| Source {
            url: url.clone(),
            wrongs: 0,
        };
        Self {
            queue: urls.iter().map(source).collect(),
            out: Vec::new(),
        }
    }

    /// The source to ask now. None once all were wrong too often.
    pub fn current(&self) -> Option<&str> {
        self.queue.front().map(|source| source.url.as_str())
    }

    /// The current one failed, or even delivered something wrong: it is the next one's turn.
    pub fn pass(&mut self, wrong: bool) {
        if let Some(mut source) = self.queue.pop_front() {
            source.wrongs += u32::from(wrong);
            if source.wrongs < WRONGS {
                self.queue.push_back(source);
            } else {
                self.out.push(source);
            }
        }
    }

    /// Something right came, and the next thing begins: what was wrong before does not count. The turn stays.
    pub fn forgive(&mut self) {
        self.queue.extend(self.out.drain(..));
        for source in &mut self.queue {
            source.wrongs = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns() -> Turns {
        Turns::new(&["a".to_owned(), "b".to_owned()])
    }

    /// Who is asked, if that one is wrong each time.
    fn asked(turns: &mut Turns, wrong: impl Fn(&str) -> bool, times: usize) -> String {
        let mut asked = String::new();
        for _ in 0..times {
            let Some(url) = turns.current().map(str::to_owned) else {
                break;
            };
            asked.push_str(&url);
            turns.pass(wrong(&url));
        }
        asked
    }

    #[test]
    fn sources_take_turns_for_ever() {
        assert_eq!(asked(&mut turns(), |_| false, 7), "abababa");
    }

    #[test]
    fn three_wrongs_from_each_end_it() {
        assert_eq!(asked(&mut turns(), |_| true, 100), "ababab");
        assert_eq!(asked(&mut turns(), |url| url == "a", 9), "abababbbb");
    }

    #[test]
    fn forgiven_is_forgotten_and_keeps_the_turn() {
        let mut turns = turns();
        assert_eq!(asked(&mut turns, |url| url == "a", 6), "ababab");
        turns.forgive();
        assert_eq!(asked(&mut turns, |_| true, 100), "bababa");
    }

    #[test]
    fn nobody_has_no_turn() {
        assert_eq!(Turns::new(&[]).current(), None);
    }
}
