//! What tokenizer_config.json says, in either of the forms that transformers writes.

use crate::Failure;
use serde_json::{json, Value};
use tokenizers::{AddedToken, Tokenizer};

/// The value at `key` if it is a boolean.
pub fn flag(config: &Value, key: &str) -> Option<bool> {
    config.get(key).and_then(Value::as_bool)
}

/// A special token's text, which stands as a string or as an object with `content`.
pub fn token(config: &Value, key: &str, default: &str) -> String {
    let value = &config[key];
    let text = value.as_str().or_else(|| value["content"].as_str());
    text.unwrap_or(default).to_string()
}

/// A special token with what its object says of the white space around it.
pub fn special(config: &Value, key: &str, default: &str) -> AddedToken {
    let value = &config[key];
    AddedToken::from(token(config, key, default), true)
        .lstrip(flag(value, "lstrip").unwrap_or(false))
        .rstrip(flag(value, "rstrip").unwrap_or(false))
        .single_word(flag(value, "single_word").unwrap_or(false))
}

const NAMED: [&str; 7] = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The special tokens without a role, under the name of transformers 5 or of those before; each a string or an object.
fn extra(config: &Value) -> Vec<AddedToken> {
    let old = &config["additional_special_tokens"];
    let list = if config["extra_special_tokens"].is_array() { &config["extra_special_tokens"] } else { old };
    let list = list.as_array().into_iter().flatten();
    list.filter(|value| value.is_string() || value["content"].is_string())
        .map(|value| {
            let text = value.as_str().or_else(|| value["content"].as_str()).unwrap_or_default();
            AddedToken::from(text.to_string(), true)
                .lstrip(flag(value, "lstrip").unwrap_or(false))
                .rstrip(flag(value, "rstrip").unwrap_or(false))
                .single_word(flag(value, "single_word").unwrap_or(false))
        })
        .collect()
}

/// What older versions of transformers kept in added_tokens.json, {token: id}, as `added_tokens_decoder` says it.
pub fn take_in_legacy_tokens(config: &mut Value, added: &Value) {
    let Some(added) = added.as_object().filter(|added| !added.is_empty()) else { return };
    if !config["added_tokens_decoder"].is_null() {
        return;
    }
    let mut special: Vec<String> = NAMED.iter().map(|key| token(config, key, "")).collect();
    special.extend(extra(config).into_iter().map(|token| token.content));
    let entries = added.iter().map(|(text, id)| {
        let is_special = special.contains(text);
        let about = json!({"content": text, "lstrip": false, "rstrip": false, "single_word": false, "normalized": !is_special, "special": is_special});
        (id.to_string(), about)
    });
    config["added_tokens_decoder"] = Value::Object(entries.collect());
}

/// What `added_tokens_decoder` lists, in the order of the ids.
fn listed(config: &Value) -> Result<Vec<AddedToken>, Failure> {
    let mut listed: Vec<(u32, AddedToken)> = Vec::new();
    for (id, value) in config["added_tokens_decoder"].as_object().into_iter().flatten() {
        let id = id.parse().map_err(|_| Failure::Data(format!("added_tokens_decoder: '{id}' is no id")))?;
        let token = serde_json::from_value(value.clone())
            .map_err(|error| Failure::Data(format!("added_tokens_decoder, id {id}: {error}")))?;
        listed.push((id, token));
    }
    listed.sort_by_key(|(id, _)| *id);
    Ok(listed.into_iter().map(|(_, token)| token).collect())
}

fn add_unknown(tokens: &mut Vec<AddedToken>, more: impl IntoIterator<Item = AddedToken>) {
    for wanted in more {
        if !tokens.iter().any(|token| token.content == wanted.content) {
            tokens.push(wanted);
        }
    }
}

/// Declares the special tokens, those that `added_tokens_decoder` lists by id, and those without a role.
pub fn add_tokens(tokenizer: &mut Tokenizer, special: &[AddedToken], config: &Value) -> Result<(), Failure> {
    let mut tokens = listed(config)?;
    add_unknown(&mut tokens, special.iter().cloned());
    add_unknown(&mut tokens, extra(config));
    tokenizer.add_tokens(tokens).map_err(|error| Failure::Data(error.to_string()))?;
    Ok(())
}

/// transformers also declares the special tokens that only tokenizer_config.json names: a word of the vocabulary that is
/// one of them is then found inside other text. Those that a tokenizer.json declares stay as they are there.
pub fn add_named(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    let mut tokens = listed(config)?;
    let named = NAMED.into_iter().map(|key| special(config, key, ""));
    add_unknown(&mut tokens, named.filter(|token| tokenizer.token_to_id(&token.content).is_some()));
    add_unknown(&mut tokens, extra(config));
    let declared = tokenizer.get_added_tokens_decoder();
    tokens.retain(|token| !declared.values().any(|other| other.content == token.content));
    tokenizer.add_tokens(tokens).map_err(|error| Failure::Data(error.to_string()))?;
    Ok(())
}
