//! What Jinja2 takes from Python and MiniJinja does otherwise or not at all: methods of strings, tests, filters.

use crate::python_json::repr_of;
use minijinja::value::{from_args, Value, ValueKind};
use minijinja::{Environment, Error, State};
use minijinja_contrib::pycompat::unknown_method_callback;

/// Characters before the byte that `find` gives; −1 for none.
fn place(text: &str, byte: Option<usize>) -> Value {
    Value::from(byte.map_or(-1, |byte| text[..byte].chars().count() as i64))
}

/// A letter behind what is none is large.
fn title(text: &str) -> String {
    let (mut out, mut inside) = (String::with_capacity(text.len()), false);
    for character in text.chars() {
        match inside {
            true => out.extend(character.to_lowercase()),
            false => out.extend(character.to_uppercase()),
        }
        inside = character.is_alphabetic();
    }
    out
}

fn all_of(text: &str, is: impl Fn(char) -> bool) -> Value {
    Value::from(!text.is_empty() && text.chars().all(is))
}

fn rsplit(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
    let most = most.filter(|&most| most >= 0).map_or(usize::MAX, |most| most as usize + 1);
    let mut pieces: Vec<Value> = match separator {
        Some(separator) => text.rsplitn(most, separator).map(Value::from).collect(),
        None => {
            let mut words = vec![];
            let mut rest = text.trim_end();
            while !rest.is_empty() && words.len() + 1 < most {
                let begin = rest.rfind(char::is_whitespace).map_or(0, |at| at + rest[at..].chars().next().map_or(1, char::len_utf8));
                words.push(Value::from(&rest[begin..]));
                rest = rest[..begin].trim_end();
            }
            if !rest.is_empty() {
                words.push(Value::from(rest));
            }
            words
        }
    };
    pieces.reverse();
    Ok(Value::from(pieces))
}

fn partition(text: &str, at: Option<usize>, separator: &str, behind: bool) -> Value {
    let pieces = match at {
        Some(at) => [&text[..at], separator, &text[at + separator.len()..]],
        None if behind => ["", "", text],
        None => [text, "", ""],
    };
    pieces.into_iter().map(Value::from).collect()
}

/// Python's methods of a string that pycompat lacks, or has otherwise. None: pycompat's is right.
fn string_method(text: &str, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    let one = || from_args::<(&str,)>(args).map(|(argument,)| argument);
    Some(match method {
        "removeprefix" => one().map(|prefix| Value::from(text.strip_prefix(prefix).unwrap_or(text))),
        "removesuffix" => one().map(|suffix| Value::from(text.strip_suffix(suffix).unwrap_or(text))),
        "rsplit" => rsplit(text, args),
        "partition" => one().map(|separator| partition(text, text.find(separator), separator, false)),
        "rpartition" => one().map(|separator| partition(text, text.rfind(separator), separator, true)),
        "find" => one().map(|what| place(text, text.find(what))),
        "rfind" => one().map(|what| place(text, text.rfind(what))),
        "title" => Ok(Value::from(title(text))),
        "isspace" => Ok(all_of(text, char::is_whitespace)),
        "isdigit" | "isnumeric" => Ok(all_of(text, char::is_numeric)),
        "isalpha" => Ok(all_of(text, char::is_alphabetic)),
        "isalnum" => Ok(all_of(text, char::is_alphanumeric)),
        _ => return None,
    })
}

fn call_method(state: &State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let own = value.as_str().and_then(|text| string_method(text, method, args));
    own.unwrap_or_else(|| unknown_method_callback(state, value, method, args))
}

/// What has a length and items by number: strings and dictionaries too.
fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map)
}

fn is_iterable(value: &Value) -> bool {
    is_sequence(value) || value.is_undefined()
}

fn string(value: &Value) -> String {
    if value.is_undefined() {
        return String::new();
    }
    match value.as_str() {
        Some(text) => text.to_string(),
        None => repr_of(value),
    }
}

/// Of what is no string, its repr is what is trimmed.
fn trim(value: &Value, characters: Option<String>) -> String {
    let text = string(value);
    match characters {
        Some(characters) => text.trim_matches(|character| characters.contains(character)).to_string(),
        None => text.trim().to_string(),
    }
}

pub fn add_to(environment: &mut Environment<'static>) {
    environment.set_unknown_method_callback(call_method);
    environment.add_test("sequence", is_sequence);
    environment.add_test("iterable", is_iterable);
    environment.add_filter("string", string);
    environment.add_filter("trim", trim);
}
