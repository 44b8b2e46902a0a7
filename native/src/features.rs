//! What `datasets` says of columns in the metadata of a file, under the key "huggingface": of labels that are kept as
//! numbers their names, and of texts whether they are values in JSON.

use serde_json::Value;

pub const KEY: &str = "huggingface";

/// Of a column, of its items, or of its members; the file itself is the one with its columns.
#[derive(Default)]
pub struct Feature {
    pub classes: Vec<String>, // by number; none: the value is no label
    pub is_json: bool,        // texts are values, each in JSON
    pub items: Option<Box<Feature>>,
    members: Vec<(String, Feature)>,
}

impl Feature {
    pub fn member(&self, name: &str) -> Option<&Feature> {
        self.members.iter().find(|member| member.0 == name).map(|member| &member.1)
    }

    /// Metadata that says nothing of columns, or that nobody can read, leaves values as they are.
    pub fn of_file(metadata: Option<&String>) -> Feature {
        let tree: Value = metadata.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        Feature::of(&tree["info"]["features"])
    }

    fn of(tree: &Value) -> Feature {
        let mut feature = Feature::default();
        let kind = tree["_type"].as_str().unwrap_or("");
        if let Value::Array(items) = tree {
            feature.items = items.first().map(|item| Box::new(Feature::of(item)));
        } else if kind == "ClassLabel" {
            let names = tree["names"].as_array().into_iter().flatten();
            feature.classes = names.filter_map(Value::as_str).map(str::to_string).collect();
        } else if kind == "Json" {
            feature.is_json = tree["decode"].as_bool().unwrap_or(true);
        } else if ["Sequence", "List", "LargeList"].contains(&kind) {
            feature.items = Some(Box::new(Feature::of(&tree["feature"])));
        } else if let (Value::Object(members), "") = (tree, kind) {
            feature.members = members.iter().map(|(name, member)| (name.clone(), Feature::of(member))).collect();
        }
        feature
    }
}
