"""RoBERTa, XLM-RoBERTa and CamemBERT against transformers; see harness.py. Texts hold padding tokens of their own.

    roberta.py PARITY_MODEL [first_case [cases [curves]]]
"""
import harness
from transformers import (CamembertConfig, CamembertForSequenceClassification, RobertaConfig,
                          RobertaForSequenceClassification, XLMRobertaConfig, XLMRobertaForSequenceClassification)

CONFIGS = [RobertaConfig, XLMRobertaConfig, RobertaConfig, CamembertConfig]
SEQUENCE = {"roberta": RobertaForSequenceClassification, "xlm-roberta": XLMRobertaForSequenceClassification, "camembert": CamembertForSequenceClassification}


class Roberta(harness.Family):
    def config(self, r, number):
        heads = r.choice([1, 2, 3, 4])
        return CONFIGS[number % 4](
            vocab_size=r.randint(20, 200), hidden_size=heads * r.choice([4, 7, 8, 16, 32]), num_attention_heads=heads,
            num_hidden_layers=r.randint(1, 4), intermediate_size=r.choice([13, 32, 50, 96]),
            hidden_act=harness.ACTIVATIONS[number % 7], max_position_embeddings=r.choice([64, 150]), type_vocab_size=r.choice([1, 1, 3]),
            layer_norm_eps=r.choice([1e-12, 1e-5, 1e-3]), initializer_range=r.choice([0.05, 0.2]),
            pad_token_id=r.choice([1, 1, 0, 5]), num_labels=r.randint(2, 7), hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)

    def model(self, config, read):
        return SEQUENCE[config.model_type](config)

    def longest(self, config):
        return config.max_position_embeddings - config.pad_token_id - 1


harness.main(Roberta())
