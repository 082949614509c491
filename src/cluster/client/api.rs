//! What can be asked of a cluster: the verbs of the Kubernetes API, on objects of any kind.

use std::time::Duration;

use http::header;
use jiff::Timestamp;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::Request;
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::connect::Target;
use super::error::ClusterError;
use super::interrupt::Interrupt;
use super::resources::{Resource, Resources};
use super::transport::{Answer, Tenure, Transport};
use crate::manifest::Key;
use crate::manifest::json::text_at;

/// The field manager of everything kubefarm applies.
pub const FIELD_MANAGER: &str = "kubefarm";

/// No deadline is later: thirty years, as tokio's own.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

/// How many objects a page of a list holds.
const PAGE: u32 = 500;

/// Requests to one cluster, until a deadline or until the user interrupts.
#[derive(Clone)]
pub struct Api {
    pub(super) transport: Transport,
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

    /// Discovers the served kinds again, after CustomResourceDefinitions were added.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn discover(&mut self) -> Result<(), ClusterError> {
        self.resources = self.transport.discover_with_retries().await?;
        Ok(())
    }

    /// `https://10.0.0.1:6443`
    pub fn server(&self) -> &str {
        self.transport.server()
    }

    /// When requests end.
    pub fn deadline(&self) -> Instant {
        self.transport.deadline
    }

    /// Whether the user wants to stop.
    pub fn interrupt(&self) -> &Interrupt {
        &self.transport.interrupt
    }

    /// A copy with its own deadline and interrupt. Cleanup uses one that ignores Ctrl-C.
    pub fn until(&self, deadline: Instant, interrupt: Interrupt) -> Api {
        Api {
            transport: self.transport.until(deadline, interrupt),
            resources: self.resources.clone(),
        }
    }

    /// A copy whose requests go on until the user interrupts, each attempt with a deadline of its own.
    pub fn for_ever(&self) -> Api {
        self.until(Instant::now() + FAR, self.interrupt().clone())
    }

    /// A copy whose requests are sent only while a Lease is ours.
    pub(in crate::cluster) fn within(&self, tenure: watch::Receiver<Tenure>) -> Api {
        Api {
            transport: self.transport.within(tenure),
            resources: self.resources.clone(),
        }
    }

    /// Waits while requests may not be sent, because a Lease was not renewed in time; returns at once without a Lease.
    ///
    /// # Errors
    /// Where the Lease is lost for good.
    pub async fn wait_for_tenure(&self) -> Result<(), ClusterError> {
        self.transport.attempt_deadline().await.map(|_| ())
    }

    /// What time it is by the API server's clock; `None` where it does not say.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn time(&self) -> Result<Option<Timestamp>, ClusterError> {
        let request = http::Request::get("/version").body(Vec::new());
        Ok(self.send(request).await?.time)
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
        let request = http::Request::get(resource.path_of(key)).body(Vec::new());
        match self.send(request).await {
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
        let requests = Request::new(resource.path(namespace));
        let mut page = ListParams {
            label_selector: given(selector),
            limit: Some(PAGE),
            ..ListParams::default()
        };
        let mut objects = Vec::new();
        loop {
            let request = match detail {
                Detail::Metadata => requests.list_metadata(&page),
                Detail::Whole => requests.list(&page),
            };
            let mut list = self.send(request).await?.object;
            if let Some(Json::Array(items)) = list.remove("items") {
                objects.extend(items.into_iter().filter_map(|item| match item {
                    Json::Object(object) => Some(typed(object, resource)),
                    _ => None,
                }));
            }
            page.continue_token = given(text_at(&list, &["metadata", "continue"]));
            if page.continue_token.is_none() {
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
        let params = PatchParams {
            dry_run: mode.dry_run,
            force: mode.force,
            ..PatchParams::apply(FIELD_MANAGER).validation_strict()
        };
        let requests = Request::new(resource.path(Some(&key.namespace)));
        let request = requests.patch(&key.name, &params, &Patch::Apply(object));
        self.send(request).await
    }

    /// Creates an object, with strict field validation; one that exists is a refusal with code 409.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn create(
        &self,
        resource: &Resource,
        namespace: &str,
        object: &Map<String, Json>,
        dry_run: bool,
    ) -> Result<Answer, ClusterError> {
        // `PostParams` knows no field validation.
        let query = query(&[
            ("fieldManager", FIELD_MANAGER),
            ("fieldValidation", "Strict"),
            ("dryRun", if dry_run { "All" } else { "" }),
        ]);
        let path = format!("{}?{query}", resource.path(Some(namespace)));
        self.send(http::Request::post(path).body(body(object)?))
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
        let params = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let requests = Request::new(resource.path(Some(&key.namespace)));
        self.send(requests.replace(&key.name, &params, body(object)?))
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
        let request = http::Request::patch(format!("{}?{query}", resource.path_of(key)))
            .header(header::CONTENT_TYPE, "application/json-patch+json")
            .body(body(&operations)?);
        self.send(request).await
    }

    /// Deletes an object. One that is not there is as good as deleted.
    ///
    /// # Errors
    /// Where the server cannot be asked, or refuses.
    pub async fn delete(
        &self,
        resource: &Resource,
        key: &Key,
        params: &DeleteParams,
    ) -> Result<(), ClusterError> {
        // Beside a body the API server ignores the query, which is for audit logs; `Request::delete` has none.
        let query = query(&[("dryRun", if params.dry_run { "All" } else { "" })]);
        let path = format!("{}?{query}", resource.path_of(key));
        match self
            .send(http::Request::delete(path).body(body(params)?))
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn send<E: std::error::Error>(
        &self,
        request: Result<http::Request<Vec<u8>>, E>,
    ) -> Result<Answer, ClusterError> {
        self.transport.send(request.map_err(unsendable)?).await
    }
}

/// Deletes the object with this `uid` only, not a new one with the same name.
pub fn only(uid: &str, params: DeleteParams) -> DeleteParams {
    params.preconditions(Preconditions {
        uid: Some(uid.to_owned()),
        resource_version: None,
    })
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

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn body(content: &impl serde::Serialize) -> Result<Vec<u8>, ClusterError> {
    serde_json::to_vec(content).map_err(unsendable)
}

fn unsendable(error: impl std::error::Error) -> ClusterError {
    ClusterError::Configuration {
        message: error.to_string(),
    }
}

/// A query string of the parameters that have a value.
fn query(parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(given)
        .finish()
}
