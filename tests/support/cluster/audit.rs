//! What the API server wrote down about requests.

use std::path::Path;

use indexmap::IndexMap;
use serde_json::Value;

/// One request, of the newest entry about it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Such as `get`, `list`, `watch`, `create`, `patch`, `delete`.
    pub verb: String,
    /// Such as `configmaps`; empty for a path that is not a resource.
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub user: String,
    pub user_agent: String,
    /// Path and query.
    pub uri: String,
    /// The HTTP status; 0 where it is not known yet.
    pub code: u64,
}

impl Request {
    fn new(event: &Value) -> Request {
        let text = |pointer: &str| {
            let found = event.pointer(pointer).and_then(Value::as_str);
            found.unwrap_or_default().to_owned()
        };
        Request {
            verb: text("/verb"),
            resource: text("/objectRef/resource"),
            namespace: text("/objectRef/namespace"),
            name: text("/objectRef/name"),
            user: text("/user/username"),
            user_agent: text("/userAgent"),
            uri: text("/requestURI"),
            code: event
                .pointer("/responseStatus/code")
                .and_then(Value::as_u64)
                .unwrap_or_default(),
        }
    }
}

/// Reads an audit log: each request once, in the order in which they were first written.
pub fn requests(log: &Path) -> Vec<Request> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut newest: IndexMap<String, Value> = IndexMap::new();
    for line in whole.lines() {
        let event: Value = serde_json::from_str(line).expect("an entry in JSON");
        newest.insert(event["auditID"].to_string(), event);
    }
    newest.values().map(Request::new).collect()
}
