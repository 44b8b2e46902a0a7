//! Chat templates: Jinja as transformers renders it, by MiniJinja. A template is compiled once; many chats are rendered
//! by one call, on the cores that this process may use.

use crate::generation_tags::{self, BEGIN, END};
use crate::{guard, python_filters, python_json, strftime, Bytes, Failure};
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use std::collections::BTreeMap;
use std::panic::{catch_unwind, AssertUnwindSafe};
use tokenizers::utils::parallelism::MaybeParallelIterator;

const NAME: &str = "chat template";
/// Instructions of one rendering. A chat of 10,000 messages takes a few millions.
const MOST_STEPS: u64 = 50_000_000;
const REFUSED: &str = "the template refuses: ";

pub struct Handle {
    environment: Environment<'static>,
    special_tokens: BTreeMap<String, Value>,
    marks_generation: bool,
}

/// How much of a chat is rendered.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Part {
    chat: usize,
    num_messages: usize,
    add_generation_prompt: i32,
}

#[derive(Default)]
struct Rendered {
    text: String,
    spans: Vec<usize>, // begin and end of each
    failed: bool,      // the text says why
}

/// Renderings end to end, as `sft_renderings_view` shows them.
#[derive(Default)]
pub struct Renderings {
    text: String,
    text_ends: Vec<usize>,
    spans: Vec<usize>,
    span_ends: Vec<usize>,
    failed: Vec<u8>,
}

#[repr(C)]
pub struct View {
    text: *const u8,
    text_ends: *const usize,
    spans: *const usize,
    span_ends: *const usize,
    failed: *const u8,
}

fn raise_exception(message: String) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, format!("{REFUSED}{message}")))
}

/// What went wrong, without the name of the template, which the caller knows better.
fn told(error: &Error) -> String {
    let mut innermost = error; // a macro's error is wrapped by its caller's
    while let Some(inner) = std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref::<Error>()) {
        innermost = inner;
    }
    let detail = innermost.detail().unwrap_or("");
    let what = match (innermost.kind(), detail) {
        (ErrorKind::OutOfFuel, _) => format!("takes more than {MOST_STEPS} steps for one chat"),
        (_, detail) if detail.starts_with(REFUSED) => detail.to_string(),
        (kind, "") => kind.to_string(),
        (kind, detail) => format!("{kind}: {detail}"),
    };
    match innermost.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

/// As Python's str() of a value in `{{ }}`; lists and dictionaries as its repr().
fn print(out: &mut minijinja::Output, _: &minijinja::State, value: &Value) -> Result<(), Error> {
    let written = match value.kind() {
        ValueKind::String | ValueKind::Undefined => write_text(out, value),
        _ => out.write_str(&python_json::repr_of(value)),
    };
    written.map_err(|_| Error::new(ErrorKind::WriteFailure, "out of memory"))
}

fn write_text(out: &mut minijinja::Output, value: &Value) -> std::fmt::Result {
    out.write_str(value.as_str().unwrap_or(""))
}

fn environment_of(date: strftime::Date) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(MOST_STEPS));
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(print);
    environment.add_function("raise_exception", raise_exception);
    environment.add_function("strftime_now", move |format: String| strftime::format(&format, date));
    environment.add_filter(generation_tags::FILTER, |body: String| format!("{BEGIN}{body}{END}"));
    python_json::add_to(&mut environment);
    python_filters::add_to(&mut environment);
    environment
}

impl Handle {
    fn open(template: &str, special_tokens: &str, date: &str) -> Result<Self, Failure> {
        if template.contains([BEGIN, END]) {
            return Err(Failure::Data("holds a private-use character that marks what is trained".to_string()));
        }
        let date = strftime::Date::parse(date)
            .ok_or_else(|| Failure::Config(format!("wanted a date such as 2026-01-31, found '{date}'")))?;
        let special_tokens = serde_json::from_str(special_tokens)
            .map_err(|error| Failure::Data(format!("special tokens: {error}")))?;
        let source = template.replace("\r\n", "\n").replace('\r', "\n"); // as Jinja's lexer
        let (source, marks_generation) = generation_tags::rewritten(&source);
        let mut environment = environment_of(date);
        environment
            .add_template_owned(NAME, source)
            .map_err(|error| Failure::Data(told(&error)))?;
        Ok(Handle { environment, special_tokens, marks_generation })
    }

    /// Special tokens lie below what the chat brings, as in transformers.
    fn variables(&self, chat: &BTreeMap<String, Value>, messages: &[Value], part: Part) -> Value {
        let mut all = self.special_tokens.clone();
        for name in ["tools", "documents"] {
            all.insert(name.to_string(), Value::from(()));
        }
        all.extend(chat.iter().map(|(name, value)| (name.clone(), value.clone())));
        let kept = &messages[..part.num_messages.min(messages.len())];
        all.insert("messages".to_string(), Value::from(kept.to_vec()));
        all.insert("add_generation_prompt".to_string(), Value::from(part.add_generation_prompt != 0));
        all.into_iter().collect()
    }

    fn render(&self, chat: &Chat, part: Part) -> Rendered {
        let template = self.environment.get_template(NAME).expect("it was added");
        let render = || template.render(self.variables(&chat.variables, &chat.messages, part));
        // MiniJinja's slice of nothing from behind, [][::-1], panics.
        let rendered = catch_unwind(AssertUnwindSafe(render))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::InvalidOperation, "MiniJinja fails at these messages")));
        match rendered {
            Ok(text) => without_marks(&text).unwrap_or_else(|| Rendered {
                text: "a text holds a private-use character that marks what is trained".to_string(),
                failed: true,
                ..Default::default()
            }),
            Err(error) => Rendered { text: told(&error), failed: true, ..Default::default() },
        }
    }

    fn render_all(&self, chats: &[Bytes], parts: &[Part]) -> Result<Renderings, Failure> {
        let texts: Vec<&str> = chats.iter().map(|chat| unsafe { chat.as_str() }).collect::<Result<_, _>>()?;
        let many = parts.len() > 1;
        let chats = texts
            .into_maybe_par_iter_cond(many)
            .map(Chat::parse)
            .collect::<Result<Vec<_>, Failure>>()?;
        let rendered: Vec<Rendered> = parts
            .to_vec()
            .into_maybe_par_iter_cond(many)
            .map(|part| self.render(&chats[part.chat], part))
            .collect();
        let mut out = Renderings::default();
        for one in rendered {
            out.text.push_str(&one.text);
            out.text_ends.push(out.text.len());
            out.spans.extend(one.spans);
            out.span_ends.push(out.spans.len() / 2);
            out.failed.push(u8::from(one.failed));
        }
        Ok(out)
    }
}

/// What a chat's template sees.
struct Chat {
    variables: BTreeMap<String, Value>,
    messages: Vec<Value>,
}

impl Chat {
    fn parse(json: &str) -> Result<Self, Failure> {
        let variables: BTreeMap<String, Value> =
            serde_json::from_str(json).map_err(|error| Failure::Data(format!("a chat: {error}")))?;
        let messages = variables.get("messages").and_then(|messages| messages.try_iter().ok());
        let messages = messages.map(Iterator::collect).unwrap_or_default();
        Ok(Chat { variables, messages })
    }
}

/// The text and the bytes in it that stood between marks. None where marks do not alternate: a text brought one.
fn without_marks(marked: &str) -> Option<Rendered> {
    let mut out = Rendered { text: String::with_capacity(marked.len()), ..Default::default() };
    let mut rest = marked;
    while let Some(at) = rest.find([BEGIN, END]) {
        let mark = rest[at..].chars().next()?;
        out.text.push_str(&rest[..at]);
        if (mark == BEGIN) != (out.spans.len() % 2 == 0) {
            return None;
        }
        out.spans.push(out.text.len());
        rest = &rest[at + mark.len_utf8()..];
    }
    out.text.push_str(rest);
    (out.spans.len() % 2 == 0).then_some(out)
}

unsafe fn slice<'a, T>(items: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(items, count)
    }
}

/// # Safety
/// The texts are readable, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_chat_template_open(
    template: Bytes,
    special_tokens: Bytes,
    date: Bytes,
    out: *mut *mut Handle,
) -> i32 {
    guard(|| {
        let handle = Handle::open(template.as_str()?, special_tokens.as_str()?, date.as_str()?)?;
        *out = Box::into_raw(Box::new(handle));
        Ok(())
    })
}

/// # Safety
/// `handle` was not freed, or is null.
#[no_mangle]
pub unsafe extern "C" fn sft_chat_template_free(handle: *mut Handle) {
    if !handle.is_null() {
        drop(Box::from_raw(handle));
    }
}

/// # Safety
/// `handle` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_chat_template_marks_generation(handle: *const Handle) -> i32 {
    i32::from((*handle).marks_generation)
}

/// # Safety
/// `handle` is live, `chats` holds `num_chats` texts, `parts` holds `count` parts of them, `out` is writable.
#[no_mangle]
pub unsafe extern "C" fn sft_chat_template_render(
    handle: *const Handle,
    chats: *const Bytes,
    num_chats: usize,
    parts: *const Part,
    count: usize,
    out: *mut *mut Renderings,
) -> i32 {
    guard(|| {
        let renderings = (*handle).render_all(slice(chats, num_chats), slice(parts, count))?;
        *out = Box::into_raw(Box::new(renderings));
        Ok(())
    })
}

/// # Safety
/// `renderings` was not freed, or is null.
#[no_mangle]
pub unsafe extern "C" fn sft_renderings_free(renderings: *mut Renderings) {
    if !renderings.is_null() {
        drop(Box::from_raw(renderings));
    }
}

/// # Safety
/// `renderings` is live.
#[no_mangle]
pub unsafe extern "C" fn sft_renderings_get(renderings: *const Renderings) -> View {
    let it = &*renderings;
    View {
        text: it.text.as_ptr(),
        text_ends: it.text_ends.as_ptr(),
        spans: it.spans.as_ptr(),
        span_ends: it.span_ends.as_ptr(),
        failed: it.failed.as_ptr(),
    }
}
