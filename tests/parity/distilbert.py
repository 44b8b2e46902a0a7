"""DistilBERT against transformers; see harness.py. Token types are given, and looked at by neither.

    distilbert.py PARITY_MODEL [first_case [cases [curves]]]
"""
import harness
from transformers import DistilBertConfig, DistilBertForSequenceClassification


class DistilBert(harness.Family):
    key_bias = "k_lin.bias"

    def config(self, r, number):
        heads = r.choice([1, 2, 3, 4])
        return DistilBertConfig(
            vocab_size=r.randint(20, 200), dim=heads * r.choice([4, 7, 8, 16, 32]), n_heads=heads, n_layers=r.randint(1, 4),
            hidden_dim=r.choice([13, 32, 50, 96]), activation=harness.ACTIVATIONS[number % 7],
            max_position_embeddings=r.choice([64, 150]), initializer_range=r.choice([0.05, 0.2]), pad_token_id=r.choice([0, 1]),
            sinusoidal_pos_embds=r.random() < 0.4, num_labels=r.randint(2, 7), dropout=0.0, attention_dropout=0.0,
            seq_classif_dropout=0.0)

    def model(self, config, read):
        return DistilBertForSequenceClassification(config)


harness.main(DistilBert())
