"""BERT against transformers; see harness.py.

    bert.py PARITY_MODEL [first_case [cases [curves]]]
"""
import harness
from transformers import BertConfig, BertForSequenceClassification


class Bert(harness.Family):
    reads = ["text_classification", "cls", "all"]

    def config(self, r, number):
        heads = r.choice([1, 2, 3, 4])
        return BertConfig(
            vocab_size=r.randint(20, 200), hidden_size=heads * r.choice([4, 7, 8, 16, 32]), num_attention_heads=heads,
            num_hidden_layers=r.randint(1, 4), intermediate_size=r.choice([13, 32, 50, 96]),
            hidden_act=harness.ACTIVATIONS[number % 7], max_position_embeddings=r.choice([64, 150]), type_vocab_size=r.randint(1, 4),
            layer_norm_eps=r.choice([1e-12, 1e-5, 1e-3]), initializer_range=r.choice([0.05, 0.2]),
            pad_token_id=r.choice([0, 1]), num_labels=r.randint(2, 7), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

    def model(self, config, read):
        return BertForSequenceClassification(config)

    def task(self, read):
        return "text_classification", "cls" if read == "cls" else "auto"

    def logits(self, model, read, inputs):
        if read == "cls":  # the class's own layers, without its pooler
            return model.classifier(model.bert(**inputs).last_hidden_state[:, 0])
        return super().logits(model, read, inputs)


harness.main(Bert())
