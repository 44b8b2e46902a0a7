/* The C face of native/: what the C++ side may call of the Rust crate. Kept by hand beside
 * the files of src/; a change goes into both.
 *
 * A function that can fail returns a status; on anything but SFT_NATIVE_OK, sft_native_error() says why.
 * Nothing unwinds out of here: a panic becomes SFT_NATIVE_INTERNAL. Handles are owned by the caller
 * and freed with their free function, which takes NULL too. */
#ifndef SFT_NATIVE_H
#define SFT_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SFT_NATIVE_OK = 0,
  SFT_NATIVE_CONFIG = 1,   /* what was asked for cannot be: a missing file, a length too small */
  SFT_NATIVE_DATA = 2,     /* the content of a file or of a text is wrong */
  SFT_NATIVE_INTERNAL = 3, /* a panic: our mistake */
};

/* Bytes borrowed for a call, or from the handle that gave them. Not NUL-terminated. */
typedef struct {
  const char* data;
  size_t size;
} sft_bytes;

/* Why this thread's last failed call failed; valid until its next failed call. */
sft_bytes sft_native_error(void);

/* The content of a .gz or .zst file, by the end of its name, from the beginning on. Used by one thread at a time. */
typedef struct sft_decompressed sft_decompressed;
int sft_decompressed_open(sft_bytes path, sft_decompressed** out);
int sft_decompressed_read(sft_decompressed*, char* to, size_t size, size_t* count); /* count < size at the end alone */
void sft_decompressed_free(sft_decompressed*);

/* The rows of a Parquet file whose row groups start in the bytes begin … end of the file, or of Arrow's IPC format, whose
 * batches do. A row is an object in the bytes that native/src/cells.rs describes, borrowed until the next call; its
 * data is NULL behind the last one. Its number counts from 1 in the file. Columns come as a list of texts. Used by one
 * thread at a time. */
typedef struct sft_table sft_table;
int sft_table_open(sft_bytes path, int is_arrow, int64_t begin, int64_t end, sft_table** out);
int sft_table_columns(sft_table*, sft_bytes* names);
int sft_table_next(sft_table*, sft_bytes* row, int64_t* number);
void sft_table_free(sft_table*);

/* Tokenizers. A const one may be used from several threads at once. */
typedef struct sft_tokenizer sft_tokenizer;

/* From source.spm, target.spm and vocab.json (Marian: where the config files say so, or there is no tokenizer.json),
 * else tokenizer.json, else vocab.txt (BERT), else vocab.json and merges.txt (where they say RoBERTa), else
 * spiece.model (where they say T5). No truncation is set. `of_targets`: what cuts the targets of a Marian model, whose
 * languages have a model each; of other directories NULL is given, because their targets are cut as their sources are.
 */
int sft_tokenizer_open(sft_bytes directory, int of_targets, sft_tokenizer** out);
void sft_tokenizer_free(sft_tokenizer*);

/* Keep at most max_length tokens, special tokens included: 0 lifts the limit. `from_left` cuts the
 * beginning instead of the end. A pair loses tokens of its longer text first. */
int sft_tokenizer_truncate(sft_tokenizer*, size_t max_length, int from_left);

size_t sft_tokenizer_vocab_size(const sft_tokenizer*); /* one above the largest id that it can give */
sft_bytes sft_tokenizer_json(const sft_tokenizer*);    /* borrowed from the handle */

/* Not 0: the JSON is a tokenizer.json that gives the same ids. 0: Marian's, which tells words, special tokens and
 * digests of its models. */
int sft_tokenizer_is_json(const sft_tokenizer*);

/* Many texts at once, on the cores that this process may use. `second` is NULL, or as many second
 * texts, which make pairs. Text is UTF-8 and may hold NUL. */
typedef struct sft_encodings sft_encodings;
int sft_tokenizer_encode(const sft_tokenizer*, const sft_bytes* first, const sft_bytes* second, size_t count,
                         sft_encodings** out);

/* The same for texts alone, whatever sft_tokenizer_truncate says. */
int sft_tokenizer_encode_whole(const sft_tokenizer*, const sft_bytes* texts, size_t count, sft_encodings** out);

/* The same for texts that come as words, each of which is cut by itself: text i is made of words ends[i-1] (0 for the
 * first) to ends[i]. */
int sft_tokenizer_encode_words(const sft_tokenizer*, const sft_bytes* words, const size_t* ends, size_t count,
                               sft_encodings** out);
void sft_encodings_free(sft_encodings*);

/* Text i has the tokens ends[i-1] (0 for the first) to ends[i]; before truncation it had full_lengths[i]. */
typedef struct {
  const uint32_t* ids;
  const uint8_t* segments;
  const int32_t*
      words; /* of its text, which each token is of, -1 for special tokens; NULL unless texts came as words */
  const size_t* ends;
  const size_t* full_lengths;
} sft_encodings_view;
sft_encodings_view sft_encodings_get(const sft_encodings*);

/* Questions and contexts in windows: a pair whose context is too long gives several, each with the whole question. Only
 * the context is cut, to max_length tokens in all, special tokens included; `stride` of its tokens stand in the window
 * before as well. Many rows at once, on the cores that this process may use; neighbours with an equal context are best.
 */
typedef struct {
  size_t max_length;
  size_t stride;
} sft_window_limits;
typedef struct sft_windows sft_windows;
int sft_tokenizer_windows(const sft_tokenizer*, const sft_bytes* questions, const sft_bytes* contexts, size_t count,
                          sft_window_limits, sft_windows** out);
void sft_windows_free(sft_windows*);

/* Row i has the windows window_ends[i-1] (0 for the first) to window_ends[i], none where question and special tokens
 * leave no room for more than `stride` tokens of a context that does not fit. Window w has the tokens token_ends[w-1]
 * to token_ends[w]. A token is made of the characters (code points of Unicode) first … end-1 of the context; both are
 * -1 where it is not of the context. */
typedef struct {
  const uint32_t* ids;
  const uint8_t* segments;
  const int32_t* first;
  const int32_t* end;
  const size_t* token_ends;
  const size_t* window_ends;
  const size_t* question_lengths; /* of row i, in tokens, special ones not included */
  size_t num_special;             /* of a window */
} sft_windows_view;
sft_windows_view sft_windows_get(const sft_windows*);

/* Many texts at once, without special tokens around them and not cut: text i has the tokens ends[i-1] (0 for the first)
 * to ends[i], and a token is made of the bytes first … end-1 of its text. */
typedef struct sft_placed sft_placed;
int sft_tokenizer_encode_placed(const sft_tokenizer*, const sft_bytes* texts, size_t count, sft_placed** out);
void sft_placed_free(sft_placed*);
typedef struct {
  const uint32_t* ids;
  const int64_t* first;
  const int64_t* end;
  const size_t* ends;
} sft_placed_view;
sft_placed_view sft_placed_get(const sft_placed*);

/* Chat templates: Jinja as transformers renders it (trim_blocks, lstrip_blocks, loop controls, Python's methods,
 * raise_exception, strftime_now, tojson, {% generation %}). One that was opened may be used from several threads. */
typedef struct sft_chat_template sft_chat_template;

/* `special_tokens`: a JSON object, such as {"bos_token": "<s>"}, whose members templates see. `date`, "2026-01-31", is
 * what strftime_now tells. An error says the line and what is wrong there. */
int sft_chat_template_open(sft_bytes source, sft_bytes special_tokens, sft_bytes date, sft_chat_template** out);
void sft_chat_template_free(sft_chat_template*);
int sft_chat_template_marks_generation(const sft_chat_template*); /* not 0: it has a {% generation %} */

/* The first num_messages messages of chat number `chat`, with or without what asks for an answer. */
typedef struct {
  size_t chat;
  size_t num_messages;
  int add_generation_prompt;
} sft_chat_part;

/* Many parts at once, on the cores that this process may use. A chat is a JSON object: "messages", and what else its
 * template sees. What a template refuses fails its part alone. */
typedef struct sft_renderings sft_renderings;
int sft_chat_template_render(const sft_chat_template*, const sft_bytes* chats, size_t num_chats,
                             const sft_chat_part* parts, size_t count, sft_renderings** out);
void sft_renderings_free(sft_renderings*);

/* Part i has the bytes text_ends[i-1] (0 for the first) to text_ends[i] of the text; they say why where failed[i]. What
 * stood between {% generation %} and {% endgeneration %} are the bytes spans[2k] to spans[2k+1] of its own text, k from
 * span_ends[i-1] to span_ends[i]. */
typedef struct {
  const char* text;
  const size_t* text_ends;
  const size_t* spans;
  const size_t* span_ends;
  const uint8_t* failed;
} sft_renderings_view;
sft_renderings_view sft_renderings_get(const sft_renderings*);

/* A text of ours that the caller frees. */
typedef struct sft_text sft_text;
sft_bytes sft_text_get(const sft_text*);
void sft_text_free(sft_text*);

/* Ids back to text, special tokens by their names. */
int sft_tokenizer_decode(const sft_tokenizer*, const uint32_t* ids, size_t count, sft_text** out);

/* Lower case in any script; a sigma that ends a word is the final one. */
int sft_lowercase(sft_bytes text, sft_text** out);
/* The same for texts that a reader takes for one: Unicode form NFKC, lower case, one blank between words. */
int sft_folded(sft_bytes text, sft_text** out);
int sft_is_alphanumeric(uint32_t character); /* not 0: a letter, digit or number of any script */

/* SHA-256 of bytes that come in pieces. `digest` takes 32 bytes and ends the hash. */
typedef struct sft_sha256 sft_sha256;
sft_sha256* sft_sha256_new(void);
void sft_sha256_update(sft_sha256*, sft_bytes bytes);
void sft_sha256_digest(sft_sha256*, uint8_t* digest);
void sft_sha256_free(sft_sha256*);

#ifdef __cplusplus
}
#endif
#endif
