//! A kubeconfig's content (kubernetes.io/docs/reference/config-api/kubeconfig.v1), and an entry that is put into it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use crate::pki::{Certificate, Material};

/// A cluster, a user and the context that joins them.
pub struct Entry {
    cluster: String,
    user: String,
    pub context: String,
    server: String,
    authorities: String,
    credentials: Json,
}

impl Entry {
    pub fn new(
        cluster: String,
        user: String,
        context: String,
        server: &str,
        material: &Material,
    ) -> Entry {
        Entry {
            cluster,
            user,
            context,
            server: server.to_owned(),
            authorities: STANDARD.encode(&material.authorities),
            credentials: json!({
                "client-certificate-data": STANDARD.encode(&material.certificate),
                "client-key-data": STANDARD.encode(material.key.as_bytes()),
            }),
        }
    }
}

/// The content with an entry in it; everything else is as it was.
///
/// # Errors
/// Where it is not a kubeconfig, or something else has the entry's name.
pub fn merged(mut content: Map<String, Json>, entry: &Entry) -> Result<Json, String> {
    let kind = content.entry("kind").or_insert_with(|| "Config".into());
    if *kind != "Config" {
        return Err(format!("it is not a kubeconfig: its kind is {kind}"));
    }
    content.entry("apiVersion").or_insert_with(|| "v1".into());
    let cluster = named(&mut content, "clusters", "cluster", &entry.cluster)?;
    check_same(cluster, entry)?;
    for other in [
        "certificate-authority",
        "insecure-skip-tls-verify",
        "tls-server-name",
    ] {
        cluster.shift_remove(other);
    }
    cluster.insert("server".to_owned(), entry.server.as_str().into());
    cluster.insert(
        "certificate-authority-data".to_owned(),
        entry.authorities.as_str().into(),
    );

    let user = named(&mut content, "users", "user", &entry.user)?;
    user.clear();
    user.extend(entry.credentials.as_object().cloned().unwrap_or_default());

    let context = named(&mut content, "contexts", "context", &entry.context)?;
    context.insert("cluster".to_owned(), entry.cluster.as_str().into());
    context.insert("user".to_owned(), entry.user.as_str().into());

    let current = content.entry("current-context").or_insert(Json::Null);
    if current.as_str().is_none_or(str::is_empty) {
        *current = entry.context.as_str().into();
    }
    Ok(Json::Object(content))
}

/// What a list such as `clusters` has under a name; added where there is nothing yet.
fn named<'a>(
    content: &'a mut Map<String, Json>,
    list: &str,
    key: &str,
    name: &str,
) -> Result<&'a mut Map<String, Json>, String> {
    let not_a_list = || format!("it is not a kubeconfig: {list} is not a list of names");
    let items = content.entry(list).or_insert(Json::Null);
    if items.is_null() {
        *items = json!([]);
    }
    let items = items.as_array_mut().ok_or_else(not_a_list)?;
    let is_it = |item: &Json| item.get("name").and_then(Json::as_str) == Some(name);
    let place = match items.iter().position(is_it) {
        Some(place) => place,
        None => {
            items.push(json!({ "name": name, key: {} }));
            items.len() - 1
        }
    };
    let item = items.get_mut(place).and_then(Json::as_object_mut);
    let value = item
        .ok_or_else(not_a_list)?
        .entry(key)
        .or_insert(Json::Null);
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut().ok_or_else(not_a_list)
}

/// Fails where the name is that of another cluster: neither its address nor its authority is the same.
fn check_same(cluster: &Map<String, Json>, entry: &Entry) -> Result<(), String> {
    let text = |key: &str| cluster.get(key).and_then(Json::as_str).unwrap_or_default();
    let authorities = |encoded: &str| {
        let bytes = STANDARD.decode(encoded).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        Certificate::parse_all(&text).unwrap_or_default()
    };
    let theirs = authorities(text("certificate-authority-data"));
    let ours = authorities(&entry.authorities);
    let is_same = cluster.is_empty()
        || text("server") == entry.server
        || ours.iter().any(|one| theirs.contains(one));
    if is_same {
        Ok(())
    } else {
        Err(format!(
            "{} is the name of another cluster in it, at {}: pass --entry NAME for another name",
            entry.cluster,
            text("server")
        ))
    }
}
