//! JSON that YAML 1.1 and YAML 1.2 readers read as the same value.

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::Value as Json;

use super::{items, type_name};
use crate::chart::context;
use crate::chart::held::whole;
use crate::chart::nodes::Hosts;
use crate::values::write::quoted;

/// The value as JSON on one line: `{"a": [1, "b"]}`.
///
/// The space after a colon is for YAML readers that need one. Map keys that are numbers or booleans become text.
pub(in crate::chart) fn to_json(value: &Value) -> Result<String, String> {
    let mut json = String::new();
    write(&mut json, value)?;
    Ok(json)
}

/// The value itself, by the same rules as [`to_json`].
pub(in crate::chart) fn to_value(value: &Value) -> Result<Json, String> {
    if let Some(hosts) = value.downcast_object_ref::<Hosts>() {
        return Ok(whole(hosts));
    }
    Ok(match value.kind() {
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => {
            serde_json::from_str(&number(value)?).map_err(|error| error.to_string())?
        }
        ValueKind::String => Json::String(value.as_str().unwrap_or_default().to_owned()),
        ValueKind::Seq | ValueKind::Iterable => Json::Array(
            items(value)?
                .iter()
                .map(to_value)
                .collect::<Result<_, String>>()?,
        ),
        ValueKind::Map => Json::Object(
            pairs(value)
                .map(|(key, item)| Ok((super::scalar(&key)?, to_value(&item)?)))
                .collect::<Result<_, String>>()?,
        ),
        kind => return Err(format!("cannot write {} as YAML", type_name(kind))),
    })
}

fn write(out: &mut String, value: &Value) -> Result<(), String> {
    if let Some(hosts) = value.downcast_object_ref::<Hosts>() {
        return write(out, &context(&whole(hosts)));
    }
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number => out.push_str(&number(value)?),
        ValueKind::String => quoted(out, value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            for (position, item) in items(value)?.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                write(out, item)?;
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (position, (key, item)) in pairs(value).enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                quoted(out, &super::scalar(&key)?);
                out.push_str(": ");
                write(out, &item)?;
            }
            out.push('}');
        }
        kind => return Err(format!("cannot write {} as YAML", type_name(kind))),
    }
    Ok(())
}

/// A map's keys and values; empty if the value is not a map.
fn pairs(value: &Value) -> impl Iterator<Item = (Value, Value)> {
    let pairs = value.as_object().and_then(|map| map.try_iter_pairs());
    pairs.into_iter().flatten()
}

/// A number as JSON writes it; an integral float has no fraction, since Kubernetes' integers must not have one.
///
/// # Errors
/// Infinity and NaN, which JSON does not have.
pub(in crate::chart) fn number(value: &Value) -> Result<String, String> {
    if value.is_integer() {
        return Ok(value.to_string());
    }
    let float = f64::try_from(value.clone()).map_err(|error| error.to_string())?;
    if !float.is_finite() {
        return Err(format!("the number {float} cannot be written"));
    }
    // Above 2^53 a float does not have the precision of its digits.
    if float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0 {
        Ok(format!("{float:.0}"))
    } else {
        serde_json::to_string(&float).map_err(|error| error.to_string())
    }
}
