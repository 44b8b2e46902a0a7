//! Values written as Python writes them: json.dumps for `tojson`, and repr for lists and dictionaries in `{{ }}`.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};
use std::fmt::Write;

/// Of json.dumps.
struct Style {
    ensure_ascii: bool,
    sort_keys: bool,
    indent: Option<String>,
    between_items: String,
    behind_key: String,
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// A float's repr: the shortest digits, with an exponent below 1e-4 and from 1e16 on.
fn float(value: f64, not_a_number: &str, infinity: &str) -> String {
    if value.is_nan() {
        return not_a_number.to_string();
    }
    if value.is_infinite() {
        return format!("{}{infinity}", if value < 0.0 { "-" } else { "" });
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').expect("an exponent");
    let exponent: i32 = exponent.parse().expect("a number");
    if value != 0.0 && !(-4..16).contains(&exponent) {
        return format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
    }
    let plain = value.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}

fn number(value: &Value, not_a_number: &str, infinity: &str) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    f64::try_from(value.clone()).map_or_else(|_| value.to_string(), |value| float(value, not_a_number, infinity))
}

fn write_string(text: &str, ensure_ascii: bool, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            plain if plain >= ' ' && (plain.is_ascii() || !ensure_ascii) => out.push(plain),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// A key of an object: JSON has strings alone.
fn key_text(key: &Value) -> String {
    match key.kind() {
        ValueKind::Bool => if key.is_true() { "true" } else { "false" }.to_string(),
        ValueKind::None => "null".to_string(),
        _ => key.to_string(),
    }
}

impl Style {
    fn from(options: &Kwargs) -> Result<Self, Error> {
        let indent = match options.get::<Option<Value>>("indent")? {
            Some(value) if value.is_integer() => {
                Some(" ".repeat(i64::try_from(value).map_err(|_| invalid("indent"))?.max(0) as usize))
            }
            Some(value) if !value.is_none() => Some(value.to_string()),
            _ => None,
        };
        let separators: Option<Vec<String>> = options.get("separators")?;
        let (between_items, behind_key) = match separators.as_deref() {
            Some([items, key]) => (items.clone(), key.clone()),
            Some(_) => return Err(invalid("tojson: separators are two")),
            None => ((if indent.is_some() { "," } else { ", " }).to_string(), ": ".to_string()),
        };
        let style = Style {
            ensure_ascii: options.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
            sort_keys: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
            indent,
            between_items,
            behind_key,
        };
        options.assert_all_used()?;
        Ok(style)
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some(indent) = &self.indent {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn write(&self, value: &Value, depth: usize, out: &mut String) -> Result<(), Error> {
        match value.kind() {
            ValueKind::None => out.push_str("null"),
            ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => out.push_str(&number(value, "NaN", "Infinity")),
            ValueKind::String => write_string(value.as_str().unwrap_or(""), self.ensure_ascii, out),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.write_all(['[', ']'], items.len(), depth, out, |i, out| self.write(&items[i], depth + 1, out))?;
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.sort_keys {
                    keys.sort();
                }
                self.write_all(['{', '}'], keys.len(), depth, out, |i, out| {
                    write_string(&key_text(&keys[i]), self.ensure_ascii, out);
                    out.push_str(&self.behind_key);
                    self.write(&value.get_item(&keys[i])?, depth + 1, out)
                })?;
            }
            other => return Err(invalid(format!("tojson: {other} is no value of JSON"))),
        }
        Ok(())
    }

    fn write_all(
        &self,
        around: [char; 2],
        count: usize,
        depth: usize,
        out: &mut String,
        mut write: impl FnMut(usize, &mut String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        out.push(around[0]);
        for i in 0..count {
            if i > 0 {
                out.push_str(&self.between_items);
            }
            self.line(depth + 1, out);
            write(i, out)?;
        }
        if count > 0 {
            self.line(depth, out);
        }
        out.push(around[1]);
        Ok(())
    }
}

/// As transformers' filter of that name, which escapes nothing for HTML.
fn tojson(value: &Value, options: Kwargs) -> Result<String, Error> {
    let mut out = String::new();
    Style::from(&options)?.write(value, 0, &mut out)?;
    Ok(out)
}

fn repr_string(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            quoted if quoted == quote => {
                out.push('\\');
                out.push(quoted);
            }
            control if control < ' ' || control == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", control as u32);
            }
            plain => out.push(plain),
        }
    }
    out.push(quote);
}

fn write_repr(value: &Value, out: &mut String) {
    match value.kind() {
        ValueKind::String => repr_string(value.as_str().unwrap_or(""), out),
        ValueKind::Number => out.push_str(&number(value, "nan", "inf")),
        ValueKind::Seq | ValueKind::Iterable => {
            out.push('[');
            for (i, item) in value.try_iter().into_iter().flatten().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(&item, out);
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (i, key) in value.try_iter().into_iter().flatten().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(&key, out);
                out.push_str(": ");
                write_repr(&value.get_item(&key).unwrap_or_default(), out);
            }
            out.push('}');
        }
        _ => {
            let _ = write!(out, "{value}");
        }
    }
}

/// Python's repr of a value.
pub fn repr_of(value: &Value) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

pub fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("tojson", tojson);
}
