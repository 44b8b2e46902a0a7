//! Values of datasets' feature Json, which keeps each as the JSON text of it, in the form of cells.rs. Names stay in their
//! order, in which templates write them.

use crate::cells::{real, sized, MOST_DEPTH};
use minijinja::value::{Value, ValueKind};

pub fn cell(text: &str, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    let value = serde_json::from_str(text)
        .map_err(|error| format!("a value of datasets' feature Json is no JSON: {error}"))?;
    put(&value, depth, out)
}

fn put(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    if depth > MOST_DEPTH {
        return Ok(out.push(b'X'));
    }
    let read = |error: minijinja::Error| error.to_string();
    match value.kind() {
        ValueKind::Bool => Ok(out.push(if value.is_true() { b'T' } else { b'F' })),
        ValueKind::Number if value.is_integer() => sized(b'I', value.to_string().as_bytes(), out),
        ValueKind::Number => Ok(real(f64::try_from(value.clone()).map_err(read)?, out)),
        ValueKind::String => sized(b'S', value.as_str().unwrap_or_default().as_bytes(), out),
        ValueKind::Seq => {
            out.push(b'[');
            for item in value.try_iter().map_err(read)? {
                put(&item, depth + 1, out)?;
            }
            Ok(out.push(b']'))
        }
        ValueKind::Map => {
            out.push(b'{');
            for name in value.try_iter().map_err(read)? {
                sized(b'S', name.as_str().unwrap_or_default().as_bytes(), out)?;
                put(&value.get_item(&name).map_err(read)?, depth + 1, out)?;
            }
            Ok(out.push(b'}'))
        }
        _ => Ok(out.push(b'N')),
    }
}
