//! `{% generation %}` … `{% endgeneration %}`, which transformers adds to Jinja: what stands between is the assistant's.
//! MiniJinja knows no tags of others, so each becomes a filter over a scope of its own, which puts marks around the text.

/// The marks: characters for private use, which no text of a corpus has.
pub const BEGIN: char = '\u{10FFF0}';
pub const END: char = '\u{10FFF1}';
pub const FILTER: &str = "sft_generation";

/// The end of a tag or comment that ends in `close`, strings in it passed over; the end of the source where there is none.
fn end_of(source: &str, from: usize, close: &str, has_strings: bool) -> usize {
    let bytes = source.as_bytes();
    let (mut at, mut quote) = (from, None);
    while at < bytes.len() {
        match quote {
            Some(_) if bytes[at] == b'\\' => at += 1,
            Some(open) if bytes[at] == open => quote = None,
            Some(_) => {}
            None if bytes[at..].starts_with(close.as_bytes()) => return at + close.len(),
            None if has_strings && (bytes[at] == b'\'' || bytes[at] == b'"') => quote = Some(bytes[at]),
            None => {}
        }
        at += 1;
    }
    bytes.len()
}

/// `-` or `+` behind `{%`, the statement, and the same before `%}`.
fn parts_of(tag: &str) -> (&str, &str, &str) {
    let inner = tag.strip_prefix("{%").and_then(|tag| tag.strip_suffix("%}")).unwrap_or("");
    let left = if inner.starts_with(['-', '+']) { &inner[..1] } else { "" };
    let rest = &inner[left.len()..];
    let right = if rest.ends_with(['-', '+']) { &rest[rest.len() - 1..] } else { "" };
    (left, rest[..rest.len() - right.len()].trim(), right)
}

/// The template without these tags, and whether it had one. No line is added or lost.
pub fn rewritten(source: &str) -> (String, bool) {
    let mut out = String::with_capacity(source.len());
    let (mut at, mut found, mut is_raw) = (0, false, false);
    while let Some(next) = source[at..].find('{').map(|next| at + next) {
        let opening = source.get(next..next + 2).unwrap_or("");
        let end = match opening {
            "{%" => end_of(source, next + 2, "%}", true),
            "{{" if !is_raw => end_of(source, next + 2, "}}", true),
            "{#" if !is_raw => end_of(source, next + 2, "#}", false),
            _ => next + 1,
        };
        out.push_str(&source[at..next]);
        let tag = &source[next..end];
        let (left, statement, right) = if opening == "{%" { parts_of(tag) } else { ("", "", "") };
        match statement {
            "endraw" => is_raw = false,
            "raw" => is_raw = true,
            _ => {}
        }
        match statement {
            "generation" if !is_raw => out.push_str(&format!("{{%{left} with %}}{{% filter {FILTER} {right}%}}")),
            "endgeneration" if !is_raw => out.push_str(&format!("{{%{left} endfilter %}}{{% endwith {right}%}}")),
            _ => out.push_str(tag),
        }
        found |= statement == "generation" && !is_raw;
        at = end;
    }
    out.push_str(&source[at..]);
    (out, found)
}
