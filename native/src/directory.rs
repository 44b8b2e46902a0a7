//! What a directory holds of a tokenizer: settings, the class that reads it, and the tokenizer itself.

use crate::settings::{add_named, take_in_legacy_tokens};
use crate::{albert, bert, deberta, marian, roberta, t5, xlm_roberta, xlnet, Failure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tokenizers::Tokenizer;

/// More than any tokenizer has.
const MOST_BYTES: u64 = 1 << 30;
/// What Git leaves in place of a large file that was not fetched.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Of a regular file alone: a FIFO would keep us waiting, and a device would never end.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let refused = |reason: &dyn std::fmt::Display| Failure::Config(format!("{}: cannot be read: {reason}", path.display()));
    let about = std::fs::metadata(path).map_err(|error| refused(&error))?;
    if !about.is_file() {
        return Err(refused(&"a regular file is wanted"));
    }
    if about.len() > MOST_BYTES {
        return Err(Failure::Data(format!("{}: has {} bytes; no tokenizer has more than {MOST_BYTES}", path.display(), about.len())));
    }
    let content = std::fs::read(path).map_err(|error| refused(&error))?;
    if content.starts_with(LFS_POINTER) {
        return Err(Failure::Data(format!(
            "{}: is a Git LFS pointer, which names the file and is not it; `git lfs pull` in its clone fetches it, and so does `hf download ORGANISATION/NAME` of what the hub has",
            path.display()
        )));
    }
    Ok(content)
}

pub fn in_file(path: &Path, failure: Failure) -> Failure {
    match failure {
        Failure::Data(message) => Failure::Data(format!("{}: {message}", path.display())),
        other => other,
    }
}

/// A JSON object in a file, or an empty one where there is no such file.
fn read_object(path: &Path) -> Result<Value, Failure> {
    if !path.exists() {
        return Ok(Value::Object(Default::default()));
    }
    let object: Value = serde_json::from_slice(&read(path)?)
        .map_err(|error| Failure::Data(format!("{}: not valid JSON: {error}", path.display())))?;
    if !object.is_object() {
        return Err(Failure::Data(format!("{}: wanted a JSON object", path.display())));
    }
    Ok(object)
}

/// The class that transformers' AutoTokenizer would pick, as far as we build one: "" is any other.
fn class_of(directory: &Path, settings: &Value) -> Result<String, Failure> {
    if let Some(class) = settings["tokenizer_class"].as_str() {
        return Ok(class.trim_end_matches("Fast").to_string());
    }
    let config = read_object(&directory.join("config.json"))?;
    let class = match config["model_type"].as_str() {
        Some("albert") => albert::CLASS,
        Some("camembert") => xlm_roberta::OF_CAMEMBERT,
        Some("deberta-v2") => deberta::CLASS,
        Some("roberta") => roberta::CLASS,
        Some("marian") => marian::CLASS,
        Some("t5" | "mt5") => t5::CLASS,
        Some("xlm-roberta") => xlm_roberta::CLASS,
        Some("xlnet") => xlnet::CLASS,
        _ => "",
    };
    Ok(class.to_string())
}

/// The settings of tokenizer_config.json, older files of added tokens taken in, and the class.
pub fn settings_of(directory: &Path) -> Result<(Value, String), Failure> {
    let mut settings = read_object(&directory.join("tokenizer_config.json"))?;
    take_in_legacy_tokens(&mut settings, &read_object(&directory.join("added_tokens.json"))?);
    let class = class_of(directory, &settings)?;
    Ok((settings, class))
}

/// MarianTokenizer reads no tokenizer.json, even where there is one.
pub fn is_marian(directory: &Path, class: &str) -> bool {
    let has_json = directory.join("tokenizer.json").exists();
    directory.join(marian::SOURCE_MODEL).exists() && (class == marian::CLASS || !has_json)
}

/// What a directory without a usable tokenizer does hold of one, for the message.
fn other_tokenizer_files(directory: &Path) -> String {
    let known = ["vocab.json", "merges.txt", "spiece.model", deberta::MODEL, "sentencepiece.bpe.model", "tokenizer.model"];
    let found: Vec<&str> = known.into_iter().filter(|name| directory.join(name).exists()).collect();
    if found.is_empty() {
        return "copy the model's tokenizer files there, or let `hf download ORGANISATION/MODEL --local-dir` bring them".to_string();
    }
    format!(
        "its {} cannot be read alone: AutoTokenizer.from_pretrained(it).save_pretrained(it) writes a tokenizer.json",
        found.join(", ")
    )
}

/// The file that a tokenizer other than Marian's is read from, in the order of preference.
pub fn source_of(directory: &Path) -> PathBuf {
    let names = ["tokenizer.json", "vocab.txt", t5::MODEL, deberta::MODEL, "vocab.json"];
    let found = names.into_iter().map(|name| directory.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| directory.to_path_buf())
}

pub fn open(directory: &Path, settings: &Value, class: &str) -> Result<Tokenizer, Failure> {
    let whole = directory.join("tokenizer.json");
    let vocabulary = directory.join("vocab.txt");
    let (entries, merges) = (directory.join("vocab.json"), directory.join("merges.txt"));
    let pieces = directory.join(t5::MODEL);
    let is_roberta = class == roberta::CLASS;
    if whole.exists() {
        let mut tokenizer = Tokenizer::from_bytes(read(&whole)?)
            .map_err(|error| Failure::Data(format!("{}: not a tokenizer: {error}", whole.display())))?;
        add_named(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        bert::apply_settings(&mut tokenizer, settings)?;
        if is_roberta {
            roberta::apply_settings(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        }
        if class == albert::CLASS {
            albert::apply_settings(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        }
        if class == deberta::CLASS {
            deberta::apply_settings(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        }
        if class == xlm_roberta::CLASS || class == xlm_roberta::OF_CAMEMBERT {
            xlm_roberta::apply_settings(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        }
        if class == xlnet::CLASS {
            xlnet::apply_settings(&mut tokenizer, settings).map_err(|failure| in_file(&whole, failure))?;
        }
        return Ok(tokenizer);
    }
    if vocabulary.exists() {
        let text = String::from_utf8(read(&vocabulary)?)
            .map_err(|error| Failure::Data(format!("{}: not valid UTF-8: {error}", vocabulary.display())))?;
        let tokenizer = bert::from_vocabulary(&text, settings);
        return tokenizer.map_err(|failure| in_file(&vocabulary, failure));
    }
    if is_roberta && entries.exists() && merges.exists() {
        return roberta::from_vocabulary(&entries, &merges, settings);
    }
    if (class == t5::CLASS || class == "MT5Tokenizer") && pieces.exists() {
        return t5::from_model(&pieces, &read(&pieces)?, settings);
    }
    if class == albert::CLASS && pieces.exists() {
        return albert::from_model(&pieces, &read(&pieces)?, settings);
    }
    if class == xlnet::CLASS && pieces.exists() {
        return xlnet::from_model(&pieces, &read(&pieces)?, settings);
    }
    let pieces = directory.join(deberta::MODEL);
    if class == deberta::CLASS && pieces.exists() {
        return deberta::from_model(&pieces, &read(&pieces)?, settings);
    }
    if !directory.is_dir() {
        return Err(Failure::Config(format!("{}: no such directory", directory.display())));
    }
    Err(Failure::Config(format!(
        "{}: a tokenizer is wanted, but there is neither tokenizer.json, nor vocab.txt (BERT), nor vocab.json and merges.txt (RoBERTa), nor source.spm, target.spm and vocab.json (Marian), nor spiece.model (T5, ALBERT, XLNet), nor spm.model (DeBERTa); {}",
        directory.display(),
        other_tokenizer_files(directory)
    )))
}
