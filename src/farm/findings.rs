//! Collects the problems of the values, each with the place where it was written.

use std::collections::HashSet;

use crate::values::{Node, Origin, Path, Problem, Refusal, Segment, Severity, rewritten};

/// The problems found so far in one tree of values.
pub struct Findings<'a> {
    tree: &'a Node,
    /// List elements of the tree that are missing in the values, because they could not be read.
    gaps: Vec<Path>,
    /// The values that could not be read: nothing is reported about what replaces them.
    unread: HashSet<Path>,
    /// Values with another path in the tree: the path in the values, then that in the tree.
    moved: Vec<(Path, Path)>,
    problems: Vec<Problem>,
}

impl<'a> Findings<'a> {
    /// Starts with known problems. `gaps` are the list elements of `tree` that are missing in the values.
    pub fn new(tree: &'a Node, mut gaps: Vec<Path>, problems: Vec<Problem>) -> Self {
        gaps.sort();
        let errors = problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error);
        let unread = errors.filter_map(|problem| problem.path.clone());
        Findings {
            tree,
            gaps,
            unread: unread.collect(),
            moved: Vec::new(),
            problems,
        }
    }

    /// Records that the value at `path` was written at `from`, where problems with it are reported.
    pub fn moved(&mut self, path: Path, from: Path) {
        self.moved.push((path, from));
    }

    /// The path in the tree of the value at `path`.
    pub fn in_tree(&self, path: &Path) -> Path {
        let moved = self.moved.iter().find_map(|(here, there)| {
            let rest = path.0.strip_prefix(here.0.as_slice())?;
            Some(Path([&there.0, rest].concat()))
        });
        let path = moved.as_ref().unwrap_or(path);
        let mut found = Path::default();
        for segment in &path.0 {
            let mut segment = segment.clone();
            for gap in &self.gaps {
                if let (Some((Segment::Index(gone), parent)), Segment::Index(index)) =
                    (gap.0.split_last(), &mut segment)
                    && *parent == found.0
                    && *gone <= *index
                {
                    *index += 1;
                }
            }
            found = found.join(segment);
        }
        found
    }

    /// Records an error about the value at `path`.
    pub fn error(&mut self, path: &Path, message: impl Into<String>) {
        self.record(path, Problem::error(message));
    }

    /// Records an error about the value at `path`, as a type would refuse it.
    pub fn refusal(&mut self, path: &Path, refusal: Refusal) {
        let problem = Problem::error(refusal.message);
        self.record(
            path,
            match refusal.help {
                Some(help) => problem.help(help),
                None => problem,
            },
        );
    }

    /// Records a warning about the value at `path`.
    pub fn warning(&mut self, path: &Path, message: impl Into<String>) {
        self.record(path, Problem::warning(message));
    }

    /// Records a problem about the value at `path`, for callers that add more than a message.
    pub fn record(&mut self, path: &Path, mut problem: Problem) {
        let path = self.in_tree(path);
        if self.unread.contains(&path) {
            return;
        }
        let node = self.tree.get(&path);
        if problem.severity == Severity::Error
            && let Some(cause) = node.and_then(|node| rewritten(node, &path))
        {
            self.problems.retain(|known| *known != cause);
            problem.caused_by(cause);
        }
        let origin = self.tree.origin_at(&path).clone();
        self.problems.push(problem.at(origin).about(path));
    }

    /// The node at `path`, as the user wrote it.
    pub fn node(&self, path: &Path) -> Option<&'a Node> {
        self.tree.get(&self.in_tree(path))
    }

    /// Records a problem without a value.
    pub fn add(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Records an error about a map's key rather than its value.
    pub fn key_error(&mut self, path: &Path, message: impl Into<String>) {
        self.record_key(path, Problem::error(message));
    }

    /// Records a problem about a map's key, for callers that add more than a message.
    pub fn record_key(&mut self, path: &Path, problem: Problem) {
        let path = self.in_tree(path);
        let origin = self
            .tree
            .key_origin_at(&path)
            .unwrap_or_else(|| self.tree.origin_at(&path))
            .clone();
        self.problems.push(problem.at(origin).about(path));
    }

    /// The place where the value at `path` was written, for messages with a second place.
    pub fn place(&self, path: &Path) -> String {
        self.tree.origin_at(&self.in_tree(path)).to_string()
    }

    /// The sort key of the value at `path`: the charts' defaults, then the user's files, then flags.
    pub fn position(&self, path: &Path) -> (u8, u32, u32) {
        let origin = self.tree.origin_at(&self.in_tree(path));
        match origin {
            Origin::Place {
                source,
                line,
                column,
            } if is_default(source) => (0, *line, *column),
            Origin::Place { line, column, .. } => (1, *line, *column),
            Origin::Flag(_) => (2, 0, 0),
        }
    }

    /// Whether the value at `path` is a default of the charts.
    pub fn is_default(&self, path: &Path) -> bool {
        let (layer, ..) = self.position(path);
        layer == 0
    }

    /// Whether there is an error about the value at `path` of the tree.
    pub fn is_wrong(&self, path: &Path) -> bool {
        self.problems.iter().any(|problem| {
            problem.severity == Severity::Error && problem.path.as_ref() == Some(path)
        })
    }

    /// Whether the value at `path`, or one inside, could not be read and is missing in the values.
    pub fn is_wrong_inside(&self, path: &Path) -> bool {
        let path = self.in_tree(path);
        let is_inside = |other: &Path| other.0.starts_with(&path.0);
        self.unread.iter().any(is_inside)
    }

    /// Whether anything was found that stops the command.
    pub fn any_error(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// All problems, in the order of their places.
    pub fn into_problems(mut self) -> Vec<Problem> {
        self.problems
            .sort_by(|left, right| left.position().cmp(&right.position()));
        self.problems
    }
}

/// Whether a source is the charts' own values (see `chart::Charts::defaults`).
fn is_default(source: &str) -> bool {
    source.starts_with("charts/")
}
