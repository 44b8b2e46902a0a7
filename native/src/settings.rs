//! What tokenizer_config.json says, in either of the forms that transformers writes.

use crate::Failure;
use serde_json::Value;
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

/// Declares the special tokens, and those that `added_tokens_decoder` lists by id.
pub fn add_tokens(tokenizer: &mut Tokenizer, special: &[AddedToken], config: &Value) -> Result<(), Failure> {
    let mut listed: Vec<(u32, AddedToken)> = Vec::new();
    if let Some(entries) = config["added_tokens_decoder"].as_object() {
        for (id, value) in entries {
            let id = id.parse().map_err(|_| Failure::Data(format!("added_tokens_decoder: '{id}' is no id")))?;
            let token = serde_json::from_value(value.clone())
                .map_err(|error| Failure::Data(format!("added_tokens_decoder, id {id}: {error}")))?;
            listed.push((id, token));
        }
    }
    listed.sort_by_key(|(id, _)| *id);
    let mut tokens: Vec<AddedToken> = listed.into_iter().map(|(_, token)| token).collect();
    for wanted in special {
        if !tokens.iter().any(|token| token.content == wanted.content) {
            tokens.push(wanted.clone());
        }
    }
    tokenizer.add_tokens(tokens).map_err(|error| Failure::Data(error.to_string()))?;
    Ok(())
}

/// transformers also declares the special tokens that only tokenizer_config.json names: a word of the vocabulary that is
/// one of them is then found inside other text. Those that a tokenizer.json declares stay as they are there.
pub fn add_named(tokenizer: &mut Tokenizer, config: &Value) -> Result<(), Failure> {
    let declared = tokenizer.get_added_tokens_decoder();
    let missing: Vec<AddedToken> = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
        .into_iter()
        .map(|key| special(config, key, ""))
        .filter(|token| !declared.values().any(|other| other.content == token.content))
        .filter(|token| tokenizer.token_to_id(&token.content).is_some())
        .collect();
    tokenizer.add_tokens(missing).map_err(|error| Failure::Data(error.to_string()))?;
    Ok(())
}
