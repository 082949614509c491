//! Why the API server refused a request.

use std::fmt;
use std::ops::Deref;

use kube::core::response::StatusCause;

/// Why the server refused a request: `meta/v1.Status`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status(pub Box<kube::core::Status>);

impl Deref for Status {
    type Target = kube::core::Status;

    fn deref(&self) -> &kube::core::Status {
        &self.0
    }
}

/// A field that another manager set to another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    pub field: String,
    /// The field manager that owns it.
    pub manager: String,
}

impl Status {
    /// A refusal without details, for what is not refused by the API server itself.
    pub fn new(code: u16, reason: &str, message: &str) -> Status {
        let status = kube::core::Status::failure(message, reason);
        Status(Box::new(status.with_code(code)))
    }

    fn causes(&self) -> &[StatusCause] {
        let details = self.details.as_ref();
        details.map_or(&[], |details| details.causes.as_slice())
    }

    /// The pause that the server asks for before the next attempt; 0 where it asks for none.
    pub fn retry_after_seconds(&self) -> u64 {
        let details = self.details.as_ref();
        details.map_or(0, |details| details.retry_after_seconds.into())
    }

    /// Fields that other managers own (server-side apply's conflicts); none where the refusal has other reasons.
    pub fn field_conflicts(&self) -> Vec<FieldConflict> {
        self.causes()
            .iter()
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .map(|cause| FieldConflict {
                field: cause.field.clone(),
                manager: manager(&cause.message),
            })
            .collect()
    }

    /// Whether another change came in between (optimistic locking), so that asking again may do.
    pub fn is_stale(&self) -> bool {
        self.code == 409 && self.reason == "Conflict" && self.field_conflicts().is_empty()
    }

    /// Whether the object exists with a value that can never change, so that only a new object can have another.
    ///
    /// There is no code for it; these are the words of `ValidateImmutableField` and of the validations of
    /// StatefulSets, Services and PersistentVolumeClaims in the API server.
    pub fn is_immutable(&self) -> bool {
        const WORDS: [&str; 6] = [
            "field is immutable",
            "updates to statefulset spec for fields other than",
            "may not change once set",
            "primary clusterIP can not be unset",
            "spec is immutable after creation",
            "may not be changed",
        ];
        self.code == 422
            && (WORDS.iter().any(|words| self.message.contains(words))
                || self
                    .causes()
                    .iter()
                    .any(|cause| WORDS.iter().any(|words| cause.message.contains(words))))
    }

    /// The reasons without any value of the object, for objects whose values are secret.
    pub fn without_values(&self) -> Status {
        let causes = self.causes().iter();
        let fields: Vec<String> = causes
            .map(|cause| format!("{} ({})", cause.field, cause.reason))
            .collect();
        let message = if fields.is_empty() {
            self.reason.clone()
        } else {
            format!("{}: {}", self.reason, fields.join(", "))
        };
        Status(Box::new(kube::core::Status {
            message,
            ..(*self.0).clone()
        }))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            write!(f, "{} {}", self.code, self.reason)
        } else {
            f.write_str(&self.message)
        }
    }
}

/// The manager in `conflict with "helm" using apps/v1`.
fn manager(message: &str) -> String {
    let name = message.split('"').nth(1);
    name.unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Status {
        Status(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_conflict_names_field_and_manager() {
        let status = parsed(
            r#"{"kind":"Status","status":"Failure","message":"Apply failed with 1 conflict","reason":"Conflict",
            "details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"helm\" using apps/v1",
            "field":".spec.replicas"}]},"code":409}"#,
        );
        let expected = FieldConflict {
            field: ".spec.replicas".to_owned(),
            manager: "helm".to_owned(),
        };
        assert_eq!(status.field_conflicts(), [expected]);
        assert!(!status.is_stale());
    }

    #[test]
    fn secret_values_do_not_appear() {
        let status = parsed(
            r#"{"message":"Secret \"a\" is invalid: data: Invalid value: \"hunter2\"","reason":"Invalid","details":{"causes":
            [{"reason":"FieldValueInvalid","message":"Invalid value: \"hunter2\"","field":"data"}]},"code":422}"#,
        );
        assert_eq!(
            status.without_values().to_string(),
            "Invalid: data (FieldValueInvalid)"
        );
    }
}
