"""What the parity scripts of decoders share; see harness.py.

transformers computes RMS norms and eager attention's softmax in float32 whatever the model is in; in float64 cases its
norms are replaced by the same formula in float64, and attention is PyTorch's own.
"""
import harness
import torch


def exact_in_float64(norm):
    """Replaces the forward of a transformers RMS norm class where it would round to float32."""
    rounded = norm.forward

    def forward(self, x):
        if x.dtype != torch.float64:
            return rounded(self, x)
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))

    norm.forward = forward


class Decoder(harness.Family):
    key_bias = "k_proj.bias"
    attention = "sdpa"
    config_class = model_class = None

    def model(self, config, read):
        return self.model_class(config)

    def tokens(self, config, r, n):
        """The class that classifies reads the last token that is no padding; padding words may stand before it."""
        words = [r.randrange(config.vocab_size) for _ in range(n)]
        while words[-1] == config.pad_token_id:
            words[-1] = r.randrange(config.vocab_size)
        return words

    def rope(self, r, head_dim, positions):
        theta = r.choice([100.0, 10000.0, 500000.0])
        return r.choice([
            {"rope_type": "default", "rope_theta": theta},
            {"rope_type": "linear", "rope_theta": theta, "factor": 2.5},
            {"rope_type": "llama3", "rope_theta": theta, "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": positions // 2}])

    def sizes(self, r, number):
        """Of a random architecture; head_dim is another than hidden_size / heads in one case of two."""
        key_heads = r.choice([1, 2, 3])
        heads = key_heads * r.choice([1, 2, 4])
        head_dim = r.choice([4, 8, 10, 16, 64])
        positions = r.choice([64, 150])
        return dict(
            vocab_size=r.randint(20, 200), hidden_size=heads * (head_dim if number % 2 else r.choice([4, 7, 8])), head_dim=head_dim,
            num_attention_heads=heads, num_key_value_heads=key_heads, num_hidden_layers=r.randint(1, 4),
            intermediate_size=r.choice([13, 32, 50, 96]), max_position_embeddings=positions, rms_norm_eps=r.choice([1e-6, 1e-5, 1e-3]),
            initializer_range=r.choice([0.05, 0.2]), pad_token_id=r.choice([0, 2, 5]), tie_word_embeddings=r.choice([True, False]),
            rope_parameters=self.rope(r, head_dim, positions), num_labels=r.randint(2, 7), attention_dropout=0.0)
