//! The server's reasons: what a `Status` object says of a request that it refused.

use std::fmt;

use serde::Deserialize;

/// `meta/v1.Status`, as far as it is of use here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    pub code: u16,
    /// `Conflict`, `Invalid`, `Forbidden`, …
    pub reason: String,
    pub message: String,
    pub details: Details,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Details {
    pub causes: Vec<Cause>,
    pub retry_after_seconds: u64,
}

/// One reason of several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Cause {
    /// `FieldManagerConflict`, `FieldValueInvalid`, …
    pub reason: String,
    pub message: String,
    /// `.spec.replicas` or `spec.selector`
    pub field: String,
}

/// A field that somebody else set to another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    pub field: String,
    /// The field manager that owns it.
    pub manager: String,
}

impl Status {
    /// Fields that other managers own (server-side apply's conflicts); none where the refusal has other reasons.
    pub fn field_conflicts(&self) -> Vec<FieldConflict> {
        let causes = self.details.causes.iter();
        causes
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
                    .details
                    .causes
                    .iter()
                    .any(|cause| WORDS.iter().any(|words| cause.message.contains(words))))
    }

    /// The reasons without any value of the object, for objects whose values are secret.
    pub fn without_values(&self) -> Status {
        let causes = self.details.causes.iter();
        let fields: Vec<String> = causes
            .map(|cause| format!("{} ({})", cause.field, cause.reason))
            .collect();
        Status {
            message: if fields.is_empty() {
                self.reason.clone()
            } else {
                format!("{}: {}", self.reason, fields.join(", "))
            },
            ..self.clone()
        }
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

    #[test]
    fn a_conflict_names_field_and_manager() {
        let status: Status = serde_json::from_str(
            r#"{"kind":"Status","status":"Failure","message":"Apply failed with 1 conflict","reason":"Conflict",
            "details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"helm\" using apps/v1",
            "field":".spec.replicas"}]},"code":409}"#,
        )
        .unwrap();
        let expected = FieldConflict {
            field: ".spec.replicas".to_owned(),
            manager: "helm".to_owned(),
        };
        assert_eq!(status.field_conflicts(), [expected]);
        assert!(!status.is_stale());
    }

    #[test]
    fn secret_values_do_not_appear() {
        let status = Status {
            code: 422,
            reason: "Invalid".to_owned(),
            message: "Secret \"a\" is invalid: data: Invalid value: \"hunter2\"".to_owned(),
            details: Details {
                causes: vec![Cause {
                    reason: "FieldValueInvalid".to_owned(),
                    message: "Invalid value: \"hunter2\"".to_owned(),
                    field: "data".to_owned(),
                }],
                retry_after_seconds: 0,
            },
        };
        assert_eq!(
            status.without_values().to_string(),
            "Invalid: data (FieldValueInvalid)"
        );
    }
}
