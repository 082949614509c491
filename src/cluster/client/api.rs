//! What can be asked of a cluster: the verbs of the Kubernetes API, on objects of any kind.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::connect::Target;
use super::error::ClusterError;
use super::interrupt::Interrupt;
use super::resources::{Resource, Resources};
use super::transport::{Answer, Call, Tenure, Transport};
use crate::manifest::Key;
use crate::manifest::json::{into_object, text_at};

/// The field manager of everything kubefarm applies.
pub const FIELD_MANAGER: &str = "kubefarm";

/// How many objects a page of a list holds.
const PAGE: &str = "500";

/// A conversation with one cluster, which ends at a deadline or when the user interrupts it.
#[derive(Clone)]
pub struct Api {
    transport: Transport,
    pub resources: Resources,
}

/// How an object is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplyMode {
    /// Checked and answered in full, but not stored.
    pub dry_run: bool,
    /// Takes fields from other managers.
    pub force: bool,
}

/// What happens to the objects that an object owns, when it is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    Background,
    Orphan,
}

/// How an object is deleted.
#[derive(Debug, Clone)]
pub struct DeleteMode {
    pub dry_run: bool,
    pub propagation: Propagation,
    /// Only this very object, not one made anew under its name.
    pub uid: Option<String>,
}

/// How much of the objects of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// `apiVersion`, `kind` (of `PartialObjectMetadata`) and `metadata`.
    Metadata,
    Whole,
}

impl Api {
    /// Connects and asks what the cluster serves. Fails at once where the cluster cannot be reached.
    ///
    /// # Errors
    /// As [`Target::connect`], and every way in which a first request can fail.
    pub async fn open(
        target: Target,
        timeout: Duration,
        interrupt: Interrupt,
    ) -> Result<Api, ClusterError> {
        let transport = Transport::connect(target, timeout, interrupt).await?;
        let resources = transport.discover().await?;
        Ok(Api {
            transport,
            resources,
        })
    }

    /// Asks anew what the cluster serves, after CustomResourceDefinitions were added.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn discover(&mut self) -> Result<(), ClusterError> {
        self.resources = self.transport.discover_patiently().await?;
        Ok(())
    }

    /// `https://10.0.0.1:6443`
    pub fn server(&self) -> &str {
        self.transport.server()
    }

    /// When this conversation ends.
    pub fn deadline(&self) -> Instant {
        self.transport.deadline
    }

    /// Whether, and when, the user wants it to end at once.
    pub fn interrupt(&self) -> &Interrupt {
        &self.transport.interrupt
    }

    /// The same conversation with another end, and deaf to the user where it has to tidy up.
    pub fn until(&self, deadline: Instant, interrupt: Interrupt) -> Api {
        Api {
            transport: self.transport.until(deadline, interrupt),
            resources: self.resources.clone(),
        }
    }

    /// The same conversation, in which requests are sent only while a Lease is ours.
    pub(in crate::cluster) fn within(&self, tenure: watch::Receiver<Tenure>) -> Api {
        Api {
            transport: self.transport.within(tenure),
            resources: self.resources.clone(),
        }
    }

    /// What time it is by the API server's clock; `None` where it does not say.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn time(&self) -> Result<Option<Timestamp>, ClusterError> {
        let call = Call::new(Method::GET, "/version".to_owned());
        Ok(self.transport.send(call).await?.time)
    }

    /// An object, `None` where it is not there.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn get(
        &self,
        resource: &Resource,
        key: &Key,
    ) -> Result<Option<Map<String, Json>>, ClusterError> {
        let call = Call::new(Method::GET, resource.path_of(key));
        match self.transport.send(call).await {
            Ok(answer) => Ok(Some(answer.object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The objects of a kind that a label selector picks, in one namespace or in all, page by page.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn list(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
        selector: &str,
        detail: Detail,
    ) -> Result<Vec<Map<String, Json>>, ClusterError> {
        let mut objects = Vec::new();
        let mut next = String::new();
        loop {
            let query = query(&[
                ("labelSelector", selector),
                ("limit", PAGE),
                ("continue", &next),
            ]);
            let path = format!("{}?{query}", resource.path(namespace));
            let mut call = Call::new(Method::GET, path);
            if detail == Detail::Metadata {
                call.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
            }
            let mut list = self.transport.send(call).await?.object;
            if let Some(Json::Array(items)) = list.remove("items") {
                objects.extend(items.into_iter().filter_map(|item| match item {
                    Json::Object(object) => Some(typed(object, resource)),
                    _ => None,
                }));
            }
            next = text_at(&list, &["metadata", "continue"]).to_owned();
            if next.is_empty() {
                return Ok(objects);
            }
        }
    }

    /// Server-side apply with strict field validation (Kubernetes' "Server-Side Apply").
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn apply(
        &self,
        resource: &Resource,
        key: &Key,
        object: &Map<String, Json>,
        mode: ApplyMode,
    ) -> Result<Answer, ClusterError> {
        let query = query(&[
            ("fieldManager", FIELD_MANAGER),
            ("fieldValidation", "Strict"),
            ("force", if mode.force { "true" } else { "" }),
            ("dryRun", dry_run(mode.dry_run)),
        ]);
        let path = format!("{}?{query}", resource.path_of(key));
        let mut call = Call::new(Method::PATCH, path).with_body(object)?;
        // JSON is YAML, which is what this type is about.
        call.content_type = "application/apply-patch+yaml";
        self.transport.send(call).await
    }

    /// Creates an object; one that exists is a refusal with code 409.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn create(
        &self,
        resource: &Resource,
        namespace: &str,
        object: &Map<String, Json>,
        dry: bool,
    ) -> Result<Answer, ClusterError> {
        let query = query(&[
            ("fieldManager", FIELD_MANAGER),
            ("fieldValidation", "Strict"),
            ("dryRun", dry_run(dry)),
        ]);
        let path = format!("{}?{query}", resource.path(Some(namespace)));
        self.transport
            .send(Call::new(Method::POST, path).with_body(object)?)
            .await
    }

    /// Stores an object in place of the one with the same `resourceVersion`; another one is a refusal.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn replace(
        &self,
        resource: &Resource,
        key: &Key,
        object: &Map<String, Json>,
    ) -> Result<Answer, ClusterError> {
        let query = query(&[("fieldManager", FIELD_MANAGER)]);
        let path = format!("{}?{query}", resource.path_of(key));
        self.transport
            .send(Call::new(Method::PUT, path).with_body(object)?)
            .await
    }

    /// A JSON Patch (RFC 6902).
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn patch(
        &self,
        resource: &Resource,
        key: &Key,
        operations: &[Json],
    ) -> Result<Answer, ClusterError> {
        let query = query(&[("fieldManager", FIELD_MANAGER)]);
        let path = format!("{}?{query}", resource.path_of(key));
        let mut call = Call::new(Method::PATCH, path).with_body(&operations)?;
        call.content_type = "application/json-patch+json";
        self.transport.send(call).await
    }

    /// Deletes an object. One that is not there is as good as deleted.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn delete(
        &self,
        resource: &Resource,
        key: &Key,
        mode: &DeleteMode,
    ) -> Result<(), ClusterError> {
        let query = query(&[("dryRun", dry_run(mode.dry_run))]);
        let path = format!("{}?{query}", resource.path_of(key));
        let propagation = match mode.propagation {
            Propagation::Background => "Background",
            Propagation::Orphan => "Orphan",
        };
        let mut options = into_object(json!({
            "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation,
        }));
        if mode.dry_run {
            // Next to a body, the API server does not look at the query, which is for audit logs to tell.
            options.insert("dryRun".to_owned(), json!(["All"]));
        }
        if let Some(uid) = &mode.uid {
            options.insert("preconditions".to_owned(), json!({ "uid": uid }));
        }
        let call = Call::new(Method::DELETE, path).with_body(&options)?;
        match self.transport.send(call).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// An item of a list with its type, which built-in kinds leave out there.
fn typed(mut object: Map<String, Json>, resource: &Resource) -> Map<String, Json> {
    for (key, value) in [
        ("apiVersion", resource.api_version()),
        ("kind", resource.kind.clone()),
    ] {
        object.entry(key).or_insert_with(|| value.into());
    }
    object
}

fn dry_run(wanted: bool) -> &'static str {
    if wanted { "All" } else { "" }
}

/// A query string of the parameters that have a value.
fn query(parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(given)
        .finish()
}
