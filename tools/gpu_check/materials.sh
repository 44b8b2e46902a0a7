# Models without weights (they are drawn by the seed) and rows, made here. Sourced by run.sh.

# text_model DIRECTORY VOCABULARY WIDTH LAYERS HEADS INITIALIZER_RANGE: a BERT.
text_model() {
  mkdir -p "$1"
  printf '{"model_type": "bert", "architectures": ["BertForSequenceClassification"], "vocab_size": %d, "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d, "max_position_embeddings": 512, "initializer_range": %s}\n' \
    "$2" "$3" "$4" "$5" $((4 * $3)) "$6" > "$1/config.json"
  awk -v words=$(($2 - 5)) 'BEGIN { print "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]"; for (i = 0; i < words; ++i) print "word" i }' > "$1/vocab.txt"
}

# text_rows COUNT VOCABULARY LEAST MOST: one of three classes, told by the third that most words are of.
text_rows() {
  awk -v rows="$1" -v words=$(($2 - 5)) -v least="$3" -v most="$4" 'BEGIN {
    srand(7)
    third = int(words / 3)
    for (r = 0; r < rows; ++r) {
      label = int(3 * rand())
      text = ""
      for (left = least + int((most - least + 1) * rand()); left > 0; --left)
        text = text (text == "" ? "" : " ") "word" (rand() < 0.7 ? third * label + int(third * rand()) : int(words * rand()))
      printf "{\"text\": \"%s\", \"label\": \"class%d\"}\n", text, label
    }
  }'
}

picture_models() {
  mkdir -p "$1" "$2"
  echo '{"model_type": "vit", "architectures": ["ViTForImageClassification"], "image_size": 32, "patch_size": 8, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "initializer_range": 0.1}' > "$2/config.json"
  echo '{"model_type": "resnet", "architectures": ["ResNetForImageClassification"], "layer_type": "basic", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}' > "$1/config.json"
}

# pictures COUNT: as CIFAR-10 has them in its binary form; the brightest colour tells which of three classes.
pictures() {
  awk -v count="$1" 'BEGIN {
    srand(11)
    for (p = 0; p < count; ++p) {
      label = p % 3
      line = sprintf("\\x%02x", label)
      for (colour = 0; colour < 3; ++colour)
        for (i = 0; i < 1024; ++i) line = line sprintf("\\x%02x", int(160 * rand()) + (colour == label ? 70 : 0))
      print line
    }
  }' | while read -r record; do printf '%b' "$record"; done
}

# config NAME DATA BATCH LINES: what all runs of a kind share.
config() {
  cat > "$home/$1.toml" << TOML
device = "cuda"
[model]
model_name_or_path = "$home/$1"
init = "random"
dtype = "float64"
$2
[train]
global_batch_size = $3
[save]
save_strategy = "no"
[log]
logging_steps = $4
progress = "none"
TOML
}

make_materials() {
  local vocabulary=30522
  text_model "$home/text" 69 32 2 4 0.1
  text_rows 96 69 1 12 > "$home/text.jsonl"
  config text "[optim]
learning_rate = 5e-3
[data]
train_file = \"$home/text.jsonl\"
max_length = 32" 8 1
  picture_models "$home/resnet" "$home/vit"
  pictures 48 > "$home/pictures.bin"
  local kind
  for kind in resnet vit; do
    config $kind "task = \"image_classification\"
[optim]
optim = \"sgd\"
momentum = 0.9
learning_rate = 0.05
[data]
train_file = \"$home/pictures.bin\"" 8 1
  done
  # The rows that speed is told of: BERT-base's shape, about 80 tokens a row.
  if [ -n "$small" ]; then
    text_model "$home/speed" 69 32 2 4 0.02
    speed_batch=4 speed_updates=8 speed_lines=2
    text_rows $((8 * speed_batch * most_devices)) 69 4 12 > "$home/speed.jsonl"
  else
    text_model "$home/speed" $vocabulary 768 12 12 0.02
    speed_batch=128 speed_updates=60 speed_lines=10
    text_rows $((speed_updates * speed_batch * most_devices / 4)) $vocabulary 30 126 > "$home/speed.jsonl"
  fi
  config speed "[optim]
learning_rate = 1e-4
[data]
train_file = \"$home/speed.jsonl\"
max_length = 128" $speed_batch $speed_lines
}
