//! Objects in JSON or YAML, one or several, or a list of them.

use serde_json::Value;

use crate::history::Plain;

/// The objects in a text; or what is wrong with it.
pub(super) fn objects(bytes: &[u8]) -> Result<Vec<Value>, String> {
    let text = str::from_utf8(bytes).map_err(|error| format!("no UTF-8 ({error}): write it so"))?;
    let text = text.trim_start_matches('\u{feff}');
    let documents = if text.trim_start().starts_with(['{', '[']) {
        let values: Result<Vec<Value>, _> =
            serde_json::Deserializer::from_str(text).into_iter().collect();
        values.map_err(|error| format!("no JSON ({error}): mend it"))
    } else {
        serde_saphyr::from_multiple_with_options::<Value>(text, options()).map_err(|error| {
            let what = first_line(&error);
            format!("neither JSON nor YAML ({what}): mend it, or give fewer objects")
        })
    }?;
    let mut objects = Vec::new();
    for document in documents {
        flatten(document, &mut objects);
    }
    if objects.is_empty() {
        return Err("no object is in it: give what `kubectl get -o yaml` prints".to_owned());
    }
    if let Some(other) = objects.iter().find(|object| !object.is_object()) {
        let start: String = other.to_string().chars().take(40).collect();
        return Err(format!("{start} is no object: give what `kubectl get -o yaml` prints"));
    }
    Ok(objects)
}

/// More values than the reader takes by itself, which are those of 7,000 Leases, since clusters have as
/// many nodes; bounded all the same, with the reader's own bound on what aliases make of little text.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: VALUES,
            max_events: 3 * VALUES,
            max_documents: VALUES / 4,
        },
    }
}

/// So many values of YAML are read at most.
const VALUES: usize = 4_000_000;

/// The items of a list in place of the list. In a list as the server sends it they have no kind: it is
/// the list's.
fn flatten(mut document: Value, objects: &mut Vec<Value>) {
    let kind = document.get("kind").and_then(Value::as_str).map(str::to_owned);
    match document.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => {
            let kind = kind.as_deref().and_then(|kind| kind.strip_suffix("List"));
            for mut item in items {
                if let (Some(item), Some(kind)) = (item.as_object_mut(), kind)
                    && !kind.is_empty()
                {
                    item.entry("kind").or_insert_with(|| kind.into());
                }
                objects.push(item);
            }
        }
        _ if document.is_null() => {}
        _ => objects.push(document),
    }
}

/// What is wrong and where, without the lines around it, of which hostile ones are long.
fn first_line(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or("");
    Plain(line.strip_prefix("error: ").unwrap_or(line)).to_string()
}
